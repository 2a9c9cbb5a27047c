package wiring_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/template"
	"github.com/expressway-dev/expressway/pkg/template/wiring"
)

// check reads a template as it is deployed, and the routes where there are any.
func check(t *testing.T, dir, name, configuration string) []wiring.Finding {
	t.Helper()
	c, err := template.ReadSAMConfig(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	o := template.Options{Parameters: c.Parameters, Region: c.Region, StackName: c.StackName, Deployed: true}
	if o.StackName == "" {
		o.StackName = "STACK"
	}
	tpl, err := template.Load(filepath.Join(dir, name), o)
	if err != nil {
		t.Fatal(err)
	}
	var routes *wiring.Configuration
	if configuration != "" {
		path := filepath.Join(dir, configuration)
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if routes, err = wiring.NewConfiguration(path, source); err != nil {
			t.Fatal(err)
		}
	}
	return wiring.Check(tpl, routes, nil)
}

type place struct{ File, Resource, Property, Route, Key, Section string }

type mistake struct {
	ID     string
	Edits  []struct{ File, Old, New string }
	Places []place
	Says   []string
}

// TestMistakes makes each mistake in a copy of the stack that is right, and looks for a
// finding at its place.
func TestMistakes(t *testing.T) {
	t.Parallel()
	var all struct{ Mistakes []mistake }
	if err := json.Unmarshal(shared.Read(t, "own-stack", "mistakes", "expectations.json"), &all); err != nil {
		t.Fatal(err)
	}
	// What pkg/config alone finds, which the command adds: see cmd/expressway.
	ofConfig := []string{"filter-without-braces"}
	for _, m := range all.Mistakes {
		t.Run(m.ID, func(t *testing.T) {
			t.Parallel()
			if slices.Contains(ofConfig, m.ID) {
				t.Skip("a mistake in the configuration alone")
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(shared.Path(t, "own-stack", "mistakes", "good"))); err != nil {
				t.Fatal(err)
			}
			for _, e := range m.Edits {
				path := filepath.Join(dir, e.File)
				source, err := os.ReadFile(path)
				if err != nil || strings.Count(string(source), e.Old) != 1 {
					t.Fatalf("%s: %v, or the text does not occur exactly once", e.File, err)
				}
				if err := os.WriteFile(path, []byte(strings.Replace(string(source), e.Old, e.New, 1)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			findings := check(t, dir, "template.yaml", "expressway/expressway.yaml")
			found := false
			for _, f := range findings {
				t.Log(strings.ReplaceAll(f.String(), dir+"/", ""))
				found = found || atPlace(t, dir, f, m.Places) && says(f.Text(), m.Says)
			}
			if !found {
				t.Error("no finding is at the place and says it")
			}
			if len(findings) > 2 {
				t.Errorf("%d findings for one mistake", len(findings))
			}
		})
	}
}

func says(text string, patterns []string) bool {
	for _, p := range patterns {
		if !regexp.MustCompile("(?i)" + p).MatchString(text) {
			return false
		}
	}
	return true
}

// atPlace reports whether a finding points into one of the places.
func atPlace(t *testing.T, dir string, f wiring.Finding, places []place) bool {
	t.Helper()
	for _, p := range places {
		path := filepath.Join(dir, p.File)
		if f.Pos.File != path {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		root, err := template.Parse(path, source)
		if err != nil {
			t.Fatal(err)
		}
		keys := []string{p.Section}
		switch {
		case p.Resource != "":
			keys = []string{"Resources", p.Resource}
		case p.Route != "":
			for _, r := range root.Get("routes").Items {
				if r.Get("name").Text == p.Route && within(f.Pos, r.Members[0].Key, r) {
					return true
				}
			}
			continue
		}
		if m := root.Get(keys[:len(keys)-1]...).Member(keys[len(keys)-1]); m != nil && within(f.Pos, m.Key, m.Value) {
			return true
		}
	}
	return false
}

func within(p, start template.Pos, n *template.Node) bool {
	return p.Line >= start.Line && p.Line <= lastLine(n)
}

func lastLine(n *template.Node) int {
	last := n.Pos.Line
	for _, item := range n.Items {
		last = max(last, lastLine(item))
	}
	for _, m := range n.Members {
		last = max(last, lastLine(m.Value))
	}
	return last
}

// TestRightStackHasNoFinding holds that what is right is left alone.
func TestRightStackHasNoFinding(t *testing.T) {
	t.Parallel()
	for _, f := range check(t, shared.Path(t, "own-stack", "mistakes", "good"), "template.yaml", "expressway/expressway.yaml") {
		t.Errorf("untrue: %s", f)
	}
}

// TestPublicTemplates holds what is found in templates as their authors published them:
// each finding was read, and is true.
func TestPublicTemplates(t *testing.T) {
	t.Parallel()
	var index []struct{ Folder, Template string }
	if err := json.Unmarshal(shared.Read(t, "own-stack", "templates", "index.json"), &index); err != nil {
		t.Fatal(err)
	}
	for _, entry := range index {
		t.Run(entry.Folder, func(t *testing.T) {
			t.Parallel()
			for _, f := range check(t, shared.Path(t, "own-stack", "templates", entry.Folder), entry.Template, "") {
				t.Logf("%s", f)
				if f.Severity == wiring.Error {
					t.Errorf("untrue: %s", f)
				}
			}
		})
	}
}
