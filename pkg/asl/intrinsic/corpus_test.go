package intrinsic

import (
	"encoding/json"
	"testing"

	"github.com/expressway-dev/expressway/internal/jsontest"
	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// masked are the recorded results that the recorder replaced: random values and names.
var masked = map[string]bool{"RandomNumberGenerated": true, "generated-uuid": true, "<ArnPart_0idx>": true}

// TestRecorded compares results with the service's recorded answers, case by case; their
// README is next to the module.
func TestRecorded(t *testing.T) {
	t.Parallel()
	text := shared.Read(t, "conformance", "cases", "intrinsic.json")
	var cases []struct {
		ID         string `json:"id"`
		Definition struct {
			States map[string]struct {
				Parameters map[string]string
			}
		} `json:"definition"`
		Input  json.RawMessage `json:"input"`
		Expect struct {
			Output json.RawMessage `json:"output"`
		} `json:"expect"`
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 60 {
		t.Errorf("%d cases, want the corpus to have more", len(cases))
	}
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			text := ""
			for _, state := range c.Definition.States {
				text += state.Parameters["FunctionResult.$"] // one of the states has it
			}
			call, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			env := envOf(jsontest.Decode(t, string(c.Input)))
			if resolve := env.Resolve; len(call.Paths()) == 1 && call.Paths()[0] == "$$.StateMachine.Name" {
				env.Resolve = func(string) (any, error) { return resolve("$$.Name") }
			}
			got, err := call.Eval(env)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := jsontest.Decode(t, string(c.Expect.Output)).(*jsonata.Object).Get("FunctionResult")
			if s, ok := want.(string); ok && masked[s] {
				return
			}
			// The recorder sorted the members of objects; texts are compared unchanged.
			if string(appendKey(nil, got)) != string(appendKey(nil, want)) {
				t.Errorf("got = %s, want %s", jsontest.Encode(t, got), jsontest.Encode(t, want))
			}
		})
	}
}
