package awswire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// encodeREST puts each argument where the model says: path, query, headers or body.
//
// [REST bindings]: https://smithy.io/2.0/spec/http-bindings.html
func (m *Message) encodeREST(o *awsmodel.Operation, in *awsmodel.Structure, arguments *jsonata.Object) error {
	path, query, _ := strings.Cut(o.URI, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(pair, "="); name != "" {
			m.Query.Set(name, value)
		}
	}
	payload := in.Payload()
	inBody := 0
	err := each(in, arguments, "", func(member *awsmodel.Member, v any, at string) error {
		switch member.Place {
		case awsmodel.InBody:
			inBody++
			return nil
		case awsmodel.InPayload:
			return m.payload(o, member, v, at)
		case awsmodel.InPath:
			value, err := text(member, v, at, "iso8601")
			if err == nil && value == "" {
				return &FieldError{at, "must not be empty"} // it would be the path of another action
			}
			path = strings.ReplaceAll(path, "{"+member.Wire+"+}", escapePath(value, true))
			path = strings.ReplaceAll(path, "{"+member.Wire+"}", escapePath(value, false))
			return err
		case awsmodel.InQuery:
			return m.query(member, v, at)
		}
		return m.header(member, v, at)
	})
	if err != nil {
		return err
	}
	m.Path = path
	switch {
	case payload != nil && payload.Type.Kind == awsmodel.Record && m.Body == nil && !isXML(o.Service()):
		m.Header.Set("Content-Type", "application/json")
		m.Body = []byte("{}") // a structure that is missing is an empty one
		return nil
	case payload != nil, inBody == 0 && o.Service().Protocol == "rest-xml":
		return nil
	}
	return m.body(o, in, arguments)
}

func (m *Message) header(member *awsmodel.Member, v any, at string) error {
	if member.Place == awsmodel.InHeaders {
		o, ok := v.(*jsonata.Object)
		if !ok {
			return &FieldError{at, "must be an object"}
		}
		for i := range o.Len() {
			key, item := o.At(i)
			value, err := plain(jsonata.Force(item), join(at, key))
			if err != nil {
				return err
			}
			m.Header.Set(member.Wire+key, value)
		}
		return nil
	}
	if list, ok := v.([]any); ok {
		texts := make([]string, len(list))
		for i, item := range list {
			value, err := text(&awsmodel.Member{Type: *member.Type.Elem, Format: member.Format}, jsonata.Force(item), at, "rfc822")
			if err != nil {
				return err
			}
			texts[i] = value
		}
		m.Header.Set(member.Wire, strings.Join(texts, ","))
		return nil
	}
	value, err := text(member, v, at, "rfc822")
	if err == nil {
		m.Header.Set(member.Wire, value)
	}
	return err
}

func (m *Message) query(member *awsmodel.Member, v any, at string) error {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			value, err := text(&awsmodel.Member{Type: *member.Type.Elem, Format: member.Format}, jsonata.Force(item), at, "iso8601")
			if err != nil {
				return err
			}
			m.Query.Add(member.Wire, value)
		}
		return nil
	case *jsonata.Object:
		for i := range v.Len() {
			key, item := v.At(i)
			value, err := plain(jsonata.Force(item), join(at, key))
			if err != nil {
				return err
			}
			m.Query.Add(key, value)
		}
		return nil
	}
	value, err := text(member, v, at, "iso8601")
	if err == nil {
		m.Query.Set(member.Wire, value)
	}
	return err
}

// payload makes the body from one member: a blob or text as it is, a structure in the
// protocol's encoding.
func (m *Message) payload(o *awsmodel.Operation, member *awsmodel.Member, v any, at string) error {
	s := o.Service()
	if member.Type.Kind != awsmodel.Record {
		value, err := plain(v, at)
		m.Body = []byte(value)
		return err
	}
	object, ok := v.(*jsonata.Object)
	if !ok {
		return &FieldError{at, "must be an object"}
	}
	if isXML(s) {
		m.Header.Set("Content-Type", "application/xml")
		var b bytes.Buffer
		err := appendXML(&b, s, member, member.Type, object, member.Wire, member.Namespace, at)
		m.Body = b.Bytes()
		return err
	}
	m.Header.Set("Content-Type", "application/json")
	value, err := jsonObject(s, s.Structure(member.Type.Structure), object, at, nil)
	if err != nil {
		return err
	}
	m.Body, err = jsonata.AppendJSON(nil, value)
	return err
}

// body makes the body from the members that are not elsewhere.
func (m *Message) body(o *awsmodel.Operation, in *awsmodel.Structure, arguments *jsonata.Object) error {
	inBody := func(member *awsmodel.Member) bool { return member.Place == awsmodel.InBody }
	s := o.Service()
	if !isXML(s) {
		has := false
		for i := 0; in != nil && i < len(in.Members); i++ {
			has = has || inBody(&in.Members[i])
		}
		if !has {
			return nil
		}
		m.Header.Set("Content-Type", "application/json")
		var err error
		m.Body, err = encodeJSON(s, in, arguments, inBody)
		return err
	}
	m.Header.Set("Content-Type", "application/xml")
	var b bytes.Buffer
	err := element(&b, orDefault(o.Wrapper, o.Name+"Request"), o.Namespace, func() error {
		return each(in, arguments, "", func(member *awsmodel.Member, v any, at string) error {
			if !inBody(member) {
				return nil
			}
			return appendXML(&b, s, member, member.Type, v, member.Wire, member.Namespace, at)
		})
	})
	m.Body = b.Bytes()
	return err
}

// decodeREST reads the members of a response from where the model says.
func decodeREST(o *awsmodel.Operation, out *awsmodel.Structure, resp *http.Response, body []byte) (*jsonata.Object, error) {
	result := jsonata.NewObject(4)
	if out == nil {
		return result, nil
	}
	s := o.Service()
	inBody := func(m *awsmodel.Member) bool { return m.Place == awsmodel.InBody }
	for i := range out.Members {
		m := &out.Members[i]
		switch m.Place {
		case awsmodel.InHeader:
			if v := resp.Header.Get(m.Wire); v != "" {
				result.Set(m.Name, fromText(m.Type.Kind, v))
			}
		case awsmodel.InHeaders:
			if o := prefixed(resp.Header, m.Wire); o.Len() > 0 {
				result.Set(m.Name, o)
			}
		case awsmodel.InStatus:
			result.Set(m.Name, json.Number(strconv.Itoa(resp.StatusCode)))
		case awsmodel.InPayload:
			v, err := fromPayload(s, m, body)
			if err != nil {
				return nil, err
			}
			if v != nil {
				result.Set(m.Name, v)
			}
		}
	}
	if out.Payload() != nil || len(bytes.TrimSpace(body)) == 0 {
		return result, nil
	}
	var members *jsonata.Object
	if isXML(s) {
		root, err := parseXML(body)
		if err != nil {
			return nil, err
		}
		members = fromXMLObject(s, out, root, inBody)
	} else {
		var err error
		if members, err = decodeJSONBody(s, out, body); err != nil {
			return nil, err
		}
	}
	for i := range members.Len() {
		result.Set(members.At(i))
	}
	return result, nil
}

func prefixed(header http.Header, prefix string) *jsonata.Object {
	o := jsonata.NewObject(2)
	for name := range header {
		if len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			o.Set(strings.ToLower(name[len(prefix):]), header.Get(name))
		}
	}
	return o
}

// fromPayload reads a member that is the whole body. A blob is returned as text, as Step
// Functions returns streams, or as base64 if it is not text.
func fromPayload(s *awsmodel.Service, m *awsmodel.Member, body []byte) (any, error) {
	switch m.Type.Kind {
	case awsmodel.Blob, awsmodel.Text:
		if text := string(body); strings.ToValidUTF8(text, "") == text {
			return text, nil
		}
		return base64.StdEncoding.EncodeToString(body), nil
	case awsmodel.Record:
		if len(bytes.TrimSpace(body)) == 0 {
			return nil, nil
		}
		if isXML(s) {
			root, err := parseXML(body)
			if err != nil {
				return nil, err
			}
			return fromXMLObject(s, s.Structure(m.Type.Structure), root, nil), nil
		}
		return decodeJSONBody(s, s.Structure(m.Type.Structure), body)
	}
	v, err := jsonata.Decode(body)
	if err != nil {
		return nil, fmt.Errorf("the answer is not JSON: %w", err)
	}
	return v, nil
}
