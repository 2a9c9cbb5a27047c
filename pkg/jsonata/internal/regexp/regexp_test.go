package regexp

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// allGroups returns the matches and their groups as text; "-" for a group that took no part.
func allGroups(matches [][]int, s string) [][]string {
	var out [][]string
	for _, m := range matches {
		var groups []string
		for i := 0; i < len(m); i += 2 {
			if m[i] < 0 {
				groups = append(groups, "-")
				continue
			}
			groups = append(groups, s[m[i]:m[i+1]])
		}
		out = append(out, groups)
	}
	return out
}

// all returns the first matches, up to one that is empty after another.
func all(t *testing.T, p *Pattern, text string) [][]int {
	t.Helper()
	s, err := p.Search(text, nil)
	if err != nil {
		return nil
	}
	var list [][]int
	for from := 0; len(list) < 20; {
		match, err := s.Find(from)
		if err != nil {
			t.Fatal(err)
		}
		if match == nil || len(list) > 0 && (match[0] == match[1] || from == len(text)) {
			break
		}
		list = append(list, slices.Clone(match))
		from = match[1]
	}
	return list
}

func TestMatches(t *testing.T) {
	t.Parallel()
	tests := []struct {
		body, flags, text string
		want              [][]string
	}{
		{`b+`, "", "ababbx", [][]string{{"b"}, {"bb"}}},
		{`(a)|(b)`, "", "ab", [][]string{{"a", "a", "-"}, {"b", "-", "b"}}},
		{`HAT`, "i", "hat", [][]string{{"hat"}}},
		{`k`, "i", "kK\u212a", [][]string{{"k"}, {"K"}}},
		{`[^k]`, "i", "kK\u212a", [][]string{{"\u212a"}}},
		{`\s+`, "", "a\u00a0\ufeff\v b", [][]string{{"\u00a0\ufeff\v "}}},
		{`.+`, "", "a\u2028b\rc", [][]string{{"a"}, {"b"}, {"c"}}},
		{`[^]+`, "", "a\n\u2028b", [][]string{{"a\n\u2028b"}}},
		{`a[]|b`, "", "ab", [][]string{{"b"}}},
		{`[]+b`, "", "ab", nil},
		{`[]*b`, "", "ab", [][]string{{"b"}}},
		{`a$`, "", "a\n", nil},
		{`^b$`, "m", "a\nb\nc", [][]string{{"b"}}},
		{`^b`, "", "bb", [][]string{{"b"}}},
		{`\bb`, "", "bb b", [][]string{{"b"}, {"b"}}},
		{`(?<year>\d{4})-(?<m>\d\d)`, "", "2024-05", [][]string{{"2024-05", "2024", "05"}}},
		{`\/\x41\u0042\cJ\0`, "", "/AB\n\x00", [][]string{{"/AB\n\x00"}}},
		{`\uD83D\uDCA9`, "", "x💩", [][]string{{"💩"}}},
		{`a{,2}{`, "", "a{,2}{", [][]string{{"a{,2}{"}}},
		{`[\w-.]+`, "", "a-.b!", [][]string{{"a-.b"}}},
		{`[\b]`, "", "\b", [][]string{{"\b"}}},
		{`\a\Z`, "", "aZ", [][]string{{"aZ"}}},
		{`(a*)*b`, "", "aab", [][]string{{"aab", "aa"}}},
		{`(a*)*`, "", "b", [][]string{{"", "-"}}},
		{`^(https?:\/\/)?([\da-z\.-]+)\.([a-z\.]{2,6})([\/\w \.-]*)*\/?$`, "", "http://a.bc/d/", [][]string{{"http://a.bc/d/", "http://", "a", "bc", "/d/"}}},
	}
	for _, tt := range tests {
		t.Run(tt.body, func(t *testing.T) {
			t.Parallel()
			re, err := Compile(tt.body, tt.flags)
			if err != nil {
				t.Fatal(err)
			}
			matches := all(t, re, tt.text)
			if diff := cmp.Diff(tt.want, allGroups(matches, tt.text)); diff != "" {
				t.Errorf("matches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`a(?=b)`, `a(?!b)`, `(?<=a)b`, `(?<!a)b`, `(a)\1`, `(?<n>a)\k<n>`, `(?i:a)`, `(?>a)`, `a*+`, `a**`, `*a`, `^*`, `\b+`,
		`{2}`, `a{2,1}`, `a{1001}`, `(a{1000}){1000}`, `(a`, `a)`, `[a`, `[b-a]`, `\`, `\u{41}`, `\ud83d`, `\p{L}`, `\012`, `\c1`,
		`((a)|b)+`, `(?:(a)?b)*`, `(a*)+`, `(?:|a)*`, `(?:a*?)*`, `(?<a>x)(?<a>y)`, `(?<>x)`, "\xff",
		strings.Repeat("(", 200), strings.Repeat("a", 9000),
	} {
		re, err := Compile(body, "")
		var e *Error
		if !errors.As(err, &e) || e.Reason == "" {
			t.Errorf("%.40q: got %v, %v, want a reason", body, re, err)
		}
	}
	if _, err := Compile("a", "y"); err == nil {
		t.Error("flag y: got no error")
	}
	re, err := Compile("^a", "m")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := re.Contains("b\r\na", nil); err == nil {
		t.Error("m flag with \\r: got no error")
	}
	if ok, err := re.Contains("b\na", nil); !ok || err != nil {
		t.Errorf("m flag: got %v, %v, want true", ok, err)
	}
}

func FuzzPattern(f *testing.F) {
	for _, body := range []string{`a+`, `(a|b)*?c{2,3}`, `[^\w-z]`, `\u0041\b`, `(?:a*)*`, `(?<n>x){0}`, `[]|[^]`, `(a*)*`} {
		f.Add(body, "im", "aab\nccc")
	}
	f.Add(`[^b]+\\b`, "", "a\xed\xa0\x80\x80b")
	f.Fuzz(func(t *testing.T, body, flags, text string) {
		re, err := Compile(body, flags)
		if err != nil {
			return
		}
		matches := all(t, re, text)
		for _, m := range matches {
			if m[0] < 0 || m[1] < m[0] || m[1] > len(text) {
				t.Fatalf("%q: match %v is outside of the text", body, m)
			}
		}
	})
}

// randomPattern draws expressions that nest what matters to a search: repeats, choices,
// groups and assertions.
func randomPattern() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var draw func(depth int) string
		draw = func(depth int) string {
			atom := rapid.SampledFrom([]string{"a", "b", "é", ".", `\w`, "[ab]", "[^a]", `\b`, "^", "$", "c", `\s`, "[]", "[^]"})
			if depth == 0 {
				return atom.Draw(t, "atom")
			}
			switch rapid.IntRange(0, 6).Draw(t, "form") {
			case 0:
				return draw(depth-1) + "|" + draw(depth-1)
			case 1:
				return "(" + draw(depth-1) + ")"
			case 2:
				return "(?:" + draw(depth-1) + ")" + rapid.SampledFrom([]string{"*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}"}).Draw(t, "repeat")
			case 3:
				return atom.Draw(t, "atom")
			}
			return draw(depth-1) + draw(depth-1)
		}
		return draw(4)
	})
}

// Backtracking finds what package regexp finds.
func TestSearch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := randomPattern().Draw(t, "body")
		p, err := Compile(body, "")
		if err != nil {
			t.Skip(err)
		}
		text := rapid.StringOfN(rapid.SampledFrom([]rune("aabbcé \n💩")), 0, 40, -1).Draw(t, "text")
		s := p.search(text, nil)
		for from := 0; from <= len(text); from++ {
			if from < len(text) && !utf8.RuneStart(text[from]) {
				continue
			}
			fast, err := s.Find(from)
			if err != nil {
				t.Fatal(err)
			}
			slow, err := s.findSlowly(from)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(fast, slow) {
				t.Fatalf("/%s/ in %q from %d: got %v, package regexp finds %v", body, text, from, fast, slow)
			}
		}
	})
}

// What makes backtracking explode is left to package regexp.
func TestRunaway(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`(?:a+)+b`, `(?:a|aa)+$`, `(?:.*.*.*.*)x`, `^(?:(?:a+)+)+b$`} {
		p, err := Compile(body, "")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if found, err := p.Contains(strings.Repeat("a", 20_000)+"!", nil); found || err != nil {
			t.Errorf("%s: got %v, %v, want no match", body, found, err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %v", body, took)
		}
	}
}
