package config

import (
	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Respond makes an HTTP answer; nil fields keep the default.
type Respond struct {
	Status, Headers *bridge.Template
	// Cookies makes a list of Set-Cookie values.
	Cookies *bridge.Template
	Body    *bridge.Template
	// Base64, when true, means that the body's text is base64, and is decoded before it
	// is sent.
	Base64 *bridge.Template
}

func (d *document) readRespond(n ast.Node, what string, r *Route, scope []string) *Respond {
	out := &Respond{}
	a := answerReader{d: d, out: out, route: r.Name, what: what, scope: scope}
	d.keys(n, what, answerKeys, a.read)
	a.check(n)
	return out
}

var answerKeys = []string{"status", "headers", "cookies", "body", "base64"}

// An answerReader reads the keys of an answer.
type answerReader struct {
	d            *document
	out          *Respond
	route, what  string
	scope        []string
	body, base64 ast.Node
}

func (a *answerReader) read(key string, n ast.Node) {
	var part **bridge.Template
	switch key {
	case "status":
		a.d.staticStatus(n, a.what+".status")
		part = &a.out.Status
	case "headers":
		a.d.staticHeaders(n, a.what+".headers")
		part = &a.out.Headers
	case "cookies":
		a.d.staticCookies(n, a.what+".cookies")
		part = &a.out.Cookies
	case "body":
		a.body, part = n, &a.out.Body
	case "base64":
		a.base64 = n
		return
	}
	*part = a.d.templateAt(n, bridge.Place{Route: a.route, Key: a.what, Member: key}, a.scope)
}

// check checks the combination of keys once all are read; n is the answer.
func (a *answerReader) check(n ast.Node) {
	if a.base64 == nil {
		return
	}
	if a.body == nil {
		a.d.add(n, "%s: base64 has no effect without a body: add a body, or remove base64", a.what)
	}
	a.d.staticBase64(a.base64, a.body, a.what+".base64")
	if text, ok := a.d.expanded(a.base64); ok {
		a.out.Base64 = bridge.Literal(text == "true")
	} else {
		a.out.Base64 = a.d.template(a.base64, a.route, a.what+".base64", a.scope)
	}
}

// checkRespond refuses a respond that would never be used.
func (d *document) checkRespond(n ast.Node, r *Route) {
	if r.Async {
		d.add(n, "respond answers when an execution ends, but a route with mode: async does not wait for that: write accepted")
	}
}
