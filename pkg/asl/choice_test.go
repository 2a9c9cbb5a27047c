package asl_test

import (
	"fmt"
	"testing"

	"github.com/expressway-dev/expressway/internal/asltest"
	"github.com/expressway-dev/expressway/pkg/asl"
)

// Text compares by its UTF-16, as Java's does: characters beyond U+FFFF precede U+E000.
func TestTextOrder(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		a, b string
		less bool
	}{
		"bytes":          {"a", "b", true},
		"shorter":        {"a", "ab", true},
		"empty":          {"", "a", true},
		"equal":          {"aé", "aé", false},
		"accents":        {"z", "é", true},
		"within a rune":  {"é", "è", false},
		"surrogates":     {"x\U0001F600", "x\uFF5E", true},
		"and the other":  {"\uE000", "\U00010000", false},
		"two surrogates": {"\U0001F600", "\U0001F601", true},
		"before them":    {"\uD7FF", "\U00010000", true},
	}
	m := asltest.Parse(t, `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.a","StringLessThanPath":"$.b","Next":"Y"}],"Default":"N"},
		"Y":{"Type":"Pass","Result":true,"End":true},"N":{"Type":"Pass","Result":false,"End":true}}}`)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := m.Run(t.Context(), asl.Environment{}, asl.Execution{Input: fmt.Appendf(nil, `{"a":"%s","b":"%s"}`, test.a, test.b)})
			if got := string(r.Output) == "true"; got != test.less {
				t.Errorf("%q < %q is %v, want %v (%s)", test.a, test.b, got, test.less, r.Cause)
			}
		})
	}
}

// Times are those of the service: a date, a time of the day with its seconds, an offset.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	m := asltest.Parse(t, `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$","IsTimestamp":true,"Next":"Y"}],"Default":"N"},
		"Y":{"Type":"Pass","Result":true,"End":true},"N":{"Type":"Pass","Result":false,"End":true}}}`)
	for text, want := range map[string]bool{
		"2016-03-14T01:59:00Z":                  true,
		"2016-03-14T01:59:00.123456789Z":        true,
		"2016-03-14T01:59:00.123456789+05:30":   true,
		"2016-03-14T01:59:00.1234567891+05:30":  false,
		"2016-03-14T01:59:00.1234567891Z":       false,
		"2016-03-14T01:59:00+18:00":             true,
		"2016-03-14T01:59:00-18:00":             true,
		"2016-03-14T01:59:00+18:01":             false,
		"2016-03-14T01:59:00-24:00":             false,
		"2016-03-14T01:59:00,5Z":                false,
		"2016-03-14T01:59:00":                   false,
		"2016-03-14 01:59:00Z":                  false,
		"2016-03-14t01:59:00z":                  false,
		"2016-02-30T01:59:00Z":                  false,
		"2016-03-14T24:00:00Z":                  false,
		"2016-03-14":                            false,
		"2016-03-14T01:59:00+0530":              false,
		"20160314T015900Z":                      false,
		"2016-03-14T01:59:00.123456789+05:30Z":  false,
		" 2016-03-14T01:59:00Z":                 false,
		"2016-03-14T01:59:00.000000000000+00:0": false,
	} {
		r := m.Run(t.Context(), asl.Environment{}, asl.Execution{Input: fmt.Appendf(nil, "%q", text)})
		if got := string(r.Output) == "true"; got != want {
			t.Errorf("%s is a timestamp: %v, want %v", text, got, want)
		}
	}
}
