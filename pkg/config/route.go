package config

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

var (
	ownKeys    = []string{"name", "http", "sqs", "eventbridge", "start", "mode", "timeout", "includedData", "verify", "filter", "input", "respond", "catch", "dedupe", "resume", "queue", "offload"}
	knownOfAll = slices.Concat(ownKeys, httpKeys, sqsKeys)
)

// lateKeys are the values of a route that are read only once its trigger and its mode are
// known.
type lateKeys struct {
	filter, input, respond, catch, verify, dedupe, mode, included, resume, queue ast.Node

	http httpNodes
	sqs  map[string]ast.Node
}

// set keeps a value for later.
func (l *lateKeys) set(key string, n ast.Node) {
	switch key {
	case "verify":
		l.verify = n
	case "filter":
		l.filter = n
	case "input":
		l.input = n
	case "respond":
		l.respond = n
	case "catch":
		l.catch = n
	case "dedupe":
		l.dedupe = n
	case "resume":
		l.resume = n
	case "queue":
		l.queue = n
	default:
		if slices.Contains(sqsKeys, key) {
			if l.sqs == nil {
				l.sqs = map[string]ast.Node{}
			}
			l.sqs[key] = n
			return
		}
		if l.http == nil {
			l.http = httpNodes{}
		}
		l.http[key] = n
	}
}

// readOwnKey reads a key whose meaning does not depend on other keys.
func (d *document) readOwnKey(r *Route, late *lateKeys, key string, n ast.Node) {
	d.keep(r, key, n)
	switch key {
	case "name":
		if r.Name = d.text(n, "name"); !isRouteName(r.Name) {
			d.add(n, "name must be 1 to 40 characters from a-z, 0-9 and -, not %q", r.Name)
		}
	case "http":
		d.readPattern(n, r)
	case "sqs":
		r.SQS = &SQS{Queue: d.text(n, "sqs"), Concurrency: DefaultConcurrency, Trace: TraceRecord}
		if _, ok := parseQueue(r.SQS.Queue); !ok {
			d.add(n, "sqs must be the name of a queue (with * for any text), its ARN or its URL, not %q", r.SQS.Queue)
		}
	case "eventbridge":
		r.EventBridge = d.readEventBridge(n)
	case "start":
		r.StateMachine = d.readStart(n)
	case "mode":
		late.mode = n
		switch v := d.text(n, "mode"); v {
		case "sync":
		case "async":
			r.Async = true
		default:
			d.add(n, "mode must be sync or async, not %q", v)
		}
	case "timeout":
		if r.Timeout = d.duration(n, "timeout"); r.Timeout > maxTimeout {
			d.add(n, "timeout must be at most 5m, because an Express Workflow cannot run longer")
		}
	case "offload":
		r.Offload = d.readOffload(n)
	case "includedData":
		late.included = n
		switch v := d.text(n, "includedData"); v {
		case "all":
		case "metadata":
			r.MetadataOnly = true
		default:
			d.add(n, "includedData must be all or metadata, not %q", v)
		}
	default:
		late.set(key, n)
	}
}

// readPattern reads the method and path of an http route.
func (d *document) readPattern(n ast.Node, r *Route) {
	r.HTTP = &HTTP{Pattern: d.text(n, "http")}
	r.HTTP.Params = patternParams(r.HTTP.Pattern)
	if !strings.Contains(r.HTTP.Pattern, "/") {
		d.add(n, "http must be a method and a path, such as POST /orders/{id}")
		r.HTTP.Pattern = ""
	} else if segment, write := patternOfAnotherRouter(r.HTTP.Path()); segment != "" {
		d.add(n, "http: %s is another router's form of a parameter: write %s", segment, write)
		r.HTTP.Pattern = ""
	} else if problem := r.HTTP.neverMatches(); problem != "" {
		d.add(n, "http: %s", problem)
		r.HTTP.Pattern = ""
	}
}
