package httpfront

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// readV2 reads payload format 2.0: HTTP APIs and Function URLs.
func (r *request) readV2(event, context *jsonata.Object) {
	h := context.Object("http")
	r.method = h.Text("method")
	r.sourceIP = h.Text("sourceIp")
	r.readContext(context)
	if authentication := context.Object("authentication"); authentication != nil {
		cert, _ := authentication.Get("clientCert")
		r.clientCert = clientCert(cert)
	}
	r.rawQuery = event.Text("rawQueryString")

	path := event.Text("rawPath")
	if path == "" {
		path = h.Text("path")
	}
	if r.door == doorHTTPAPI {
		r.setDecodedPath(path)
	} else {
		r.setPath(path)
	}

	r.header = make(http.Header, 16)
	eachText(event.Object("headers"), func(k, v string) {
		// Values of repeated headers come joined with commas, and so do values that have
		// commas of their own (Stripe-Signature, Date): they cannot be told apart again,
		// so the value stays whole.
		r.header.Set(k, v)
	})
	if r.header.Get("Cookie") == "" {
		// HTTP APIs keep cookies in a list of their own, and Function URLs in both
		// places.
		var cookies []string
		eachItem(event, "cookies", func(v string) { cookies = append(cookies, v) })
		if len(cookies) > 0 {
			r.header.Set("Cookie", strings.Join(cookies, "; "))
		}
	}
	r.host = orDefault(r.header.Get("Host"), context.Text("domainName"))
}

// readV1 reads payload format 1.0: REST APIs, and HTTP APIs that are set to it.
func (r *request) readV1(event, context *jsonata.Object) {
	r.method = event.Text("httpMethod")
	identity := context.Object("identity")
	r.sourceIP = identity.Text("sourceIp")
	r.readContext(context)
	if identity != nil {
		cert, _ := identity.Get("clientCert")
		r.clientCert = clientCert(cert)
	}
	path := event.Text("path")
	if r.door == doorHTTPAPIV1 {
		r.setDecodedPath(path)
	} else {
		r.setPath(path)
		r.called = calledPath(context.Text("path"), path)
	}
	r.header = headers(event)
	r.host = orDefault(r.header.Get("Host"), context.Text("domainName"))
	// The gateway has already decoded the query, so it is encoded again, in the event's
	// order, for net/url to read.
	r.rawQuery = query(event, "multiValueQueryStringParameters", "queryStringParameters", url.QueryEscape)
}

func (r *request) readContext(context *jsonata.Object) {
	r.requestID = context.Text("requestId")
	r.stage = context.Text("stage")
	r.authorizer, _ = context.Get("authorizer")
}

func (r *request) readALB(event *jsonata.Object) {
	r.method = event.Text("httpMethod")
	r.setPath(event.Text("path"))
	r.multiValue = event.Object("multiValueHeaders") != nil
	r.header = headers(event)
	r.readProxied()
	// The balancer passes the query on still encoded.
	r.rawQuery = query(event, "multiValueQueryStringParameters", "queryStringParameters", asSent)
}

// readLattice reads both event versions of VPC Lattice. Version 1.0 has a text for each
// header, and its query in raw_path; version 2.0 has lists.
func (r *request) readLattice(event, context *jsonata.Object) {
	r.method = event.Text("method")
	path, rawQuery, hasQuery := strings.Cut(orDefault(event.Text("path"), event.Text("raw_path")), "?")
	r.setPath(path)
	r.header = http.Header{}
	fields := event.Object("headers")
	for i := range fields.Len() {
		name, v := fields.At(i)
		if _, isList := v.([]any); isList {
			eachItem(fields, name, func(v string) { r.header.Add(name, v) })
		} else {
			r.header.Set(name, scalar(v))
		}
	}
	joinCookies(r.header)
	r.readProxied()
	if r.rawQuery = rawQuery; !hasQuery {
		r.rawQuery = query(event, "queryStringParameters", "query_string_parameters", asSent)
	}
	if identity := context.Object("identity"); identity != nil && identity.Has("principal") {
		r.authorizer = identity
	}
}

// readProxied reads what a load balancer says in headers.
func (r *request) readProxied() {
	r.host = r.header.Get("Host")
	// The balancer appends the peer that it saw itself: the last entry is the only one
	// that the sender cannot forge.
	if chain := r.header.Get("X-Forwarded-For"); chain != "" {
		r.sourceIP = withoutPort(strings.TrimSpace(chain[strings.LastIndexByte(chain, ',')+1:]))
	}
	r.requestID = r.header.Get("X-Amzn-Trace-Id")
}

// withoutPort cuts the client's port, which a load balancer adds if it is configured to.
func withoutPort(address string) string {
	if a, err := netip.ParseAddrPort(address); err == nil {
		return a.Addr().String()
	}
	return address
}

// headers reads multiValueHeaders, which lose nothing, if the event has them, and else
// headers, in which the platform kept only the last value.
func headers(event *jsonata.Object) http.Header {
	out := make(http.Header, 16)
	if multi := event.Object("multiValueHeaders"); multi != nil && multi.Len() > 0 {
		for i := range multi.Len() {
			name, _ := multi.At(i)
			eachItem(multi, name, func(v string) { out.Add(name, v) })
		}
	} else {
		eachText(event.Object("headers"), out.Set)
	}
	joinCookies(out)
	return out
}

// joinCookies joins the fields into which HTTP/2 may split the Cookie header (RFC 9113,
// section 8.2.3).
func joinCookies(h http.Header) {
	if cookies := h["Cookie"]; len(cookies) > 1 {
		h.Set("Cookie", strings.Join(cookies, "; "))
	}
}

func asSent(s string) string { return s }

// query builds a query from the event's parameters: from the member named many, a mapping
// of lists, or else from the one named one, a mapping of texts. A list in the latter is
// read as a list.
func query(event *jsonata.Object, many, one string, escape func(string) string) string {
	var b strings.Builder
	add := func(k, v string) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(escape(k) + "=" + escape(v))
	}
	parameters := event.Object(many)
	if parameters == nil || parameters.Len() == 0 {
		parameters = event.Object(one)
	}
	for i := range parameters.Len() {
		name, v := parameters.At(i)
		if _, isList := v.([]any); isList {
			eachItem(parameters, name, func(v string) { add(name, v) })
		} else {
			add(name, scalar(v))
		}
	}
	return b.String()
}

// clientCert reads the client certificate that the front door has verified.
func clientCert(v any) *verify.ClientCert {
	o, ok := v.(*jsonata.Object)
	if !ok || o.Text("subjectDN") == "" {
		return nil
	}
	validity := o.Object("validity")
	return &verify.ClientCert{
		SubjectDN:    o.Text("subjectDN"),
		IssuerDN:     o.Text("issuerDN"),
		SerialNumber: o.Text("serialNumber"),
		Validity:     verify.Validity{NotBefore: validity.Text("notBefore"), NotAfter: validity.Text("notAfter")},
	}
}
