package jsonata

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// text is the function $string; an undefined value is "".
func (ev *evaluator) text(v any) (string, error) {
	switch v := Force(v).(type) {
	case string:
		return v, nil
	case undefined:
		return "", nil
	case bool:
		return strconv.FormatBool(v), nil
	case nil:
		return "null", nil
	case json.Number, float64:
		if f := toFloat(v); math.IsInf(f, 0) || math.IsNaN(f) {
			return "", errorf("D3001", v)
		}
		return string(appendRounded(nil, ev.read(v))), nil
	default:
		if isFunction(v) {
			return "", nil
		}
		return ev.stringify(v, false)
	}
}

// read returns a number as the dialect reads it: in Step Functions, an integer beyond 64
// bits is a double.
func (ev *evaluator) read(v any) any {
	n, ok := v.(json.Number)
	if !ok || !ev.conf.stepFunctions || len(n) < len("9223372036854775808") {
		return v
	}
	if _, err := strconv.ParseInt(string(n), 10, 64); err != nil {
		return toFloat(v)
	}
	return v
}

// appendRounded appends a number as $string shows it: to 15 significant digits, so that
// 0.1+0.2 is 0.3. An integer from the input keeps all of its digits, because it may be an
// identifier.
func appendRounded(dst []byte, v any) []byte {
	if n, ok := v.(json.Number); ok && !strings.ContainsAny(string(n), ".eE") && n != "-0" {
		return append(dst, n...)
	}
	f := toFloat(v)
	start := len(dst)
	dst = AppendNumber(dst, f)
	if isInteger(f) || len(dst)-start <= roundedTo {
		return dst // it does not have more digits
	}
	var buf [32]byte
	f, _ = strconv.ParseFloat(string(strconv.AppendFloat(buf[:0], f, 'g', roundedTo, 64)), 64)
	return AppendNumber(dst[:start], f)
}

// roundedTo is the number of digits in text.
const roundedTo = 15

// stringify writes a value as JSON, functions as "", as JSON.stringify does in the
// reference.
func (ev *evaluator) stringify(v any, pretty bool) (string, error) {
	w := writer{ev: ev, pretty: pretty}
	if s, ok := v.(*seq); ok && s.outerWrapper {
		v = s.items[0]
	}
	if err := w.value(v, 0); err != nil {
		return "", err
	}
	return string(w.buf), nil
}

type writer struct {
	ev     *evaluator
	buf    []byte
	pretty bool
}

func (w *writer) value(v any, depth int) error {
	before := len(w.buf)
	if err := w.ev.step(); err != nil {
		return err
	}
	if depth > maxDepth {
		return spent(ErrDepth)
	}
	switch v := Force(v).(type) {
	case nil, undefined:
		w.buf = append(w.buf, "null"...)
	case bool:
		w.buf = strconv.AppendBool(w.buf, v)
	case string:
		w.buf = appendString(w.buf, v)
	case json.Number, float64:
		if _, ok, err := number(v); err != nil {
			return err
		} else if !ok {
			w.buf = append(w.buf, "null"...)
		} else {
			w.buf = appendRounded(w.buf, w.ev.read(v))
		}
	case []any:
		return w.array(v, depth)
	case *seq:
		return w.array(v.items, depth)
	case *Object:
		return w.object(v, depth)
	default:
		w.buf = append(w.buf, `""`...)
	}
	w.ev.use(len(w.buf) - before)
	return nil
}

func (w *writer) newline(depth int) {
	if w.pretty {
		w.buf = append(w.buf, '\n')
		for range depth {
			w.buf = append(w.buf, "  "...)
		}
		w.ev.use(2 * depth)
	}
}

func (w *writer) array(items []any, depth int) error {
	w.buf = append(w.buf, '[')
	for i, item := range items {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.newline(depth + 1)
		if err := w.value(item, depth+1); err != nil {
			return err
		}
	}
	if len(items) > 0 {
		w.newline(depth)
	}
	w.buf = append(w.buf, ']')
	return nil
}

func (w *writer) object(o *Object, depth int) error {
	w.buf = append(w.buf, '{')
	for i := range o.Len() {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.newline(depth + 1)
		k, v := o.At(i)
		w.buf = append(appendString(w.buf, k), ':')
		w.ev.use(len(k))
		if w.pretty {
			w.buf = append(w.buf, ' ')
		}
		if err := w.value(v, depth+1); err != nil {
			return err
		}
	}
	if o.Len() > 0 {
		w.newline(depth)
	}
	w.buf = append(w.buf, '}')
	return nil
}
