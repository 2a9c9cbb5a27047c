package jsonata

import (
	"errors"
	"slices"
	"testing"

	"github.com/expressway-dev/expressway/pkg/jsonata/internal/regexp"
)

// allMatches returns the matches of m in s, and the error that asking for more ends in.
func allMatches(m *matcher, s string) ([][]int, error) {
	next, err := m.matches(s, 0, false, nil)
	if err != nil {
		return nil, err
	}
	var all [][]int
	for {
		match, err := next()
		if match == nil || err != nil {
			return all, err
		}
		all = append(all, slices.Clone(match))
	}
}

func TestEmptyMatch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body, text string
		matches    int
		code       string
	}{
		{`.*?`, "abc", 1, "D1004"},
		{`a*`, "aab", 1, "D1004"},
		{`a*`, "aa", 1, ""},
		{`a*`, "", 1, ""},
		{`\b\w*`, "ab cd", 1, "D1004"},
		{`^a*|b`, "aab", 2, ""},
	}
	for _, tt := range tests {
		re, err := regexp.Compile(tt.body, "")
		if err != nil {
			t.Fatal(err)
		}
		matches, err := allMatches(&matcher{re: re}, tt.text)
		code := ""
		if e := (*Error)(nil); errors.As(err, &e) {
			code = e.Code
		}
		if len(matches) != tt.matches || code != tt.code {
			t.Errorf("%s in %q: got %d matches, %q, want %d, %q", tt.body, tt.text, len(matches), code, tt.matches, tt.code)
		}
	}
}

func TestUTF16Len(t *testing.T) {
	t.Parallel()
	const s = "aé💩b"
	for offset, want := range map[int]int{0: 0, 1: 1, 3: 2, 7: 4, 8: 5} {
		if got := utf16Len(s[:offset]); got != want {
			t.Errorf("utf16Len(%q[:%d]): got %d, want %d", s, offset, got, want)
		}
	}
}
