package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

func TestSources(t *testing.T) {
	t.Parallel()
	sourcetest.Hold(t, "functions/layer/main.go: a Handler", func(s sources.Source) error {
		path := filepath.Join(t.TempDir(), "expressway.yaml")
		if err := os.WriteFile(path, []byte(sourcetest.Config(s)), 0o600); err != nil {
			return err
		}
		_, err := newHandler(s.Function, gateway.Options{Config: path, Starter: bridgetest.Succeed(`{}`)})
		return err
	})
	sourcetest.Hold(t, "functions/layer/main.go: a main of its own next to it", func(s sources.Source) error {
		_, err := os.Stat(filepath.Join("..", s.Function, "main.go"))
		return err
	})
	for _, place := range []struct {
		file, says string
		names      func(s sources.Source) string
	}{
		{"Makefile", "a target that SAM builds", func(s sources.Source) string { return "FUNCTION = " + s.Function + "\n" }},
		{"deploy/terraform/variables.tf", "the variable kind", func(s sources.Source) string { return `"` + s.Function + `"` }},
		{"deploy/terraform/routes.tf", "the routes of a kind", func(s sources.Source) string { return s.Function + ` = "` + s.Key + `"` }},
		{"deploy/cdk/src/index.ts", "the class of a construct", func(s sources.Source) string {
			return "export class Expressway" + strings.ToUpper(s.Function[:1]) + s.Function[1:]
		}},
		{"docs/own-stack.md", "the Handlers of the layer", func(s sources.Source) string { return "`" + s.Function + "`" }},
		{"deploy/cdk/src/index.ts", "a construct", func(s sources.Source) string { return s.Key + ": '" + s.Function + "'" }},
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(place.file)))
		if err != nil {
			t.Fatal(err)
		}
		sourcetest.Hold(t, place.file+": "+place.says, func(s sources.Source) error {
			if name := place.names(s); !bytes.Contains(text, []byte(name)) {
				return fmt.Errorf("there is no %q", name)
			}
			return nil
		})
	}
}
