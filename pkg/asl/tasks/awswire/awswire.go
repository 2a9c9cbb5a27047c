// Package awswire turns the arguments of a service integration into the service's HTTP
// request, and the response into the result in the form of Step Functions. It supports
// the protocols of the services in pkg/asl/awsmodel: AWS JSON, REST JSON, REST XML and
// Query.
//
// Arguments and results are values of pkg/jsonata:
//
//	text        a string; an object or an array becomes its JSON text
//	number      a number, or a string that holds one
//	time        RFC 3339, or seconds since 1970; a result is RFC 3339 in UTC
//	blob        base64; a blob that is the whole body, or streamed, is its text
//	anything    JSON
//
// It knows no endpoints and signs nothing.
package awswire

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A FieldError describes an argument that the operation does not accept.
type FieldError struct {
	// Path is the dotted path of the member.
	Path string
	// Reason says what is wrong with the member.
	Reason string
}

func (e *FieldError) Error() string { return "the field '" + e.Path + "' " + e.Reason }

// An Error is an error response of the service.
type Error struct {
	Code, Message string
	Status        int
	RequestID     string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// A Message is the part of a request that the protocol determines.
type Message struct {
	Method string
	// Path is escaped, and Query holds what the protocol and the arguments add to it.
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte
}

// Encode writes the request of an operation. The error is a *[FieldError].
func Encode(o *awsmodel.Operation, arguments *jsonata.Object) (*Message, error) {
	m := &Message{Method: o.Method, Path: "/", Query: url.Values{}, Header: http.Header{}}
	in := o.Input()
	var err error
	switch s := o.Service(); s.Protocol {
	case "json":
		m.Header.Set("Content-Type", "application/x-amz-json-"+s.JSONVersion)
		m.Header.Set("X-Amz-Target", s.Target+"."+o.Name)
		if s.QueryCompatible != "" {
			m.Header.Set("X-Amzn-Query-Mode", "true")
		}
		m.Body, err = encodeJSON(s, in, arguments, nil)
	case "query":
		m.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		m.Body, err = encodeQuery(o, in, arguments)
	default:
		err = m.encodeREST(o, in, arguments)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Decode reads the response of an operation. The error is an *[Error] if the service
// answered with an error; otherwise, it says that the answer cannot be read.
func Decode(o *awsmodel.Operation, resp *http.Response, body []byte) (*jsonata.Object, error) {
	s := o.Service()
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, decodeError(s, resp, body)
	}
	out := o.Output()
	switch s.Protocol {
	case "json":
		return decodeJSONBody(s, out, body)
	case "query":
		return decodeQuery(o, out, body)
	}
	return decodeREST(o, out, resp, body)
}

// ReadBody reads at most limit bytes; more is an error.
func ReadBody(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("the answer has more than %d bytes", limit)
	}
	return body, nil
}

// isXML reports whether a service's bodies are XML.
func isXML(s *awsmodel.Service) bool { return s.Protocol == "query" || s.Protocol == "rest-xml" }

// join returns the path of a member.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// each calls f for the members of arguments, in order. A member that the structure does
// not have is a *FieldError, and so is one that is required and missing.
func each(in *awsmodel.Structure, arguments *jsonata.Object, path string, f func(m *awsmodel.Member, v any, path string) error) error {
	seen := map[string]bool{}
	for i := range arguments.Len() {
		name, v := arguments.At(i)
		v = jsonata.Force(v)
		m := in.Member(name)
		if m == nil {
			return &FieldError{join(path, name), "is not supported by Step Functions"}
		}
		if v == nil {
			continue // null is the same as a missing member
		}
		seen[m.Name] = true
		if err := f(m, v, join(path, m.Name)); err != nil {
			return err
		}
	}
	if in == nil {
		return nil
	}
	for i := range in.Members {
		if m := &in.Members[i]; m.Required && !seen[m.Name] {
			return &FieldError{join(path, m.Name), "is required but was missing"}
		}
	}
	return nil
}

// escapePath escapes a path parameter; a greedy one keeps its slashes.
func escapePath(text string, greedy bool) string {
	parts := []string{text}
	if greedy {
		parts = strings.Split(text, "/")
	}
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(part), "+", "%20")
	}
	return strings.Join(parts, "/")
}
