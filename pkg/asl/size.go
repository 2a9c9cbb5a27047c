package asl

import (
	"encoding/json"
	"math"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// fits reports whether v is at most limit bytes of JSON, and whether JSON can hold it at
// all. It stops at limit, because values share their parts, and a few states can make a
// value that would take terabytes when written out.
func fits(v any, limit int, known *sizes) (ok, valid bool) {
	m := measuring(limit, known)
	m.value(v)
	return m.left >= 0, m.valid
}

// measuring returns a measure that counts down from limit.
func measuring(limit int, known *sizes) measure {
	return measure{left: limit, valid: true, sizes: known, some: known != nil && !known.empty()}
}

// A measure counts down the bytes that a value takes as compact JSON.
type measure struct {
	left  int
	valid bool
	some  bool   // values are known
	sizes *sizes // nil to measure everything
	depth int    // of the value within the outermost one
}

func (m *measure) value(v any) {
	switch v := v.(type) {
	case nil:
		m.left -= len("null")
	case bool:
		m.left -= len("true")
		if !v {
			m.left--
		}
	case string:
		if len(v) < knownFrom {
			m.text(v)
			return
		}
		m.part(v)
	case json.Number:
		m.left -= len(v)
	case float64:
		m.number(v)
	case *jsonata.Raw:
		m.left -= len(v.Text())
	case []any, *jsonata.Object:
		m.depth++
		m.part(v)
		m.depth--
	default:
		m.valid = false
	}
}

// part measures a value that may be known, and keeps its size if it is large.
func (m *measure) part(v any) {
	before, n := m.left, 0
	if m.some {
		var all bool
		if n, all = m.known(v); all {
			return
		}
	}
	switch v := v.(type) {
	case string:
		m.text(v)
	case []any:
		m.list(v, n)
	case *jsonata.Object:
		m.object(v)
	}
	if size := before - m.left; size >= knownFrom {
		m.remember(v, size)
	}
}

// list measures a list from element n; the size of the elements before it is known.
func (m *measure) list(v []any, n int) {
	m.left -= len(v) - n // a comma for each element, which one does not have
	if n == 0 {
		m.left -= len("[]") - min(len(v), 1)
	}
	for _, e := range v[n:] {
		if m.left < 0 || !m.valid {
			return
		}
		m.value(e)
	}
}

func (m *measure) object(o *jsonata.Object) {
	n := o.Len()
	m.left -= len("{}") + max(n-1, 0) + n
	for i := range n {
		if m.left < 0 || !m.valid {
			return
		}
		key, e := o.At(i)
		m.text(key)
		m.value(e)
	}
}

func (m *measure) number(f float64) {
	const exact = 1 << 53
	if n := int64(f); f > -exact && f < exact && float64(n) == f {
		m.left -= digits(n)
		return
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		m.valid = false
		return
	}
	var text [32]byte
	m.left -= len(jsonata.AppendNumber(text[:0], f))
}

// digits returns the length of an integer.
func digits(n int64) int {
	length := 1
	if n < 0 {
		length, n = 2, -n
	}
	for ; n >= 10; n /= 10 {
		length++
	}
	return length
}

func (m *measure) text(s string) {
	m.left -= len(s) + len(`""`)
	valid := false // the text is known to be valid UTF-8
	for i := 0; i < len(s); {
		if i+8 <= len(s) {
			if escapes, ascii := inWord(s[i : i+8]); !escapes && (ascii || valid) {
				i += 8
				continue
			}
		}
		switch c := s[i]; {
		case c < ' ' || c == '"' || c == '\\':
			m.left -= escaped(c) - 1
		case c >= utf8.RuneSelf && !valid:
			if valid = utf8.ValidString(s[i:]); !valid {
				m.left += len(s) - i + len(`""`)
				m.text(strings.ToValidUTF8(s[i:], "\uFFFD")) // as the writer does
				return
			}
		}
		i++
	}
}

// inWord reports whether eight bytes include a character that has an escape in JSON, and
// whether they are ASCII.
func inWord(s string) (escapes, ascii bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	quote, slash := x^ones*'"', x^ones*'\\'
	return ((quote-ones)&^quote|(slash-ones)&^slash|(x-ones*' ')&^x)&highs != 0, x&highs == 0
}

// escaped returns the length of a character that has an escape in JSON.
func escaped(c byte) int {
	switch c {
	case '"', '\\', '\b', '\f', '\n', '\r', '\t':
		return len(`\n`)
	}
	return len(`\u0000`)
}

// same reports whether a and b are certainly the same value, so that what is known about
// one holds for the other. It never examines their contents.
func same(a, b any) bool {
	switch a := a.(type) {
	case *jsonata.Object:
		o, ok := b.(*jsonata.Object)
		return ok && o == a
	case *jsonata.Raw:
		r, ok := b.(*jsonata.Raw)
		return ok && r == a
	case []any:
		l, ok := b.([]any)
		return ok && len(l) == len(a) && unsafe.SliceData(l) == unsafe.SliceData(a)
	case string:
		s, ok := b.(string)
		return ok && len(s) == len(a) && unsafe.StringData(s) == unsafe.StringData(a)
	}
	return false
}

// quote returns a value as JSON text for a message, truncated if it is long.
func quote(v any) string {
	if ok, valid := fits(v, maxQuoted, nil); !valid {
		return "a value that is not JSON"
	} else if !ok {
		return "a value of more than 256 KiB"
	}
	text, _ := jsonata.AppendJSON(nil, v)
	return string(text)
}

// maxQuoted is the maximum length of a value in a message: the limit of a state's data.
const maxQuoted = maxData
