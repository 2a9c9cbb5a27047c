package awswire

import (
	"encoding/json"
	"fmt"

	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// encodeJSON writes the members of arguments that belong in the body; only selects them,
// and nil selects all.
func encodeJSON(s *awsmodel.Service, in *awsmodel.Structure, arguments *jsonata.Object, only func(*awsmodel.Member) bool) ([]byte, error) {
	o, err := jsonObject(s, in, arguments, "", only)
	if err != nil {
		return nil, err
	}
	return jsonata.AppendJSON(nil, o)
}

func jsonObject(s *awsmodel.Service, in *awsmodel.Structure, arguments *jsonata.Object, path string, only func(*awsmodel.Member) bool) (*jsonata.Object, error) {
	o := jsonata.NewObject(arguments.Len())
	err := each(in, arguments, path, func(m *awsmodel.Member, v any, path string) error {
		if only != nil && !only(m) {
			return nil
		}
		value, err := jsonValue(s, m, m.Type, v, path)
		if err == nil {
			o.Set(m.Wire, value)
		}
		return err
	})
	return o, err
}

func jsonValue(s *awsmodel.Service, m *awsmodel.Member, t awsmodel.Type, v any, path string) (any, error) {
	v = jsonata.Force(v)
	switch t.Kind {
	case awsmodel.Document:
		return v, nil
	case awsmodel.Text, awsmodel.Blob:
		return plain(v, path)
	case awsmodel.Boolean:
		b, err := text(&awsmodel.Member{Type: t}, v, path, "")
		return b == "true", err
	case awsmodel.Integer, awsmodel.Float:
		return number(v, path)
	case awsmodel.Time:
		at, err := parseTime(v, path)
		if err != nil {
			return nil, err
		}
		formatted := formatTime(at, m.Format, "unixTimestamp")
		if m.Format == "" || m.Format == "unixTimestamp" {
			return json.Number(formatted), nil
		}
		return formatted, nil
	case awsmodel.List:
		list, ok := v.([]any)
		if !ok {
			return nil, &FieldError{path, "must be an array"}
		}
		items := make([]any, len(list))
		for i, item := range list {
			var err error
			if items[i], err = jsonValue(s, m, *t.Elem, item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return nil, err
			}
		}
		return items, nil
	}
	object, ok := v.(*jsonata.Object)
	if !ok {
		return nil, &FieldError{path, "must be an object"}
	}
	if t.Kind == awsmodel.Record {
		return jsonObject(s, s.Structure(t.Structure), object, path, nil)
	}
	out := jsonata.NewObject(object.Len())
	for i := range object.Len() {
		key, item := object.At(i)
		value, err := jsonValue(s, m, *t.Elem, item, join(path, key))
		if err != nil {
			return nil, err
		}
		out.Set(key, value)
	}
	return out, nil
}

// decodeJSONBody reads a body whose members are those of the structure.
func decodeJSONBody(s *awsmodel.Service, out *awsmodel.Structure, body []byte) (*jsonata.Object, error) {
	if out == nil || len(body) == 0 {
		return jsonata.NewObject(0), nil
	}
	v, err := jsonata.Decode(body)
	if err != nil {
		return nil, fmt.Errorf("the answer is not JSON: %w", err)
	}
	o, ok := v.(*jsonata.Object)
	if !ok {
		return nil, fmt.Errorf("the answer is not a JSON object")
	}
	return fromJSONObject(s, out, o), nil
}

func fromJSONObject(s *awsmodel.Service, out *awsmodel.Structure, o *jsonata.Object) *jsonata.Object {
	result := jsonata.NewObject(o.Len())
	for i := range o.Len() {
		name, v := o.At(i)
		v = jsonata.Force(v)
		m := byWire(out, name)
		if m == nil || v == nil {
			continue // newer than the model, or null
		}
		result.Set(m.Name, fromJSON(s, m.Type, v))
	}
	return result
}

func byWire(s *awsmodel.Structure, name string) *awsmodel.Member {
	if s == nil {
		return nil
	}
	for i := range s.Members {
		if s.Members[i].Wire == name {
			return &s.Members[i]
		}
	}
	return nil
}

func fromJSON(s *awsmodel.Service, t awsmodel.Type, v any) any {
	v = jsonata.Force(v)
	switch t.Kind {
	case awsmodel.Time:
		raw := fmt.Sprint(v)
		if f, ok := v.(float64); ok {
			raw = string(jsonata.AppendNumber(nil, f))
		}
		if at, ok := readTime(raw); ok {
			return instant(at)
		}
	case awsmodel.List:
		if list, ok := v.([]any); ok {
			items := make([]any, len(list))
			for i, item := range list {
				items[i] = fromJSON(s, *t.Elem, item)
			}
			return items
		}
	case awsmodel.Map:
		if o, ok := v.(*jsonata.Object); ok {
			out := jsonata.NewObject(o.Len())
			for i := range o.Len() {
				key, item := o.At(i)
				out.Set(key, fromJSON(s, *t.Elem, item))
			}
			return out
		}
	case awsmodel.Record:
		if o, ok := v.(*jsonata.Object); ok {
			return fromJSONObject(s, s.Structure(t.Structure), o)
		}
	}
	return v
}
