package jsonpath

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Parse compiles a path. It must start with "$"; surrounding blanks are ignored, as
// Jayway does. The error is a *[SyntaxError].
func Parse(text string) (*Path, error) {
	p := &parser{text: text}
	if len(text) > maxLength {
		return nil, p.fail("the path is too long")
	}
	if !utf8.ValidString(text) {
		return nil, p.fail("invalid UTF-8")
	}
	p.blanks()
	if p.peek() != '$' {
		return nil, p.fail("a path starts with '$'")
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	p.blanks()
	if p.pos < len(text) {
		return nil, p.fail("unexpected " + p.found())
	}
	path.text = text
	return path, nil
}

type parser struct {
	text    string
	pos     int
	depth   int // of conditions, parentheses and literals
	filters int // > 0 inside a condition, where operators end a name
}

func (p *parser) fail(reason string) error { return &SyntaxError{p.text, p.pos, reason} }

func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

// found describes what is at the current position.
func (p *parser) found() string {
	if p.pos >= len(p.text) {
		return "end of the path"
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return strconv.QuoteRune(r)
}

func (p *parser) blanks() {
	for c := p.peek(); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = p.peek() {
		p.pos++
	}
}

// take skips s, if it is at the current position.
func (p *parser) take(s string) bool {
	if !strings.HasPrefix(p.text[p.pos:], s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxNesting {
		return p.fail("nested too deeply")
	}
	return nil
}

// path reads a path from its '$' or '@' to the end of its steps.
func (p *parser) path() (*Path, error) {
	start := p.pos
	path := &Path{simple: true, single: true, relative: p.peek() == '@'}
	p.pos++
	for {
		switch {
		case p.take(".."):
			path.steps = append(path.steps, step{kind: descend})
			if c := p.peek(); c != '[' {
				if err := p.dotted(path); err != nil {
					return nil, err
				}
			} else if err := p.bracketed(path); err != nil {
				return nil, err
			}
		case p.take("."):
			// `$.['a']` is `$['a']`
			if p.peek() == '[' {
				if err := p.bracketed(path); err != nil {
					return nil, err
				}
			} else if err := p.dotted(path); err != nil {
				return nil, err
			}
		case p.peek() == '[':
			if err := p.bracketed(path); err != nil {
				return nil, err
			}
		default:
			path.text = p.text[start:p.pos]
			path.classify()
			return path, nil
		}
		if path.fn != nil {
			path.text = p.text[start:p.pos]
			path.classify()
			return path, nil
		}
	}
}

func (p *Path) classify() {
	for i := range p.steps {
		switch p.steps[i].kind {
		case member, element:
		case members:
			// At the end it makes one object; before that, it branches.
			p.simple = false
			if i < len(p.steps)-1 {
				p.single = false
			}
		default:
			p.simple, p.single = false, false
		}
	}
}

// dotted reads what follows a dot: a name, a star or a function.
func (p *parser) dotted(path *Path) error {
	if p.take("*") {
		path.steps = append(path.steps, step{kind: wildcard})
		return nil
	}
	start := p.pos
	for p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		if !p.nameRune(r) {
			break
		}
		p.pos += size
	}
	name := p.text[start:p.pos]
	if name == "" {
		return p.fail("expected a name, found " + p.found())
	}
	if p.peek() == '(' {
		return p.function(path, name, start)
	}
	path.steps = append(path.steps, step{kind: member, name: name})
	return nil
}

func (p *parser) nameRune(r rune) bool {
	if r <= ' ' || r == 0x7f || strings.ContainsRune(".[](),'\"*{}\\", r) || unicode.IsSpace(r) {
		return false
	}
	return p.filters == 0 || !strings.ContainsRune("=<>!&|~", r)
}

// bracketed reads […].
func (p *parser) bracketed(path *Path) error {
	p.pos++
	p.blanks()
	var s step
	var err error
	switch c := p.peek(); {
	case c == '*':
		p.pos++
		s.kind = wildcard
	case c == '?':
		s, err = p.condition()
	case c == '\'' || c == '"':
		s, err = p.quotedNames()
	case c == '-' || c == ':' || c >= '0' && c <= '9':
		s, err = p.numbers()
	default:
		return p.fail("expected a name in quotes, a number, '*' or '?', found " + p.found())
	}
	if err != nil {
		return err
	}
	p.blanks()
	if !p.take("]") {
		return p.fail("expected ']', found " + p.found())
	}
	path.steps = append(path.steps, s)
	return nil
}

func (p *parser) quotedNames() (step, error) {
	var names []string
	for {
		if c := p.peek(); c != '\'' && c != '"' {
			return step{}, p.fail("expected a name in quotes, found " + p.found())
		}
		name, err := p.quotedName()
		if err != nil {
			return step{}, err
		}
		names = append(names, name)
		p.blanks()
		if !p.take(",") {
			break
		}
		p.blanks()
	}
	if len(names) == 1 {
		return step{kind: member, name: names[0]}, nil
	}
	return step{kind: members, names: names}, nil
}

func (p *parser) numbers() (step, error) {
	var list []int
	var parts [3]int
	var has [3]bool
	colons := 0
	for {
		p.blanks()
		if c := p.peek(); c == '-' || c >= '0' && c <= '9' {
			n, err := p.integer()
			if err != nil {
				return step{}, err
			}
			parts[colons], has[colons] = n, true
			list = append(list, n)
		} else if colons == 0 && c != ':' {
			return step{}, p.fail("expected a number, found " + p.found())
		}
		p.blanks()
		switch {
		case p.peek() == ':' && colons < 2 && len(list) <= colons+1:
			p.pos++
			colons++
			continue
		case p.peek() == ',' && colons == 0:
			p.pos++
			continue
		}
		break
	}
	switch {
	case colons == 0 && len(list) == 1:
		return step{kind: element, index: list[0]}, nil
	case colons == 0:
		return step{kind: elements, indexes: list}, nil
	}
	b := bounds{start: parts[0], end: parts[1], step: 1, hasStart: has[0], hasEnd: has[1]}
	if has[2] {
		if b.step = parts[2]; b.step == 0 {
			return step{}, p.fail("the step of a slice cannot be 0")
		}
	}
	return step{kind: slice, slice: b}, nil
}

// integer reads an index. 32 bits are enough for any array, and their sums cannot
// overflow.
func (p *parser) integer() (int, error) {
	start := p.pos
	p.take("-")
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
	}
	n, err := strconv.ParseInt(p.text[start:p.pos], 10, 32)
	if err != nil {
		p.pos = start
		return 0, p.fail("invalid index")
	}
	return int(n), nil
}

// quotedName reads a name in quotes of either kind. As in the service, the name is the
// text as it is written: a backslash is kept, except before a quote that would end the
// name.
func (p *parser) quotedName() (string, error) {
	start := p.pos
	quote := p.text[p.pos]
	var b strings.Builder
	for p.pos++; p.pos < len(p.text); p.pos++ {
		c := p.text[p.pos]
		switch {
		case c == quote:
			p.pos++
			return b.String(), nil
		case c == '\\' && p.pos+1 < len(p.text):
			p.pos++
			if p.text[p.pos] != quote {
				b.WriteByte(c)
			}
			b.WriteByte(p.text[p.pos])
		default:
			b.WriteByte(c)
		}
	}
	p.pos = start
	return "", p.fail("the quote is never closed")
}

// quoted reads a text in quotes of either kind, with JSON's escapes and \'.
func (p *parser) quoted() (string, error) {
	start := p.pos
	quote := p.peek()
	p.pos++
	begin := p.pos
	var b []byte
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch c {
		case quote:
			out := p.text[begin:p.pos]
			p.pos++
			if b != nil {
				return string(b) + out, nil
			}
			return out, nil
		case '\\':
			b = append(b, p.text[begin:p.pos]...)
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			b = utf8.AppendRune(b, r)
			begin = p.pos
		default:
			p.pos++
		}
	}
	p.pos = start
	return "", p.fail("the quote is never closed")
}

func (p *parser) escape() (rune, error) {
	rest := p.text[p.pos+1:]
	if rest == "" {
		return 0, p.fail("nothing follows '\\'")
	}
	if rest[0] == 'u' {
		r, ok := hex4(rest)
		if !ok {
			return 0, p.fail("invalid escape")
		}
		p.pos += 6
		if low, ok := hex4(strings.TrimPrefix(p.text[p.pos:], `\`)); ok && p.peek() == '\\' {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				p.pos += 6
				return pair, nil
			}
		}
		return r, nil
	}
	r, size := utf8.DecodeRuneInString(rest)
	p.pos += 1 + size
	if i := strings.IndexRune("bfnrt", r); i >= 0 {
		return rune("\b\f\n\r\t"[i]), nil
	}
	return r, nil
}

// hex4 reads uXXXX.
func hex4(s string) (rune, bool) {
	if len(s) < 5 || s[0] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:5], 16, 16)
	return rune(n), err == nil
}
