package config

import (
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Respond makes an HTTP answer; what is nil stays as it is by default.
type Respond struct {
	Status, Headers *bridge.Template
	// Cookies makes a list of Set-Cookie values.
	Cookies *bridge.Template
	Body    *bridge.Template
	// Base64 says, where it is true, that the body's text is base64 of what is sent.
	Base64 *bridge.Template
}

func (d *document) readRespond(n ast.Node, what string, r *Route, scope []string) *Respond {
	out := &Respond{}
	d.fields(n, what, d.respondFields(out, r, what, scope))
	if out.Base64 != nil && out.Body == nil {
		d.add(n, "%s: base64 says how body is written, and there is no body", what)
	}
	return out
}

func (d *document) respondFields(out *Respond, r *Route, what string, scope []string) map[string]func(ast.Node) {
	part := func(to **bridge.Template, key string) func(ast.Node) {
		return func(n ast.Node) { *to = d.template(n, r.Name, what+"."+key, scope) }
	}
	headers := part(&out.Headers, "headers")
	return map[string]func(ast.Node){
		"status": func(n ast.Node) {
			part(&out.Status, "status")(n)
			d.staticStatus(n, what+".status", out.Status)
		},
		"headers": func(n ast.Node) {
			d.staticHeaders(n, what+".headers")
			headers(n)
		},
		"cookies": part(&out.Cookies, "cookies"),
		"body":    part(&out.Body, "body"),
		"base64":  part(&out.Base64, "base64"),
	}
}

// checkRespond refuses a respond that would never be used.
func (d *document) checkRespond(n ast.Node, r *Route) {
	if r.Async {
		d.add(n, "respond is the answer to an execution's end; a route with mode: async does not wait for it: write accepted")
	}
}

// caught reads the errors of a catch on an http route: what has no route has no catch.
func (d *document) caught(read func(ast.Node), c *Catch) func(ast.Node) {
	return func(n ast.Node) {
		read(n)
		if slices.Contains(c.Errors, bridge.NoRoute) {
			d.add(n, "%s cannot be caught: no route takes the request", bridge.NoRoute)
		}
	}
}
