package tasks

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// arrayFormats are how RequestEncodingOptions.ArrayFormat spells the elements of an array.
var arrayFormats = map[string]func(name string, i int) string{
	"INDICES":  func(name string, i int) string { return name + "[" + strconv.Itoa(i) + "]" },
	"REPEAT":   func(name string, _ int) string { return name },
	"BRACKETS": func(name string, _ int) string { return name + "[]" },
	"COMMAS":   nil, // one field with all elements
}

// formEncode writes an object as application/x-www-form-urlencoded: members of objects as
// outer[inner], elements of arrays as the format says.
func formEncode(o *jsonata.Object, format string) string {
	e := formEncoder{format: format}
	for i := range o.Len() {
		name, v := o.At(i)
		e.value(name, v)
	}
	return e.text.String()
}

type formEncoder struct {
	format string
	text   strings.Builder
}

func (e *formEncoder) value(name string, v any) {
	switch v := jsonata.Force(v).(type) {
	case *jsonata.Object:
		for i := range v.Len() {
			member, inner := v.At(i)
			e.value(name+"["+member+"]", inner)
		}
	case []any:
		if e.format == "COMMAS" {
			texts := make([]string, len(v))
			for i, item := range v {
				texts[i] = formText(item)
			}
			e.field(name, strings.Join(texts, ","))
			return
		}
		for i, item := range v {
			e.value(arrayFormats[e.format](name, i), item)
		}
	default:
		e.field(name, formText(v))
	}
}

func (e *formEncoder) field(name, value string) {
	if e.text.Len() > 0 {
		e.text.WriteByte('&')
	}
	e.text.WriteString(url.QueryEscape(name) + "=" + url.QueryEscape(value))
}

// formText returns a value as the text of a field: null is empty.
func formText(v any) string {
	if v = jsonata.Force(v); v == nil {
		return ""
	}
	return plain(v)
}
