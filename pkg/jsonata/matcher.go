package jsonata

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata/internal/regexp"
)

// A matcher is a regular expression as a value. It is also a function, of a string to its
// first match; $match and the others accept any function that behaves like one.
type matcher struct {
	re     *regexp.Pattern
	source string
}

// A found is one match. Its offsets are in the units of its source: bytes for a matcher,
// UTF-16 units for a function of the expression.
type found struct {
	text       string
	start, end int
	source     string // the text to which at refers
	at         []int  // the positions of the groups, as in package regexp, for a matcher
	list       []any  // the groups, for a function
	known      int    // an offset in source, for a matcher, that is units in UTF-16 units
	units      int
	object     *Object
}

// count is the number of groups.
func (f *found) count() int {
	if f.at != nil {
		return len(f.at)/2 - 1
	}
	return len(f.list)
}

// group returns the text of a group, from 0; false if it took no part in the match.
func (f *found) group(i int) (string, bool) {
	if f.at == nil {
		s, ok := f.list[i].(string)
		return s, ok
	}
	from, to := f.at[2*i+2], f.at[2*i+3]
	if from < 0 {
		return "", false
	}
	return f.source[from:to], true
}

func (f *found) groups() *seq {
	if f.at == nil {
		return &seq{items: f.list}
	}
	items := make([]any, f.count())
	for i := range items {
		items[i] = Undefined
		if s, ok := f.group(i); ok {
			items[i] = s
		}
	}
	return &seq{items: items}
}

// A finder yields the matches of a string one after another, and nil at the end. A match
// is valid until the next one.
type finder func() (*found, error)

// first returns the first match, if any is wanted. (The reference searches for each match
// before it checks whether it is still wanted, so an error in the search is reported in
// any case.)
func (next finder) first(limit int, err *error) *found {
	if limit == 0 {
		return nil
	}
	f, e := next()
	*err = e
	return f
}

// patternError converts an error of package regexp. The code continues those of the
// reference, which has none for it.
func patternError(err error) error {
	var refused *regexp.Error
	if errors.As(err, &refused) {
		return &Error{Code: "S0303", Position: -1, Message: "regular expression: " + refused.Reason}
	}
	return err
}

// matches returns a function that returns the matches in s one by one, the first one at
// or after from, and nil after the last; after says that a match ended at from. A match
// is valid until the next one. An error of spend ends the search.
//
// As in the reference, an empty match after the first is an error (D1004).
func (m *matcher) matches(s string, from int, after bool, spend func(steps int) error) (func() ([]int, error), error) {
	search, err := m.re.Search(s, spend)
	if err != nil {
		return nil, patternError(err)
	}
	return func() ([]int, error) {
		if after && from >= len(s) {
			return nil, nil
		}
		match, err := search.Find(from)
		if match == nil || err != nil {
			return nil, patternError(err)
		}
		if after && match[0] == match[1] {
			return nil, errorf("D1004", nil)
		}
		after, from = true, match[1]
		return match, nil
	}, nil
}

// finder returns the matches of m in s that begin at or after the byte offset from, which is
// units in UTF-16 units; after says that a match ended at from.
func (m *matcher) finder(ev *evaluator, s string, from, units int, after bool) finder {
	next, err := m.matches(s, from, after, ev.spend)
	f := &found{source: s, end: from, known: from, units: units}
	return func() (*found, error) {
		if err != nil {
			return nil, err
		}
		at, err := next()
		if at == nil || err != nil {
			return nil, err
		}
		ev.use(slotSize * (8 + 2*len(at)))
		ev.work(at[1] - f.end)
		f.text, f.start, f.end, f.at = s[at[0]:at[1]], at[0], at[1], at
		if err := ev.step(); err != nil {
			return nil, err
		}
		return f, nil
	}
}

// finderOf returns the matches in s of any function that works like a matcher.
func (ev *evaluator) finderOf(f any, s string) finder {
	if m, ok := f.(*matcher); ok {
		return m.finder(ev, s, 0, 0, false)
	}
	args := []any{s}
	return func() (*found, error) {
		if f == nil {
			return nil, nil
		}
		v, err := ev.callback(f, args...)
		if err != nil || IsUndefined(v) {
			return nil, err
		}
		switch v {
		case nil, false, "", 0.0, json.Number("0"):
			f = nil
			return &found{object: &Object{}}, nil // a match without contents
		}
		o, ok := v.(*Object)
		if !ok {
			return nil, errorf("T1010", nil)
		}
		get := func(name string) any {
			m, ok := o.Get(name)
			if !ok {
				return Undefined
			}
			return Force(m)
		}
		out := &found{object: o, text: optionalString(get("match"), "")}
		groups, isArray := elements(get("groups"))
		if !isNumber(get("start")) && !isNumber(get("end")) && !isArray && !isFunction(get("next")) {
			return nil, errorf("T1010", nil)
		}
		ev.work(len(s))
		out.start = fromUTF16(s, optionalNumber(get("start"), 0))
		out.end = max(out.start, fromUTF16(s, optionalNumber(get("end"), 0)))
		out.list = groups
		f, args = nil, nil
		if next := get("next"); isFunction(next) {
			f = next
		}
		return out, nil
	}
}

// fromUTF16 returns the byte offset of an offset in UTF-16 units.
func fromUTF16(s string, units float64) int {
	n := toInt(units)
	for i, r := range s {
		if n <= 0 {
			return i
		}
		n--
		if r >= 0x10000 {
			n--
		}
	}
	return len(s)
}

// utf16Len returns the length of s in UTF-16 units, as JavaScript counts it.
func utf16Len(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 0xF0:
			n += 2
		case utf8.RuneStart(c):
			n++
		}
	}
	return n
}

// scriptText converts a value to a string as JavaScript does; a regular expression that
// is called as a function searches that string.
func (ev *evaluator) scriptText(v any) (string, bool, error) {
	switch v := Force(v).(type) {
	case string:
		return v, true, nil
	case undefined:
		return "undefined", true, nil
	case float64, json.Number:
		return string(AppendNumber(nil, toFloat(v))), true, nil
	case bool, nil:
		s, err := ev.text(v)
		return s, true, err
	case *Object:
		return "[object Object]", true, nil
	case []any, *seq:
		items, _ := elements(v)
		parts := make([]string, len(items))
		ev.use(slotSize * len(items))
		for i, item := range items {
			if item = Force(item); item == nil || IsUndefined(item) {
				continue
			}
			if err := ev.step(); err != nil {
				return "", false, err
			}
			part, ok, err := ev.scriptText(item)
			if !ok {
				return "", false, err
			}
			ev.use(len(part) + 1)
			parts[i] = part
		}
		return strings.Join(parts, ","), true, ev.step()
	}
	return "", false, nil
}

// callAsFunction evaluates /regex/("text").
func (m *matcher) callAsFunction(ev *evaluator, args []any) (any, error) {
	if len(args) == 0 {
		args = []any{Undefined}
	}
	s, ok, err := ev.scriptText(args[0])
	if err == nil && !ok {
		err = &Error{Code: "T0410", Position: -1, Token: "/" + m.source + "/", Value: args[0], Index: 1}
		err.(*Error).describe()
	}
	if err != nil {
		return nil, err
	}
	from, units := 0, 0
	if len(args) > 1 && isNumber(args[1]) { // as a callback: the index is where to start
		if f := toFloat(args[1]); f >= 1 {
			if f > float64(utf16Len(s)) {
				return Undefined, nil
			}
			from = fromUTF16(s, f)
			units = utf16Len(s[:from])
		}
	}
	f, err := m.finder(ev, s, from, units, false)()
	if err != nil || f == nil {
		return Undefined, err
	}
	return m.object(ev, f, s), nil
}

// object returns a match as functions see it; its member next is a function that returns
// the following match.
func (m *matcher) object(ev *evaluator, f *found, s string) *Object {
	// Only what lies between two matches is counted, so that all of them take linear time.
	ev.work(f.end - f.known)
	f.units += utf16Len(s[f.known:f.start])
	f.known = f.start
	from, end := f.end, f.units+utf16Len(f.text)
	o := NewObject(5)
	o.Set("match", f.text)
	o.Set("start", float64(f.units))
	o.Set("end", float64(end))
	o.Set("groups", f.groups())
	o.Set("next", &builtin{call: func(ev *evaluator, _ []any) (any, error) {
		f, err := m.finder(ev, s, from, end, true)()
		if err != nil || f == nil {
			return Undefined, err
		}
		return m.object(ev, f, s), nil
	}})
	return o
}
