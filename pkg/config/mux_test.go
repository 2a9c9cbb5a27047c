package config_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/expressway-dev/expressway/pkg/config"
)

// told is a response writer that records which route was found.
type told struct {
	http.ResponseWriter
	route *config.Route
}

func (t *told) Found(r *config.Route) { t.route = r }

// The mux that checked the routes of a file finds them, and is only given out for those.
func TestMux(t *testing.T) {
	t.Parallel()
	read := func() []*config.Route {
		cfg, err := config.Options{Getenv: env(map[string]string{"SECRET": "s"})}.Parse("x.yaml", richRoutes(3))
		if err != nil {
			t.Fatal(err)
		}
		return cfg.Routes
	}
	routes := read()
	mux := config.Mux(routes)
	if mux == nil {
		t.Fatal("a file's routes have no mux")
	}
	found := told{ResponseWriter: httptest.NewRecorder()}
	mux.ServeHTTP(&found, httptest.NewRequest(http.MethodPost, "/shops/a/hooks-1", nil))
	if found.route != routes[1] {
		t.Errorf("found %v, want route-1", found.route)
	}
	missing := httptest.NewRecorder()
	mux.ServeHTTP(&told{ResponseWriter: missing}, httptest.NewRequest(http.MethodGet, "/shops/a/hooks-1", nil))
	if missing.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET is answered %d, want 405", missing.Code)
	}
	copied, changed := *routes[1], read()
	changed[1].HTTP.Pattern = "POST /other"
	for name, list := range map[string][]*config.Route{
		"none":                 nil,
		"some":                 routes[:2],
		"another order":        {routes[1], routes[0], routes[2]},
		"one twice":            {routes[0], routes[1], routes[2], routes[2]},
		"one of two files":     {routes[0], routes[1], changed[2]},
		"a copy":               {routes[0], &copied, routes[2]},
		"a changed pattern":    changed,
		"a route made by hand": {routes[0], routes[1], {HTTP: &config.HTTP{Pattern: "POST /x"}}},
	} {
		if config.Mux(list) != nil {
			t.Errorf("%s: routes that were not checked together have a mux", name)
		}
	}
	if err := config.Complete(routes); err != nil {
		t.Fatal(err)
	}
	if config.Mux(append([]*config.Route{nil, {SQS: &config.SQS{}}}, routes...)) == nil {
		t.Error("routes of other sources are in the way")
	}
}
