package statesapi

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An epoch is a time on the wire: seconds since 1970 with milliseconds, as AWS JSON
// writes timestamps.
type epoch time.Time

// MarshalJSON writes 1667486785.389.
func (e epoch) MarshalJSON() ([]byte, error) { return e.append(nil), nil }

func (e epoch) append(dst []byte) []byte {
	return strconv.AppendFloat(dst, float64(time.Time(e).UnixMilli())/1000, 'f', 3, 64)
}

// fields reads the members of a request. It records the first wrong type, which AWS's
// front end answers with a SerializationException before anything else is checked; null
// is the same as absence, and unknown members are skipped.
type fields struct {
	object *jsonata.Object
	err    *Error
}

func decodeFields(body []byte) (*fields, *Error) {
	v, err := jsonata.Decode(body)
	if err != nil {
		return nil, errorf(SerializationException, "%v", err)
	}
	o, ok := v.(*jsonata.Object)
	if !ok {
		return nil, errorf(SerializationException, "Start of structure or map found where not expected.")
	}
	return &fields{object: o}, nil
}

func (f *fields) value(name string) (any, bool) {
	v, ok := f.object.Get(name)
	v = jsonata.Force(v)
	return v, ok && v != nil
}

func (f *fields) wrongType(v any, want string) {
	if f.err == nil {
		f.err = errorf(SerializationException, "%s can not be converted to %s", token(v), want)
	}
}

// token names a JSON value in the terms of AWS's front end.
func token(v any) string {
	switch v := v.(type) {
	case string:
		return "STRING_VALUE"
	case bool:
		if v {
			return "TRUE_VALUE"
		}
		return "FALSE_VALUE"
	case []any:
		return "START_ARRAY"
	case *jsonata.Object:
		return "START_OBJECT"
	case nil:
		return "NULL_VALUE"
	}
	return "NUMBER_VALUE"
}

func (f *fields) text(name string) *string {
	v, ok := f.value(name)
	if !ok {
		return nil
	}
	s, ok := v.(string)
	if !ok {
		f.wrongType(v, "a String")
		return nil
	}
	return &s
}

func (f *fields) boolean(name string) bool {
	b := f.flag(name)
	return b != nil && *b
}

// flag is boolean for members whose absence has its own meaning.
func (f *fields) flag(name string) *bool {
	v, ok := f.value(name)
	if !ok {
		return nil
	}
	b, ok := v.(bool)
	if !ok {
		f.wrongType(v, "a Boolean")
	}
	return &b
}

func (f *fields) integer(name string) *int64 {
	v, ok := f.value(name)
	if !ok {
		return nil
	}
	if n, ok := v.(json.Number); ok {
		if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
			return &i
		}
		if x, err := n.Float64(); err == nil && x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			i := int64(x)
			return &i
		}
	}
	f.wrongType(v, "an Integer")
	return nil
}

func (f *fields) structure(name string) *jsonata.Object {
	v, ok := f.value(name)
	if !ok {
		return nil
	}
	o, ok := v.(*jsonata.Object)
	if !ok {
		f.wrongType(v, "a Structure")
	}
	return o
}

func (f *fields) list(name string) []any {
	v, ok := f.value(name)
	if !ok {
		return nil
	}
	l, ok := v.([]any)
	if !ok {
		f.wrongType(v, "a List")
		return nil
	}
	if l == nil {
		l = []any{}
	}
	return l
}

// within reads the members of a structure, and records their first wrong type.
func (f *fields) within(name string, read func(*fields)) (sent bool) {
	o := f.structure(name)
	if o != nil {
		f.members(o, read)
	}
	return o != nil
}

// structures reads a list of structures.
func (f *fields) structures(name string, read func(*fields)) (sent bool) {
	list := f.list(name)
	for _, v := range list {
		v = jsonata.Force(v)
		o, ok := v.(*jsonata.Object)
		if !ok {
			f.wrongType(v, "a Structure")
			break
		}
		f.members(o, read)
	}
	return list != nil
}

func (f *fields) members(o *jsonata.Object, read func(*fields)) {
	inner := &fields{object: o}
	read(inner)
	if f.err == nil {
		f.err = inner.err
	}
}

func (f *fields) tags(name string) []Tag {
	tags := []Tag{}
	if !f.structures(name, func(f *fields) { tags = append(tags, Tag{f.text("key"), f.text("value")}) }) {
		return nil
	}
	return tags
}

func (f *fields) routes(name string) []routingItem {
	routes := []routingItem{}
	sent := f.structures(name, func(f *fields) {
		routes = append(routes, routingItem{f.text("stateMachineVersionArn"), f.integer("weight")})
	})
	if !sent {
		return nil
	}
	return routes
}

func (f *fields) texts(name string) []string {
	l := f.list(name)
	if l == nil {
		return nil
	}
	texts := make([]string, 0, len(l))
	for _, v := range l {
		s, ok := jsonata.Force(v).(string)
		if !ok {
			f.wrongType(jsonata.Force(v), "a String")
			return nil
		}
		texts = append(texts, s)
	}
	return texts
}

// dataDetails says whether a payload is included in the answer.
type dataDetails struct {
	Included bool `json:"included"`
}

// syncOutput is the answer of StartSyncExecution, without payloads if only metadata was
// requested. It encodes itself, because it is the one answer that must be fast.
type syncOutput struct {
	record   *ExecutionRecord
	metadata bool
}

// room returns the size of the answer, unless its texts need many escapes.
func (o *syncOutput) room() int {
	const members = 640
	return members + len(o.record.Input) + len(o.record.Input)/4 + len(o.record.Output) + len(o.record.Output)/4
}

func (o *syncOutput) appendJSON(dst []byte) []byte {
	r := o.record
	dst = appendText(append(dst, `{"executionArn":`...), r.ExecutionARN)
	dst = appendText(append(dst, `,"stateMachineArn":`...), r.StateMachineARN)
	dst = appendText(append(dst, `,"name":`...), r.Name)
	dst = epoch(r.StartDate).append(append(dst, `,"startDate":`...))
	dst = epoch(r.StopDate).append(append(dst, `,"stopDate":`...))
	dst = appendText(append(dst, `,"status":`...), string(r.Status))
	if r.Error != "" {
		dst = appendText(append(dst, `,"error":`...), r.Error)
	}
	if r.Cause != "" {
		dst = appendText(append(dst, `,"cause":`...), r.Cause)
	}
	included := strconv.FormatBool(!o.metadata)
	if !o.metadata {
		dst = appendText(append(dst, `,"input":`...), r.Input)
	}
	dst = append(append(append(dst, `,"inputDetails":{"included":`...), included...), '}')
	if !o.metadata && r.Output != nil {
		dst = appendText(append(dst, `,"output":`...), r.Output)
	}
	dst = append(append(append(dst, `,"outputDetails":{"included":`...), included...), '}')
	if r.TraceHeader != "" {
		dst = appendText(append(dst, `,"traceHeader":`...), r.TraceHeader)
	}
	dst = strconv.AppendInt(append(dst, `,"billingDetails":{"billedMemoryUsedInMB":`...), billedMemoryMB, 10)
	dst = strconv.AppendInt(append(dst, `,"billedDurationInMilliseconds":`...), r.BilledDuration().Milliseconds(), 10)
	return append(dst, "}}"...)
}

// appendText writes a JSON string. Invalid UTF-8 becomes the replacement character, as in
// encoding/json.
func appendText[T string | []byte](dst []byte, text T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			// The conversion of a few bytes does not allocate.
			r, n := utf8.DecodeRuneInString(string(text[i:min(i+utf8.UTFMax, len(text))]))
			if r != utf8.RuneError || n != 1 {
				i += n
				continue
			}
			dst = append(append(dst, text[start:i]...), "\uFFFD"...)
			i++
			start = i
			continue
		}
		dst = append(dst, text[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
		i++
		start = i
	}
	return append(append(dst, text[start:]...), '"')
}

// startOutput is the answer of StartExecution.
type startOutput struct {
	ExecutionARN string `json:"executionArn"`
	StartDate    epoch  `json:"startDate"`
}
