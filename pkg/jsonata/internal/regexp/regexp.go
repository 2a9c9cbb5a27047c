// Package regexp runs the regular expressions of JavaScript, in time proportional to the
// text.
//
// They are translated to the syntax of RE2; [Compile] refuses what RE2 cannot do.
// Characters are always Unicode code points; JavaScript without its u flag sees those
// beyond U+FFFF as two halves.
package regexp

import "strings"

// An Error says why a regular expression is wrong, or cannot be run.
type Error struct{ Reason string }

// Error returns the reason.
func (e *Error) Error() string { return e.Reason }

func refuse(reason string) *Error { return &Error{reason} }

// Contains reports whether p matches somewhere in text. See [Pattern.Search] for spend.
func (p *Pattern) Contains(text string, spend func(steps int) error) (bool, error) {
	s, err := p.Search(text, spend)
	if err != nil {
		return false, err
	}
	match, err := s.Find(0)
	return match != nil, err
}

// Search returns a search of text. While it runs, and before Find returns, the search
// repeatedly passes the number of steps since the last call to spend, unless that is nil;
// if spend returns an error, the search ends with it. A step is roughly the work of
// examining one character.
//
// An expression that looks for the ends of lines refuses, with an *[Error], text whose
// lines end in ways that RE2 does not know.
func (p *Pattern) Search(text string, spend func(steps int) error) (*Search, error) {
	if p.lines && strings.ContainsAny(text, "\r\u2028\u2029") {
		return nil, refuse("^ and $ with the flag m are not supported in text with line ends other than \\n")
	}
	return p.search(text, spend), nil
}
