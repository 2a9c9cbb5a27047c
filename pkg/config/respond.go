package config

import (
	"slices"

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
	fields, check := d.respondFields(out, r, what, scope)
	d.fields(n, what, fields)
	check(n)
	return out
}

// respondFields returns the readers of an answer's keys, and a function that checks them
// together once they are read.
func (d *document) respondFields(out *Respond, r *Route, what string, scope []string) (fields map[string]func(ast.Node), check func(ast.Node)) {
	part := func(to **bridge.Template, key string) func(ast.Node) {
		return func(n ast.Node) { *to = d.template(n, r.Name, what+"."+key, scope) }
	}
	status, headers, cookies := part(&out.Status, "status"), part(&out.Headers, "headers"), part(&out.Cookies, "cookies")
	body := part(&out.Body, "body")
	var bodyNode, base64Node ast.Node
	fields = map[string]func(ast.Node){
		"status": func(n ast.Node) {
			d.staticStatus(n, what+".status")
			status(n)
		},
		"headers": func(n ast.Node) {
			d.staticHeaders(n, what+".headers")
			headers(n)
		},
		"cookies": func(n ast.Node) {
			d.staticCookies(n, what+".cookies")
			cookies(n)
		},
		"body": func(n ast.Node) {
			bodyNode = n
			body(n)
		},
		"base64": func(n ast.Node) { base64Node = n },
	}
	return fields, func(n ast.Node) {
		if base64Node == nil {
			return
		}
		if bodyNode == nil {
			d.add(n, "%s: base64 describes the body, but there is no body", what)
		}
		d.staticBase64(base64Node, bodyNode, what+".base64")
		if text, ok := d.scalar(base64Node); ok {
			out.Base64 = bridge.Literal(text == "true")
		} else {
			out.Base64 = d.template(base64Node, r.Name, what+".base64", scope)
		}
	}
}

// checkRespond refuses a respond that would never be used.
func (d *document) checkRespond(n ast.Node, r *Route) {
	if r.Async {
		d.add(n, "respond is the answer to an execution's end; a route with mode: async does not wait for it: write accepted")
	}
}

// caught reads the errors of a catch on an http route. Expressway.NoRoute cannot be
// caught: without a route, there is no catch.
func (d *document) caught(read func(ast.Node), c *Catch) func(ast.Node) {
	return func(n ast.Node) {
		read(n)
		if slices.Contains(c.Errors, bridge.NoRoute) {
			d.add(n, "%s cannot be caught: no route takes the request", bridge.NoRoute)
		}
	}
}
