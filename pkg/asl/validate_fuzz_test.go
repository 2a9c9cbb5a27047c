package asl

import "testing"

// Whatever a definition holds, it is judged in bounded time; what the validator passes,
// the parser takes, so that nobody meets the parser's words.
func FuzzValidate(f *testing.F) {
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
		o, problems := decodeDefinition(definition)
		if problems != nil || anyErrors(validateDefinition(o, express)) {
			return
		}
		if _, err := Parse(definition); err != nil {
			t.Errorf("%q is valid, and cannot be parsed: %v", definition, err)
		}
	})
}
