package regexp

import (
	"io"
	goregexp "regexp"
	"slices"
	"unicode/utf8"
)

// findSlowly does what find does, with package regexp.
func (s *Search) findSlowly(from int) ([]int, error) {
	if from == 0 {
		re, err := s.p.slow()
		if err != nil {
			return nil, refuse("it is too large")
		}
		return s.slowMatch(re, 0)
	}
	re, err := s.p.from()
	if err != nil {
		return nil, refuse("it is too large")
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

// stepsSlowly is the cost of a character in package regexp for each instruction, in
// steps.
const stepsSlowly = 4

// slowMatch finds the match of re in the text from start on.
func (s *Search) slowMatch(re *goregexp.Regexp, start int) ([]int, error) {
	text := s.text[start:]
	if s.spend == nil {
		return re.FindStringSubmatchIndex(text), nil
	}
	match := re.FindReaderSubmatchIndex(&pacedReader{text: text, search: s, cost: stepsSlowly * len(s.p.insts)})
	return match, s.err
}

// A pacedReader stops package regexp: it ends the text when the budget is exhausted.
type pacedReader struct {
	text   string
	pos    int
	search *Search
	cost   int // of a character
}

// ReadRune returns the next character.
func (r *pacedReader) ReadRune() (c rune, size int, err error) {
	r.search.steps += r.cost
	if r.pos >= len(r.text) || !r.search.goOn() {
		return 0, 0, io.EOF
	}
	c, size = utf8.DecodeRuneInString(r.text[r.pos:])
	r.pos += size
	return c, size, nil
}
