package jsonata

import (
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata/internal/regexp"
)

// maxNesting bounds the nesting of the parts of an expression.
const maxNesting = 500

// bindingPower returns the left binding power of an operator between or after operands.
// All other tokens end an operand.
func bindingPower(op string) int {
	switch op {
	case "[", "(", "@", "#":
		return 80
	case ".":
		return 75
	case "{":
		return 70
	case "*", "/", "%":
		return 60
	case "+", "-", "&":
		return 50
	case "=", "<", ">", "^", "!=", "<=", ">=", "~>", "?:", "??", "in":
		return 40
	case "and":
		return 30
	case "or":
		return 25
	case "?":
		return 20
	case ":=":
		return 10
	}
	return 0
}

// knownOperator reports whether the grammar uses an operator.
func knownOperator(op string) bool {
	switch op {
	case "!", "~":
		return false // the lexer recognizes them, but the grammar does not use them
	}
	return true
}

// parser is a top-down operator precedence parser, like that of the reference, from whose
// order of steps the quirks of the grammar follow.
type parser struct {
	lex   lexer
	conf  *config
	cur   token
	depth int
	nodes *nodes
}

// parse returns the tree of an expression, ready to be evaluated.
func parse(src string, conf *config) (root *node, pictures datePictures, err error) {
	root, r, err := parseInto(src, conf, &nodes{})
	if err != nil {
		return nil, nil, err
	}
	if r.loops && conf.indexes != indexNone {
		markInvariants(root)
	}
	return root, r.pictures, nil
}

// parseInto parses with given nodes, for a tree that is not evaluated: its invariants are not
// marked.
func parseInto(src string, conf *config, nodes *nodes) (root *node, r resolver, err error) {
	if len(src) > maxSource {
		return nil, r, errorToken("U1003", 0, "", nil)
	}
	if !utf8.ValidString(src) {
		return nil, r, errorToken("U1004", 0, "", nil)
	}
	p := &parser{lex: lexer{src: src, old: conf.stepFunctions}, conf: conf, nodes: nodes}
	if err := p.advance("", false); err != nil {
		return nil, r, err
	}
	n, perr := p.expression(0)
	if perr != nil {
		return nil, r, perr
	}
	if p.cur.kind != kindEnd {
		return nil, r, errorToken("S0201", p.cur.pos, p.cur.text, nil)
	}
	r = resolver{conf: conf, nodes: p.nodes}
	n, perr = r.resolve(n)
	if perr != nil {
		return nil, r, perr
	}
	if n.kind == kindParent || n.seeking != nil {
		return nil, r, errorToken("S0217", n.pos, kindNames[n.kind], nil)
	}
	return n, r, nil
}

func (p *parser) is(op string) bool { return p.cur.kind == kindOperator && p.cur.text == op }

// advance goes to the next token. If id is not "", the current token must be id.
func (p *parser) advance(id string, infix bool) *Error {
	if id != "" && !p.is(id) {
		code := "S0202"
		if p.cur.kind == kindEnd {
			code = "S0203"
		}
		return errorToken(code, p.cur.pos, p.cur.text, id)
	}
	t, err := p.lex.next(infix)
	if err != nil {
		return err
	}
	if t.kind == kindOperator && t.power == 0 && !knownOperator(t.text) {
		return errorToken("S0204", t.pos, t.text, nil)
	}
	p.cur = t
	return nil
}

func (p *parser) expression(power int) (*node, *Error) {
	if p.depth++; p.depth > maxNesting {
		return nil, errorToken("U1003", p.cur.pos, p.cur.text, nil)
	}
	defer func() { p.depth-- }()
	t := p.cur
	if err := p.advance("", true); err != nil {
		return nil, err
	}
	left, err := p.prefix(t)
	if err != nil {
		return nil, err
	}
	for power < int(p.cur.power) {
		t = p.cur
		if err = p.advance("", false); err != nil {
			return nil, err
		}
		if left, err = p.infix(t, left); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// prefix parses an operand that begins with t.
func (p *parser) prefix(t token) (*node, *Error) {
	n := p.nodes.new(t.kind, t.pos, t.end, t.text)
	n.lit = t.lit
	switch t.kind {
	case kindString:
		if !p.nodes.inspected {
			n.lit = t.text // as an interface value it is an allocation
		}
	case kindRegex:
		re, err := regexp.Compile(t.text, t.flags)
		if err != nil {
			return nil, patternError(err).(*Error).at(t.pos, t.text)
		}
		n.re = re
		return n, nil
	case kindOperator:
		return p.prefixOperator(n)
	}
	return n, nil
}

func (p *parser) prefixOperator(n *node) (*node, *Error) {
	var err *Error
	switch n.text {
	case "and", "or", "in":
		return n, nil
	case "*":
		n.kind = kindWildcard
	case "**":
		n.kind = kindDescendant
	case "%":
		n.kind = kindParent
	case "-":
		n.kind = kindNegate
		n.lhs, err = p.expression(70)
	case "(":
		n.kind = kindBlock
		for !p.is(")") {
			e, err := p.expression(0)
			if err != nil {
				return nil, err
			}
			n.exprs = p.nodes.push(n.exprs, e)
			if !p.is(";") {
				break
			}
			if err := p.advance(";", false); err != nil {
				return nil, err
			}
		}
		err = p.advance(")", true)
	case "[":
		n.kind = kindArray
		n.exprs, err = p.items()
	case "{":
		n.kind = kindObject
		n.pairs, err = p.pairs()
	case "|":
		return p.transform(n)
	default:
		err = errorToken("S0211", n.pos, n.text, nil)
	}
	return n, err
}

// items parses the rest of an array constructor.
func (p *parser) items() ([]*node, *Error) {
	var out []*node
	for !p.is("]") || out != nil {
		item, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		if p.is("..") {
			r := p.nodes.new(kindBinary, p.cur.pos, p.cur.end, "..")
			r.lhs = item
			if err = p.advance("..", false); err != nil {
				return nil, err
			}
			if r.rhs, err = p.expression(0); err != nil {
				return nil, err
			}
			item = r
		}
		out = p.nodes.push(out, item)
		if !p.is(",") {
			break
		}
		if err = p.advance(",", false); err != nil {
			return nil, err
		}
	}
	return out, p.advance("]", true)
}

// pairs parses the rest of an object constructor or a grouping.
func (p *parser) pairs() ([]pair, *Error) {
	out := []pair{}
	for !p.is("}") || len(out) > 0 {
		key, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		if err = p.advance(":", false); err != nil {
			return nil, err
		}
		value, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		out = append(out, pair{key, value})
		if !p.is(",") {
			break
		}
		if err = p.advance(",", false); err != nil {
			return nil, err
		}
	}
	return out, p.advance("}", true)
}

func (p *parser) transform(n *node) (*node, *Error) {
	n.kind = kindTransform
	var err *Error
	if n.lhs, err = p.expression(0); err != nil {
		return nil, err
	}
	if err = p.advance("|", false); err != nil {
		return nil, err
	}
	if n.body, err = p.expression(0); err != nil {
		return nil, err
	}
	if p.is(",") {
		if err = p.advance(",", false); err != nil {
			return nil, err
		}
		if n.rhs, err = p.expression(0); err != nil {
			return nil, err
		}
	}
	return n, p.advance("|", false)
}

// infix parses what follows the operator t, given its left operand.
func (p *parser) infix(t token, left *node) (*node, *Error) {
	n := p.nodes.new(kindBinary, t.pos, t.end, t.text)
	n.lhs = left
	var err *Error
	switch t.text {
	case "(":
		return p.call(n, left)
	case "[":
		// n.body is what precedes all predicates: there can be too many predicates to step
		// over each time.
		n.body = left
		if left.kind == kindBinary && left.text == "[" {
			n.body = left.body
		}
		if p.is("]") {
			n.body.keepArray = true
			return left, p.advance("]", false)
		}
		if n.rhs, err = p.expression(0); err == nil {
			err = p.advance("]", true)
		}
	case "{":
		n.pairs, err = p.pairs()
	case "^":
		n.terms, err = p.sortTerms()
	case ":=":
		if left.kind != kindVariable {
			return nil, errorToken("S0212", left.pos, left.text, nil)
		}
		n.rhs, err = p.expression(bindingPower(":=") - 1)
	case "@", "#":
		if n.rhs, err = p.expression(bindingPower(t.text)); err == nil && n.rhs.kind != kindVariable {
			err = errorToken("S0214", n.rhs.pos, t.text, nil)
		}
	case "?":
		n.kind = kindCondition
		if n.body, err = p.expression(0); err == nil && p.is(":") {
			if err = p.advance(":", false); err == nil {
				n.rhs, err = p.expression(0)
			}
		}
	case "?:":
		n.kind = kindDefault
		n.rhs, err = p.expression(0)
	case "??":
		n.kind = kindCoalesce
		n.rhs, err = p.expression(0)
	default:
		n.rhs, err = p.expression(bindingPower(t.text))
	}
	return n, err
}

func (p *parser) sortTerms() ([]sortTerm, *Error) {
	if err := p.advance("(", false); err != nil {
		return nil, err
	}
	var terms []sortTerm
	for {
		var t sortTerm
		if p.is("<") || p.is(">") {
			t.descending = p.is(">")
			if err := p.advance("", false); err != nil {
				return nil, err
			}
		}
		var err *Error
		if t.expr, err = p.expression(0); err != nil {
			return nil, err
		}
		terms = append(terms, t)
		if !p.is(",") {
			return terms, p.advance(")", false)
		}
		if err = p.advance(",", false); err != nil {
			return nil, err
		}
	}
}
