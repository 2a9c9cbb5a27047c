package scaffold

import (
	"fmt"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/internal/sources/sourcetest"
)

func TestSources(t *testing.T) {
	t.Parallel()
	written := func(s sources.Source, iac string) (map[string]string, error) {
		c, err := Init(Options{Dir: t.TempDir(), From: []string{s.Key}, Door: "http-api", IaC: iac, Arch: "arm64", Version: "v1.0.0", LayerFile: "layer.zip"})
		if err != nil {
			return nil, err
		}
		files := map[string]string{}
		for _, f := range c.Files {
			files[f.Path] = string(f.Data)
		}
		return files, nil
	}
	sourcetest.Hold(t, "internal/scaffold/plan.go: a route", func(s sources.Source) error {
		files, err := written(s, "sam")
		if err == nil && !strings.Contains(files[ConfigFile], "\n    "+s.Key+": ") {
			err = fmt.Errorf("expressway.yaml has no route with %s:\n%s", s.Key, files[ConfigFile])
		}
		return err
	})
	sourcetest.Hold(t, "internal/scaffold/sam.go: its function", func(s sources.Source) error {
		files, err := written(s, "sam")
		if err == nil && !strings.Contains(files["template.yaml"], "Handler: "+s.Function) {
			err = fmt.Errorf("template.yaml has no function with the Handler %s", s.Function)
		}
		return err
	})
	sourcetest.Hold(t, "internal/scaffold/stack.go: its sample", func(s sources.Source) error {
		files, err := written(s, "sam")
		for name := range files {
			if err == nil && (strings.HasPrefix(name, "events/"+s.Function+"-") || strings.HasPrefix(name, "events/bodies/")) {
				return nil
			}
		}
		return fmt.Errorf("no sample for %s: %v", s.Key, err)
	})
	for iac, want := range map[string]string{"terraform": `"%s"`, "cdk": "new Expressway%s"} {
		sourcetest.Hold(t, "internal/scaffold/snippet.go: its construct or module, "+iac, func(s sources.Source) error {
			files, err := written(s, iac)
			name := s.Function
			if iac == "cdk" {
				name = strings.ToUpper(name[:1]) + name[1:]
			}
			for _, text := range files {
				if strings.Contains(text, fmt.Sprintf(want, name)) {
					return nil
				}
			}
			return fmt.Errorf("no file has %s: %v, %v", fmt.Sprintf(want, name), files, err)
		})
	}
}
