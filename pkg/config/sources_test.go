package config_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
	"github.com/expressway-dev/expressway/pkg/config"
)

func TestSources(t *testing.T) {
	t.Parallel()
	parse := func(s sources.Source) (*config.Config, error) {
		return config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(sourcetest.Config(s)))
	}
	sourcetest.Hold(t, "pkg/config/routes.go: the key of a trigger", func(s sources.Source) error {
		_, err := parse(s)
		return err
	})
	sourcetest.Hold(t, "pkg/config/route.go: the keys of a route", func(s sources.Source) error {
		_, err := parse(s)
		return err
	})
	sourcetest.Hold(t, "pkg/config/config.go: Route.triggers", func(s sources.Source) error {
		cfg, err := parse(s)
		if err == nil && string(cfg.Routes[0].Source()) != s.Key {
			err = fmt.Errorf("the source of the route is %q", cfg.Routes[0].Source())
		}
		if err == nil {
			err = config.Complete(cfg.Routes)
		}
		return err
	})
	sourcetest.Hold(t, "pkg/config/members.go: the members of its variables", func(s sources.Source) error {
		for _, variable := range s.Variables {
			text := sourcetest.Config(s) + "    filter: '{% $" + variable + ".nothing %}'\n"
			if variable == "messages" {
				text += "    batch: true\n"
			}
			_, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(text))
			if err == nil || !strings.Contains(err.Error(), "$"+variable+" has no nothing") {
				return fmt.Errorf("a member that $%s does not have is not refused: %v", variable, err)
			}
		}
		return nil
	})
	schema, err := jsonschema.NewCompiler().Compile("expressway.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	sourcetest.Hold(t, "pkg/config/expressway.schema.json: a route", func(s sources.Source) error {
		text, err := yaml.YAMLToJSON([]byte(sourcetest.Config(s)))
		if err != nil {
			return err
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return err
		}
		return schema.Validate(value)
	})
	reference, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	sourcetest.Hold(t, "docs/configuration.md: the key and the variables", func(s sources.Source) error {
		for _, name := range append([]string{s.Key}, dollar(s.Variables)...) {
			if !bytes.Contains(reference, []byte("| `"+name+"` |")) {
				return fmt.Errorf("no table has a row of %s", name)
			}
		}
		return nil
	})
}

func dollar(names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = "$" + name
	}
	return list
}
