package config

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

func (d *document) readRoot(root ast.Node, cfg *Config) {
	have := d.fields(root, "the file", map[string]func(ast.Node){
		"version": func(n ast.Node) {
			if v, ok := n.(*ast.IntegerNode); !ok || v.GetToken().Value != "1" {
				d.add(n, "version must be 1")
			}
		},
		"basePaths": func(n ast.Node) { cfg.BasePaths = d.readBasePaths(n) },
		"routes": func(n ast.Node) {
			if d.items != nil {
				d.readItems(cfg)
				return
			}
			reader := d.routesReader(cfg)
			for _, item := range d.list(n, "routes") {
				reader(item)
			}
		},
	})
	d.checkQueues(cfg)
	for _, key := range []string{"version", "routes"} {
		if !have.has(key) {
			d.add(root, "the file has no %s", key)
		}
	}
}

// readItems reads the routes of a file that was split. If an item is not a single route,
// the whole file must be parsed instead.
func (d *document) readItems(cfg *Config) {
	reader := d.routesReader(cfg)
	var q quick
	for _, item := range d.items {
		n := q.item(item.text)
		if n == nil {
			n = parseItem(item)
		}
		if n == nil {
			d.unsplit = true
			return
		}
		d.line = item.line
		reader(n)
	}
	d.line = 0
}

// routesReader returns a function that reads one route after another and keeps those of
// the function's own source.
func (d *document) routesReader(cfg *Config) func(ast.Node) {
	names := make(map[string]bool, len(d.items))
	known := patterns{mux: http.NewServeMux()}
	return func(item ast.Node) {
		d.foreign = d.only != "" && !d.isOf(item, d.only)
		r := d.readRoute(item)
		if r.Name != "" && names[r.Name] {
			d.add(item, "a second route is named %q", r.Name)
		}
		names[r.Name] = true
		if d.foreign {
			cfg.Others++
			d.foreign = false
			return
		}
		if r.HTTP != nil && r.HTTP.Pattern != "" && d.only != SourceSQS {
			if problem := known.add(r); problem != "" {
				d.problems = append(d.problems, finding{Problem: r.Problem("http", "http: "+problem)})
			}
		}
		cfg.Routes = append(cfg.Routes, r)
	}
}

// isOf reports whether a route has the trigger of a source. A route whose trigger is
// unclear belongs to all sources.
func (d *document) isOf(route ast.Node, source Source) bool {
	other := false
	values, _ := mappingValues(route)
	for _, p := range values {
		key, _ := p.Key.(ast.Node).(*ast.StringNode)
		if key == nil {
			continue
		}
		switch _, known := sources.ByKey(key.Value); {
		case key.Value == string(source), key.Value == "queue" && source == SourceSQS:
			return true
		case known:
			other = true
		}
	}
	return !other
}

func (d *document) readRoute(n ast.Node) *Route {
	r := &Route{file: d.file}
	d.route = n
	values, _ := mappingValues(n)
	r.places = make([]keyPlace, 0, len(values)+placesOfVerify+1)
	d.keep(r, "", n)
	// Templates are read last: what they may refer to depends on the trigger.
	var late lateKeys
	queued := hasKey(values, "queue")
	in := func(key string, read func()) { d.elsewhere(queued, key, read) }
	have := d.keys(n, "a route", knownOfAll, func(key string, n ast.Node) { in(key, func() { d.readOwnKey(r, &late, key, n) }) })
	if !have.has("name") {
		d.add(n, "the route has no name: add one, such as name: orders")
	}
	d.checkEnd(n, have)
	triggers := 0
	for _, key := range sources.Keys() {
		triggers += count(have.has(key))
	}
	if triggers != 1 {
		d.add(n, "the route must have exactly one of %s, but has %d", sources.List(sources.Keys()), triggers)
	}
	if r.MetadataOnly && r.Async {
		d.add(late.included, "includedData: metadata is only valid with mode: sync, because the output of an execution that is not awaited is never read")
	}
	d.withheld = r.MetadataOnly
	if late.queue != nil {
		d.readQueue(r, &late)
	}
	in("verify", func() {
		d.readTriggerKeys(n, r, &late)
		d.anyone = d.unknown(late.verify)
	})
	scope := variables(r, d.unknown(late.sqs["batch"]))
	if late.filter != nil {
		in("filter", func() { r.Filter = d.readFilter(late.filter, r, scope) })
	}
	if late.input != nil {
		in("input", func() { r.Input = d.template(late.input, r.Name, "input", scope) })
	}
	if late.dedupe != nil && r.SQS != nil && r.SQS.Batch {
		d.add(late.dedupe, "dedupe and batch cannot be combined: only a single record can be a duplicate, but an execution takes many")
	} else if late.dedupe != nil {
		r.Dedupe = d.readDedupe(late.dedupe, r, scope)
	}
	ended := append(scope, "execution")
	if late.resume != nil {
		d.readResume(late.resume, r, scope, have)
		ended = scope // the route has no execution
	} else if r.HTTP != nil && r.HTTP.Link {
		d.add(late.verify, "verify: link is only valid on routes with resume")
	}
	if late.respond != nil {
		d.checkRespond(late.respond, r)
		r.Respond = d.readRespond(late.respond, "respond", r, ended)
	}
	if late.catch != nil {
		in("catch", func() {
			d.readCatch(late.catch, r, append(ended, "failure"))
			d.checkRecordCatch(r, late.catch, have)
		})
	}
	in("http", func() {
		d.readHTTPKeys(&late, r, scope, have)
		d.requireSecrets(r)
	})
	if problem := r.remembers(); problem != "" && late.verify != nil {
		d.add(late.verify, "%s", problem)
	}
	return r
}

// readFilter accepts only a single expression: any other value is never true and would
// silently drop every delivery.
func (d *document) readFilter(n ast.Node, r *Route, scope []string) *bridge.Template {
	if !isExpression(n) {
		d.add(n, `filter must be one expression in quotes, such as '{%% $request.body.type = "paid" %%}'`)
		return nil
	}
	return d.template(n, r.Name, "filter", scope)
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

// variables returns the names that a route's expressions may use: all those of its
// source if it is unknown whether it has batches.
func variables(r *Route, batchUnknown bool) []string {
	source, _ := sources.ByKey(string(cmp.Or(r.Source(), SourceHTTP)))
	switch {
	case source.Key == sources.SQS && batchUnknown:
		return append([]string{"context"}, source.Variables...)
	case source.Key == sources.SQS && r.SQS.Batch:
		return []string{"context", source.Variables[1]}
	}
	return []string{"context", source.Variables[0]}
}

// readTriggerKeys reads the keys that belong to one kind of trigger.
func (d *document) readTriggerKeys(route ast.Node, r *Route, late *lateKeys) {
	if r.HTTP == nil {
		for key, n := range map[string]ast.Node{"verify": late.verify, "respond": late.respond} {
			if n != nil {
				d.add(n, "%s is only valid on http routes", key)
			}
		}
	}
	if r.SQS == nil {
		for key, n := range late.sqs {
			d.add(n, "%s is only valid on sqs routes", key)
		}
	} else {
		d.readSQSKeys(r, late.sqs)
	}
	switch {
	case r.HTTP == nil:
	case late.verify != nil:
		d.readVerify(late.verify, r)
	default:
		d.add(route, "an http route needs verify; `verify: none` must be written out")
	}
}

func (d *document) readEventBridge(n ast.Node) *EventBridge {
	e := &EventBridge{}
	d.fields(n, "eventbridge", map[string]func(ast.Node){
		"source":      func(n ast.Node) { e.Source = d.texts(n, "source") },
		"detail-type": func(n ast.Node) { e.DetailType = d.texts(n, "detail-type") },
	})
	if len(e.Source)+len(e.DetailType) == 0 {
		d.add(n, "eventbridge must have source or detail-type; * matches any text")
	}
	return e
}

func (d *document) readStart(n ast.Node) string {
	v := d.text(n, "start")
	switch {
	case isMachineARN(v), isMachineName(v):
		return v
	case strings.HasPrefix(v, "arn:") && strings.Contains(v, ":function:"):
		// SAM resolves !GetAtt Machine.Arn to this when it runs a function locally.
		d.add(n, "start: %q is the ARN of a function, not of a state machine: `sam local` resolves !Ref and !GetAtt to placeholders, so set the real ARN in env.json and pass --env-vars env.json", v)
	default:
		d.add(n, "start must be the name of a state machine, or its ARN (optionally of a version or an alias), not %q", v)
	}
	return v
}

var (
	catchKeys       = []string{"errors", "then"}
	catchAnswerKeys = append([]string{"errors"}, answerKeys...)
)

func (d *document) readCatch(n ast.Node, r *Route, scope []string) {
	known := catchKeys
	answers := r.HTTP != nil && r.Queue == nil
	if answers {
		known = catchAnswerKeys
	}
	items := d.list(n, "catch")
	r.Catch = make([]Catch, 0, len(items))
	for _, item := range items {
		r.Catch = append(r.Catch, Catch{})
		c := &r.Catch[len(r.Catch)-1]
		answer := answerReader{d: d, out: &c.Respond, route: r.Name, what: "catch", scope: scope}
		have := d.keys(item, "a catch", known, func(key string, n ast.Node) {
			switch key {
			case "errors":
				c.Errors = d.readErrors(n, r)
			case "then":
				c.Then = d.readThen(n, r)
			default:
				answer.read(key, n)
			}
		})
		answer.check(item)
		d.checkDiscard(item, c)
		if len(c.Errors) == 0 {
			d.add(item, "the catch names no errors")
		}
		if !answers && !have.has("then") {
			d.add(item, "the catch has no then")
		}
	}
}

// readErrors reads the names that a catch is for.
func (d *document) readErrors(n ast.Node, r *Route) []string {
	names := d.texts(n, "errors")
	for _, name := range names {
		if name == "" {
			d.add(n, "errors has an empty name")
		}
		if strings.HasPrefix(name, "Expressway.") && !isName(name) {
			d.add(n, "there is no error %q: the bridge's own errors are %s", name, strings.Join(bridge.Names(), ", "))
		}
	}
	if r.HTTP != nil && slices.Contains(names, bridge.NoRoute) {
		d.add(n, "%s cannot be caught, because no route takes the request", bridge.NoRoute)
	}
	return names
}

// checkDiscard refuses a discard that names an error that discard never covers.
func (d *document) checkDiscard(n ast.Node, c *Catch) {
	if c.Then != ThenDiscard {
		return
	}
	for _, name := range c.Errors {
		if !discardable(name) {
			d.add(n, "then: discard cannot be used for %s: this error is not caused by the record or event itself, and a missing permission or a killed function would empty the queue; remove it from errors, and the delivery is retried", name)
		}
	}
}

func (d *document) readThen(n ast.Node, r *Route) Then {
	then := Then(d.text(n, "then"))
	switch {
	case then == ThenRetry, then == ThenDiscard:
	case then == ThenDeadLetter && r.EventBridge != nil:
		d.add(n, "then: dead-letter is only valid on sqs routes; a failed event goes to the function's on-failure destination or dead-letter queue: write retry, and set EventInvokeConfig in the template")
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
