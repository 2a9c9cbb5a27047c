package statesapi

import (
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An epoch is a time on the wire: seconds since 1970 with milliseconds, as AWS JSON
// writes timestamps.
type epoch time.Time

// MarshalJSON writes 1667486785.389.
func (e epoch) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Time(e).UnixMilli())/1000, 'f', 3, 64), nil
}

// fields reads the members of a request. It keeps the first wrong type, which AWS's
// front end answers with a SerializationException before anything else is looked at;
// null is the same as absence, and unknown members are skipped.
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

// token names a JSON value as the parser of AWS's front end does.
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
	v, ok := f.value(name)
	if !ok {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		f.wrongType(v, "a Boolean")
	}
	return b
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

func (f *fields) tags(name string) []Tag {
	l := f.list(name)
	if l == nil {
		return nil
	}
	tags := make([]Tag, 0, len(l))
	for _, v := range l {
		v = jsonata.Force(v)
		o, ok := v.(*jsonata.Object)
		if !ok {
			f.wrongType(v, "a Structure")
			return nil
		}
		member := &fields{object: o}
		tags = append(tags, Tag{member.text("key"), member.text("value")})
		if f.err == nil {
			f.err = member.err
		}
	}
	return tags
}

func (f *fields) routes(name string) []Route {
	l := f.list(name)
	if l == nil {
		return nil
	}
	routes := make([]Route, 0, len(l))
	for _, v := range l {
		v = jsonata.Force(v)
		o, ok := v.(*jsonata.Object)
		if !ok {
			f.wrongType(v, "a Structure")
			return nil
		}
		member := &fields{object: o}
		routes = append(routes, Route{member.text("stateMachineVersionArn"), member.integer("weight")})
		if f.err == nil {
			f.err = member.err
		}
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

// dataDetails says whether a payload is in the answer.
type dataDetails struct {
	Included bool `json:"included"`
}

type billingDetails struct {
	BilledMemoryUsedInMB         int64 `json:"billedMemoryUsedInMB"`
	BilledDurationInMilliseconds int64 `json:"billedDurationInMilliseconds"`
}

// syncOutput is the answer of StartSyncExecution.
type syncOutput struct {
	ExecutionARN    string         `json:"executionArn"`
	StateMachineARN string         `json:"stateMachineArn"`
	Name            string         `json:"name"`
	StartDate       epoch          `json:"startDate"`
	StopDate        epoch          `json:"stopDate"`
	Status          string         `json:"status"`
	Error           string         `json:"error,omitempty"`
	Cause           string         `json:"cause,omitempty"`
	Input           *string        `json:"input,omitempty"`
	InputDetails    dataDetails    `json:"inputDetails"`
	Output          *string        `json:"output,omitempty"`
	OutputDetails   dataDetails    `json:"outputDetails"`
	TraceHeader     string         `json:"traceHeader,omitempty"`
	BillingDetails  billingDetails `json:"billingDetails"`
}

// newSyncOutput leaves the payloads out when only metadata was asked for.
func newSyncOutput(r ExecutionRecord, metadata bool) *syncOutput {
	out := &syncOutput{
		ExecutionARN: r.ExecutionARN, StateMachineARN: r.StateMachineARN, Name: r.Name,
		StartDate: epoch(r.StartDate), StopDate: epoch(r.StopDate), Status: string(r.Status),
		Error: r.Error, Cause: r.Cause, TraceHeader: r.TraceHeader,
		BillingDetails: billingDetails{billedMemoryMB, r.BilledDuration().Milliseconds()},
	}
	if metadata {
		return out
	}
	input := string(r.Input)
	out.Input, out.InputDetails.Included, out.OutputDetails.Included = &input, true, true
	if r.Output != nil {
		output := string(r.Output)
		out.Output = &output
	}
	return out
}

// startOutput is the answer of StartExecution.
type startOutput struct {
	ExecutionARN string `json:"executionArn"`
	StartDate    epoch  `json:"startDate"`
}
