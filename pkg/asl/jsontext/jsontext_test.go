package jsontext_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/asl/jsontext"
)

// The messages are those of Jackson 2, whose column is after the unexpected character.
func TestCheck(t *testing.T) {
	t.Parallel()
	const values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
	tests := map[string]struct {
		text, reason string
		line, column int
	}{
		"word":             {"not a definition", "Unrecognized token 'not': was expecting " + values, 1, 4},
		"word as a value":  {"{\n \"a\": nul}", "Unrecognized token 'nul': was expecting " + values, 2, 10},
		"trailing word":    {`{} x`, "Unrecognized token 'x': was expecting " + values, 1, 5},
		"character":        {`{"a":}`, "Unexpected character ('}' (code 125)): expected a valid value " + values, 1, 7},
		"hex, control":     {"\"\\u000\x10\"", "Illegal character ((CTRL-CHAR, code 16)): expected a hex-digit for character escape sequence", 1, 8},
		"trailing comma":   {`{"a":1,}`, "Unexpected character ('}' (code 125)): was expecting double-quote to start field name", 1, 9},
		"comma in array":   {`[1,]`, "Unexpected character (']' (code 93)): expected a valid value " + values, 1, 5},
		"no comma":         {`{"a":1 "b":2}`, "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries", 1, 9},
		"no comma in [":    {`[1 2]`, "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 1, 5},
		"no colon":         {`{"a" 1}`, "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value", 1, 7},
		"single quotes":    {`{'a':1}`, "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 1, 3},
		"end in object":    {`{`, `Unexpected end-of-input: expected close marker for Object (start marker at [Source: (String)"{"; line: 1, column: 1])`, 1, 2},
		"end in array":     {`[1`, `Unexpected end-of-input: expected close marker for Array (start marker at [Source: (String)"[1"; line: 1, column: 1])`, 1, 3},
		"end in text":      {`"a`, "Unexpected end-of-input: was expecting closing quote for a string value", 1, 3},
		"end in name":      {`{"a`, "Unexpected end-of-input: was expecting closing quote for a field name", 1, 4},
		"wrong marker":     {`{"a":1]`, `Unexpected close marker ']': expected '}' (for Object starting at [Source: (String)"{"a":1]"; line: 1, column: 1])`, 1, 8},
		"line in text":     {"\"a\nb\"", "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string value", 2, 1},
		"escape":           {`"\x"`, "Unrecognized character escape 'x' (code 120)", 1, 4},
		"hex":              {`"\u12g4"`, "Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence", 1, 7},
		"leading zero":     {`01`, "Invalid numeric value: Leading zeroes not allowed", 1, 3},
		"minus":            {`-a`, "Unexpected character ('a' (code 97)) in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value", 1, 3},
		"only a minus":     {`-`, "Unexpected end-of-input: No digit following minus sign", 1, 2},
		"point":            {`[1.x]`, "Unexpected character ('x' (code 120)) in numeric value: Decimal point not followed by a digit", 1, 5},
		"point at the end": {`1.`, "Unexpected character ('.' (code 46)) in numeric value: Decimal point not followed by a digit", 1, 3},
		"point and line":   {"[1.\n]", "Unexpected character ((CTRL-CHAR, code 10)) in numeric value: Decimal point not followed by a digit", 2, 1},
		"exponent":         {`[1e]`, "Unexpected character (']' (code 93)) in numeric value: Exponent indicator not followed by a digit", 1, 5},
		"nothing":          {" ", "No content to map due to end-of-input", 1, 0},
		"too deep":         {strings.Repeat("[", 513), "Document nesting depth (513) exceeds the maximum allowed (512)", 1, 513},
		"not UTF-8":        {"\"\xff\"", "Invalid UTF-8 start byte 0xff", 1, 2},
		"valid":            {`{"a":[1,-0.5e+3,"\u00e9\n",true,false,null,{}],"b":[]}`, "", 0, 0},
		"duplicate member": {`{"a":1,"a":2}`, "", 0, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := jsontext.Check([]byte(test.text))
			if got == nil {
				got = &jsontext.Error{}
			}
			if got.Reason != test.reason || got.Line != test.line || got.Column != test.column {
				t.Errorf("%q at %d:%d, want %q at %d:%d", got.Reason, got.Line, got.Column, test.reason, test.line, test.column)
			}
		})
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	const want = "Unrecognized token 'no': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n" +
		" at [Source: (String)\"no\"; line: 1, column: 3]"
	if got := jsontext.Check([]byte("no")).Error(); got != want {
		t.Errorf("message = %s, want %s", got, want)
	}
	long := jsontext.Check([]byte("no " + strings.Repeat("ä", 600))).Location()
	if !strings.Contains(long, "ä\"[truncated 103 chars]; line") {
		t.Errorf("location = %s, want it cut", long)
	}
}

func TestCheckUnique(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a":1,"b":{"a":2},"a":3}`:               "Duplicate field 'a'",
		`{"a":1,"\u0061":2}`:                      "Duplicate field 'a'",
		`{"\ud83d\ude00":1,"\ud83d\ude01":2}`:     "",
		`[{"a":1},{"a":2}]`:                       "",
		`{"a":{"b":1},"b":{"a":{"b":1,"c":"b"}}}`: "",
	} {
		got := ""
		if e := jsontext.CheckUnique([]byte(text)); e != nil {
			got = e.Reason
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	const text = "{\n  \"StartAt\": \"A\",\n  \"States\": {\n    \"A\": {\"Choices\": [{\"Next\": \"B\"},\n      {\"Next\": \"C\"}]},\n    \"A/B\": {\"Type\": 1}\n  }\n}"
	for location, want := range map[string]string{
		"/":                         "1:1",
		"":                          "1:1",
		"/StartAt":                  "2:3",
		"/States/A":                 "4:5",
		"/States/A/Choices[1]":      "5:7",
		"/States/A/Choices[1]/Next": "5:8",
		"/States/A/B/Type":          "6:13",
		"/States/A/Missing/x":       "4:5",
		"/States/AB":                "3:3",
		"/nowhere":                  "1:1",
	} {
		line, column := jsontext.Position([]byte(text), jsontext.Find([]byte(text), location))
		if got := fmt.Sprintf("%d:%d", line, column); got != want {
			t.Errorf("%s is at %s, want %s", location, got, want)
		}
	}
}

// Check agrees with encoding/json on what is JSON, up to the depth that it accepts.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-0.5e+3,"\u00e9\n",true,null]}`, `{`, `[1,]`, `"\ud83d"`, `01`, "\xff", `{"a":1,"a":2}`, ` `, `nul`, `1.e`, "\"\\u000\x10\"", `"\u00eE\u00AF"`} {
		f.Add([]byte(seed), "/a[0]")
	}
	f.Fuzz(func(t *testing.T, text []byte, location string) {
		e := jsontext.Check(text)
		if valid := json.Valid(text); valid != (e == nil) && !deepOrBroken(e) {
			t.Errorf("%q: %v, and encoding/json says %v", text, e, valid)
		}
		if offset := jsontext.Find(text, location); offset < 0 || offset > len(text) {
			t.Errorf("Find(%q, %q) = %d, want an offset in the text", text, location, offset)
		}
		jsontext.CheckUnique(text)
	})
}

// deepOrBroken are the texts that encoding/json accepts and Check does not.
func deepOrBroken(e *jsontext.Error) bool {
	return e != nil && (strings.Contains(e.Reason, "depth") || strings.Contains(e.Reason, "UTF-8"))
}
