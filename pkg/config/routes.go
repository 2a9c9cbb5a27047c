package config

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

func (d *document) readRoot(root ast.Node, cfg *Config) {
	have := d.fields(root, "the file", map[string]func(ast.Node){
		"version": func(n ast.Node) {
			if v := d.text(n, "version"); v != "1" {
				d.add(n, "version must be 1")
			}
		},
		"basePaths": func(n ast.Node) { cfg.BasePaths = d.readBasePaths(n) },
		"routes": func(n ast.Node) {
			items := d.list(n, "routes")
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

func (d *document) readRoute(n ast.Node) *Route {
	r := &Route{}
	// Templates are read last: what they may refer to hangs on the trigger.
	var filter, input, respond, catch, verifyNode, dedupe ast.Node
	trigger := map[string]ast.Node{}
	known := map[string]func(ast.Node){
		"name": func(n ast.Node) {
			if r.Name = d.text(n, "name"); !isRouteName(r.Name) {
				d.add(n, "name must be 1 to 40 of a-z, 0-9 and -, not %q", r.Name)
			}
		},
		"http": func(n ast.Node) {
			r.HTTP = &HTTP{Pattern: d.text(n, "http")}
			r.HTTP.Params = patternParams(r.HTTP.Pattern)
			if !strings.Contains(r.HTTP.Pattern, "/") {
				d.add(n, "http must be a method and a path, such as POST /orders/{id}")
				r.HTTP.Pattern = ""
			} else if problem := r.HTTP.neverMatches(); problem != "" {
				d.add(n, "http: %s", problem)
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
	keys := httpNodes{}
	keys.addTo(known)
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
		d.checkRespond(respond, r)
		r.Respond = d.readRespond(respond, "respond", r, append(scope, "execution"))
	}
	if catch != nil {
		d.readCatch(catch, r, append(scope, "failure", "execution"))
		d.checkRecordCatch(r, catch, have)
	}
	d.readHTTPKeys(keys, r, scope)
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
	case isMachineARN(v), isMachineName(v):
		return v
	case strings.HasPrefix(v, "arn:") && strings.Contains(v, ":function:"):
		// What SAM makes of !GetAtt Machine.Arn when it runs a function locally.
		d.add(n, "start: %q is a function's ARN, no state machine's; `sam local` resolves !Ref and !GetAtt to placeholders: pass --env-vars env.json, which sets the real one", v)
	default:
		d.add(n, "start must be a state machine's ARN (of a version or an alias, too) or its name, not %q", v)
	}
	return v
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
			known["errors"] = d.caught(known["errors"], &c)
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
