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
	"testing/synctest"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/asl"
)

// historyDifferences are the recorded histories that the observer's events do not
// reproduce, event by event, and why. Every other one must agree in types, numbers,
// predecessors and details.
var historyDifferences = map[string]string{
	"scenarios/test_base_scenarios.py::TestBaseScenarios::test_lambda_service_invoke_with_retry_extended_input": "the recording is older than RedriveCount",

	"local_mocking/test_base_scenarios.py::TestBaseScenarios::test_sns_publish_base": "the recorder has replaced a part of the input",

	"scenarios/test_base_scenarios.py::TestBaseScenarios::test_parallel_state_nested": "the recording has lost the exit of a branch",
}

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
			t.Fatalf("read the histories of %s: %v", file, err)
		}
		for _, c := range readCases(t, filepath.Base(file)) {
			want, ok := histories[c.ID]
			if !ok || !c.executed() || !c.Express {
				continue
			}
			total++
			problem, reason := "", historyDifferences[c.ID]
			synctest.Test(t, func(*testing.T) { problem = compareHistory(c, want) })
			switch {
			case problem != "" && reason == "":
				t.Errorf("%s: %s", c.ID, problem)
			case problem != "":
				t.Logf("%s: %s: %s", c.ID, reason, problem)
			case reason != "":
				t.Errorf("%s agrees now: remove it from the differences", c.ID)
			}
			if problem == "" {
				passed++
			}
		}
	}
	t.Logf("%d of %d recorded histories agree, event for event", passed, total)
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
	for _, word := range []string{"timestamp", "date"} { // the recorder's, in place of times
		if strings.Contains(string(text), word+`"`) || strings.Contains(string(text), word+`\"`) {
			m.tokens = append(m.tokens, word)
		}
	}
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
		if e.Type != "ParallelStateSucceeded" && e.Type != "ParallelStateFailed" { // were lost in the recording
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
