package statesapi

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Whatever the text, readers get it back.
func TestAppendText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\x00\x1f\"\\/\n\r\t\u2028\u2029<&>", "a\xffb\xc3", "\U0001F600é"})).Draw(t, "text")
		var got string
		if err := json.Unmarshal(appendText(nil, text), &got); err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(text) && got != text {
			t.Errorf("got %q, want %q", got, text)
		}
		if string(appendText(nil, []byte(text))) != string(appendText(nil, text)) {
			t.Errorf("%q is written in two ways", text)
		}
	})
}
