package awswire

import (
	"net/http"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// decodeError reads an error in one of the forms of the protocol. Anything else, such as
// a proxy's page, becomes an error without a code.
func decodeError(s *awsmodel.Service, resp *http.Response, body []byte) *Error {
	e := &Error{Status: resp.StatusCode}
	for _, name := range []string{"X-Amzn-Requestid", "X-Amz-Request-Id"} {
		if id := resp.Header.Get(name); id != "" {
			e.RequestID = id
		}
	}
	if isXML(s) {
		e.readXML(body)
	} else {
		e.readJSON(resp.Header, body)
	}
	if e.Code == "" && len(body) == 0 && resp.StatusCode == http.StatusNotFound {
		e.Code = "NotFound" // as for HEAD requests, which have no body
	}
	if e.Message == "" {
		e.Message = http.StatusText(resp.StatusCode)
	}
	return e
}

func (e *Error) readXML(body []byte) {
	root, err := parseXML(body)
	if err != nil {
		return
	}
	at := root
	if inner := root.child("Error"); inner != nil {
		at = inner
	} else if list := root.child("Errors"); list != nil && list.child("Error") != nil {
		at = list.child("Error")
	}
	e.Code, e.Message = at.value("Code"), at.value("Message")
	for _, n := range []*node{root, at} {
		for _, name := range []string{"RequestId", "RequestID"} {
			if id := n.value(name); id != "" {
				e.RequestID = id
			}
		}
	}
}

func (e *Error) readJSON(header http.Header, body []byte) {
	code := header.Get("X-Amzn-Errortype")
	v, err := jsonata.Decode(body)
	o, _ := v.(*jsonata.Object)
	if err == nil && o != nil {
		field := func(names ...string) string {
			for _, name := range names {
				v, _ := o.Get(name)
				if s, ok := jsonata.Force(v).(string); ok && s != "" {
					return s
				}
			}
			return ""
		}
		if code == "" {
			code = field("__type", "code", "Code")
		}
		e.Message = field("message", "Message", "errorMessage")
	}
	code, _, _ = strings.Cut(code, ":")
	e.Code = code[strings.LastIndexByte(code, '#')+1:]
}
