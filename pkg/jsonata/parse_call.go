package jsonata

import (
	"errors"
	"slices"
	"strings"
)

// call parses the rest of a call, a partial application or a lambda.
func (p *parser) call(n, left *node) (*node, *Error) {
	n.kind = kindFunction
	for !p.is(")") || len(n.exprs) > 0 {
		if p.is("?") {
			n.kind = kindPartial
			n.exprs = p.nodes.push(n.exprs, p.nodes.new(kindOperator, p.cur.pos, p.cur.end, "?"))
			if err := p.advance("?", false); err != nil {
				return nil, err
			}
		} else {
			arg, err := p.expression(0)
			if err != nil {
				return nil, err
			}
			n.exprs = p.nodes.push(n.exprs, arg)
		}
		if !p.is(",") {
			break
		}
		if err := p.advance(",", false); err != nil {
			return nil, err
		}
	}
	if err := p.advance(")", true); err != nil {
		return nil, err
	}
	if left.kind == kindName && (left.text == "function" || left.text == "λ") {
		return p.lambda(n)
	}
	return n, nil
}

func (p *parser) lambda(n *node) (*node, *Error) {
	n.kind = kindLambda
	for i, arg := range n.exprs {
		if arg.kind != kindVariable {
			return nil, errorToken("S0208", arg.pos, arg.text, float64(i+1))
		}
		n.params = append(n.params, arg.text)
	}
	n.names = lastOfEach(n.params)
	n.lhs, n.exprs = nil, nil
	if p.is("<") {
		start := p.cur.pos
		var text strings.Builder
		text.WriteByte('<')
		for depth := 1; depth > 0 && p.cur.kind != kindEnd && !p.is("{"); {
			if err := p.advance("", false); err != nil {
				return nil, err
			}
			switch {
			case p.is(">"):
				depth--
			case p.is("<"):
				depth++
			}
			text.WriteString(p.cur.text)
		}
		if err := p.advance(">", false); err != nil {
			return nil, err
		}
		sig, err := parseSignature(text.String())
		if err != nil {
			var e *Error
			errors.As(err, &e)
			e.Position += start
			return nil, e
		}
		n.sig = sig
	}
	if err := p.advance("{", false); err != nil {
		return nil, err
	}
	var err *Error
	if n.body, err = p.expression(0); err != nil {
		return nil, err
	}
	return n, p.advance("}", false)
}

// lastOfEach returns names with "" in place of each name that occurs again later, because
// the last of equal parameters is used.
func lastOfEach(names []string) []string {
	if len(names) <= 1 {
		return names
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		seen[name] = true
	}
	if len(seen) == len(names) {
		return names
	}
	clear(seen)
	out := make([]string, len(names))
	for i, name := range slices.Backward(names) {
		if !seen[name] {
			out[i], seen[name] = name, true
		}
	}
	return out
}
