package jsonata

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

type token struct {
	kind kind // kindEnd, kindName, kindVariable, kindString, kindNumber, kindValue, kindRegex or kindOperator
	// power is the binding power of an operator between or after operands.
	power uint8
	pos   int
	end   int
	text  string // a name, a string's value, an operator, a regular expression's body
	lit   any
	// flags are those of a regular expression.
	flags string
}

// A lexer splits an expression into tokens, on demand, because only the parser knows
// whether a / divides or begins a regular expression.
type lexer struct {
	src string
	pos int
	// old is the grammar of 2.0.6, in which ?: and ?? are two tokens each.
	old bool
}

const space = " \t\n\r\v"

// singleOperators end a name at any place in it.
const singleOperators = ".[]{}(),@#;:?+-*/%|=<>^&!~"

// endsName has the bytes that end a name: white space and operators.
var endsName = func() (table [256]bool) {
	for _, c := range []byte(space + singleOperators) {
		table[c] = true
	}
	return table
}()

// isDoubleOperator reports whether two characters are one operator.
func isDoubleOperator(a, b byte) bool {
	switch a {
	case '.', '*':
		return b == a
	case ':', '!', '>', '<':
		return b == '='
	case '~':
		return b == '>'
	case '?':
		return b == ':' || b == '?'
	}
	return false
}

func (l *lexer) at(i int) byte {
	if i < len(l.src) {
		return l.src[i]
	}
	return 0
}

// next returns the next token. After an operand (infix), a / is an operator.
func (l *lexer) next(infix bool) (token, *Error) {
	if err := l.skip(); err != nil {
		return token{}, err
	}
	start := l.pos
	if start >= len(l.src) {
		return token{kind: kindEnd, pos: start, end: start, text: "(end)"}, nil
	}
	c := l.src[start]
	switch {
	case c == '/' && !infix:
		return l.regex()
	case endsName[c]: // white space was skipped
		return l.operator(), nil
	case c == '"' || c == '\'':
		return l.quoted(c)
	case c >= '0' && c <= '9':
		return l.number()
	case c == '`':
		n := strings.IndexByte(l.src[start+1:], '`')
		if n < 0 {
			return token{}, errorToken("S0105", len(l.src), "", nil)
		}
		l.pos = start + n + 2
		return token{kind: kindName, pos: start, end: l.pos, text: l.src[start+1 : start+1+n]}, nil
	}
	return l.name(), nil
}

// skip skips white space and comments.
func (l *lexer) skip() *Error {
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case ' ', '\t', '\n', '\r', '\v':
			l.pos++
		case '/':
			if l.at(l.pos+1) != '*' {
				return nil
			}
			n := strings.Index(l.src[l.pos+2:], "*/")
			if n < 0 {
				return errorToken("S0106", l.pos, "", nil)
			}
			l.pos += n + 4
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) operator() token {
	start := l.pos
	l.pos++
	if c := l.src[start]; l.pos < len(l.src) && isDoubleOperator(c, l.src[l.pos]) && !(l.old && c == '?') {
		l.pos++
	}
	t := token{kind: kindOperator, pos: start, end: l.pos, text: l.src[start:l.pos]}
	t.power = uint8(bindingPower(t.text))
	return t
}

func (l *lexer) name() token {
	start := l.pos
	for l.pos < len(l.src) && !endsName[l.src[l.pos]] {
		l.pos++
	}
	t := token{kind: kindName, pos: start, end: l.pos, text: l.src[start:l.pos]}
	switch t.text {
	case "and", "or", "in":
		t.kind, t.power = kindOperator, uint8(bindingPower(t.text))
	case "true":
		t.kind, t.lit = kindValue, true
	case "false":
		t.kind, t.lit = kindValue, false
	case "null":
		t.kind, t.lit = kindValue, nil
	default:
		if t.text[0] == '$' {
			t.kind, t.text = kindVariable, t.text[1:]
		}
	}
	return t
}

func (l *lexer) digits() bool {
	start := l.pos
	for c := l.at(l.pos); c >= '0' && c <= '9'; c = l.at(l.pos) {
		l.pos++
	}
	return l.pos > start
}

func (l *lexer) number() (token, *Error) {
	start := l.pos
	if l.src[start] == '0' {
		l.pos++
	} else {
		l.digits()
	}
	// A dot or an e without digits is another token: [1..5], 1.e.
	if mark := l.pos; l.at(l.pos) == '.' {
		if l.pos++; !l.digits() {
			l.pos = mark
		}
	}
	if mark := l.pos; l.at(l.pos)|0x20 == 'e' {
		if l.pos++; l.at(l.pos) == '+' || l.at(l.pos) == '-' {
			l.pos++
		}
		if !l.digits() {
			l.pos = mark
		}
	}
	text := l.src[start:l.pos]
	f, _ := strconv.ParseFloat(text, 64) // out of range yields ±Inf
	if math.IsInf(f, 0) {
		return token{}, errorToken("S0102", start, text, nil)
	}
	return token{kind: kindNumber, pos: start, end: l.pos, text: text, lit: f}, nil
}

func (l *lexer) quoted(quote byte) (token, *Error) {
	start := l.pos
	l.pos++
	var buf []byte
	for from := l.pos; l.pos < len(l.src); {
		switch l.src[l.pos] {
		case quote:
			s := l.src[from:l.pos]
			if buf != nil {
				s = string(append(buf, s...))
			}
			l.pos++
			return token{kind: kindString, pos: start, end: l.pos, text: s}, nil
		case '\\':
			var err *Error
			if buf, err = l.escape(append(buf, l.src[from:l.pos]...)); err != nil {
				return token{}, err
			}
			from = l.pos
		default:
			l.pos++
		}
	}
	return token{}, errorToken("S0101", len(l.src), "", nil)
}

func (l *lexer) escape(buf []byte) ([]byte, *Error) {
	c := l.at(l.pos + 1)
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 && c != 0 {
		l.pos += 2
		return append(buf, "\"\\/\b\f\n\r\t"[i]), nil
	}
	if c != 'u' {
		_, n := utf8.DecodeRuneInString(l.src[l.pos+1:])
		return nil, errorToken("S0103", l.pos+1, l.src[l.pos+1:l.pos+1+n], nil)
	}
	r, ok := l.hex4(l.pos)
	if !ok {
		return nil, errorToken("S0104", l.pos+1, "", nil)
	}
	l.pos += 6
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(buf, r), nil
	}
	if low, ok := l.hex4(l.pos); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
		l.pos += 6
		return utf8.AppendRune(buf, utf16.DecodeRune(r, low)), nil
	}
	// Half of a pair has no UTF-8 form. JavaScript can hold it, and the functions that
	// refuse such text must see it, so keep the three bytes that UTF-8 would have.
	return append(buf, byte(0xE0|r>>12), byte(0x80|r>>6&0x3F), byte(0x80|r&0x3F)), nil
}

// hex4 reads the escape \uXXXX that starts at pos.
func (l *lexer) hex4(pos int) (rune, bool) {
	if l.at(pos) != '\\' || l.at(pos+1) != 'u' || len(l.src)-pos < 6 {
		return 0, false
	}
	n, err := strconv.ParseUint(l.src[pos+2:pos+6], 16, 16)
	return rune(n), err == nil
}

// regex reads /body/flags. A slash within brackets of any kind does not end it.
func (l *lexer) regex() (token, *Error) {
	start := l.pos
	depth := 0
	for i := start + 1; i < len(l.src); i++ {
		switch l.src[i] {
		case '\\':
			i++
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case '/':
			if depth != 0 {
				continue
			}
			if i == start+1 {
				return token{}, errorToken("S0301", i, "", nil)
			}
			l.pos = i + 1
			for c := l.at(l.pos); c == 'i' || c == 'm'; c = l.at(l.pos) {
				l.pos++
			}
			return token{kind: kindRegex, pos: start, end: l.pos, text: l.src[start+1 : i], flags: l.src[i+1 : l.pos]}, nil
		}
	}
	return token{}, errorToken("S0302", len(l.src), "", nil)
}
