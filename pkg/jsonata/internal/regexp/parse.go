package regexp

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxLength = 8192
	maxSize   = 2500 // characters and classes, with repeats written out
	maxDepth  = 100
	maxRepeat = 1000 // RE2's own limit
)

// Compile translates a regular expression literal of JavaScript, given the text between
// the slashes and the flags after them: i, m and g, which has no effect. The error is an
// *[Error].
func Compile(body, flags string) (*Pattern, error) {
	if len(body) > maxLength {
		return nil, refuse("it is longer than 8192 bytes")
	}
	if !utf8.ValidString(body) {
		return nil, refuse("it is not UTF-8 text")
	}
	p := &parser{src: []rune(body)}
	for _, c := range flags {
		switch c {
		case 'i':
			p.fold = true
		case 'm':
			p.multiline = true
		case 'g':
		default:
			return nil, refuse("the flag " + strconv.Quote(string(c)) + " is not supported")
		}
	}
	t, err := p.alternatives(0)
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.src) {
		return nil, refuse("unmatched )")
	}
	re, err := CompileRE2(t.expr)
	if err != nil {
		return nil, refuse("it is not supported: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return re, nil
}

// A term is a translated part of an expression. JavaScript and RE2 differ in what a
// repeated part leaves in its groups and in what happens when it matches nothing, so a
// term records when the difference can be observed.
type term struct {
	expr     string
	size     int
	nullable bool // can match the empty text
	// emptyLast: a nullable term tries to match nothing last
	emptyLast bool
	nonEmpty  string // the term without its empty match, if that is easy to express
	groups    bool   // has groups that capture
	skipsSome bool   // and some of them may take no part in a match
}

type parser struct {
	src             []rune
	pos             int
	fold, multiline bool
	names           map[string]bool
}

func (p *parser) peek() rune {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return -1
}

// next consumes a character if it is c.
func (p *parser) next(c rune) bool {
	if p.peek() != c {
		return false
	}
	p.pos++
	return true
}

// ahead reports whether s comes next.
func (p *parser) ahead(s string) bool {
	return strings.HasPrefix(string(p.src[p.pos:min(len(p.src), p.pos+len(s))]), s)
}

// alternatives parses until the end or a closing parenthesis.
func (p *parser) alternatives(depth int) (term, error) {
	if depth > maxDepth {
		return term{}, refuse("groups are nested too deeply")
	}
	t, err := p.sequence(depth)
	for err == nil && p.next('|') {
		var other term
		other, err = p.sequence(depth)
		t = term{
			expr:      t.expr + "|" + other.expr,
			size:      t.size + other.size + 1,
			nullable:  t.nullable || other.nullable,
			emptyLast: !t.nullable && other.emptyLast,
			groups:    t.groups || other.groups,
			skipsSome: t.groups || other.groups,
		}
	}
	return t, err
}

// sequence parses terms that follow one another.
func (p *parser) sequence(depth int) (term, error) {
	var terms []term
	for p.pos < len(p.src) && p.peek() != '|' && p.peek() != ')' {
		t, err := p.quantified(depth)
		if err != nil {
			return t, err
		}
		terms = append(terms, t)
	}
	if len(terms) == 1 {
		return terms[0], nil
	}
	seq := term{nullable: true, emptyLast: true}
	var b strings.Builder
	for _, t := range terms {
		b.WriteString(t.expr)
		seq.size += t.size
		seq.nullable = seq.nullable && t.nullable
		seq.emptyLast = seq.emptyLast && t.emptyLast
		seq.groups = seq.groups || t.groups
		seq.skipsSome = seq.skipsSome || t.skipsSome
	}
	seq.expr = b.String()
	if seq.size > maxSize {
		return seq, refuse("it is too large")
	}
	return seq, nil
}

// quantified parses an atom and its quantifier.
func (p *parser) quantified(depth int) (term, error) {
	t, assertion, err := p.atom(depth)
	if err != nil {
		return t, err
	}
	least, most, ok, err := p.quantifier()
	if err != nil || !ok {
		return t, err
	}
	if assertion {
		return t, refuse("there is nothing to repeat")
	}
	lazy := p.next('?')
	if _, _, again, err := p.quantifier(); err != nil || again {
		return t, refuse("there is nothing to repeat")
	}
	return t.repeat(least, most, lazy)
}

// repeat returns t repeated; most is -1 if there is no limit.
func (t term) repeat(least, most int, lazy bool) (term, error) {
	if most > maxRepeat || least > maxRepeat {
		return t, refuse("a repeat count is over 1000")
	}
	many := most > 1 || most < 0
	if many && t.skipsSome {
		return t, refuse("a group that can be skipped inside a repetition is not supported; write it (?:…)")
	}
	expr := t.expr
	if t.nullable && most != least {
		// JavaScript abandons an optional repeat that matches nothing and tries another
		// way.
		switch {
		case least == 0 && t.nonEmpty != "":
			expr = t.nonEmpty
		case t.groups || !t.emptyLast:
			return t, refuse("repeating what can match nothing is not supported here")
		}
	}
	count := max(least, most, 1)
	if most < 0 {
		count = max(least, 1)
	}
	r := term{
		size:      t.size*count + 1,
		nullable:  least == 0 || t.nullable,
		emptyLast: !lazy && (t.emptyLast || !t.nullable),
		groups:    t.groups,
		skipsSome: t.skipsSome || t.groups && least == 0,
	}
	if r.size > maxSize {
		return t, refuse("it is too large")
	}
	suffix := ""
	if lazy {
		suffix = "?"
	}
	r.expr = expr + quantifierText(least, most) + suffix
	if least == 0 && !lazy && !(t.nullable && expr == t.expr) {
		if most == 1 {
			r.nonEmpty = "(?:" + expr + ")"
		} else {
			r.nonEmpty = "(?:" + expr + quantifierText(1, most) + ")"
		}
	}
	if most == 0 {
		// RE2 drops the groups of a part that is repeated zero times, but they must still
		// be counted.
		r.expr, r.nonEmpty = "(?:"+expr+`[^\x{0}-\x{10ffff}])?`, ""
	}
	return r, nil
}

func quantifierText(least, most int) string {
	switch {
	case least == 0 && most < 0:
		return "*"
	case least == 1 && most < 0:
		return "+"
	case least == 0 && most == 1:
		return "?"
	case most < 0:
		return "{" + strconv.Itoa(least) + ",}"
	case least == most:
		return "{" + strconv.Itoa(least) + "}"
	}
	return "{" + strconv.Itoa(least) + "," + strconv.Itoa(most) + "}"
}

// quantifier parses one of * + ? {n} {n,} {n,m}. A brace that does not begin one of these
// is literal.
func (p *parser) quantifier() (least, most int, ok bool, err error) {
	switch {
	case p.next('*'):
		return 0, -1, true, nil
	case p.next('+'):
		return 1, -1, true, nil
	case p.next('?'):
		return 0, 1, true, nil
	case p.peek() != '{':
		return 0, 0, false, nil
	}
	start := p.pos
	p.pos++
	least, ok = p.number()
	most = least
	if ok && p.next(',') {
		if most, ok = p.number(); !ok {
			most, ok = -1, true
		}
	}
	if !ok || !p.next('}') {
		p.pos = start
		return 0, 0, false, nil
	}
	if most >= 0 && most < least {
		return 0, 0, false, refuse("the numbers of a repeat are out of order")
	}
	return least, most, true, nil
}

// number parses digits; large numbers come out as one more than the limit.
func (p *parser) number() (int, bool) {
	n, start := 0, p.pos
	for p.peek() >= '0' && p.peek() <= '9' {
		n = min(n*10+int(p.peek()-'0'), maxRepeat+1)
		p.pos++
	}
	return n, p.pos > start
}

// atom parses what a quantifier applies to, or an assertion, which has no quantifier.
func (p *parser) atom(depth int) (t term, assertion bool, err error) {
	empty := func(expr string) term {
		return term{expr: expr, size: 1, nullable: true, emptyLast: true}
	}
	if _, _, ok, err := p.quantifier(); err != nil || ok {
		return t, false, refuse("there is nothing to repeat")
	}
	c := p.peek()
	p.pos++
	switch c {
	case '^', '$':
		if p.multiline {
			return empty("(?m:" + string(c) + ")"), true, nil
		}
		return empty(map[rune]string{'^': `\A`, '$': `\z`}[c]), true, nil
	case '.':
		return p.class(negate(lineRunes)), false, nil
	case '[':
		ranges, err := p.set()
		return p.class(ranges), false, err
	case '(':
		t, err := p.group(depth)
		return t, false, err
	case '\\':
		if p.next('b') {
			return empty(`\b`), true, nil
		}
		if p.next('B') {
			return empty(`\B`), true, nil
		}
		if ranges, ok := classEscape(p.peek()); ok {
			p.pos++
			return p.class(ranges), false, nil
		}
		r, err := p.escape()
		return p.char(r), false, err
	}
	return p.char(c), false, nil
}

func (p *parser) class(ranges []runeRange) term {
	var b strings.Builder
	writeClass(&b, joinRanges(ranges))
	return term{expr: b.String(), size: 1}
}

func (p *parser) char(r rune) term {
	if p.fold {
		if same := fold([]runeRange{{r, r}}); len(same) > 1 || same[0].lo != same[0].hi {
			return p.class(same)
		}
	}
	return term{expr: regexp.QuoteMeta(string(r)), size: 1}
}

// group parses what follows an opening parenthesis.
func (p *parser) group(depth int) (term, error) {
	open := "("
	switch {
	case !p.next('?'):
	case p.next(':'):
		open = "(?:"
	case p.ahead("="), p.ahead("!"):
		return term{}, refuse("lookahead is not supported")
	case p.ahead("<="), p.ahead("<!"):
		return term{}, refuse("lookbehind is not supported")
	case p.next('<'):
		if err := p.groupName(); err != nil {
			return term{}, err
		}
	default:
		return term{}, refuse("a group that begins (?" + string(p.src[p.pos:min(len(p.src), p.pos+1)]) + " is not supported")
	}
	t, err := p.alternatives(depth + 1)
	if err != nil {
		return t, err
	}
	if !p.next(')') {
		return t, refuse("a group is not closed")
	}
	t.expr = open + t.expr + ")"
	if t.nonEmpty != "" {
		t.nonEmpty = open + t.nonEmpty + ")"
	}
	t.size++
	t.groups = t.groups || open == "("
	return t, nil
}

// groupName parses the name of a group. Names are not used, because groups are numbered.
func (p *parser) groupName() error {
	start := p.pos
	for p.peek() == '_' || p.peek() == '$' || p.peek() >= '0' && p.peek() <= '9' && p.pos > start ||
		p.peek() >= 'a' && p.peek() <= 'z' || p.peek() >= 'A' && p.peek() <= 'Z' || p.peek() >= 0x80 {
		p.pos++
	}
	name := string(p.src[start:p.pos])
	if name == "" || !p.next('>') {
		return refuse("the name of a group is not valid")
	}
	if p.names[name] {
		return refuse("two groups have the name " + strconv.Quote(name))
	}
	if p.names == nil {
		p.names = map[string]bool{}
	}
	p.names[name] = true
	return nil
}
