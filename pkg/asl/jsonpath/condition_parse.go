package jsonpath

import (
	"encoding/json"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// condition reads ?(…), from the question mark.
func (p *parser) condition() (step, error) {
	p.pos++
	p.blanks()
	if !p.take("(") {
		return step{}, p.fail("expected '(' after '?', found " + p.found())
	}
	p.filters++
	c, err := p.or()
	p.filters--
	if err != nil {
		return step{}, err
	}
	p.blanks()
	if !p.take(")") {
		return step{}, p.fail("expected ')' or an operator, found " + p.found())
	}
	return step{kind: filter, cond: c}, nil
}

func (p *parser) or() (condition, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	left, err := p.and()
	if err != nil {
		return nil, err
	}
	list := orCondition{left}
	for p.blanks(); p.take("||"); p.blanks() {
		right, err := p.and()
		if err != nil {
			return nil, err
		}
		list = append(list, right)
	}
	if len(list) == 1 {
		return left, nil
	}
	return list, nil
}

func (p *parser) and() (condition, error) {
	left, err := p.not()
	if err != nil {
		return nil, err
	}
	list := andCondition{left}
	for p.blanks(); p.take("&&"); p.blanks() {
		right, err := p.not()
		if err != nil {
			return nil, err
		}
		list = append(list, right)
	}
	if len(list) == 1 {
		return left, nil
	}
	return list, nil
}

func (p *parser) not() (condition, error) {
	p.blanks()
	switch {
	case p.take("!"):
		if err := p.enter(); err != nil {
			return nil, err
		}
		c, err := p.not()
		p.depth--
		return notCondition{c}, err
	case p.take("("):
		c, err := p.or()
		if err != nil {
			return nil, err
		}
		p.blanks()
		if !p.take(")") {
			return nil, p.fail("expected ')' or an operator, found " + p.found())
		}
		return c, nil
	}
	return p.relation()
}

func (p *parser) relation() (condition, error) {
	start := p.pos
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	p.blanks()
	op, ok := p.operator()
	if !ok {
		if left.path == nil {
			p.pos = start
			return nil, p.fail("a value alone is not a condition")
		}
		return existsCondition{left.path}, nil
	}
	p.blanks()
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	if (op == opMatch) != (right.pattern != nil) || left.pattern != nil {
		return nil, p.fail("a regular expression must be to the right of =~")
	}
	return relation{left, op, right}, nil
}

// operator reads a relational operator. Words may be in any case, as in Jayway.
func (p *parser) operator() (operator, bool) {
	for _, s := range symbols {
		if p.take(s.text) {
			return s.op, true
		}
	}
	end := p.pos
	for end < len(p.text) && (p.text[end]|0x20) >= 'a' && (p.text[end]|0x20) <= 'z' {
		end++
	}
	op, ok := words[strings.ToLower(p.text[p.pos:end])]
	if ok {
		p.pos = end
	}
	return op, ok
}

// An operand is a path, a regular expression or a literal.
type operand struct {
	path    *Path
	pattern *pattern
	literal any
}

type pattern struct {
	re          *regexp.Regexp
	size        int // instructions of the compiled expression
	text, flags string
}

// maxPattern bounds the instructions of a regular expression: a match takes time
// proportional to them, and `{1000}` makes many from a few characters.
const maxPattern = 4000

// match charges for the work that RE2 may have to do: text × instructions.
func (p *pattern) match(ev *evaluator, text string) bool {
	ev.budget -= len(text) * p.size >> 6
	return ev.budget > 0 && p.re.MatchString(text)
}

func (p *parser) operand() (operand, error) {
	switch c := p.peek(); c {
	case '@', '$':
		path, err := p.path()
		return operand{path: path}, err
	case '/':
		pattern, err := p.regexp()
		return operand{pattern: pattern}, err
	}
	v, err := p.literal()
	return operand{literal: v}, err
}

func (p *parser) regexp() (*pattern, error) {
	start := p.pos
	p.pos++
	begin := p.pos
	for p.pos < len(p.text) && p.peek() != '/' {
		if p.peek() == '\\' {
			p.pos++
		}
		p.pos++
	}
	if p.pos >= len(p.text) {
		p.pos = start
		return nil, p.fail("the regular expression is never closed")
	}
	out := &pattern{text: p.text[begin:p.pos]}
	p.pos++
	begin = p.pos
	for c := p.peek(); c >= 'a' && c <= 'z'; c = p.peek() {
		if strings.IndexByte("imsu", c) < 0 {
			return nil, p.fail("unknown flag of a regular expression")
		}
		p.pos++
	}
	out.flags = p.text[begin:p.pos]
	// `u` asks for Unicode case folding, which RE2 always does.
	options := strings.ReplaceAll(out.flags, "u", "")
	if options != "" {
		options = "(?" + options + ")"
	}
	// The text must compile by itself, so that it cannot close the group around it.
	parsed, err := syntax.Parse(out.text, syntax.Perl)
	if err != nil {
		p.pos = start
		return nil, p.fail("invalid regular expression: " + err.Error())
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		p.pos = start
		return nil, p.fail("invalid regular expression: " + err.Error())
	}
	if out.size = len(program.Inst); out.size > maxPattern {
		p.pos = start
		return nil, p.fail("the regular expression is too large")
	}
	re, err := regexp.Compile(options + `\A(?:` + out.text + `)\z`)
	if err != nil {
		p.pos = start
		return nil, p.fail("invalid regular expression: " + err.Error())
	}
	out.re = re
	return out, nil
}

// literal reads a JSON value, in which strings may also be in single quotes. A word without
// quotes is text too: deployed machines have conditions such as @.code==es.
func (p *parser) literal() (any, error) {
	switch c := p.peek(); {
	case c == '\'' || c == '"':
		return p.quoted()
	case c == '[':
		return p.list()
	case c == '{':
		return p.object()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	switch w := p.word(); w {
	case "":
		return nil, p.fail("expected a path or a value, found " + p.found())
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	default:
		return w, nil
	}
}

// word reads letters, digits, "_" and "-", beginning with a letter or "_".
func (p *parser) word() string {
	start := p.pos
	for p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		if r != '_' && !unicode.IsLetter(r) && (p.pos == start || r != '-' && !unicode.IsDigit(r)) {
			break
		}
		p.pos += size
	}
	return p.text[start:p.pos]
}

func (p *parser) number() (any, error) {
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte("+-.eE0123456789", p.text[p.pos]) >= 0 {
		p.pos++
	}
	text := p.text[start:p.pos]
	if jsonata.Valid([]byte(text)) != nil {
		p.pos = start
		return nil, p.fail("invalid number")
	}
	return json.Number(text), nil
}

func (p *parser) list() (any, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	p.pos++
	out := []any{}
	for p.blanks(); !p.take("]"); p.blanks() {
		if len(out) > 0 {
			if !p.take(",") {
				return nil, p.fail("expected ',' or ']', found " + p.found())
			}
			p.blanks()
		}
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	p.depth--
	return out, nil
}

func (p *parser) object() (any, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	p.pos++
	out := &jsonata.Object{}
	for p.blanks(); !p.take("}"); p.blanks() {
		if out.Len() > 0 {
			if !p.take(",") {
				return nil, p.fail("expected ',' or '}', found " + p.found())
			}
			p.blanks()
		}
		if c := p.peek(); c != '\'' && c != '"' {
			return nil, p.fail("expected a name in quotes, found " + p.found())
		}
		name, err := p.quoted()
		if err != nil {
			return nil, err
		}
		if p.blanks(); !p.take(":") {
			return nil, p.fail("expected ':', found " + p.found())
		}
		p.blanks()
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		out.Set(name, v)
	}
	p.depth--
	return out, nil
}
