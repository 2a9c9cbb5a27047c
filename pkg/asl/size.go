package asl

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// fits reports whether v is at most limit bytes of JSON, and whether JSON can hold it at
// all. It stops at limit, because values share their parts, and a few states can make a
// value that would take terabytes when written out.
func fits(v any, limit int) (ok, valid bool) {
	m := measure{left: limit, valid: true}
	m.value(v)
	return m.left >= 0, m.valid
}

// A measure counts down the bytes that a value takes as compact JSON.
type measure struct {
	left  int
	valid bool
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
		m.text(v)
	case json.Number:
		m.left -= len(v)
	case float64:
		text, err := jsonata.AppendJSON(nil, v)
		m.valid = m.valid && err == nil
		m.left -= len(text)
	case *jsonata.Raw:
		m.left -= len(v.Text())
	case []any:
		m.left -= len("[]") + max(len(v)-1, 0)
		for _, e := range v {
			if m.left < 0 || !m.valid {
				return
			}
			m.value(e)
		}
	case *jsonata.Object:
		n := v.Len()
		m.left -= len("{}") + max(n-1, 0) + n
		for i := range n {
			if m.left < 0 || !m.valid {
				return
			}
			key, e := v.At(i)
			m.text(key)
			m.value(e)
		}
	default:
		m.valid = false
	}
}

func (m *measure) text(s string) {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD") // as the writer does
	}
	m.left -= len(s) + len(`""`)
	if m.left < 0 {
		return
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			m.left--
		case c < ' ':
			m.left -= escaped(c) - 1
		}
	}
}

// escaped returns the length of a control character in JSON.
func escaped(c byte) int {
	switch c {
	case '\b', '\f', '\n', '\r', '\t':
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
	if ok, valid := fits(v, maxQuoted); !valid {
		return "a value that is not JSON"
	} else if !ok {
		return "a value of more than 256 KiB"
	}
	text, _ := jsonata.AppendJSON(nil, v)
	return string(text)
}

// maxQuoted is how much of a value messages show: as much as a state can have.
const maxQuoted = maxData
