package config

import (
	"context"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// ends are the keys that determine what a delivery leads to; a route has exactly one of
// them.
var ends = []string{"start", "answer", "resume"}

// checkEnd checks that a route has exactly one of ends.
func (d *document) checkEnd(n ast.Node, have keySet) {
	var found []string
	for _, key := range ends {
		if have.has(key) {
			found = append(found, key)
		}
	}
	switch {
	case len(found) == 0:
		d.add(n, "the route has no start: write one of %s", strings.Join(ends, ", "))
	case len(found) > 1:
		d.add(n, "the route has %s: keep one of them", strings.Join(found, " and "))
	}
}

// notWithAnswer are the keys that concern executions.
var notWithAnswer = []string{"input", "mode", "timeout", "dedupe", "respond", "accepted", "onDeadline", "offload"}

// readAnswer reads the answer of a route that starts nothing.
func (d *document) readAnswer(n ast.Node, r *Route, scope []string, have keySet) {
	r.Answer = true
	for _, key := range notWithAnswer {
		if have.has(key) {
			d.add(n, "answer and %s cannot be combined: the route starts no execution, so %s would have no effect", key, key)
		}
	}
	r.HTTP.Answer = d.readRespond(n, "answer", r, scope)
	a := r.HTTP.Answer
	if a.Body != nil && a.Body.Uses("request") && a.Headers != nil && !a.Headers.Dynamic() {
		headers, _ := a.Headers.Eval(context.Background(), nil) // evaluating a literal cannot fail
		if Scriptable(contentTypeOf(headers)) {
			d.add(n, "answer: a value from the request in HTML, XML or SVG would run as script in a browser: answer with text or JSON, or start a workflow that escapes the value")
		}
	}
}

// contentTypeOf finds the content type among headers.
func contentTypeOf(headers any) string {
	o, ok := headers.(interface {
		Len() int
		At(i int) (string, any)
	})
	if !ok {
		return ""
	}
	for i := range o.Len() {
		if name, v := o.At(i); strings.EqualFold(name, "content-type") {
			s, _ := v.(string)
			return s
		}
	}
	return ""
}

// Scriptable reports whether a browser runs scripts in documents of a content type.
func Scriptable(contentType string) bool {
	media, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	media = strings.TrimSpace(media)
	return slices.Contains([]string{"text/html", "text/xml", "application/xml", "text/xsl"}, media) || strings.HasSuffix(media, "+xml")
}
