package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Pages stay small however many routes there are, and a search finds each.
func TestManyRoutes(t *testing.T) {
	t.Parallel()
	var routes []Route
	for i := range 10_000 {
		routes = append(routes, Route{Name: fmt.Sprintf("route-%d", i), Source: "http", Takes: fmt.Sprintf("POST /r%d", i), Try: "curl"})
	}
	c := New(ServeOptions{Recorder: NewRecorder(Options{}), Engine: routesOnly{routes: routes}})
	for path, want := range map[string]string{"": "route-7", "send": "and 9970 more: search", "send?q=ROUTE-9876": "Body for route-9876"} {
		w := httptest.NewRecorder()
		c.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Path+path, nil))
		if page := w.Body.String(); w.Code != http.StatusOK || len(page) > 50_000 || !strings.Contains(page, want) {
			t.Errorf("%s: %d, %d bytes, contains %q: %v", path, w.Code, len(page), want, strings.Contains(page, want))
		}
	}
}
