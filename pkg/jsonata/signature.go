package jsonata

import (
	"regexp"
	"strings"
	"sync"
)

// A signatureSpec is the parsed form of a [function signature] such as <s-n?:s>.
//
// [function signature]: https://docs.jsonata.org/embedding-extending#function-signature-syntax
type signatureSpec struct {
	params []param
	// The pattern of the letters of the arguments, for calls that do not have exactly one
	// argument for each parameter. It is compiled when first needed.
	once    sync.Once
	pattern *regexp.Regexp
}

type param struct {
	types      string // the letters of the types that it accepts
	typ        byte   // its own letter; '(' for a choice
	subtype    string // of an array's items, if ofType
	ofType     bool
	quantifier string // ? and + as written, and one more ? for the -
	context    bool   // the context is used if the argument is missing
	anyContext bool   // of any type, because the ? precedes the -
}

// maxParams is the maximum number of parameters of a signature.
const maxParams = 64

const (
	anyJSON = "asnblom"
	anyType = "asnblfom"
)

func (s *signatureSpec) len() int {
	if s == nil {
		return 0
	}
	return len(s.params)
}

// parseSignature reads a signature; the position of an error is the offset in it.
func parseSignature(text string) (*signatureSpec, error) {
	s := &signatureSpec{}
	last := func() *param {
		if len(s.params) == 0 {
			return &param{}
		}
		return &s.params[len(s.params)-1]
	}
	for i := 1; i < len(text); i++ {
		if len(s.params) > maxParams {
			return nil, errorToken("U1003", i, text, nil)
		}
		switch c := text[i]; c {
		case ':':
			return s, nil
		case 's', 'n', 'b', 'l', 'o':
			s.params = append(s.params, param{typ: c, types: string(c) + "m"})
		case 'a', 'x':
			s.params = append(s.params, param{typ: c, types: anyType})
		case 'f':
			s.params = append(s.params, param{typ: c, types: "f"})
		case 'j':
			s.params = append(s.params, param{typ: c, types: anyJSON})
		case '-':
			p := last()
			p.context, p.anyContext = true, p.quantifier == "?"
			p.quantifier += "?"
		case '?', '+':
			last().quantifier += string(c)
		case '(':
			end := closing(text, i, '(', ')')
			choice := text[i+1 : end]
			if strings.Contains(choice, "<") {
				return nil, errorToken("S0402", i, choice, choice)
			}
			s.params = append(s.params, param{typ: '(', types: letters(choice) + "m"})
			i = end
		case '<':
			p := last()
			if p.typ != 'a' && p.typ != 'f' {
				return nil, errorToken("S0401", i, string(rune(p.typ)), string(rune(p.typ)))
			}
			end := closing(text, i, '<', '>')
			p.subtype, p.ofType = text[i+1:end], true
			i = end
		}
		if q := last().quantifier; len(q) > 2 || len(q) == 2 && q[1] != '?' {
			return nil, errorToken("S0403", i, q, q)
		}
	}
	return s, nil
}

// letters keeps the letters that are types.
func letters(choice string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("asnblfo", r) {
			return r
		}
		return -1
	}, choice)
}

// closing returns the index of the bracket that closes the one at start, or the end of
// the text.
func closing(text string, start int, open, shut byte) int {
	depth := 0
	for i := start; i < len(text); i++ {
		switch text[i] {
		case open:
			depth++
		case shut:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// letter returns the letter of a value's type; m means that it is missing.
func letter(v any) byte {
	v = Force(v)
	switch v.(type) {
	case undefined:
		return 'm'
	case nil:
		return 'l'
	case bool:
		return 'b'
	case string:
		return 's'
	case []any, *seq:
		return 'a'
	case *Object:
		return 'o'
	}
	if isNumber(v) {
		return 'n'
	}
	if isFunction(v) {
		return 'f'
	}
	return 'm'
}

// validate checks the arguments of a call, and returns them in the form that the function
// expects: one for each parameter, with missing ones taken from the context and single
// values turned into arrays. It reuses the slice of args if it can.
func (s *signatureSpec) validate(args []any, context any) ([]any, error) {
	if s == nil {
		return args, nil
	}
	if len(args) > len(s.params) {
		return s.validateSlow(args, context)
	}
	for i := range s.params {
		p := &s.params[i]
		if i >= len(args) {
			if p.quantifier != "?" || p.context {
				return s.validateSlow(args, context)
			}
			continue
		}
		if strings.HasPrefix(p.quantifier, "+") || strings.IndexByte(p.types, letter(args[i])) < 0 {
			return s.validateSlow(args, context)
		}
	}
	for i := range args {
		v, err := s.params[i].accept(args[i], letter(args[i]), i, 1)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	return args, nil
}

// accept checks the items of an argument of an array parameter, which is one of n arguments of
// this parameter and was matched as a type. If there is more than one, a single value is not
// accepted as an array of one, as in the reference; nor is an argument that has moved to
// another parameter, if its type was not that of the items.
func (p *param) accept(arg any, matched byte, i, n int) (any, error) {
	arg = Force(arg)
	if p.typ != 'a' {
		return arg, nil
	}
	items, isArray := elements(arg)
	switch {
	case IsUndefined(arg) && (matched == 'm' || matched == 'a' || !p.ofType || n == 1 && string(matched) == p.subtype):
		return arg, nil
	case IsUndefined(arg):
		return nil, p.mismatch(arg, i)
	case !isArray && p.ofType && (n > 1 || string(letter(arg)) != p.subtype):
		return nil, p.mismatch(arg, i)
	case !isArray:
		return &seq{items: []any{arg}}, nil
	case p.ofType && len(items) > 0:
		first := letter(items[0])
		if p.subtype == "" || first != p.subtype[0] {
			return nil, p.mismatch(arg, i)
		}
		for _, item := range items[1:] {
			if letter(item) != first {
				return nil, p.mismatch(arg, i)
			}
		}
		return forceItems(arg), nil
	}
	return arg, nil
}

var subtypeNames = map[string]string{
	"a": "arrays", "b": "booleans", "f": "functions", "n": "numbers", "o": "objects", "s": "strings",
}

func (p *param) mismatch(arg any, i int) error {
	e := &Error{Code: "T0412", Position: -1, Value: arg, Index: i + 1, expected: subtypeNames[p.subtype]}
	e.describe()
	return e
}

func (p *param) pattern() string { return "[" + p.types + "]" + p.quantifier }

// validateSlow matches the letters of the arguments against the signature as a regular
// expression, which is how the language defines its rules.
func (s *signatureSpec) validateSlow(args []any, context any) ([]any, error) {
	s.once.Do(func() {
		var b strings.Builder
		for i := range s.params {
			b.WriteString("(" + s.params[i].pattern() + ")")
		}
		s.pattern = regexp.MustCompile("^" + b.String() + "$")
	})
	supplied := make([]byte, len(args))
	for i, a := range args {
		supplied[i] = letter(a)
	}
	match := s.pattern.FindSubmatchIndex(supplied)
	if match == nil {
		return nil, s.refuse(args, string(supplied))
	}
	var out []any
	next := 0
	for i := range s.params {
		p := &s.params[i]
		n := match[2*i+3] - match[2*i+2]
		switch {
		case n == 0 && p.context:
			if !p.anyContext && strings.IndexByte(p.types, letter(context)) < 0 {
				e := &Error{Code: "T0411", Position: -1, Value: context, Index: next + 1}
				e.describe()
				return nil, e
			}
			out = append(out, Force(context))
		case n == 0:
			// As in the reference, an optional argument that was left out still takes the
			// next argument, and shifts those that follow.
			out = append(out, argument(args, next))
			next++
		}
		for k := range n {
			v, err := p.accept(argument(args, next), supplied[match[2*i+2]+k], next, n)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			next++
		}
	}
	return out, nil
}

func argument(args []any, i int) any {
	if i < len(args) {
		return Force(args[i])
	}
	return Undefined
}

// refuse returns the error for the argument that does not fit: the first one after the
// longest part of the signature that does.
func (s *signatureSpec) refuse(args []any, supplied string) error {
	good := 0
	var prefix strings.Builder
	prefix.WriteByte('^')
	for i := range s.params {
		prefix.WriteString(s.params[i].pattern())
		m := regexp.MustCompile(prefix.String()).FindString(supplied)
		if m == "" && !regexp.MustCompile(prefix.String()).MatchString(supplied) {
			break
		}
		good = len(m)
	}
	e := &Error{Code: "T0410", Position: -1, Value: Undefined, Index: good + 1}
	if good < len(args) {
		e.Value = args[good]
	}
	e.describe()
	return e
}
