package jsonata

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// maxDepth is the maximum nesting of arrays and objects that [Decode] and [Valid] accept.
const maxDepth = 512

// A SyntaxError says where JSON text is wrong.
type SyntaxError struct {
	Offset int // in bytes, from 0
	Reason string
}

// Error says where the text is wrong, and why.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at offset %d: %s", e.Offset, e.Reason)
}

// Decode reads exactly one JSON value ([RFC 8259]). Objects keep the order of their
// members, and numbers keep their digits. If two members have the same name, the last value
// is used, in the place of the first, as in JavaScript. Text that is not UTF-8 is refused,
// as is nesting deeper than 512; the error is a *[SyntaxError].
//
// [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259
func Decode(text []byte) (any, error) {
	var space [16]int32
	d := decoder{text: text, lengths: lengthsOf(space[:0], text)}
	return d.document()
}

// Valid returns the error that Decode would return for text, without making values.
func Valid(text []byte) error {
	if valid(text) {
		return nil
	}
	_, err := Decode(text)
	return err
}

func invalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(text)
}

type decoder struct {
	text  []byte
	pos   int
	depth int
	// names are those of the last object at each depth, if text has them as they are. The
	// objects of a list mostly have the same names in the same order, and share them then.
	names   [4][]string
	lengths []int32 // see lengthsOf
	begun   int     // how many of them have been used
}

func (d *decoder) fail(reason string) error { return &SyntaxError{d.pos, reason} }

func (d *decoder) document() (any, error) {
	if !utf8.Valid(d.text) {
		return nil, &SyntaxError{invalidUTF8(d.text), "invalid UTF-8"}
	}
	d.space()
	v, err := d.value()
	if err != nil {
		return nil, err
	}
	d.space()
	if d.pos < len(d.text) {
		return nil, d.fail("text after the value")
	}
	return v, nil
}

func (d *decoder) space() {
	for d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

func (d *decoder) peek() byte {
	if d.pos < len(d.text) {
		return d.text[d.pos]
	}
	return 0
}

func (d *decoder) value() (any, error) {
	if d.pos >= len(d.text) {
		return nil, d.fail("unexpected end")
	}
	switch c := d.text[d.pos]; {
	case c == '{':
		return d.object()
	case c == '[':
		return d.array()
	case c == '"':
		return d.str()
	case c == '-' || c >= '0' && c <= '9':
		return d.number()
	case c == 't':
		return true, d.literal("true")
	case c == 'f':
		return false, d.literal("false")
	case c == 'n':
		return nil, d.literal("null")
	}
	return nil, d.fail("unexpected character " + strconv.QuoteRune(rune(d.text[d.pos])))
}

func (d *decoder) literal(word string) error {
	if len(d.text)-d.pos < len(word) || string(d.text[d.pos:d.pos+len(word)]) != word {
		return d.fail("unexpected word")
	}
	d.pos += len(word)
	return nil
}

func (d *decoder) enter() error {
	if d.depth++; d.depth > maxDepth {
		return d.fail("nested too deeply")
	}
	d.pos++
	d.space()
	return nil
}

func (d *decoder) object() (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	last := d.names[d.depth%len(d.names)]
	shared, plain := len(last) > 0 && d.at(last[0]), true // plain: the names have no escapes
	o := d.newObject(shared)
	for d.peek() != '}' || o.Len() > 0 {
		if d.peek() != '"' {
			return nil, d.fail("expected a member name")
		}
		n, key := len(o.keys), ""
		if shared = shared && n < len(last) && d.at(last[n]); shared {
			d.pos += len(last[n]) + 2
		} else {
			from := d.pos
			var err error
			if key, err = d.str(); err != nil {
				return nil, err
			}
			plain = plain && d.pos-from == len(key)+2
		}
		d.space()
		if d.peek() != ':' {
			return nil, d.fail("expected ':'")
		}
		d.pos++
		d.space()
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		if shared {
			o.keys, o.values = last[:n+1:n+1], append(o.values, v)
		} else {
			o.Set(key, v)
		}
		d.space()
		if d.peek() == '}' {
			break
		}
		if d.peek() != ',' {
			return nil, d.fail("expected ',' or '}'")
		}
		d.pos++
		d.space()
	}
	if n := len(o.keys); !shared && plain && n <= indexFrom {
		d.names[d.depth%len(d.names)] = o.keys[:n:n]
	}
	d.pos++
	d.depth--
	return o, nil
}

// newObject returns an object with room for the members of the one at pos. Its names are
// allocated apart, because other objects may share them.
func (d *decoder) newObject(shared bool) *Object {
	n := d.length(len(`"":1,`))
	if n == 0 || d.peek() == '}' {
		return &Object{}
	}
	o := newShared(n)
	if !shared {
		o.keys = make([]string, 0, n)
	}
	return o
}

// at reports whether name is the string at pos. A name is one that text had without escapes.
func (d *decoder) at(name string) bool {
	end := d.pos + 1 + len(name)
	return end < len(d.text) && d.text[d.pos] == '"' && d.text[end] == '"' && string(d.text[d.pos+1:end]) == name
}

func (d *decoder) array() (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	n := d.length(len(`1,`))
	if d.peek() == ']' {
		n = 0
	}
	out := make([]any, 0, n)
	for d.peek() != ']' || len(out) > 0 {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		d.space()
		if d.peek() == ']' {
			break
		}
		if d.peek() != ',' {
			return nil, d.fail("expected ',' or ']'")
		}
		d.pos++
		d.space()
	}
	d.pos++
	d.depth--
	return out, nil
}

func (d *decoder) digits() bool {
	start := d.pos
	for c := d.peek(); c >= '0' && c <= '9'; c = d.peek() {
		d.pos++
	}
	return d.pos > start
}

func (d *decoder) number() (any, error) {
	start := d.pos
	if d.peek() == '-' {
		d.pos++
	}
	if d.peek() == '0' {
		d.pos++
	} else if !d.digits() {
		return nil, d.fail("expected a digit")
	}
	if d.peek() == '.' {
		d.pos++
		if !d.digits() {
			return nil, d.fail("expected a digit after '.'")
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		d.pos++
		if c := d.peek(); c == '+' || c == '-' {
			d.pos++
		}
		if !d.digits() {
			return nil, d.fail("expected a digit in the exponent")
		}
	}
	return json.Number(d.text[start:d.pos]), nil
}

func (d *decoder) str() (string, error) {
	start := d.pos + 1
	d.pos = endOfRun(d.text, start)
	if d.pos < len(d.text) {
		switch d.text[d.pos] {
		case '"':
			s := string(d.text[start:d.pos])
			d.pos++
			return s, nil
		case '\\':
			return d.escaped(start)
		}
		return "", d.fail("control character in a string")
	}
	return "", d.fail("unterminated string")
}

// escaped reads the rest of a string from its first escape on, and eight bytes at a time
// between escapes.
func (d *decoder) escaped(start int) (string, error) {
	buf := append(make([]byte, 0, 2*(d.pos-start)+64), d.text[start:d.pos]...)
	for d.pos < len(d.text) {
		if cap(buf)-len(buf) < 8 { // the most that can follow, because an escape is never shorter than its character
			buf = slices.Grow(buf, min(3*len(buf), len(d.text)-d.pos)+8)
		}
		if d.pos+8 <= len(d.text) {
			x := binary.LittleEndian.Uint64(d.text[d.pos:])
			binary.LittleEndian.PutUint64(buf[len(buf):len(buf)+8], x)
			n := plainBytes(x)
			buf = buf[:len(buf)+n]
			if d.pos += n; n == 8 {
				continue
			}
			// JSON in a string mostly has these escapes, one for each few bytes.
			if d.pos+1 < len(d.text) && d.text[d.pos] == '\\' && (d.text[d.pos+1] == '"' || d.text[d.pos+1] == '\\') {
				buf = append(buf, d.text[d.pos+1])
				d.pos += 2
				continue
			}
		}
		var err error
		switch c := d.text[d.pos]; {
		case c == '"':
			d.pos++
			if len(buf) < cap(buf)/2 {
				return string(buf), nil
			}
			return unsafe.String(unsafe.SliceData(buf), len(buf)), nil // #nosec G103 -- nothing else refers to the bytes
		case c < ' ':
			return "", d.fail("control character in a string")
		case c != '\\':
			buf = append(buf, c)
			d.pos++
		default:
			if buf, err = d.escape(buf); err != nil {
				return "", err
			}
		}
	}
	return "", d.fail("unterminated string")
}

// escape appends the character of the escape at pos.
func (d *decoder) escape(buf []byte) ([]byte, error) {
	if d.pos+1 >= len(d.text) {
		return nil, d.fail("unterminated string")
	}
	c := d.text[d.pos+1]
	if c == '"' || c == '\\' || c == '/' {
		d.pos += 2
		return append(buf, c), nil
	}
	if i := strings.IndexByte("bfnrt", c); i >= 0 {
		d.pos += 2
		return append(buf, "\b\f\n\r\t"[i]), nil
	}
	r, ok := d.hex4(d.pos)
	if c != 'u' || !ok {
		return nil, d.fail("invalid escape")
	}
	d.pos += 6
	if utf16.IsSurrogate(r) {
		// A lone surrogate has no UTF-8 form; like encoding/json, write U+FFFD.
		if low, ok := d.hex4(d.pos); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
			r = utf16.DecodeRune(r, low)
			d.pos += 6
		}
	}
	return utf8.AppendRune(buf, r), nil
}

// hex4 reads the escape \uXXXX that starts at pos.
func (d *decoder) hex4(pos int) (rune, bool) {
	if len(d.text)-pos < 6 || d.text[pos] != '\\' || d.text[pos+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(d.text[pos+2:pos+6]), 16, 16)
	return rune(n), err == nil
}

const hexDigits = "0123456789abcdef"
