package asl

import (
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Results of JSONata have the numbers that the service's evaluator has: integers of 64 bits
// as they are, and doubles. Everything else is the same value, not a copy.
func TestEvaluatedNumbers(t *testing.T) {
	t.Parallel()
	const nested = 400
	for text, want := range map[string]string{
		`1.0`: `1`, `-2.50`: `-2.5`, `1e3`: `1000`, `1E-7`: `1e-7`, `-0`: `0`, `-0.0`: `0`,
		`9007199254740993`:     `9007199254740993`,
		`9223372036854775807`:  `9223372036854775807`,
		`9223372036854775808`:  `9223372036854776000`,
		`-9223372036854775808`: `-9223372036854775808`,
		`-9223372036854775809`: `-9223372036854776000`,
		`1e400`:                `1e400`,
		`["1.0 \" 2.0",{"1.0":true,"e":[false,null]}]`:                    `["1.0 \" 2.0",{"1.0":true,"e":[false,null]}]`,
		`[1,[],{"a":1,"b":2.0,"c":[3,4.0,5]},6]`:                          `[1,[],{"a":1,"b":2,"c":[3,4,5]},6]`,
		strings.Repeat("[", nested) + "1.0" + strings.Repeat("]", nested): strings.Repeat("[", nested) + "1" + strings.Repeat("]", nested),
	} {
		decoded, err := jsonata.Decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for kind, v := range map[string]any{"decoded": decoded, "raw": jsonata.NewRaw([]byte(text))} {
			before, _ := jsonata.AppendJSON(nil, v)
			out := evaluated(v, nil)
			got, err := jsonata.AppendJSON(nil, out)
			if err != nil || string(got) != want {
				t.Errorf("%s %s becomes %s, %v, want %s", kind, text, got, err, want)
			}
			if after, _ := jsonata.AppendJSON(nil, v); string(after) != string(before) {
				t.Errorf("%s %s became %s", kind, before, after)
			}
			if text == want && !unchanged(v, out) {
				t.Errorf("%s %s was copied although nothing changed", kind, text)
			}
		}
	}
}
