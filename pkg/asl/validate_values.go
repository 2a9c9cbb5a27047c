package asl

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/intrinsic"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// wholeNumber returns a member that is written as a whole number; 1.0 is not.
func wholeNumber(o *jsonata.Object, field string) (int, bool) {
	value, _ := o.Get(field)
	n, _ := value.(json.Number)
	i, err := strconv.Atoi(string(n))
	return i, err == nil
}

func (v *validator) integer(o *jsonata.Object, field, at string, low, high int) {
	if !o.Has(field) {
		return
	}
	n, ok := wholeNumber(o, field)
	switch {
	case !ok:
		v.wrongType(at+"/"+field, "INTEGER")
	case n < low:
		v.schema(at+"/"+field, "Minimum value is %d", low)
	case n > high:
		v.schema(at+"/"+field, "Maximum value is %d", high)
	}
}

// number checks a member that may have a fraction.
func (v *validator) number(o *jsonata.Object, field, at string, low, high float64) {
	value, has := o.Get(field)
	if !has {
		return
	}
	n, ok := value.(json.Number)
	f, err := n.Float64()
	switch {
	case !ok || err != nil:
		v.wrongType(at+"/"+field, "NUMBER")
	case f < low:
		v.schema(at+"/"+field, "Minimum value is %v", low)
	case f > high:
		v.schema(at+"/"+field, "Maximum value is %v", high)
	}
}

// amount checks a whole number, which may be an expression in JSONata.
func (s *stateCheck) amount(field string, low, high int) {
	value, has := s.o.Get(field)
	if has && !s.expression(value, field) {
		s.integer(s.o, field, s.at, low, high)
	}
}

func (s *stateCheck) percentage() {
	const field = "ToleratedFailurePercentage"
	value, has := s.o.Get(field)
	if has && !s.expression(value, field) {
		s.number(s.o, field, s.at, 0, 100)
	}
}

// amountPath checks a path that replaces a number or a time.
func (s *stateCheck) amountPath(field string) {
	if !s.jsonata {
		s.path(s.o, field, s.at, reference)
	}
}

// What a path field allows.
const (
	nullable  = 1 << iota // null
	reference             // Reference Paths only
	intoInput             // paths into the state's data only
	anyPath               // any path, although the message says Reference Path
)

func (v *validator) path(o *jsonata.Object, field, at string, rules int) {
	value, has := o.Get(field)
	if !has || value == nil && rules&nullable != 0 {
		return
	}
	text, ok := value.(string)
	if !ok {
		v.wrongType(at+"/"+field, "STRING")
		return
	}
	p, err := parseSource(text)
	begins := strings.HasPrefix(text, "$")
	switch {
	case rules&reference != 0 && !begins:
		v.schema(at+"/"+field, "Value is not a Reference Path: Reference path didn't start with '$'")
	case err != nil || !begins:
		v.schema(at+"/"+field, "Value must be a valid JSONPath.")
	case rules&anyPath == 0 && rules&reference != 0 && !p.path.IsReference(), rules&intoInput != 0 && p.root != "":
		v.schema(at+"/"+field, "Value is not a Reference Path")
	}
}

// payload checks a JSONPath Payload Template, which is an object, or any other value,
// which is passed on as it is.
func (v *validator) payload(o *jsonata.Object, field, at string) {
	if value, has := o.Get(field); has {
		v.template(value, at+"/"+field)
	}
}

func (v *validator) template(value any, at string) {
	switch value := value.(type) {
	case *jsonata.Object:
		for i := range value.Len() {
			key, item := value.At(i)
			where := v.join(at, key)
			if strings.HasSuffix(key, ".$") {
				v.dynamic(item, key, at)
				continue
			}
			if text, ok := item.(string); ok && isDynamic(text) {
				v.warn(noDollar, where, "No .$ on a field that appears to be a JSONPath or an intrinsic function")
			}
			v.template(item, where)
		}
	case []any:
		for i, item := range value {
			v.template(item, fmt.Sprintf("%s[%d]", at, i))
		}
	}
}

// dynamic checks the value of a field whose name says that it is a path or a call, in the
// object at the location.
func (v *validator) dynamic(value any, field, at string) {
	text, ok := value.(string)
	if ok && validDynamic(text) {
		return
	}
	v.schema(at, "The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", field)
}

func validDynamic(text string) bool {
	if !intrinsic.Is(text) {
		_, err := parseSource(text)
		return err == nil && strings.HasPrefix(text, "$")
	}
	call, err := intrinsic.Parse(text)
	if err != nil {
		return false
	}
	for _, p := range call.Paths() {
		if _, err := parseSource(p); err != nil {
			return false
		}
	}
	return true
}

// isDynamic reports whether a text looks like a path or a call.
func isDynamic(text string) bool {
	return (strings.HasPrefix(text, "$.") || strings.HasPrefix(text, "$$.") || strings.HasPrefix(text, "States.") && intrinsic.Is(text)) &&
		validDynamic(text)
}

// looksDynamic reports whether a value looks as if it was meant to be evaluated.
func looksDynamic(value any) bool {
	switch value := value.(type) {
	case string:
		return isDynamic(value)
	case *jsonata.Object:
		for i := range value.Len() {
			if key, item := value.At(i); strings.HasSuffix(key, ".$") || looksDynamic(item) {
				return true
			}
		}
	case []any:
		for _, item := range value {
			if looksDynamic(item) {
				return true
			}
		}
	}
	return false
}

// time checks a timestamp.
func (v *validator) time(value any, at string) {
	if _, ok := value.(string); !ok {
		v.wrongType(at, "STRING")
	} else if _, ok := timestamp(value); !ok {
		v.schema(at, "String does not match RFC3339 timestamp")
	}
}
