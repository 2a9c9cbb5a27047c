package httpfront

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A Door is one of the platform's ways to hand an HTTP request to a function.
type Door string

// The four doors, and how an event is recognised as one: by the members that only
// it has, never by trying to decode it as each.
const (
	REST        Door = "rest"         // httpMethod, and requestContext without elb
	HTTPAPI     Door = "http-api"     // version 2.0, requestContext.http
	FunctionURL Door = "function-url" // the same, on a lambda-url domain
	ALB         Door = "alb"          // requestContext.elb
)

// A request is what every door's event comes down to.
type request struct {
	door       Door
	multiValue bool // ALB: the target group speaks multi-value headers
	method     string
	path       string // percent-encoded, without the stage
	shownPath  string // as delivered, without the stage
	rawQuery   string
	header     http.Header
	body       []byte
	host       string
	sourceIP   string
	requestID  string
	stage      string
	authorizer any
	clientCert *verify.ClientCert // that API Gateway has verified

	verified bool    // before it is, nobody looks into the body
	content  content // of the body, once something has asked for it
}

// An eventError is an event that no door delivers.
type eventError struct {
	reason  string
	returns []any // the batch item failures of an SQS batch that came here
}

func (e *eventError) Error() string { return e.reason }

// errBadBody is a body that is not the base64 that its flag claims.
var errBadBody = errors.New("the body is marked as base64 and is not")

// decodeEvent reads the event of any door. A request whose parts are wrong, but
// whose door is known, comes back beside the error, so that it can be answered.
func decodeEvent(payload []byte) (*request, error) {
	v, err := jsonata.Decode(payload)
	if err != nil {
		return nil, &eventError{reason: "the event is no JSON: " + err.Error()}
	}
	event, ok := v.(*jsonata.Object)
	if !ok {
		return nil, foreign(v)
	}
	context := object(event, "requestContext")
	r := &request{door: detect(event, context)}
	switch r.door {
	case HTTPAPI, FunctionURL:
		r.readV2(event, context)
	case REST:
		r.readREST(event, context)
	case ALB:
		r.readALB(event)
	default:
		return nil, foreign(v)
	}
	if r.method == "" {
		return nil, &eventError{reason: "the event names no HTTP method"}
	}
	return r, r.readBody(event)
}

func detect(event, context *jsonata.Object) Door {
	switch {
	// Authorizer events carry a request too, and are no requests to answer.
	case context == nil, has(event, "methodArn"), has(event, "routeArn"):
		return ""
	case object(context, "elb") != nil && has(event, "httpMethod"):
		return ALB
	case object(context, "http") != nil && has(event, "rawPath"):
		if strings.Contains(text(context, "domainName"), ".lambda-url.") {
			return FunctionURL
		}
		return HTTPAPI
	case has(event, "httpMethod") && has(event, "path"):
		return REST
	}
	return ""
}

func (r *request) readV2(event, context *jsonata.Object) {
	h := object(context, "http")
	r.method = text(h, "method")
	r.sourceIP = text(h, "sourceIp")
	r.requestID = text(context, "requestId")
	r.stage = text(context, "stage")
	r.authorizer, _ = context.Get("authorizer")
	if authentication := object(context, "authentication"); authentication != nil {
		cert, _ := authentication.Get("clientCert")
		r.clientCert = clientCert(cert)
	}
	r.rawQuery = text(event, "rawQueryString")

	path := text(event, "rawPath")
	if path == "" {
		path = text(h, "path")
	}
	if r.door == HTTPAPI && r.stage != "$default" {
		path = withoutStage(path, r.stage)
	}
	r.shownPath = path
	if r.door == HTTPAPI {
		// HTTP API decodes the path before it hands it on: a % in it is a %.
		path = (&url.URL{Path: path}).EscapedPath()
	}
	r.path = path

	r.header = make(http.Header, 16)
	eachText(object(event, "headers"), func(k, v string) {
		// Values of repeated headers come joined with commas, and so do values that
		// have commas of their own (Stripe-Signature, Date): nobody can tell them
		// apart again, so the value stays whole.
		r.header.Set(k, v)
	})
	if r.header.Get("Cookie") == "" {
		// HTTP API keeps cookies in a list of their own, and Function URLs in both places.
		var cookies []string
		eachItem(event, "cookies", func(v string) { cookies = append(cookies, v) })
		if len(cookies) > 0 {
			r.header.Set("Cookie", strings.Join(cookies, "; "))
		}
	}
	r.host = r.header.Get("Host")
	if r.host == "" {
		r.host = text(context, "domainName")
	}
}

func (r *request) readREST(event, context *jsonata.Object) {
	r.method = text(event, "httpMethod")
	r.path = text(event, "path")
	r.shownPath = r.path
	r.sourceIP = text(object(context, "identity"), "sourceIp")
	r.requestID = text(context, "requestId")
	r.stage = text(context, "stage")
	r.authorizer, _ = context.Get("authorizer")
	if identity := object(context, "identity"); identity != nil {
		cert, _ := identity.Get("clientCert")
		r.clientCert = clientCert(cert)
	}
	r.header = headers(event)
	r.host = r.header.Get("Host")
	if r.host == "" {
		r.host = text(context, "domainName")
	}
	// REST has decoded the query already: it is encoded again, in the order in
	// which the event has it, for net/url to read.
	r.rawQuery = query(event, url.QueryEscape)
}

func (r *request) readALB(event *jsonata.Object) {
	r.method = text(event, "httpMethod")
	r.path = text(event, "path")
	r.shownPath = r.path
	r.multiValue = object(event, "multiValueHeaders") != nil
	r.header = headers(event)
	r.host = r.header.Get("Host")
	// The balancer appends the peer that it saw itself: the last entry is the only
	// one that the sender could not make up.
	if chain := r.header.Get("X-Forwarded-For"); chain != "" {
		r.sourceIP = withoutPort(strings.TrimSpace(chain[strings.LastIndexByte(chain, ',')+1:]))
	}
	r.requestID = r.header.Get("X-Amzn-Trace-Id")
	// The balancer hands the query on as it was sent, still encoded.
	r.rawQuery = query(event, func(s string) string { return s })
}

// withoutPort cuts the client's port, which a balancer adds where it is told to.
func withoutPort(address string) string {
	if a, err := netip.ParseAddrPort(address); err == nil {
		return a.Addr().String()
	}
	return address
}

// readBody decodes the body by its flag, never by its content type: API Gateway
// sends forms, and bodies without a content type, as base64.
func (r *request) readBody(event *jsonata.Object) error {
	v, _ := event.Get("body")
	body, ok := v.(string)
	if !ok && v != nil {
		return &eventError{reason: "the event's body is no string"}
	}
	if flag, _ := event.Get("isBase64Encoded"); flag != true {
		r.body = []byte(body)
		return nil
	}
	decoded, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return errBadBody
	}
	r.body = decoded
	return nil
}

// withoutStage cuts a named stage, which HTTP API puts before the path, at a
// segment's end: /prod is no part of /production.
func withoutStage(path, stage string) string {
	rest, ok := strings.CutPrefix(path, "/"+stage)
	switch {
	case stage == "" || !ok:
		return path
	case rest == "":
		return "/"
	case rest[0] == '/':
		return rest
	}
	return path
}

// headers reads multiValueHeaders where the event has them (they lose nothing),
// else headers, of which the platform kept the last value.
func headers(event *jsonata.Object) http.Header {
	out := make(http.Header, 16)
	if multi := object(event, "multiValueHeaders"); multi != nil && multi.Len() > 0 {
		for i := range multi.Len() {
			name, _ := multi.At(i)
			eachItem(multi, name, func(v string) { out.Add(name, v) })
		}
		return out
	}
	eachText(object(event, "headers"), out.Set)
	return out
}

func query(event *jsonata.Object, escape func(string) string) string {
	var b strings.Builder
	add := func(k, v string) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(k) + "=" + escape(v))
	}
	if multi := object(event, "multiValueQueryStringParameters"); multi != nil && multi.Len() > 0 {
		for i := range multi.Len() {
			name, _ := multi.At(i)
			eachItem(multi, name, func(v string) { add(name, v) })
		}
		return b.String()
	}
	eachText(object(event, "queryStringParameters"), add)
	return b.String()
}

func has(o *jsonata.Object, key string) bool {
	_, ok := o.Get(key)
	return ok
}

func object(o *jsonata.Object, key string) *jsonata.Object {
	v, _ := o.Get(key)
	child, _ := v.(*jsonata.Object)
	return child
}

func text(o *jsonata.Object, key string) string {
	v, _ := o.Get(key)
	return scalar(v)
}

// scalar reads a header or query value; a number is taken as it is written.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	}
	return ""
}

func eachText(o *jsonata.Object, f func(k, v string)) {
	for i := range o.Len() {
		k, v := o.At(i)
		f(k, scalar(v))
	}
}

func eachItem(o *jsonata.Object, key string, f func(v string)) {
	v, _ := o.Get(key)
	items, _ := v.([]any)
	for _, item := range items {
		f(scalar(item))
	}
}
