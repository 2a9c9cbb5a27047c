package console

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
)

// routesOnly is an engine that only has routes.
type routesOnly struct {
	Engine
	routes []Route
}

func (r routesOnly) Routes() []Route { return r.routes }

func (r routesOnly) Sample(string) (Sample, bool) { return Sample{Method: "POST", Path: "/x"}, true }

func TestSources(t *testing.T) {
	t.Parallel()
	sourcetest.Hold(t, "pkg/console/send.go: a sample on the page Send", func(s sources.Source) error {
		c := New(ServeOptions{Recorder: NewRecorder(Options{}), Engine: routesOnly{routes: []Route{{Name: "r", Source: s.Key, Takes: "x y"}}}})
		_, page, err := c.sendPage(httptest.NewRequest(http.MethodGet, "/", nil))
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(page.(base).Samples, func(b sample) bool { return b.Function == s.Function }) {
			return fmt.Errorf("there is no entry for the function %s", s.Function)
		}
		return nil
	})
	filter, err := os.ReadFile("assets/deliveries.html")
	if err != nil {
		t.Fatal(err)
	}
	sourcetest.Hold(t, "pkg/console/assets/deliveries.html: the filter Source", func(s sources.Source) error {
		if !bytes.Contains(filter, []byte(`"`+s.Function+`" "`+s.Function+`s"`)) {
			return fmt.Errorf("no choice is the function %s", s.Function)
		}
		return nil
	})
}
