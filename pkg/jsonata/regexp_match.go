package jsonata

import (
	"slices"
	"strings"
)

// regexpContains reports whether p matches somewhere in s, or what check says when it
// says to give up.
func regexpContains(p *pattern, s string, check func() error) (bool, error) {
	if err := p.checkLines(s); err != nil {
		return false, err
	}
	match, err := p.search(s, check).find(0)
	return match != nil, err
}

// regexpMatches returns the matches of p in s, as indices like those of
// [regexp.Regexp.FindSubmatchIndex], at most limit of them unless that is negative.
//
// The error is what asking for one more match ends in, so that it can come with matches.
func regexpMatches(p *pattern, s string, limit int) ([][]int, error) {
	if limit == 0 {
		return nil, nil
	}
	next, err := p.matches(s, 0, false, nil)
	if err != nil {
		return nil, err
	}
	var all [][]int
	for {
		match, err := next()
		if match == nil || err != nil || len(all) == limit {
			return all, err
		}
		all = append(all, slices.Clone(match))
	}
}

// matches returns a function that returns the matches in s one by one, the first one at
// from or behind it, and nil after the last; after says that from is where a match has
// ended. A match is valid until the next one. What check returns ends the search, unless it is nil.
//
// An expression of the reference refuses to go on when a match after the first is empty
// (D1004).
func (p *pattern) matches(s string, from int, after bool, check func() error) (func() ([]int, error), error) {
	if err := p.checkLines(s); err != nil {
		return nil, err
	}
	search := p.search(s, check)
	return func() ([]int, error) {
		if after && from >= len(s) {
			return nil, nil
		}
		match, err := search.find(from)
		if match == nil || err != nil {
			return nil, err
		}
		if after && match[0] == match[1] {
			return nil, errorf("D1004", nil)
		}
		after, from = true, match[1]
		return match, nil
	}, nil
}

// checkLines refuses text in which lines end in ways that RE2 does not know, for an
// expression that looks for the ends of lines.
func (p *pattern) checkLines(s string) error {
	if p.lines && strings.ContainsAny(s, "\r\u2028\u2029") {
		return regexpError("^ and $ with the flag m are not supported in text with line ends other than \\n")
	}
	return nil
}
