package jsonata

import (
	"math"
	"strconv"
	"strings"
)

func fnContains(ev *evaluator, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok || IsUndefined(args[1]) {
		return Undefined, nil
	}
	if token, ok := args[1].(string); ok {
		_, _, found := ev.cut(s, token)
		return found, nil
	}
	if m, ok := args[1].(*matcher); ok {
		found, err := m.re.Contains(s, ev.spend)
		return found, patternError(err)
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
			n = int(math.Mod(math.Trunc(f), 1<<32)) // as in JavaScript's split; with patterns, it is rounded up
		}
		return out, ev.splitText(s, separator, n, add)
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

// splitText adds the parts of s between separators, at most n of them unless n is negative;
// "" separates all characters.
func (ev *evaluator) splitText(s, separator string, n int, add func(part string)) error {
	if separator == "" && s == "" {
		return nil
	}
	for ; n != 0; n-- {
		if err := ev.step(); err != nil {
			return err
		}
		i := strings.Index(s, separator)
		if separator == "" {
			if i = codePointOffset(s, 1); i == len(s) {
				i = -1
			}
		}
		if i < 0 {
			add(s)
			return nil
		}
		add(s[:i])
		s = s[i+len(separator):]
	}
	return nil
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

// substitute returns the text that replaces a match of pattern in s.
func (ev *evaluator) substitute(pattern, with any, f *found, s string) (string, error) {
	match := f.object
	if m, ok := pattern.(*matcher); ok {
		match = m.object(ev, f, s)
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

// expand writes text with $0 replaced by the match, $1 and so on by the groups, and $$ by
// $. After a dollar sign, as many digits are read as the number of groups has. It charges
// the growth of out beyond charged, and returns the new total.
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
