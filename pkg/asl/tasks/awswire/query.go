package awswire

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// encodeQuery writes a form: Action, Version, and the arguments with dotted names.
//
// [AWS query protocol]: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
func encodeQuery(o *awsmodel.Operation, in *awsmodel.Structure, arguments *jsonata.Object) ([]byte, error) {
	form := url.Values{"Action": {o.Name}, "Version": {o.Service().Version}}
	if err := queryObject(o.Service(), form, in, arguments, "", ""); err != nil {
		return nil, err
	}
	return []byte(form.Encode()), nil
}

func queryObject(s *awsmodel.Service, form url.Values, in *awsmodel.Structure, arguments *jsonata.Object, prefix, path string) error {
	return each(in, arguments, path, func(m *awsmodel.Member, v any, path string) error {
		return queryValue(s, form, m, m.Type, v, prefix+m.Wire, path)
	})
}

func queryValue(s *awsmodel.Service, form url.Values, m *awsmodel.Member, t awsmodel.Type, v any, name, path string) error {
	v = jsonata.Force(v)
	switch t.Kind {
	case awsmodel.List:
		list, ok := v.([]any)
		if !ok {
			return &FieldError{path, "must be an array"}
		}
		if len(list) == 0 {
			form.Set(name, "")
		}
		if !m.Flat {
			name += "." + orDefault(m.Item, "member")
		}
		for i, item := range list {
			if err := queryValue(s, form, m, *t.Elem, item, name+"."+strconv.Itoa(i+1), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return nil
	case awsmodel.Map:
		o, ok := v.(*jsonata.Object)
		if !ok {
			return &FieldError{path, "must be an object"}
		}
		if !m.Flat {
			name += ".entry"
		}
		for i := range o.Len() {
			key, item := o.At(i)
			at := name + "." + strconv.Itoa(i+1)
			form.Set(at+"."+orDefault(m.Key, "key"), key)
			if err := queryValue(s, form, m, *t.Elem, item, at+"."+orDefault(m.Value, "value"), join(path, key)); err != nil {
				return err
			}
		}
		return nil
	case awsmodel.Record:
		o, ok := v.(*jsonata.Object)
		if !ok {
			return &FieldError{path, "must be an object"}
		}
		return queryObject(s, form, s.Structure(t.Structure), o, name+".", path)
	}
	scalar, err := text(&awsmodel.Member{Type: t, Format: m.Format}, v, path, "iso8601")
	if err == nil {
		form.Set(name, scalar)
	}
	return err
}

func orDefault(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// decodeQuery reads <OperationResponse><OperationResult>.
func decodeQuery(o *awsmodel.Operation, out *awsmodel.Structure, body []byte) (*jsonata.Object, error) {
	if out == nil {
		return jsonata.NewObject(0), nil
	}
	root, err := parseXML(body)
	if err != nil {
		return nil, err
	}
	if o.Wrapper != "" {
		if inner := root.child(o.Wrapper); inner != nil {
			root = inner
		}
	}
	return fromXMLObject(o.Service(), out, root, nil), nil
}
