package jsonata

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// regexpContains reports whether re matches somewhere in s.
func regexpContains(re *regexp.Regexp, s string) (bool, error) {
	if err := checkLines(re, s); err != nil {
		return false, err
	}
	return re.MatchString(s), nil
}

// regexpMatches returns the matches of re in s, as indices like those of
// [regexp.Regexp.FindSubmatchIndex], at most limit of them unless that is negative.
//
// The error is what asking for one more match ends in: an expression of the reference
// refuses to go on when a match after the first is empty (D1004), even when limit is
// reached. So an error can come with matches.
func regexpMatches(re *regexp.Regexp, s string, limit int) ([][]int, error) {
	if limit == 0 {
		return nil, nil
	}
	if err := checkLines(re, s); err != nil {
		return nil, err
	}
	first := re.FindStringSubmatchIndex(s)
	if first == nil {
		return nil, nil
	}
	if !canBeEmpty(re) {
		return re.FindAllStringSubmatchIndex(s, limit), nil
	}
	var next *regexp.Regexp
	matches := [][]int{first}
	for {
		end := matches[len(matches)-1][1]
		if end >= len(s) {
			return matches, nil
		}
		if first[0] == first[1] {
			return matches, errorf("D1004", nil) // it would match there again
		}
		if next == nil {
			var err error
			if next, err = continuation(re); err != nil {
				return matches, err
			}
		}
		match := findFrom(next, s, end)
		switch {
		case match == nil:
			return matches, nil
		case match[0] == match[1]:
			return matches, errorf("D1004", nil)
		case limit > 0 && len(matches) >= limit:
			return matches, nil
		}
		matches = append(matches, match)
	}
}

// canBeEmpty reports whether re may match the empty text; then the matches that
// package regexp finds are not those of JavaScript, since it passes over empty ones.
func canBeEmpty(re *regexp.Regexp) bool {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	return err != nil || nullable(tree)
}

func nullable(t *syntax.Regexp) bool {
	switch t.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return false
	case syntax.OpConcat:
		return !slices.ContainsFunc(t.Sub, func(s *syntax.Regexp) bool { return !nullable(s) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(t.Sub, nullable)
	case syntax.OpCapture, syntax.OpPlus:
		return nullable(t.Sub[0])
	case syntax.OpRepeat:
		return t.Min == 0 || nullable(t.Sub[0])
	}
	return true
}

// continuation returns an expression to go on with behind a match. It begins with the
// character before, for ^ and \b look at that.
func continuation(re *regexp.Regexp) (*regexp.Regexp, error) {
	next, err := regexp.Compile(`\A(?s:.)(?s:.*?)(` + re.String() + `)`)
	if err != nil {
		return nil, regexpError("it is too large")
	}
	return next, nil
}

// findFrom returns the first match at from, which is not 0, or behind it.
func findFrom(next *regexp.Regexp, s string, from int) []int {
	_, width := utf8.DecodeLastRuneInString(s[:from])
	start := from - width
	m := next.FindStringSubmatchIndex(s[start:])
	if m == nil {
		return nil
	}
	m = m[2:] // of the group that is the expression
	for i := range m {
		if m[i] >= 0 {
			m[i] += start
		}
	}
	return m
}

// checkLines refuses text in which lines end in ways that RE2 does not know, for an
// expression that looks for the ends of lines.
func checkLines(re *regexp.Regexp, s string) error {
	if strings.ContainsAny(s, "\r\u2028\u2029") && strings.Contains(re.String(), "(?m:") {
		return regexpError("^ and $ with the flag m are not supported in text with line ends other than \\n")
	}
	return nil
}

// utf16Index returns the number of UTF-16 code units in s up to a byte offset: the index
// that the reference gives for a match.
func utf16Index(s string, byteOffset int) int {
	n := 0
	for _, r := range s[:byteOffset] {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}
