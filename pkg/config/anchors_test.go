package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/config"
)

// Anchors, aliases and merge keys are refused in words that say so, each at its place and
// wherever it is; an & that is not an anchor is left alone.
func TestAnchors(t *testing.T) {
	t.Parallel()
	const head = "version: 1\nroutes:\n"
	for name, test := range map[string]struct {
		text  string
		lines []int
	}{
		"a mapping":        {head + "  - {name: a, sqs: q, start: m, retry: &r {delay: 5s}}\n  - {name: b, sqs: z, start: m, retry: *r}\n", []int{3, 4}},
		"a merge key":      {head + "  - &a {name: a, sqs: q, start: m}\n  - <<: *a\n    name: b\n", []int{3, 4, 4}},
		"a text":           {head + "  - name: &n a\n    sqs: q\n    start: m\n", []int{3}},
		"a list":           {head + "  - {name: a, sqs: q, start: m, deadLetterQueue: d, catch: &c [{errors: [E], then: retry}]}\n", []int{3}},
		"a template":       {head + "  - {name: a, sqs: q, start: m, input: &i {a: 1}}\n", []int{3}},
		"a key of its own": {"version: 1\nx-common: &common {start: m}\nroutes:\n  - {name: a, sqs: q, <<: *common}\n", []int{2, 4, 4}},
		"an expression":    {head + "  - {name: a, sqs: q, start: m, input: '{% $message.body.a &$message.body.b %}'}\n", nil},
		"a comment":        {head + "  - {name: a, sqs: q, start: m} # this &that\n", nil},
		"a text with &":    {head + "  - {name: a, sqs: q, start: m, input: 'you &me'}\n", nil},
	} {
		_, err := config.Options{Getenv: env(nil)}.Parse("r.yaml", []byte(test.text))
		var wrong *config.Error
		if !errors.As(err, &wrong) {
			if test.lines != nil || err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var lines []int
		for _, p := range wrong.Problems {
			if !strings.Contains(p.Message, "YAML anchors, aliases and merge keys are not supported") {
				t.Errorf("%s: %v, want only the wording to use instead", name, p)
			}
			lines = append(lines, p.Line)
		}
		if len(lines) != len(test.lines) {
			t.Errorf("%s: lines %v, want %v", name, lines, test.lines)
			continue
		}
		for i := range lines {
			if lines[i] != test.lines[i] {
				t.Errorf("%s: lines %v, want %v", name, lines, test.lines)
			}
		}
	}
}
