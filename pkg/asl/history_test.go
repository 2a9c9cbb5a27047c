package asl_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/asl"
)

// historyFloor is how many recorded histories the observer's events agree with, event
// for event: types, numbers, predecessors and details.
const historyFloor = 258

func TestHistory(t *testing.T) {
	t.Parallel()
	dir := shared.Path(t, "conformance", "history")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	passed, total := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var histories map[string][]map[string]any
		if err := decodeNumbers(text, &histories); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range readCases(t, filepath.Base(file)) {
			want, ok := histories[c.ID]
			if !ok || !c.pure() || strings.Contains(string(c.Definition), "DISTRIBUTED") {
				continue
			}
			total++
			if problem := compareHistory(c, want); problem == "" {
				passed++
			} else {
				t.Logf("%s: %s", c.ID, problem)
			}
		}
	}
	fmt.Printf("conformance histories %d/%d\n", passed, total)
	if passed < historyFloor {
		t.Errorf("%d histories agree, and %d did before", passed, historyFloor)
	}
}

func compareHistory(c *conformanceCase, want []map[string]any) string {
	machine, err := asl.Parse(c.Definition)
	if err != nil {
		return "refused: " + err.Error()
	}
	var mu sync.Mutex
	var got []asl.Event
	runCase(c, machine, func(e asl.Event) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, e)
	})
	m := newMatcher(c)
	text, err := json.Marshal(want)
	if err != nil {
		return err.Error()
	}
	m.tokens = append(m.tokens, placeholder.FindAllString(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(text)), -1)...)
	if slices.ContainsFunc(want, func(e map[string]any) bool { _, number := e["id"].(json.Number); return !number }) {
		return compareTypes(got, want) // the recorder sorted branches, and took their numbers away
	}
	for i, w := range want {
		if i >= len(got) {
			return fmt.Sprintf("%d events, want %d: %v is missing", len(got), len(want), w["type"])
		}
		text, err := json.Marshal(got[i])
		if err != nil {
			return err.Error()
		}
		var g any
		if err := decodeNumbers(text, &g); err != nil {
			return err.Error()
		}
		delete(w, "timestamp")
		delete(g.(map[string]any), "timestamp")
		if started, ok := w["executionStartedEventDetails"].(map[string]any); ok {
			delete(started, "roleArn") // the context object has it here
		}
		if scheduled, ok := w["taskScheduledEventDetails"].(map[string]any); ok {
			delete(scheduled, "region") // there is none here
		}
		if !m.value(w, g) {
			text, _ := json.Marshal(w)
			other, _ := json.Marshal(g)
			return fmt.Sprintf("event %s, want %s", other, text)
		}
	}
	if len(got) > len(want) {
		return fmt.Sprintf("%d events, want %d: %s", len(got), len(want), got[len(want)].Type)
	}
	return ""
}

// placeholder is what the recorder put in place of names, regions and accounts.
var placeholder = regexp.MustCompile(`<[A-Za-z0-9_:-]+>`)

func compareTypes(got []asl.Event, want []map[string]any) string {
	var g, w []string
	for _, e := range got {
		if e.Type != "ParallelStateSucceeded" { // was lost in the recording
			g = append(g, e.Type)
		}
	}
	for _, e := range want {
		w = append(w, fmt.Sprint(e["type"]))
	}
	slices.Sort(g)
	slices.Sort(w)
	if !slices.Equal(g, w) {
		return fmt.Sprintf("types %v, want %v", g, w)
	}
	return ""
}
