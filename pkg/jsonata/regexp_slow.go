package jsonata

import (
	"io"
	"regexp"
	"slices"
	"unicode/utf8"
)

// findSlowly is find, by package regexp.
func (s *search) findSlowly(from int) ([]int, error) {
	if from == 0 {
		re, err := s.p.slow()
		if err != nil {
			return nil, regexpError("it is too large")
		}
		return s.slowMatch(re, 0)
	}
	re, err := s.p.from()
	if err != nil {
		return nil, regexpError("it is too large")
	}
	_, width := utf8.DecodeLastRuneInString(s.text[:from])
	start := from - width
	match, err := s.slowMatch(re, start)
	if match == nil || err != nil {
		return nil, err
	}
	match = slices.Clone(match[2:]) // of the group that is the expression
	for i := range match {
		if match[i] >= 0 {
			match[i] += start
		}
	}
	return match, nil
}

// maxUnchecked is the work, in characters times instructions, that package regexp may do
// without being asked whether to go on.
const maxUnchecked = 1 << 20

// slowMatch finds the match of re in the text from start on.
func (s *search) slowMatch(re *regexp.Regexp, start int) ([]int, error) {
	text := s.text[start:]
	if s.check == nil || len(text)*len(s.p.insts) <= maxUnchecked {
		return re.FindStringSubmatchIndex(text), nil
	}
	r := &checkedReader{text: text, check: s.check, every: max(1, maxUnchecked/8/len(s.p.insts))}
	match := re.FindReaderSubmatchIndex(r)
	return match, r.err
}

// A checkedReader is how package regexp is stopped: the text ends when check fails.
type checkedReader struct {
	text  string
	pos   int
	check func() error
	every int // characters between two checks
	read  int
	err   error
}

// ReadRune returns the next character.
func (r *checkedReader) ReadRune() (c rune, size int, err error) {
	if r.read++; r.read%r.every == 0 && r.err == nil {
		r.err = r.check()
	}
	if r.pos >= len(r.text) || r.err != nil {
		return 0, 0, io.EOF
	}
	c, size = utf8.DecodeRuneInString(r.text[r.pos:])
	r.pos += size
	return c, size, nil
}
