package jsonpath

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/jsontest"
	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// conformance reads one file of the service's recorded answers, which are next to the
// module.
func conformance(t *testing.T, name string, into any) {
	t.Helper()
	text := shared.Read(t, "conformance", "cases", name)
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// A recorded is a case; its definition is walked as data.
type recorded struct {
	ID         string          `json:"id"`
	Definition json.RawMessage `json:"definition"`
	Input      json.RawMessage `json:"input"`
	Expect     struct {
		Status string          `json:"status"`
		Output json.RawMessage `json:"output"`
		Cause  string          `json:"cause"`
	} `json:"expect"`
}

// TestRecordedPaths parses every path of the recorded executions: the service accepted
// them all.
func TestRecordedPaths(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, name := range []string{"base.json", "choice.json", "map.json", "paths.json", "variables.json", "wait.json"} {
		var cases []recorded
		conformance(t, name, &cases)
		for _, c := range cases {
			var definition any
			if json.Unmarshal(c.Definition, &definition) != nil {
				continue // refused for not being JSON
			}
			eachPath(definition, func(text string) {
				checked++
				_, path := Split(text)
				if _, err := Parse(path); err != nil {
					t.Errorf("%s: the path of %s does not parse: %v", c.ID, text, err)
				}
			})
		}
	}
	if checked < 100 {
		t.Errorf("checked %d paths, want the corpus to have more", checked)
	}
}

func eachPath(v any, visit func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			text, ok := e.(string)
			if ok && strings.HasPrefix(text, "$") && (strings.HasSuffix(k, "Path") || strings.HasSuffix(k, ".$") || k == "Variable") {
				visit(text)
			}
			eachPath(e, visit)
		}
	case []any:
		for _, e := range v {
			eachPath(e, visit)
		}
	}
}

// TestRecordedExplanations compares with the causes "Invalid path '…' : …".
func TestRecordedExplanations(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, name := range []string{"paths.json", "errors.json", "scenarios.json"} {
		var cases []recorded
		conformance(t, name, &cases)
		for _, c := range cases {
			_, rest, ok := strings.Cut(c.Expect.Cause, "Invalid path '")
			if !ok {
				continue
			}
			path, want, _ := strings.Cut(rest, "' : ")
			input, err := jsonata.Decode(c.Input)
			if err != nil {
				t.Fatal(err)
			}
			checked++
			if got := mustParse(t, path).Explain(input); got != want {
				t.Errorf("%s: Explain = %s, want %s", c.ID, got, want)
			}
		}
	}
	if checked < 4 {
		t.Errorf("checked %d causes, want the corpus to have more", checked)
	}
}

// TestRecordedIndefinite compares the lists that paths of one Pass state returned.
func TestRecordedIndefinite(t *testing.T) {
	t.Parallel()
	var cases []recorded
	conformance(t, "base.json", &cases)
	checked := 0
	for _, c := range cases {
		var d struct {
			States map[string]struct {
				Parameters struct {
					Item string `json:"item.$"`
				}
			}
		}
		if json.Unmarshal(c.Definition, &d) != nil || d.States["EntryState"].Parameters.Item == "" {
			continue
		}
		checked++
		input, err := jsonata.Decode(c.Input)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := mustParse(t, d.States["EntryState"].Parameters.Item).Eval(input)
		want, err := jsonata.Decode(c.Expect.Output)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := `{"item":`+jsontest.Encode(t, v)+"}", jsontest.Encode(t, want); got != want {
			t.Errorf("%s: got = %s, want %s", c.ID, got, want)
		}
	}
	if checked < 10 {
		t.Errorf("checked %d cases, want the corpus to have more", checked)
	}
}
