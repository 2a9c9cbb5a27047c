// Package regexp runs the regular expressions of JavaScript, in time in proportion to the
// text.
//
// They are translated to the syntax of RE2; what RE2 cannot do is refused by [Compile].
// Characters are Unicode code points throughout, where JavaScript without its u flag sees
// the two halves of those beyond U+FFFF.
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

// Search returns a search of text. The search tells spend, unless that is nil, how many
// steps it has taken since it last did, again and again while it lasts and before Find
// returns; it ends with the error of spend. A step is about what it takes to look at one
// character.
//
// Text in which lines end in ways that RE2 does not know is refused, with an *[Error], by an
// expression that looks for the ends of lines.
func (p *Pattern) Search(text string, spend func(steps int) error) (*Search, error) {
	if p.lines && strings.ContainsAny(text, "\r\u2028\u2029") {
		return nil, refuse("^ and $ with the flag m are not supported in text with line ends other than \\n")
	}
	return p.search(text, spend), nil
}
