package asl_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/expressway-dev/expressway/internal/jsontest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

var update = flag.Bool("update", false, "write what the golden cases answer into their files")

// TestGolden runs the cases of testdata/<state>/<case>.txtar. A case explains its purpose,
// and has definition.json, input.json ({} without), mocks.json (states to the
// MockedResponses of a mock file), want (how it ends, and after how long), and history (its
// events), if that does not depend on which branch is faster. With -update, the last two
// are written.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no golden cases to read: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if reason, _, _ := strings.Cut(string(archive.Comment), "\n"); len(reason) < 10 {
				t.Errorf("the case does not say why it exists: %q", reason)
			}
			g := golden{archive}
			var want, history string
			synctest.Test(t, func(t *testing.T) { want, history = g.run(t) })
			if *update {
				g.set("want", want)
				g.set("history", history)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(g.file("want"), want); diff != "" {
				t.Errorf("it ends differently (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(g.file("history"), history); diff != "" && g.has("history") {
				t.Errorf("history (-want +got):\n%s", diff)
			}
		})
	}
}

type golden struct{ *txtar.Archive }

func (g golden) has(name string) bool { return g.at(name) != nil }

func (g golden) at(name string) *txtar.File {
	for i := range g.Files {
		if g.Files[i].Name == name {
			return &g.Files[i]
		}
	}
	return nil
}

func (g golden) file(name string) string {
	if f := g.at(name); f != nil {
		return string(f.Data)
	}
	return ""
}

// set replaces an existing file, or creates want.
func (g golden) set(name, text string) {
	if f := g.at(name); f != nil {
		f.Data = []byte(text)
	} else if name == "want" {
		g.Files = append(g.Files, txtar.File{Name: name, Data: []byte(text)})
	}
}

func (g golden) run(t *testing.T) (want, history string) {
	m, err := asl.ParseExpress([]byte(g.file("definition.json")))
	if err != nil {
		return fmt.Sprintf("refused: %v\n", err), ""
	}
	events := &strings.Builder{}
	env := asl.Environment{
		Rand: func() float64 { return 0.5 },
		UUID: func() string { return "00000000-0000-4000-8000-000000000000" },
		Observe: func(e asl.Event) {
			fmt.Fprintf(events, "%d %d %s", e.ID, e.PreviousID, e.Type)
			if e.Name != "" {
				fmt.Fprintf(events, " %s", e.Name)
			}
			events.WriteByte('\n')
		},
		Tasks: g.tasks(t),
	}
	start := time.Now()
	r := m.Run(t.Context(), env, asl.Execution{
		ARN: "arn:aws:states:us-east-1:123456789012:express:machine:name:id", Name: "name", RoleARN: "role", Sync: true,
		StateMachineARN: "arn:aws:states:us-east-1:123456789012:stateMachine:machine", StateMachineName: "machine",
		Input: []byte(strings.TrimSpace(g.file("input.json"))),
	})
	b := &strings.Builder{}
	fmt.Fprintln(b, r.Status)
	for _, line := range []struct{ name, text string }{{"output", string(r.Output)}, {"error", r.Error}, {"cause", r.Cause}} {
		if line.text != "" {
			fmt.Fprintf(b, "%s: %s\n", line.name, line.text)
		}
	}
	if took := time.Since(start); took > 0 {
		fmt.Fprintf(b, "after: %s\n", took)
	}
	return b.String(), events.String()
}

func (g golden) tasks(t *testing.T) asl.TaskRunner {
	mocks := strings.TrimSpace(g.file("mocks.json"))
	if mocks == "" {
		return tasks.None{}
	}
	names := &strings.Builder{}
	responses, ok := jsontest.Decode(t, mocks).(*jsonata.Object)
	if !ok {
		t.Fatal("mocks.json must be an object")
	}
	for i := range responses.Len() {
		state, _ := responses.At(i)
		fmt.Fprintf(names, "%s%q:%q", strings.Repeat(",", min(i, 1)), state, state)
	}
	config, err := tasks.LoadMocks(fmt.Appendf(nil, `{"StateMachines":{"m":{"TestCases":{"c":{%s}}}},"MockedResponses":%s}`, names, mocks))
	if err != nil {
		t.Fatal(err)
	}
	runner, err := config.Runner("m", "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	return runner
}
