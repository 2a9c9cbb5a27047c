package console

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/internal/sources"
)

// An anyEvent has the members of all kinds of events that say what was delivered.
type anyEvent struct {
	// HTTP, from all doors.
	RawPath        string          `json:"rawPath"`
	RawQueryString string          `json:"rawQueryString"`
	Path           string          `json:"path"`
	HTTPMethod     string          `json:"httpMethod"`
	Query          json.RawMessage `json:"queryStringParameters"`
	RequestContext struct {
		HTTP struct {
			Method string `json:"method"`
		} `json:"http"`
	} `json:"requestContext"`
	Headers         map[string]string   `json:"headers"`
	MultiHeaders    map[string][]string `json:"multiValueHeaders"`
	Cookies         []string            `json:"cookies"`
	Body            *string             `json:"body"`
	IsBase64Encoded bool                `json:"isBase64Encoded"`
	// SQS.
	Records []sqsRecord `json:"Records"`
	// EventBridge.
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Detail     json.RawMessage `json:"detail"`
}

type sqsRecord struct {
	MessageID      string            `json:"messageId"`
	Body           string            `json:"body"`
	EventSourceARN string            `json:"eventSourceARN"`
	Attributes     map[string]string `json:"attributes"`
}

func (e *anyEvent) method() string {
	if e.HTTPMethod != "" {
		return e.HTTPMethod
	}
	return e.RequestContext.HTTP.Method
}

func (e *anyEvent) path() string {
	if e.RawPath != "" {
		return e.RawPath
	}
	return e.Path
}

// title describes an event in a few words. The members of a request are in the order in
// which the service and the development server write them, if it is from a Function URL.
func title(function string, payload []byte) string {
	var method, rawPath, path, records []byte
	var source, detailType string
	members(payload, func(name, value []byte) bool {
		switch string(name) {
		case "httpMethod":
			method = value
		case "requestContext":
			if method == nil {
				method = memberAt(value, "http", "method")
			}
		case "rawPath":
			rawPath = value
		case "path":
			path = value
		case "source":
			source = words(value)
		case "detail-type":
			detailType = words(value)
		case "Records":
			records = value
		}
		return len(rawPath) <= 2 || method == nil
	})
	queue, n := "", 0
	elements(records, func(record []byte) {
		if n++; n == 1 {
			queue = words(memberOf(record, "eventSourceARN"))
			queue = queue[strings.LastIndexByte(queue, ':')+1:]
		}
	})
	switch {
	case n > 1:
		return fmt.Sprintf("%s (%d messages)", queue, n)
	case n == 1:
		return queue
	case detailType != "" || source != "":
		return source + " " + detailType
	case len(method) > 2:
		if len(rawPath) <= 2 {
			rawPath = path
		}
		return words(method) + " " + words(rawPath)
	}
	return function
}

// outcome describes in a few words what a function returned.
func outcome(function string, answer []byte, failed error, records int) string {
	if failed != nil {
		if reported, ok := errors.AsType[messages.InvokeResponse_Error](failed); ok {
			return reported.Type
		}
		return "function error"
	}
	failures := 0
	if function == sources.Queue {
		elements(memberOf(answer, "batchItemFailures"), func([]byte) { failures++ })
	}
	switch status := memberOf(answer, "statusCode"); {
	case status != nil && function == sources.Webhook:
		return string(status)
	case function == sources.Queue && failures > 0:
		return fmt.Sprintf("%d of %d to retry", failures, max(records, failures))
	case function == sources.Queue:
		return fmt.Sprintf("%d done", records)
	case string(memberOf(answer, "discarded")) == "true":
		return "discarded"
	}
	return words(memberOf(answer, "status"))
}

// A Request is an HTTP request as it arrived, with secrets blanked.
type Request struct {
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Query   string   `json:"query,omitempty"`
	Headers []Header `json:"headers"`
	Body    Body     `json:"body"`
}

// A Header is one header; a blanked header has no value.
type Header struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Blanked bool   `json:"blanked,omitempty"`
}

// A Body is text, or base64 if it is not text.
type Body struct {
	Text   string `json:"text,omitempty"`
	Base64 string `json:"base64,omitempty"`
	// Size is the size of the whole body in bytes; a large body is only shown in part.
	Size int  `json:"size"`
	Cut  bool `json:"cut,omitempty"`
}

// maxShown is how much is shown of one body.
const maxShown = 256 << 10

func bodyOf(b []byte) Body {
	body := Body{Size: len(b)}
	if len(b) > maxShown {
		b, body.Cut = b[:maxShown], true
		for len(b) > 0 && !utf8.Valid(b[max(0, len(b)-utf8.UTFMax):]) && len(b) > maxShown-utf8.UTFMax {
			b = b[:len(b)-1]
		}
	}
	if utf8.Valid(b) && !bytes.ContainsRune(b, 0) {
		body.Text = string(b)
	} else {
		body.Base64 = base64.StdEncoding.EncodeToString(b)
	}
	return body
}

// rawBody returns the body's own bytes.
func (e *anyEvent) rawBody() []byte {
	if e.Body == nil {
		return nil
	}
	if e.IsBase64Encoded {
		if b, err := base64.StdEncoding.DecodeString(*e.Body); err == nil {
			return b
		}
	}
	return []byte(*e.Body)
}

// headers returns the headers by their canonical names.
func (e *anyEvent) headers() http.Header {
	h := http.Header{}
	for name, values := range e.MultiHeaders {
		for _, v := range values {
			h.Add(name, v)
		}
	}
	for name, value := range e.Headers {
		if h.Get(name) == "" {
			h.Set(name, value)
		}
	}
	if len(e.Cookies) > 0 && h.Get("Cookie") == "" {
		h.Set("Cookie", strings.Join(e.Cookies, "; "))
	}
	return h
}
