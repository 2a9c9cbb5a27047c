package jsonata

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A matcher is a regular expression as a value. It is also a function, of a string to
// its first match; $match and the others accept any function that is like it.
type matcher struct {
	re     *pattern
	source string
}

// A found is one match. Its offsets count what its source counts: bytes for a
// matcher, UTF-16 units for a function of the expression.
type found struct {
	text       string
	start, end int
	source     string // what at is about
	at         []int  // the places of the groups, as of package regexp, if it is a matcher's
	list       []any  // of a function's
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

// A finder yields the matches of a string one after another; nil is the end. A match is
// valid until the next one.
type finder func() (*found, error)

// first returns the first match, if any is wanted. (The reference looks for each match
// before it asks whether it is still wanted: an error in it counts all the same.)
func (next finder) first(limit int, err *error) *found {
	if limit == 0 {
		return nil
	}
	f, e := next()
	*err = e
	return f
}

// checkSteps is how much of the work of a regular expression passes between looks at the clock.
const checkSteps = 1 << 14

// finder returns the matches of m in s that begin at from, in bytes, or behind it; after
// says that from is where a match has ended.
func (m *matcher) finder(ev *evaluator, s string, from int, after bool) finder {
	next, err := m.re.matches(s, from, after)
	f := &found{source: s}
	return func() (*found, error) {
		if err != nil {
			return nil, err
		}
		at, err := next()
		if at == nil || err != nil {
			return nil, err
		}
		ev.use(slotSize * (8 + 2*len(at)))
		if ev.matched += at[1] - from; ev.matched > checkSteps {
			ev.matched = 0
			if err := ev.checkTime(); err != nil {
				return nil, err
			}
		}
		from = at[1]
		f.text, f.start, f.end, f.at = s[at[0]:at[1]], at[0], at[1], at
		return f, ev.step()
	}
}

// finderOf returns the matches in s of any function that works like a matcher.
func (ev *evaluator) finderOf(f any, s string) finder {
	if m, ok := f.(*matcher); ok {
		return m.finder(ev, s, 0, false)
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
			return &found{object: &Object{}}, nil // a match, that has nothing in it
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

// utf16Len is the length of s in UTF-16 units, as JavaScript counts.
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

// scriptText is what JavaScript makes a string of, where it wants one: a regular
// expression that is called looks for its matches in that.
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

// callAsFunction is /regex/("text").
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
	from := 0
	if len(args) > 1 && isNumber(args[1]) { // as a callback: the index is where to begin
		if f := toFloat(args[1]); f >= 1 {
			if f > float64(utf16Len(s)) {
				return Undefined, nil
			}
			from = fromUTF16(s, f)
		}
	}
	f, err := m.finder(ev, s, from, false)()
	if err != nil || f == nil {
		return Undefined, err
	}
	return m.object(f, s), nil
}

// object returns a match as functions see it; its member next is a function that returns
// the one behind it.
func (m *matcher) object(f *found, s string) *Object {
	o := NewObject(5)
	o.Set("match", f.text)
	start := utf16Len(s[:f.start])
	o.Set("start", float64(start))
	o.Set("end", float64(start+utf16Len(f.text)))
	o.Set("groups", f.groups())
	from := f.end
	o.Set("next", &builtin{call: func(ev *evaluator, _ []any) (any, error) {
		f, err := m.finder(ev, s, from, true)()
		if err != nil || f == nil {
			return Undefined, err
		}
		return m.object(f, s), nil
	}})
	return o
}

func fnContains(ev *evaluator, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok || IsUndefined(args[1]) {
		return Undefined, nil
	}
	if token, ok := args[1].(string); ok {
		return strings.Contains(s, token), nil
	}
	if m, ok := args[1].(*matcher); ok {
		return regexpContains(m.re, s)
	}
	f, err := ev.finderOf(args[1], s)()
	return f != nil, err
}

func fnMatch(ev *evaluator, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return Undefined, nil
	}
	n, err := limit(args[2], "D3040")
	if err != nil {
		return nil, err
	}
	out := &seq{sequence: true}
	next := ev.finderOf(args[1], s)
	units, upTo := 0, 0
	for f := next.first(n, &err); f != nil && (n < 0 || len(out.items) < n); f, err = next() {
		if f.start >= upTo {
			units += utf16Len(s[upTo:f.start])
			upTo = f.start
		}
		o := NewObject(3)
		o.Set("match", f.text)
		o.Set("index", float64(units))
		o.Set("groups", f.groups())
		ev.use(4 * memberSize)
		out.items = append(out.items, o)
	}
	return out, err
}

func fnSplit(ev *evaluator, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return Undefined, nil
	}
	n, err := limit(args[2], "D3020")
	if err != nil {
		return nil, err
	}
	out := &seq{items: []any{}}
	if n == 0 {
		return out, nil
	}
	add := func(part string) {
		out.items = append(out.items, part)
		ev.use(2 * slotSize)
	}
	switch separator := args[1].(type) {
	case undefined:
		add(s)
		return out, nil
	case string:
		if count := strings.Count(s, separator); n < 0 && separator != "" && count < 1024 {
			out.items = make([]any, 0, count+1)
		}
		if f := optionalNumber(args[2], -1); f >= 0 {
			n = toInt(f) // truncated here, rounded up for patterns
		}
		for rest := s; n < 0 || len(out.items) < n; {
			i := strings.Index(rest, separator)
			if separator == "" {
				if rest == "" {
					break
				}
				i = codePointOffset(rest, 1)
				if i == len(rest) {
					i = -1
				}
			}
			if err := ev.step(); err != nil {
				return nil, err
			}
			if i < 0 {
				add(rest)
				break
			}
			add(rest[:i])
			rest = rest[i+len(separator):]
		}
		return out, nil
	}
	next := ev.finderOf(args[1], s)
	start := 0
	for f := next.first(n, &err); f != nil && (n < 0 || len(out.items) < n); f, err = next() {
		add(s[start:max(start, f.start)])
		start = f.end
	}
	if n < 0 || len(out.items) < n {
		add(s[start:])
	}
	return out, err
}

func fnReplace(ev *evaluator, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return Undefined, nil
	}
	if args[1] == "" {
		return nil, errorf("D3010", "")
	}
	n, err := limit(args[3], "D3011")
	if err != nil {
		return nil, err
	}
	if IsUndefined(args[1]) {
		return s, nil
	}
	if pattern, ok := args[1].(string); ok {
		count := strings.Count(s, pattern)
		if n >= 0 {
			count = min(count, n)
		}
		with, ok := args[2].(string)
		if !ok && count > 0 {
			return nil, errorf("D3012", args[2])
		}
		if err := ev.reserve(float64(len(s)) + float64(count)*float64(len(with))); err != nil {
			return nil, err
		}
		return strings.Replace(s, pattern, with, n), nil
	}
	next := ev.finderOf(args[1], s)
	var out strings.Builder
	position, count, charged := 0, 0, 0
	for f := next.first(n, &err); f != nil && (n < 0 || count < n); f, err = next() {
		count++
		out.WriteString(s[min(position, f.start):f.start])
		if text, ok := args[2].(string); ok {
			if charged, err = ev.expand(&out, charged, text, f); err != nil {
				return nil, err
			}
		} else {
			with, err := ev.substitute(args[1], args[2], f, s)
			if err != nil {
				return nil, err
			}
			out.WriteString(with)
		}
		if err := ev.reserve(float64(out.Len() - charged)); err != nil {
			return nil, err
		}
		charged = out.Len()
		position = max(f.end, position)
	}
	if err != nil {
		return nil, err
	}
	ev.use(len(s) - position)
	out.WriteString(s[position:])
	return out.String(), nil
}

// substitute returns what a function replaces a match of pattern in s with.
func (ev *evaluator) substitute(pattern, with any, f *found, s string) (string, error) {
	match := f.object
	if m, ok := pattern.(*matcher); ok {
		match = m.object(f, s)
	}
	v, err := ev.callback(with, match)
	if err != nil {
		return "", err
	}
	text, ok := v.(string)
	if !ok {
		return "", errorf("D3012", v)
	}
	return text, nil
}

// expand writes text with $0 replaced with the match, $1 and so on with the groups, and $$
// with $. Of the digits after a dollar, as many count as there can be for the groups there
// are. It charges what out has grown to, from charged on, and returns how much it charged.
func (ev *evaluator) expand(out *strings.Builder, charged int, text string, f *found) (int, error) {
	for {
		if grown := out.Len() - charged; grown > 1<<16 {
			if err := ev.reserve(float64(grown)); err != nil {
				return charged, err
			}
			charged = out.Len()
		}
		before, rest, ok := strings.Cut(text, "$")
		out.WriteString(before)
		if !ok {
			return charged, nil
		}
		text = rest
		switch {
		case strings.HasPrefix(text, "$"):
			out.WriteByte('$')
			text = text[1:]
			continue
		case strings.HasPrefix(text, "0"):
			out.WriteString(f.text)
			text = text[1:]
			continue
		}
		width := 1
		if f.count() >= 10 {
			width = int(math.Log10(float64(f.count()))) + 1
		}
		i, ok := leadingInt(text, width)
		if ok && width > 1 && i > f.count() {
			i, ok = leadingInt(text, width-1)
		}
		if !ok {
			out.WriteByte('$')
			continue
		}
		if i >= 1 && i <= f.count() {
			if g, ok := f.group(i - 1); ok {
				out.WriteString(g)
			}
		}
		for n := i; n >= 10; n /= 10 {
			text = text[1:]
		}
		text = text[1:]
	}
}

// leadingInt reads the digits at the start of text, at most width.
func leadingInt(text string, width int) (int, bool) {
	n := 0
	for n < len(text) && n < width && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	i, err := strconv.Atoi(text[:n])
	return i, err == nil
}
