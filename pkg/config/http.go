package config

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"golang.org/x/net/http/httpguts"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// HTTP holds the settings of HTTP routes.
type HTTP struct {
	// Pattern is a pattern of net/http.ServeMux, such as "POST /github/{org}".
	Pattern string
	// Params are the names of the pattern's wildcards.
	Params []string
	Verify verify.Spec
	// DeliveryID locates the sender's own id of a delivery, and Ack is the acknowledgement
	// that the sender expects. Both come from the provider's preset and may be zero.
	DeliveryID verify.Place
	Ack        verify.Ack
	// Accepted makes the answer of a route with mode: async; nil means Ack or, if the
	// provider has none, 202 with the execution's ARN.
	Accepted *Respond
	// Answer makes the answer of a route that starts no execution; nil for all other
	// routes.
	Answer *Respond
	// Link means verify: link. Anyone who has the link can resume the task.
	Link bool
	// Page is what GET shows; nil for no page.
	Page *Page
	// Decides means that a POST must contain decision=approve or decision=reject.
	Decides bool
	// OnDeadline makes the answer when the execution has not ended in time; nil means 504.
	OnDeadline *OnDeadline
	// CORS lets pages of other origins call the route.
	CORS *CORS
	// Work holds the settings that the queue function uses for accepted deliveries; nil
	// for a route whose sender waits for the execution.
	Work *SQS
	// CloudEvents determines which senders of CloudEvents may deliver.
	CloudEvents *verify.CloudEvents

	known *patterns // the mux in which the pattern was checked
}

// Method returns the method of the pattern; empty for a pattern that takes all methods.
func (h *HTTP) Method() string {
	method, _, found := strings.Cut(strings.TrimSpace(h.Pattern), " ")
	if !found {
		return ""
	}
	return strings.TrimSpace(method)
}

// Path returns the pattern without its method: an optional host, and the path.
func (h *HTTP) Path() string {
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(h.Pattern), h.Method()))
}

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace,
}

// neverMatches explains why a pattern that net/http accepts can match no request. It is
// empty for all other patterns. A method that HTTP does not define, such as PURGE, may be
// one that a load balancer passes on, or a misspelling.
func (h *HTTP) neverMatches() string {
	method := h.Method()
	if strings.Contains(h.Path(), "?") {
		return "a pattern cannot have a query string: use filter, with an expression on $request.query"
	}
	if upper := strings.ToUpper(method); upper != method {
		return fmt.Sprintf("methods must be in upper case: write %s", upper)
	}
	if method == "" || slices.Contains(methods, method) {
		return ""
	}
	for _, known := range methods {
		if distance(known, method) == 1 {
			return fmt.Sprintf("there is no method %s; did you mean %s?", method, known)
		}
	}
	return ""
}

// OnDeadline is the answer to Expressway.Deadline: the provider's acknowledgement if
// Acknowledge is set, and otherwise what Respond makes.
type OnDeadline struct {
	Acknowledge bool
	Respond
}

// CORS determines which pages of other origins may call a route (Fetch standard, CORS
// protocol). The preflight is answered before anything is verified.
type CORS struct {
	// Each origin has scheme, host and port. A * matches any text; on its own, it allows
	// every origin.
	Origins []string
	// Methods are the methods that a preflight allows; empty means the route's own.
	Methods []string
	// Headers are the headers that a request may have; empty means Content-Type and those
	// that verify reads.
	Headers []string
	// ExposeHeaders are the headers of the answer that the page may read.
	ExposeHeaders []string
	// Credentials lets the page send cookies and authorization.
	Credentials bool
	// MaxAge is how long a browser may cache the preflight's answer; zero leaves that to the
	// browser.
	MaxAge time.Duration
}

// AnyOrigin reports whether every origin may call.
func (c *CORS) AnyOrigin() bool { return len(c.Origins) == 1 && c.Origins[0] == "*" }

// Allows reports whether an origin, as a browser sends it, may call.
func (c *CORS) Allows(origin string) bool {
	for _, pattern := range c.Origins {
		if Wildcard(pattern, origin) {
			return true
		}
	}
	return false
}

// httpNodes are the keys that only http routes have; they are read once the trigger and
// the mode are known.
type httpNodes map[string]ast.Node

var httpKeys = []string{"answer", "accepted", "onDeadline", "cors", "cloudevents"}

func (d *document) readHTTPKeys(late *lateKeys, r *Route, scope []string, have keySet) {
	nodes := late.http
	if r.HTTP == nil {
		for key, n := range nodes {
			d.add(n, "%s is only valid on http routes", key)
		}
		return
	}
	if n, ok := nodes["answer"]; ok {
		d.readAnswer(n, r, scope, have)
		delete(nodes, "accepted")
		delete(nodes, "onDeadline")
	}
	if n, ok := nodes["accepted"]; ok {
		if !r.Async && !d.unknown(late.mode) {
			d.add(n, "accepted is only valid with mode: async; write respond for a route that waits")
		}
		r.HTTP.Accepted = d.readRespond(n, "accepted", r, append(scope, "execution"))
	}
	if n, ok := nodes["onDeadline"]; ok {
		r.HTTP.OnDeadline = d.readOnDeadline(n, r, append(scope, "failure"))
	}
	if n, ok := nodes["cors"]; ok {
		r.HTTP.CORS = d.readCORS(n)
	}
	if n, ok := nodes["cloudevents"]; ok {
		r.HTTP.CloudEvents = &verify.CloudEvents{}
		at := &keyNodes{}
		d.fields(n, "cloudevents", map[string]func(ast.Node){"origins": d.textsAt("origins", &r.HTTP.CloudEvents.Origins, at)})
		for _, p := range r.HTTP.CloudEvents.Validate() {
			d.add(nearest(at, p.Field, n), "cloudevents.%s: %s", p.Field, p.Message)
		}
	}
}

func (d *document) readOnDeadline(n ast.Node, r *Route, scope []string) *OnDeadline {
	out := &OnDeadline{}
	if r.Async {
		d.add(n, "onDeadline is only valid on routes that wait; with mode: async, write accepted")
	}
	for i := range r.Catch {
		for _, name := range r.Catch[i].Errors {
			if name == bridge.Deadline {
				d.add(n, "onDeadline and a catch of %s cannot be combined: both would answer the same failure", name)
			}
		}
	}
	if _, ok := n.(*ast.StringNode); ok {
		if d.text(n, "onDeadline") != "acknowledge" {
			d.add(n, "onDeadline must be acknowledge, or an answer: status, headers, cookies, body")
		}
		out.Acknowledge = true
		return out
	}
	out.Respond = *d.readRespond(n, "onDeadline", r, scope)
	return out
}

func (d *document) readCORS(n ast.Node) *CORS {
	c := &CORS{}
	names := func(to *[]string, key string) func(ast.Node) {
		return func(n ast.Node) {
			*to = d.texts(n, "cors."+key)
			for _, name := range *to {
				if !httpguts.ValidHeaderFieldName(name) {
					d.add(n, "cors.%s: %q is not a name: list each name", key, name)
				}
			}
		}
	}
	origins := n
	d.fields(n, "cors", map[string]func(ast.Node){
		"origins": func(n ast.Node) {
			origins = n
			c.Origins = d.texts(n, "cors.origins")
		},
		"methods":       names(&c.Methods, "methods"),
		"headers":       names(&c.Headers, "headers"),
		"exposeHeaders": names(&c.ExposeHeaders, "exposeHeaders"),
		"credentials":   func(n ast.Node) { c.Credentials = d.flag(n, "cors.credentials") },
		"maxAge": func(n ast.Node) {
			if c.MaxAge = d.duration(n, "cors.maxAge"); c.MaxAge > 24*time.Hour {
				d.add(n, "cors.maxAge must be at most 24h, because no browser caches an answer longer")
			}
		},
	})
	if len(c.Origins) == 0 {
		d.add(n, "cors has no origins: list them, such as https://app.example.com")
	}
	for _, origin := range c.Origins {
		scheme, host, found := strings.Cut(origin, "://")
		switch {
		case origin == "*" && len(c.Origins) > 1:
			d.add(origins, "cors.origins: * must be the only entry, because it allows every origin")
		case origin != "*" && (!found || scheme == "" || host == "" || strings.ContainsAny(host, "/ ")):
			d.add(origins, "cors.origins: write scheme, host and port, such as https://app.example.com, not %q", origin)
		case c.Credentials && (origin == "*" || host == "*"):
			d.add(n, "cors.credentials: list the origins instead of *: otherwise any site could act on behalf of its visitors")
		}
	}
	for i, m := range c.Methods {
		c.Methods[i] = strings.ToUpper(m)
	}
	return c
}

// FramingHeader reports whether a header, by its canonical name, frames a message on the
// wire; only the front door can set such headers.
func FramingHeader(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}
