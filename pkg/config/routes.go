package config

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

func (d *document) readRoot(root ast.Node, cfg *Config) {
	have := d.fields(root, "the file", map[string]func(ast.Node){
		"version": func(n ast.Node) {
			if v := d.text(n, "version"); v != "1" {
				d.add(n, "version must be 1")
			}
		},
		"routes": func(n ast.Node) {
			items := d.list(n, "routes")
			if len(items) == 0 {
				d.add(n, "routes must name at least one route")
			}
			for _, item := range items {
				cfg.Routes = append(cfg.Routes, d.readRoute(item))
			}
			d.checkRoutes(items, cfg.Routes)
		},
	})
	for _, key := range []string{"version", "routes"} {
		if !have[key] {
			d.add(root, "the file has no %s", key)
		}
	}
}

// checkRoutes finds what only shows between routes.
func (d *document) checkRoutes(items []ast.Node, routes []*Route) {
	names := map[string]bool{}
	mux := http.NewServeMux()
	for i, r := range routes {
		if r.Name != "" && names[r.Name] {
			d.add(items[i], "a second route is named %q", r.Name)
		}
		names[r.Name] = true
		if r.HTTP != nil && r.HTTP.Pattern != "" {
			if problem := register(mux, r.HTTP.Pattern); problem != "" {
				d.add(items[i], "http: %s", problem)
			}
		}
	}
}

// register returns what net/http finds wrong with a pattern; it says so by a panic.
func register(mux *http.ServeMux, pattern string) (problem string) {
	defer func() {
		if p := recover(); p != nil {
			// The rest of the text names Go source lines.
			problem, _, _ = strings.Cut(fmt.Sprint(p), " (registered at")
			problem = strings.TrimPrefix(problem, "parsing ")
		}
	}()
	mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
	return ""
}

var (
	routeName    = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	machineARN   = regexp.MustCompile(`^arn:[a-z0-9-]+:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[^\s:]+(:[^\s:]+)?(#[^\s]+)?$`)
	machineName  = regexp.MustCompile(`^[0-9A-Za-z_-]{1,80}$`)
	patternParam = regexp.MustCompile(`\{([^{}.$]+)(\.\.\.)?\}`)
)

// later names what a route may say once its machinery is there.
var later = map[string]string{
	"cloudevents": "the CloudEvents handshake is",
	"accepted":    "an answer for mode: async is",
	"onDeadline":  "an answer at the deadline is",
}

func (d *document) readRoute(n ast.Node) *Route {
	r := &Route{}
	// Templates are read last: what they may refer to hangs on the trigger.
	var filter, input, respond, catch, verifyNode, dedupe ast.Node
	trigger := map[string]ast.Node{}
	known := map[string]func(ast.Node){
		"name": func(n ast.Node) {
			if r.Name = d.text(n, "name"); !routeName.MatchString(r.Name) {
				d.add(n, "name must be 1 to 40 of a-z, 0-9 and -, not %q", r.Name)
			}
		},
		"http": func(n ast.Node) {
			r.HTTP = &HTTP{Pattern: d.text(n, "http")}
			for _, m := range patternParam.FindAllStringSubmatch(r.HTTP.Pattern, -1) {
				r.HTTP.Params = append(r.HTTP.Params, m[1])
			}
			if !strings.Contains(r.HTTP.Pattern, "/") {
				d.add(n, "http must be a method and a path, such as POST /orders/{id}")
				r.HTTP.Pattern = ""
			}
		},
		"sqs": func(n ast.Node) {
			r.SQS = &SQS{Queue: d.text(n, "sqs"), Concurrency: defaultConcurrency, Trace: TraceRecord}
			if r.SQS.Queue == "" {
				d.add(n, "sqs must name a queue")
			}
		},
		"eventbridge": func(n ast.Node) { r.EventBridge = d.readEventBridge(n) },
		"start":       func(n ast.Node) { r.StateMachine = d.readStart(n) },
		"mode": func(n ast.Node) {
			switch v := d.text(n, "mode"); v {
			case "sync":
			case "async":
				r.Async = true
			default:
				d.add(n, "mode must be sync or async, not %q", v)
			}
		},
		"timeout": func(n ast.Node) {
			if r.Timeout = d.duration(n, "timeout"); r.Timeout > maxTimeout {
				d.add(n, "timeout is at most 5m: an Express Workflow runs no longer")
			}
		},
		"verify":  func(n ast.Node) { verifyNode = n },
		"filter":  func(n ast.Node) { filter = n },
		"input":   func(n ast.Node) { input = n },
		"respond": func(n ast.Node) { respond = n },
		"catch":   func(n ast.Node) { catch = n },
		"dedupe":  func(n ast.Node) { dedupe = n },
	}
	for key, what := range later {
		known[key] = func(n ast.Node) {
			d.add(n, "%s: %s not supported by this version; take the key out", key, what)
		}
	}
	for _, key := range sqsKeys {
		known[key] = func(n ast.Node) { trigger[key] = n }
	}
	have := d.fields(n, "a route", known)
	for _, key := range []string{"name", "start"} {
		if !have[key] {
			d.add(n, "the route has no %s", key)
		}
	}
	if triggers := count(have["http"], have["sqs"], have["eventbridge"]); triggers != 1 {
		d.add(n, "the route needs exactly one of http, sqs and eventbridge, and has %d", triggers)
	}
	trigger["verify"], trigger["respond"] = verifyNode, respond
	d.readTriggerKeys(n, r, trigger)
	scope := variables(r)
	if filter != nil {
		r.Filter = d.template(filter, r.Name, "filter", scope)
	}
	if input != nil {
		r.Input = d.template(input, r.Name, "input", scope)
	}
	if dedupe != nil && r.SQS != nil && r.SQS.Batch {
		d.add(dedupe, "dedupe does not go with batch: a record is a duplicate or not, and an execution of many is neither")
	} else if dedupe != nil {
		r.Dedupe = d.readDedupe(dedupe, r, scope)
	}
	if respond != nil {
		r.Respond = d.readRespond(respond, r, append(scope, "execution"))
	}
	if catch != nil {
		d.readCatch(catch, r, append(scope, "failure", "execution"))
		d.checkRecordCatch(r, catch, have)
	}
	return r
}

func count(flags ...bool) int {
	n := 0
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n
}

// variables are the names that a route's expressions may use.
func variables(r *Route) []string {
	switch {
	case r.SQS != nil && r.SQS.Batch:
		return []string{"context", "messages"}
	case r.SQS != nil:
		return []string{"context", "message"}
	case r.EventBridge != nil:
		return []string{"context", "event"}
	}
	return []string{"context", "request"}
}

// readTriggerKeys reads the keys that belong to one kind of trigger.
func (d *document) readTriggerKeys(route ast.Node, r *Route, nodes map[string]ast.Node) {
	only := map[string]string{"verify": "http", "respond": "http"}
	for _, key := range sqsKeys {
		only[key] = "sqs"
	}
	trigger := "http"
	switch {
	case r.SQS != nil:
		trigger = "sqs"
	case r.EventBridge != nil:
		trigger = "eventbridge"
	}
	for key, n := range nodes {
		if n != nil && only[key] != trigger {
			d.add(n, "%s belongs to %s routes", key, only[key])
		}
	}
	if r.HTTP != nil {
		if n := nodes["verify"]; n != nil {
			d.readVerify(n, r)
		} else {
			d.add(route, "an http route needs verify; `verify: none` must be written out")
		}
	}
	if r.SQS != nil {
		d.readSQSKeys(r, nodes)
	}
}

func (d *document) readEventBridge(n ast.Node) *EventBridge {
	e := &EventBridge{}
	d.fields(n, "eventbridge", map[string]func(ast.Node){
		"source":      func(n ast.Node) { e.Source = d.texts(n, "source") },
		"detail-type": func(n ast.Node) { e.DetailType = d.texts(n, "detail-type") },
	})
	if len(e.Source)+len(e.DetailType) == 0 {
		d.add(n, "eventbridge needs source or detail-type; * matches any")
	}
	return e
}

func (d *document) readStart(n ast.Node) string {
	v := d.text(n, "start")
	switch {
	case machineARN.MatchString(v), machineName.MatchString(v):
		return v
	case strings.HasPrefix(v, "arn:") && strings.Contains(v, ":function:"):
		// What SAM makes of !GetAtt Machine.Arn when it runs a function locally.
		d.add(n, "start: %q is a function's ARN, no state machine's; `sam local` resolves !Ref and !GetAtt to placeholders: pass --env-vars env.json, which sets the real one", v)
	default:
		d.add(n, "start must be a state machine's ARN (of a version or an alias, too) or its name, not %q", v)
	}
	return v
}

func (d *document) readRespond(n ast.Node, r *Route, scope []string) *Respond {
	out := &Respond{}
	known := d.respondFields(out, r, "respond", scope)
	d.fields(n, "respond", known)
	return out
}

func (d *document) respondFields(out *Respond, r *Route, what string, scope []string) map[string]func(ast.Node) {
	return map[string]func(ast.Node){
		"status":  func(n ast.Node) { out.Status = d.template(n, r.Name, what+".status", scope) },
		"headers": func(n ast.Node) { out.Headers = d.template(n, r.Name, what+".headers", scope) },
		"body":    func(n ast.Node) { out.Body = d.template(n, r.Name, what+".body", scope) },
	}
}

func (d *document) readCatch(n ast.Node, r *Route, scope []string) {
	for _, item := range d.list(n, "catch") {
		var c Catch
		known := map[string]func(ast.Node){
			"errors": func(n ast.Node) {
				c.Errors = d.texts(n, "errors")
				for _, name := range c.Errors {
					if strings.HasPrefix(name, "Expressway.") && !isName(name) {
						d.add(n, "there is no error %q; the bridge's own are %s", name, strings.Join(bridge.Names(), ", "))
					}
				}
			},
		}
		if r.HTTP != nil {
			for key, read := range d.respondFields(&c.Respond, r, "catch", scope) {
				known[key] = read
			}
		} else {
			known["then"] = func(n ast.Node) {
				c.Then = d.readThen(n, r)
			}
		}
		have := d.fields(item, "a catch", known)
		if len(c.Errors) == 0 {
			d.add(item, "the catch names no errors")
		}
		if r.HTTP == nil && !have["then"] {
			d.add(item, "the catch has no then")
		}
		r.Catch = append(r.Catch, c)
	}
}

func (d *document) readThen(n ast.Node, r *Route) Then {
	then := Then(d.text(n, "then"))
	switch {
	case then == ThenRetry, then == ThenDiscard:
	case then == ThenDeadLetter && r.EventBridge != nil:
		d.add(n, "then: dead-letter is for sqs routes; an event that fails goes where the function's on-failure destination or dead-letter queue says: use retry, with EventInvokeConfig in the template")
	case then == ThenDeadLetter:
	case r.EventBridge != nil:
		d.add(n, "then must be retry or discard, not %q", then)
	default:
		d.add(n, "then must be retry, discard or dead-letter, not %q", then)
	}
	return then
}

func isName(name string) bool {
	for _, n := range bridge.Names() {
		if n == name {
			return true
		}
	}
	return false
}

func (d *document) readVerify(n ast.Node, r *Route) {
	spec := &r.HTTP.Verify
	if s, ok := n.(*ast.StringNode); ok {
		if s.Value != "none" {
			d.add(n, "verify must be a mapping, or none")
		}
		spec.None = true
		return
	}
	at := map[string]ast.Node{}
	text := func(key string, to *string) func(ast.Node) {
		return func(n ast.Node) {
			at[key] = n
			*to = d.text(n, key)
		}
	}
	span := func(key string, to *verify.Duration) func(ast.Node) {
		return func(n ast.Node) {
			at[key] = n
			*to = verify.Duration(d.duration(n, key).String())
		}
	}
	d.fields(n, "verify", map[string]func(ast.Node){
		"provider":  text("provider", &spec.Provider),
		"url":       text("url", &spec.URL),
		"tolerance": span("tolerance", &spec.Tolerance),
		"secrets": func(n ast.Node) {
			at["secrets"] = n
			spec.Secrets = d.texts(n, "secrets")
			for _, text := range spec.Secrets {
				if ref, err := secrets.Parse(text); err == nil && ref.Scheme != secrets.Env {
					d.add(n, "secrets: %s: references are not supported by this version; use env:NAME", ref.Scheme)
				}
			}
		},
		"basic": func(n ast.Node) {
			at["basic"] = n
			spec.Basic = &verify.Basic{}
			d.fields(n, "basic", map[string]func(ast.Node){"username": text("basic.username", &spec.Basic.Username)})
		},
		"token": func(n ast.Node) {
			at["token"] = n
			spec.Token = &verify.Token{}
			d.fields(n, "token", map[string]func(ast.Node){"header": text("token.header", &spec.Token.Header)})
		},
		"hmac": func(n ast.Node) {
			at["hmac"] = n
			spec.HMAC = d.readHMAC(n, text, span)
		},
		"jwt": func(n ast.Node) { d.add(n, "jwt: JSON Web Tokens are not supported by this version") },
	})
	if spec.Provider == "sns" {
		d.add(at["provider"], "verify: provider sns is not supported by this version: its certificates cannot be fetched yet")
		return
	}
	for _, p := range spec.Validate() {
		where := n
		if found, ok := at[p.Field]; ok {
			where = found
		}
		d.add(where, "verify: %s", p.Error())
	}
	if preset, ok := verify.Lookup(spec.Provider); ok {
		r.HTTP.DeliveryHeader = preset.DeliveryID.Header
		if r.Timeout == 0 {
			r.Timeout = preset.Deadline
		}
	}
}

func (d *document) readHMAC(n ast.Node, text func(string, *string) func(ast.Node), span func(string, *verify.Duration) func(ast.Node)) *verify.HMAC {
	h := &verify.HMAC{}
	d.fields(n, "hmac", map[string]func(ast.Node){
		"header":       text("hmac.header", &h.Header),
		"algorithm":    text("hmac.algorithm", &h.Algorithm),
		"encoding":     text("hmac.encoding", &h.Encoding),
		"prefix":       text("hmac.prefix", &h.Prefix),
		"separator":    text("hmac.separator", &h.Separator),
		"signed":       text("hmac.signed", &h.Signed),
		"keyEncoding":  text("hmac.keyEncoding", &h.KeyEncoding),
		"format":       text("hmac.format", &h.Format),
		"timestampKey": text("hmac.timestampKey", &h.TimestampKey),
		"signatureKey": text("hmac.signatureKey", &h.SignatureKey),
		"prefixOptional": func(n ast.Node) {
			b, ok := n.(*ast.BoolNode)
			if !ok {
				d.add(n, "prefixOptional must be true or false")
				return
			}
			h.PrefixOptional = b.Value
		},
		"timestamp": func(n ast.Node) {
			h.Timestamp = &verify.Timestamp{}
			d.fields(n, "timestamp", map[string]func(ast.Node){
				"header":    text("hmac.timestamp.header", &h.Timestamp.Header),
				"format":    text("hmac.timestamp.format", &h.Timestamp.Format),
				"tolerance": span("hmac.timestamp.tolerance", &h.Timestamp.Tolerance),
			})
		},
	})
	return h
}
