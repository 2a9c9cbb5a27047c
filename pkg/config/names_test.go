package config

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The checks of names agree with the patterns that describe them.
func TestNames(t *testing.T) {
	t.Parallel()
	patterns := map[string]struct {
		pattern *regexp.Regexp
		check   func(string) bool
	}{
		"route":    {regexp.MustCompile(`^[a-z0-9-]{1,40}$`), isRouteName},
		"machine":  {regexp.MustCompile(`^[0-9A-Za-z_-]{1,80}$`), isMachineName},
		"variable": {regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`), isVariableName},
		"arn":      {regexp.MustCompile(`^arn:[a-z0-9-]+:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[^\s:#]+(:[^\s:#]+)?(#\S+)?$`), isMachineARN},
	}
	const arn = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
	fixed := []string{
		"", "a", "A", "é", "1a", "a_b", strings.Repeat("a", 40), strings.Repeat("a", 41), strings.Repeat("a", 80), strings.Repeat("a", 81),
		arn, arn + ":1", arn + ":prod", arn + "#case", arn + ":prod#a:b", arn + ":", arn + "#", arn + ":a:b", arn + " ", arn[1:],
		"arn:aws:states:us-east-1:12345678901:stateMachine:orders", "arn:aws:states::123456789012:stateMachine:orders",
		"arn:aws:lambda:us-east-1:123456789012:function:orders", "arn:aws-us-gov:states:us-gov-west-1:123456789012:stateMachine:a/b",
	}
	check := func(t interface{ Errorf(string, ...any) }, s string) {
		for name, p := range patterns {
			if got, want := p.check(s), p.pattern.MatchString(s); got != want {
				t.Errorf("%s %q: %v, want %v", name, s, got, want)
			}
		}
	}
	for _, s := range fixed {
		check(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9_$ é-]{0,50}`), rapid.StringMatching(`arn:[a-z-]{0,3}:states:[a-z-]{0,3}:[0-9]{11,13}:stateMachine:[a-z#: ]{0,6}`)).Draw(t, "s")
		check(t, s)
	})
}

func TestPatternParams(t *testing.T) {
	t.Parallel()
	params := regexp.MustCompile(`\{([^{}.$]+)(\.\.\.)?\}`)
	for _, s := range []string{"POST /a", "/{a}", "GET /{a}/x/{b...}", "/{$}", "/{a}{", "/{}", "/{a"} {
		var want []string
		for _, m := range params.FindAllStringSubmatch(s, -1) {
			want = append(want, m[1])
		}
		if got := patternParams(s); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"a${A}b": "a1b", "${A}${A}": "11", "${B:-x${A}": "x${A", "${B:-}": "", "${A": "${A", "$A": "$A", "}${A}": "}1", "${A:-z}": "1",
	} {
		d := &document{getenv: func(name string) string { return map[string]string{"A": "1"}[name] }}
		if got := d.expand(nil, source); got != want || len(d.problems) > 0 {
			t.Errorf("%s: %q, %v, want %q", source, got, d.problems, want)
		}
	}
}
