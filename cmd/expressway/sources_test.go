package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
	"github.com/expressway-dev/expressway/pkg/config"
)

func TestSources(t *testing.T) {
	t.Parallel()
	writeFile := func(text string) string {
		path := filepath.Join(t.TempDir(), "expressway.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	parse := func(s sources.Source) (*config.Config, string, error) {
		path := writeFile(sourcetest.Config(s))
		cfg, err := config.Options{Getenv: func(string) string { return "" }}.Load(path)
		return cfg, path, err
	}
	sourcetest.Hold(t, "cmd/expressway/explain.go: its defaults", func(s sources.Source) error {
		_, path, err := parse(s)
		if err != nil {
			return err
		}
		var out, errs strings.Builder
		if run(t.Context(), []string{"explain", "r", "--config", path}, nil, &out, &errs, func(string) string { return "" }) != 0 {
			return errors.New(errs.String())
		}
		if !strings.Contains(out.String(), "$"+s.Variables[0]) {
			return fmt.Errorf("the default input is not named:\n%s", out.String())
		}
		return nil
	})
	sourcetest.Hold(t, "cmd/expressway/banner.go: what a route takes", func(s sources.Source) error {
		cfg, _, err := parse(s)
		if err == nil && trigger(cfg.Routes[0]) == "" {
			err = errors.New("nothing is said")
		}
		return err
	})
	sourcetest.Hold(t, "cmd/expressway/dev.go: the samples that --events sends", func(s sources.Source) error {
		var out, errs strings.Builder
		run(t.Context(), []string{"dev", "--help"}, nil, &out, &errs, func(string) string { return "" })
		if !strings.Contains(out.String(), s.Function+"-*.json") {
			return fmt.Errorf("the help does not name %s-*.json:\n%s", s.Function, out.String())
		}
		return nil
	})
	sourcetest.Hold(t, "cmd/expressway/invoke.go: the functions", func(s sources.Source) error {
		_, path, err := parse(s)
		if err != nil {
			path = writeFile("version: 1\nroutes: []\n")
		}
		var out, errs strings.Builder
		if run(t.Context(), []string{"invoke", s.Function, "--config", path, "-e", "-"}, strings.NewReader("{}"), &out, &errs, func(string) string { return "" }) == 2 {
			return errors.New(errs.String())
		}
		return nil
	})
}
