package intrinsic

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/asl/jsonpath"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Is reports whether a text is meant to be an intrinsic function and not a path.
func Is(text string) bool { return strings.HasPrefix(text, "States.") }

// Parse reads a call. The error is a *[SyntaxError]: bad syntax, an unknown function,
// a wrong number of arguments, an invalid path, or a template of States.Format with a
// brace that is neither "{}" nor escaped.
func Parse(text string) (*Call, error) {
	p := &parser{text: text}
	if len(text) > maxLength {
		return nil, p.fail("the call is too long")
	}
	if !utf8.ValidString(text) {
		return nil, p.fail("invalid UTF-8")
	}
	p.blanks()
	c, err := p.call()
	if err != nil {
		return nil, err
	}
	p.blanks()
	if p.pos < len(text) {
		return nil, p.fail("unexpected " + p.found())
	}
	c.paths = p.paths
	return c, nil
}

type parser struct {
	text  string
	pos   int
	depth int
	paths []string
}

func (p *parser) fail(reason string) error { return &SyntaxError{p.pos, reason} }

func (p *parser) failAt(pos int, reason string) error { return &SyntaxError{pos, reason} }

func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) found() string {
	if p.pos >= len(p.text) {
		return "end of text"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return strconv.QuoteRune(r)
}

func (p *parser) blanks() {
	for c := p.peek(); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = p.peek() {
		p.pos++
	}
}

func (p *parser) call() (*Call, error) {
	start := p.pos
	if p.depth++; p.depth > maxNesting {
		return nil, p.fail("calls nest deeper than " + strconv.Itoa(maxNesting))
	}
	for c := p.peek(); c == '.' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'; c = p.peek() {
		p.pos++
	}
	full := p.text[start:p.pos]
	name, ok := strings.CutPrefix(full, "States.")
	fn := functions[name]
	if !ok || fn == nil {
		return nil, p.failAt(start, "unknown function "+strconv.Quote(full))
	}
	if p.peek() != '(' {
		return nil, p.fail("expected '(', found " + p.found())
	}
	p.pos++
	c := &Call{fn: fn, grows: fn.grows}
	if err := p.arguments(c); err != nil {
		return nil, err
	}
	p.depth--
	c.text = p.text[start:p.pos]
	if n := len(c.args); n < fn.least || fn.most >= 0 && n > fn.most {
		return nil, p.failAt(start, "wrong number of arguments for "+full)
	}
	if name == "Format" && c.args[0].isTemplate() {
		parts, err := splitTemplate(c.args[0].quoted)
		if err != nil {
			return nil, p.failAt(start, err.Error())
		}
		c.template = parts
	}
	return c, nil
}

// isTemplate reports whether the argument is a text in quotes.
func (a *argument) isTemplate() bool {
	_, ok := a.literal.(string)
	return ok
}

// arguments reads up to the closing parenthesis.
func (p *parser) arguments(c *Call) error {
	p.blanks()
	if p.peek() == ')' {
		p.pos++
		return nil
	}
	for {
		a, err := p.argument()
		if err != nil {
			return err
		}
		c.args = append(c.args, a)
		c.grows = c.grows || a.call != nil && a.call.grows
		p.blanks()
		switch p.peek() {
		case ',':
			p.pos++
		case ')':
			p.pos++
			return nil
		default:
			return p.fail("expected ',' or ')', found " + p.found())
		}
	}
}

func (p *parser) argument() (argument, error) {
	p.blanks()
	switch c := p.peek(); {
	case c == '\'':
		return p.quoted()
	case c == '$':
		return p.path()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case strings.HasPrefix(p.text[p.pos:], "States."):
		call, err := p.call()
		return argument{call: call}, err
	}
	start := p.pos
	for c := p.peek(); c >= 'a' && c <= 'z'; c = p.peek() {
		p.pos++
	}
	switch p.text[start:p.pos] {
	case "true":
		return argument{literal: true}, nil
	case "false":
		return argument{literal: false}, nil
	case "null":
		return argument{}, nil
	}
	p.pos = start
	return argument{}, p.fail("expected an argument, found " + p.found())
}

// quoted reads a text in single quotes. A backslash escapes ' { } and \; the service refuses
// one before any other character.
func (p *parser) quoted() (argument, error) {
	start := p.pos
	p.pos++
	var out []byte
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == '\'':
			a := argument{literal: string(out), quoted: p.text[start+1 : p.pos]}
			p.pos++
			return a, nil
		case c == '\\' && p.pos+1 < len(p.text):
			p.pos++
			if c = p.text[p.pos]; strings.IndexByte(`'{}\`, c) < 0 {
				return argument{}, p.failAt(p.pos-1, `a backslash must be followed by one of ' { } \`)
			}
		}
		out = append(out, c)
		p.pos++
	}
	return argument{}, p.failAt(start, "the quote is never closed")
}

func (p *parser) number() (argument, error) {
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte("+-.eE0123456789", p.text[p.pos]) >= 0 {
		p.pos++
	}
	text := p.text[start:p.pos]
	if jsonata.Valid([]byte(text)) != nil {
		return argument{}, p.failAt(start, "invalid number")
	}
	return argument{literal: json.Number(text)}, nil
}

// path reads a path up to the comma or parenthesis that ends the argument, which is
// outside of the path's own brackets, parentheses and quotes.
func (p *parser) path() (argument, error) {
	start, depth := p.pos, 0
	for ; p.pos < len(p.text); p.pos++ {
		c := p.text[p.pos]
		switch {
		case (c == '\'' || c == '"') && depth > 0:
			p.skipQuoted(c)
			continue
		case c == '[' || c == '(':
			depth++
			continue
		case c == ']' || c == ')' && depth > 0:
			depth--
			continue
		case c != ',' && c != ')' || depth > 0:
			continue
		}
		break
	}
	p.pos = min(p.pos, len(p.text)) // an open quote may have moved it past the end
	text := strings.TrimRight(p.text[start:p.pos], " \t\r\n")
	_, path := jsonpath.Split(text)
	if _, err := jsonpath.Parse(path); err != nil {
		return argument{}, p.failAt(start, err.Error())
	}
	if !slices.Contains(p.paths, text) {
		p.paths = append(p.paths, text)
	}
	return argument{path: text}, nil
}

// skipQuoted moves to the closing quote.
func (p *parser) skipQuoted(quote byte) {
	for p.pos++; p.pos < len(p.text) && p.text[p.pos] != quote; p.pos++ {
		if p.text[p.pos] == '\\' {
			p.pos++
		}
	}
}
