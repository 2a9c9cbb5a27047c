package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/config"
)

func TestBasePaths(t *testing.T) {
	t.Parallel()
	const routes = "routes:\n  - {name: a, http: POST /a, verify: none, start: m}\n"
	parse := func(value string) (*config.Config, error) {
		return config.Options{Getenv: func(string) string { return "" }}.Parse("t.yaml", []byte("version: 1\nbasePaths: "+value+"\n"+routes))
	}
	for value, want := range map[string][]string{"/hooks": {"/hooks"}, "[/hooks, /prod/v1/]": {"/hooks", "/prod/v1/"}} {
		cfg, err := parse(value)
		if err != nil {
			t.Errorf("%s: %v", value, err)
		} else if diff := cmp.Diff(want, cfg.BasePaths); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
	for _, value := range []string{"hooks", "/", "//a", "/a/../b", "/a?b", "'/{stage}'", "/*", "https://h.example/a", "'/a b%'"} {
		if _, err := parse(value); err == nil || !strings.Contains(err.Error(), "t.yaml:2:12: basePaths: ") {
			t.Errorf("%s: %v, want a problem with its place", value, err)
		}
	}
}
