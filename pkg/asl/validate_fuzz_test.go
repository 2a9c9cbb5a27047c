package asl

import (
	"context"
	"strings"
	"testing"
	"time"
)

// Every definition is validated in bounded time, and every accepted one runs without an
// internal error.
func FuzzDefinition(f *testing.F) {
	const head, tail = `{"StartAt":"A","States":{"A":{`, `},"B":{"Type":"Succeed"}}}`
	for _, seed := range []string{
		head + `"Type":"Pass","Parameters":{"a.$":"States.Format('{}', $.a)"},"Next":"B"` + tail,
		head + `"Type":"Choice","Choices":[{"And":[{"Variable":"$.a","IsNull":true},{"Not":{"Variable":"$.b","StringEqualsPath":"$.c"}}],"Next":"B"}],"Default":"B"` + tail,
		head + `"Type":"Task","Resource":"arn:aws:lambda:::function:f","Retry":[{"ErrorEquals":["States.ALL"],"BackoffRate":1.5}],"Catch":[{"ErrorEquals":["E"],"Next":"B"}],"End":true` + tail,
		head + `"Type":"Map","QueryLanguage":"JSONata","Items":"{% $states.input %}","MaxConcurrency":"{% 1 %}","Next":"B","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Fail"}}}` + tail,
		head + `"Type":"Map","Next":"B","ItemReader":{"Resource":"r","ReaderConfig":{"InputType":"CSV","CSVDelimiter":"TAB","MaxItemsPath":"$.m"}},"ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"a.$":"$"}},"Label":"l","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Fail"}}}` + tail,
		head + `"Type":"Parallel","Next":"B","Branches":[{"StartAt":"C","States":{"C":{"Type":"Wait","Seconds":10,"End":true}}}]` + tail,
		head + `"Type":"Wait","QueryLanguage":"JSONata","Timestamp":"{% $now() %}","Assign":{"x":"{% 1 %}"},"Next":"B"` + tail,
		head + `"Type":"Fail","ErrorPath":"$.e","CausePath":"States.UUID()"` + tail,
		`{"StartAt":"A","States":{"A":{}},"States":{}}`, `[`, `not`, "",
	} {
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, definition []byte, express bool) {
		for _, d := range Validate(definition, express) {
			Locate(definition, d)
		}
		VariableReferences(definition)
		m := agree(t, definition, express)
		if m == nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		r := m.Run(ctx, Environment{Sleep: func(context.Context, time.Duration) error { return nil }}, Execution{Input: []byte(`{"a":[1,{"b":2}],"s":1}`)})
		if (r.Status == Succeeded) != (r.Output != nil) || strings.Contains(r.Cause, "internal") {
			t.Errorf("%q: got %s %s %s with output %s, want an output only if it succeeded, and no internal error", definition, r.Status, r.Error, r.Cause, r.Output)
		}
	})
}
