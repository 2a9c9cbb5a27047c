package template

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// hole represents an unknown part of a text in [Value.Text]. It never occurs in the text
// of a template.
const hole = '\uE000'

// A Value is a piece of a template with its intrinsic functions resolved. Its methods
// treat nil as a missing value.
type Value struct {
	Kind    Kind
	Text    string // of Bool, Number and String
	Items   []*Value
	Members []ValueMember
	Pos     Pos
	// Why says what is not known about an Unknown, or about a String that is partly
	// unknown.
	Why string
}

// A ValueMember is one key of a map and its value.
type ValueMember struct {
	Name  string
	Key   Pos
	Value *Value
}

// Get returns the value at a path of names, or nil. Everything below an unknown value is
// unknown.
func (v *Value) Get(path ...string) *Value {
	for _, name := range path {
		if v == nil {
			return nil
		}
		if v.Kind == Unknown {
			return v
		}
		m := v.Member(name)
		if m == nil {
			return nil
		}
		v = m.Value
	}
	return v
}

// Member returns a member of a map, or nil.
func (v *Value) Member(name string) *ValueMember {
	if v == nil {
		return nil
	}
	for i := range v.Members {
		if v.Members[i].Name == name {
			return &v.Members[i]
		}
	}
	return nil
}

// List returns the items of a list, and any other value except nil as a list of one,
// because many properties accept both.
func (v *Value) List() []*Value {
	switch {
	case v == nil || v.Kind == Null:
		return nil
	case v.Kind == List:
		return v.Items
	}
	return []*Value{v}
}

// String returns a scalar's text, and whether all of it is known.
func (v *Value) String() (string, bool) {
	if v == nil {
		return "", false
	}
	switch v.Kind {
	case Bool, Number, String:
		return v.Text, !strings.ContainsRune(v.Text, hole)
	}
	return "", false
}

// Or returns a scalar's text, or the fallback if there is no value or it is not known.
func (v *Value) Or(fallback string) string {
	if s, ok := v.String(); ok {
		return s
	}
	return fallback
}

// Int returns a whole number, which may be written as text, and whether it is one.
func (v *Value) Int() (int, bool) {
	s, ok := v.String()
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// IsUnknown reports whether there is a value of which nothing is known.
func (v *Value) IsUnknown() bool {
	return v != nil && (v.Kind == Unknown || v.Kind == String && v.Text == string(hole))
}

// Known reports whether all of a value is known.
func (v *Value) Known() bool {
	if v == nil {
		return true
	}
	switch v.Kind {
	case Unknown:
		return false
	case List:
		for _, item := range v.Items {
			if !item.Known() {
				return false
			}
		}
	case Map:
		for _, m := range v.Members {
			if !m.Value.Known() {
				return false
			}
		}
	}
	return !strings.ContainsRune(v.Text, hole)
}

// Reasons lists what is not known about a value, each reason once.
func (v *Value) Reasons() []string {
	var out []string
	seen := map[string]bool{}
	var walk func(*Value)
	walk = func(v *Value) {
		if v == nil {
			return
		}
		if v.Why != "" && !seen[v.Why] {
			seen[v.Why] = true
			out = append(out, v.Why)
		}
		for _, item := range v.Items {
			walk(item)
		}
		for _, m := range v.Members {
			walk(m.Value)
		}
	}
	walk(v)
	return out
}

// Show returns a text for people, with … for unknown parts.
func (v *Value) Show() string {
	s, _ := v.String()
	if v.IsUnknown() || s == "" {
		return "…"
	}
	return strings.ReplaceAll(s, string(hole), "…")
}

// Match reports whether a text may be the value, and whether it certainly is. Unknown
// parts may be anything; if wild is true, * and ? in the value are wildcards, as in IAM.
func (v *Value) Match(text string, wild bool) (may, certain bool) {
	if v == nil {
		return false, false
	}
	if v.Kind == Unknown {
		return true, false
	}
	pattern, known := v.String()
	if !glob(pattern, text, wild) {
		return false, false
	}
	return true, known
}

// glob only backtracks to the last star, so its time is at most the product of the
// lengths.
func glob(pattern, text string, wild bool) bool {
	p, s := []rune(pattern), []rune(text)
	star := func(r rune) bool { return r == hole || wild && r == '*' }
	i, j, mark, at := 0, 0, -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && star(p[i]):
			mark, at = i, j
			i++
		case i < len(p) && (p[i] == s[j] || s[j] == hole || wild && p[i] == '?'):
			i++
			j++
		case mark >= 0:
			at++
			i, j = mark+1, at
		default:
			return false
		}
	}
	for i < len(p) && star(p[i]) {
		i++
	}
	return i == len(p)
}

// JSON returns the value as JSON, with its keys in order and its numbers as written.
// Unknown values become the text "unknown".
func (v *Value) JSON() []byte { return v.appendJSON(nil) }

func (v *Value) appendJSON(b []byte) []byte {
	if v == nil {
		return append(b, "null"...)
	}
	switch v.Kind {
	case Bool:
		return append(b, v.Text...)
	case Number:
		if json.Valid([]byte(v.Text)) {
			return append(b, v.Text...)
		}
		if n, err := strconv.ParseInt(v.Text, 0, 64); err == nil {
			return strconv.AppendInt(b, n, 10)
		}
		return appendText(b, v.Text)
	case String:
		return appendText(b, strings.ReplaceAll(v.Text, string(hole), "unknown"))
	case Unknown:
		return appendText(b, "unknown")
	case List:
		b = append(b, '[')
		for i, item := range v.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.appendJSON(b)
		}
		return append(b, ']')
	case Map:
		b = append(b, '{')
		for i, m := range v.Members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, m.Name), ':')
			b = m.Value.appendJSON(b)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

func appendText(b []byte, s string) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // a definition keeps its text
	if encoder.Encode(s) != nil {
		return append(b, `""`...)
	}
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}

// Text makes a value from a text.
func Text(pos Pos, text string) *Value { return &Value{Kind: String, Text: text, Pos: pos} }

// NotKnown makes an unknown value.
func NotKnown(pos Pos, why string) *Value { return unknown(pos, why) }

// Concat joins values into a text, whose unknown parts are those of the values.
func Concat(pos Pos, parts ...*Value) *Value {
	w := writer{pos: pos}
	for _, v := range parts {
		w.value(v)
	}
	return w.done()
}

// Overlap reports whether a text can match both patterns, in which * matches any text.
// Unknown parts of v may be anything.
func (v *Value) Overlap(pattern string) bool {
	if v == nil || v.Kind == Unknown {
		return true
	}
	s, _ := v.String()
	return overlap([]rune(strings.ReplaceAll(s, string(hole), "*")), []rune(pattern))
}

// overlap keeps a row of reachable states: for each position in b, whether the text
// before it can match a so far.
func overlap(a, b []rune) bool {
	row := make([]bool, len(b)+1)
	row[0] = true
	for j := range b {
		row[j+1] = row[j] && b[j] == '*'
	}
	for i := range a {
		next := make([]bool, len(b)+1)
		next[0] = row[0] && a[i] == '*'
		for j := range b {
			if a[i] == '*' || b[j] == '*' {
				// A star matches nothing, or the other pattern's character.
				next[j+1] = row[j+1] || next[j]
			} else {
				next[j+1] = row[j] && a[i] == b[j]
			}
		}
		row = next
	}
	return row[len(b)]
}
