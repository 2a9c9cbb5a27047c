package config

import (
	"sync"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// defaultGrace is how long a lookup waits for an item that does not exist yet.
const defaultGrace = 2 * time.Second

// DefaultKeyAttribute is the default name of the partition key in the table that a lookup
// reads.
const DefaultKeyAttribute = "id"

// A Page is what a GET of an approval link shows: a question and two buttons.
type Page struct{ Title, Approve, Reject string }

// notWithResume are the keys that concern an execution.
var notWithResume = []string{"input", "mode", "accepted", "onDeadline", "batch", "offload"}

// The default expressions for the values in a link, and for those that its page sends.
const (
	linkToken    = "$request.query.token"
	linkSecret   = "$request.query.secret"
	linkRejected = `$request.body.decision = "reject"`
)

// readResume reads what completes a waiting task in place of start.
func (d *document) readResume(n ast.Node, r *Route, scope []string, have keySet) {
	rule := &bridge.Resume{}
	r.Resume = rule
	for _, key := range notWithResume {
		if have.has(key) {
			d.add(n, "resume and %s cannot be combined: the route starts no execution, so %s would have no effect", key, key)
		}
	}
	part := func(to **bridge.Template, key string) func(ast.Node) {
		return func(n ast.Node) { *to = d.template(n, r.Name, "resume."+key, scope) }
	}
	expression := func(to **bridge.Template, key string) func(ast.Node) {
		return func(n ast.Node) {
			if !isExpression(n) {
				d.add(n, "resume.%s must be one expression in quotes", key)
				return
			}
			part(to, key)(n)
		}
	}
	var lookup, page ast.Node
	keys := d.fields(n, "resume", map[string]func(ast.Node){
		"token": func(n ast.Node) {
			expression(&rule.Token, "token")(n)
			d.refusePathToken(n, rule.Token)
		},
		"lookup":    func(n ast.Node) { lookup = n },
		"fail":      expression(&rule.Fail, "fail"),
		"heartbeat": expression(&rule.Heartbeat, "heartbeat"),
		"error":     part(&rule.Error, "error"),
		"cause":     part(&rule.Cause, "cause"),
		"output":    part(&rule.Output, "output"),
		"page":      func(n ast.Node) { page = n },
	})
	if lookup != nil {
		d.readLookup(lookup, r, scope)
	}
	d.readLink(n, page, r)
	switch {
	case rule.Token != nil && lookup != nil:
		d.add(n, "resume has token and lookup: keep one of them")
	case rule.Token == nil && lookup == nil && !keys.has("token"):
		d.add(n, "resume has neither token nor lookup: add token, an expression for the task token, or lookup")
	}
	if rule.Fail == nil && (rule.Error != nil || rule.Cause != nil) && !keys.has("fail") {
		d.add(n, "resume.error and resume.cause describe a failure: add fail, which says when the task has failed")
	}
}

// refusePathToken reports a token that is read from the path.
func (d *document) refusePathToken(n ast.Node, t *bridge.Template) {
	if t != nil && (t.Reads("request", "params") || t.Reads("request", "path")) {
		d.add(n, "resume.token: a task token contains /, + and =, and does not survive in a path: put it into the query, percent-encoded")
	}
}

func (d *document) readLookup(n ast.Node, r *Route, scope []string) {
	l := &bridge.Lookup{KeyAttribute: DefaultKeyAttribute, TokenAttribute: "token", Grace: defaultGrace}
	r.Resume.Lookup = l
	text := func(to *string, key string) func(ast.Node) {
		return func(n ast.Node) {
			if *to = d.text(n, "resume.lookup."+key); *to == "" {
				d.add(n, "resume.lookup.%s is empty", key)
			}
		}
	}
	have := d.fields(n, "resume.lookup", map[string]func(ast.Node){
		"table":           text(&l.Table, "table"),
		"keyAttribute":    text(&l.KeyAttribute, "keyAttribute"),
		"tokenAttribute":  text(&l.TokenAttribute, "tokenAttribute"),
		"secretAttribute": text(&l.SecretAttribute, "secretAttribute"),
		"key": func(n ast.Node) {
			if !isExpression(n) {
				d.add(n, "resume.lookup.key must be one expression in quotes")
				return
			}
			l.Key = d.template(n, r.Name, "resume.lookup.key", scope)
		},
		"grace": func(n ast.Node) {
			if l.Grace = d.duration(n, "resume.lookup.grace"); l.Grace > maxTimeout {
				d.add(n, "resume.lookup.grace must be at most 5m")
			}
		},
	})
	for _, key := range []string{"table", "key"} {
		if !have.has(key) {
			d.add(n, "resume.lookup has no %s", key)
		}
	}
	link := r.HTTP != nil && r.HTTP.Link
	switch {
	case r.HTTP != nil && r.HTTP.Verify.None && !link:
		d.add(n, "resume.lookup with verify: none: anyone who guesses a key could complete the task; verify the sender, or write verify: link with a secretAttribute")
	case link && l.SecretAttribute == "":
		d.add(n, "verify: link with resume.lookup needs secretAttribute, the attribute with a random text that the link contains as ?secret=")
	case !link && l.SecretAttribute != "":
		d.add(n, "resume.lookup.secretAttribute is only valid with verify: link")
	}
}

// readLink reads the page, and sets the expressions for the values in a link.
func (d *document) readLink(n, page ast.Node, r *Route) {
	rule := r.Resume
	link := r.HTTP != nil && r.HTTP.Link
	if page != nil {
		p := &Page{Approve: "Approve", Reject: "Reject"}
		text := func(to *string, key string) func(ast.Node) {
			return func(n ast.Node) {
				if *to = d.text(n, "resume.page."+key); *to == "" {
					d.add(n, "resume.page.%s is empty", key)
				}
			}
		}
		have := d.fields(page, "resume.page", map[string]func(ast.Node){
			"title": text(&p.Title, "title"), "approve": text(&p.Approve, "approve"), "reject": text(&p.Reject, "reject"),
		})
		switch {
		case !have.has("title"):
			d.add(page, "resume.page has no title, such as \"Approve the refund?\"")
		case !link:
			d.add(page, "resume.page is only valid with verify: link")
		}
		if link {
			r.HTTP.Page = p
			if m := r.HTTP.Method(); m != "" && m != "POST" {
				d.add(page, "resume.page is sent by POST: write POST in the route's pattern, or no method")
			}
		}
	}
	if !link {
		return
	}
	if rule.Token == nil && rule.Lookup == nil {
		rule.Token = ownExpression(r, linkToken, "resume.token")
	}
	if rule.Lookup != nil {
		rule.Secret = ownExpression(r, linkSecret, "verify: link")
	}
	if rule.Fail == nil {
		rule.Fail = ownExpression(r, linkRejected, "resume.fail")
		r.HTTP.Decides = true
	}
	if rule.Error == nil {
		rule.Error = bridge.Literal("Rejected")
	}
}

// ownOptions are those of built-in expressions.
var ownOptions = jsonata.Options{StepFunctions: true}

// ownExpressions says of built-in expressions whether they are valid: those that find the
// delivery ids of providers, which are few, and of schemes of the program's own.
var ownExpressions sync.Map

func isOwn(text string) bool {
	valid, known := ownExpressions.Load(text)
	if !known {
		_, err := ownOptions.Check(text)
		valid, _ = ownExpressions.LoadOrStore(text, err == nil)
	}
	return valid.(bool)
}

// ownExpression returns a template of a built-in expression.
func ownExpression(r *Route, text, place string) *bridge.Template {
	origin := bridge.Origin{Compile: ownOptions.MustCompile}
	return origin.Expression(text, bridge.Place{Route: r.Name, Key: place}, 0, 0)
}
