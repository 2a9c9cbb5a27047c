package template_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/template"
)

type expectedMachine struct {
	Name      string
	Type      string
	Texts     [][2]any
	Overrides map[string][][2]any
}

type expectations struct {
	Repositories map[string]struct {
		Template string
		Machines map[string]expectedMachine
		Absent   []string
	}
}

func load(t *testing.T, path string, overrides string) *template.Template {
	t.Helper()
	c, err := template.ReadSAMConfig(filepath.Dir(path), "")
	if err != nil {
		t.Fatal(err)
	}
	o := template.Options{Parameters: map[string]string{}, Region: c.Region, StackName: c.StackName}
	for k, v := range c.Parameters {
		o.Parameters[k] = v
	}
	if err := template.ParseOverrides(o.Parameters, overrides); err != nil {
		t.Fatal(err)
	}
	tpl, err := template.Load(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

// TestOwnStacks reads the machines of repositories that know nothing of Expressway, and
// looks at places of their resolved definitions.
func TestOwnStacks(t *testing.T) {
	t.Parallel()
	var want expectations
	if err := json.Unmarshal(shared.Read(t, "own-stack", "expectations.json"), &want); err != nil {
		t.Fatal(err)
	}
	for folder, repository := range want.Repositories {
		t.Run(folder, func(t *testing.T) {
			t.Parallel()
			path := shared.Path(t, "own-stack", folder, repository.Template)
			machines := map[string]*template.Machine{}
			tpl := load(t, path, "")
			for _, m := range tpl.Machines() {
				machines[m.ID] = m
			}
			for id, w := range repository.Machines {
				m := machines[id]
				if m == nil {
					t.Errorf("no machine %s", id)
					continue
				}
				name := id
				if w.Name != "" {
					name = w.Name
				}
				if got, _ := m.Name().String(); got != name {
					t.Errorf("%s is called %q, not %q", id, got, name)
				}
				if m.Kind != w.Type {
					t.Errorf("%s has the type %q, not %q", id, m.Kind, w.Type)
				}
				if m.Err != nil {
					t.Errorf("%s: %v", id, m.Err)
					continue
				}
				checkTexts(t, m, w.Texts)
				for overrides, texts := range w.Overrides {
					for _, m := range load(t, path, overrides).Machines() {
						if m.ID == id {
							checkTexts(t, m, texts)
						}
					}
				}
			}
			for _, id := range repository.Absent {
				if machines[id] != nil {
					t.Errorf("%s is there", id)
				}
			}
			for _, p := range tpl.Problems() {
				if !p.Note {
					t.Errorf("untrue: %s", p)
				}
			}
		})
	}
}

func checkTexts(t *testing.T, m *template.Machine, texts [][2]any) {
	t.Helper()
	var definition any
	if err := json.Unmarshal(m.Definition, &definition); err != nil {
		t.Fatalf("%s: %v\n%s", m.ID, err, m.Definition)
	}
	for _, text := range texts {
		path, want := text[0].(string), text[1]
		got := definition
		for name := range strings.SplitSeq(path, "/") {
			switch v := got.(type) {
			case map[string]any:
				got = v[name]
			case []any:
				i, _ := strconv.Atoi(name)
				got = v[i]
			}
		}
		if pattern, ok := want.(string); ok {
			s, _ := got.(string)
			if !regexp.MustCompile(pattern).MatchString(s) {
				t.Errorf("%s: %s is %v, not %s", m.ID, path, got, pattern)
			}
		} else if got != want {
			t.Errorf("%s: %s is %v, not %v", m.ID, path, got, want)
		}
	}
}

// TestPublicTemplates reads templates as their authors published them.
func TestPublicTemplates(t *testing.T) {
	t.Parallel()
	var index []struct{ Folder, Template string }
	if err := json.Unmarshal(shared.Read(t, "own-stack", "templates", "index.json"), &index); err != nil {
		t.Fatal(err)
	}
	for _, entry := range index {
		t.Run(entry.Folder, func(t *testing.T) {
			t.Parallel()
			tpl := load(t, shared.Path(t, "own-stack", "templates", entry.Folder, entry.Template), "")
			for _, m := range tpl.Machines() {
				if m.Err != nil {
					t.Errorf("%s: %v", m.ID, m.Err)
				} else if !json.Valid(m.Definition) {
					t.Errorf("%s: its definition is not JSON: %s", m.ID, m.Definition)
				}
			}
			for _, p := range tpl.Problems() {
				if !p.Note {
					t.Errorf("untrue: %s", p)
				}
			}
		})
	}
}
