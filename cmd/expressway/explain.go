package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
)

type explainCommand struct {
	Route   string `arg:"" help:"The name of the route."`
	Config  string `placeholder:"FILE" help:"The configuration (default: $EXPRESSWAY_CONFIG, else expressway.yaml)."`
	EnvVars string `placeholder:"FILE" help:"Environment variables as a JSON file in the form of 'sam local --env-vars' (default: env.json, if it exists)."`
}

// Run prints an entry of routes: the settings in the file and, each with a comment, the
// defaults of all others. The output is itself a route with the same meaning.
func (c *explainCommand) Run(_ context.Context, p *program) error {
	cfg, _, err := (&project{Config: c.Config, EnvVars: c.EnvVars}).config(p)
	if err != nil {
		return err
	}
	route, err := routeNamed(cfg, c.Route)
	if err != nil {
		return err
	}
	e := &explained{route: route, comments: yaml.CommentMap{}, heads: map[string][]string{}}
	if err := e.read(cfg.File); err != nil {
		return err
	}
	e.common()
	switch route.Source() {
	case config.SourceHTTP:
		e.http()
	case config.SourceSQS, config.SourceEventBridge:
		e.other()
	default:
		return fmt.Errorf("the defaults of %s routes are not known here", route.Source())
	}
	for path, texts := range e.heads {
		e.comments[path] = append(e.comments[path], yaml.HeadComment(texts...))
	}
	out, err := yaml.MarshalWithOptions([]yaml.MapSlice{e.keys}, yaml.WithComment(e.comments))
	if err != nil {
		return err
	}
	_, err = p.stdout.Write(out)
	return err
}

// An explained route holds the keys as written in the file, and the defaults.
type explained struct {
	route    *config.Route
	keys     yaml.MapSlice
	comments yaml.CommentMap
	heads    map[string][]string // by path: the YAML library takes only one comment above a key
}

// read takes the route's keys from the file, with variables and expressions as written
// there.
func (e *explained) read(file string) error {
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var root struct{ Routes []yaml.MapSlice }
	if err := yaml.UnmarshalWithOptions(source, &root, yaml.UseOrderedMap()); err != nil {
		return err
	}
	for _, keys := range root.Routes {
		if v, _ := get(keys, "name"); v == e.route.Name {
			e.keys = keys
			return nil
		}
	}
	return errors.New("the route cannot be found in " + file)
}

func get(keys yaml.MapSlice, name string) (any, bool) {
	for _, item := range keys {
		if item.Key == name {
			return item.Value, true
		}
	}
	return nil, false
}

// put sets a key; a new key goes to the end.
func put(keys yaml.MapSlice, name string, value any) yaml.MapSlice {
	for i := range keys {
		if keys[i].Key == name {
			keys[i].Value = value
			return keys
		}
	}
	return append(keys, yaml.MapItem{Key: name, Value: value})
}

func (e *explained) has(name string) bool {
	_, ok := get(e.keys, name)
	return ok
}

// line adds a comment to a key of the route, and head adds one above it.
func (e *explained) line(path, text string) {
	e.comments["$[0]."+path] = append(e.comments["$[0]."+path], yaml.LineComment(" "+text))
}

func (e *explained) head(path string, texts ...string) {
	for _, text := range texts {
		e.heads["$[0]."+path] = append(e.heads["$[0]."+path], " "+text)
	}
}

// fallback adds a key that is not in the file, and a comment that explains its value.
func (e *explained) fallback(name string, value any, why string) {
	if !e.has(name) {
		e.keys = put(e.keys, name, value)
		e.line(name, why)
	}
}

// common adds the keys of every route.
func (e *explained) common() {
	switch {
	case e.route.Answer:
		e.head("answer", "no execution is started")
		return
	case e.route.Resume != nil:
		e.head("resume", "no execution is started; a waiting task is completed")
		return
	}
	if written, _ := get(e.keys, "start"); written != e.route.StateMachine {
		e.line("start", e.route.StateMachine)
	}
	e.fallback("mode", "sync", "the default: waits for the end of the execution")
	if !e.has("filter") {
		e.head("mode", "no filter: everything starts an execution")
	}
}

// other adds the keys of queue and event routes, and their defaults.
func (e *explained) other() {
	if e.route.Resume != nil {
		return
	}
	if e.route.SQS != nil {
		e.fallback("concurrency", e.route.SQS.Concurrency, "the default")
		e.fallback("trace", string(e.route.SQS.Trace), "the default: the trace of the record's producer")
		if e.route.SQS.Batch {
			e.fallback("input", "{% $messages %}", "the default: all of the records")
		} else {
			e.fallback("input", "{% $message %}", "the default: all of the record")
		}
	} else {
		e.fallback("input", "{% $event %}", "the default: the event itself")
	}
	if e.route.Timeout == 0 {
		e.head("mode", "no timeout: waits until half a second before Lambda's deadline, at most 5m")
	}
	e.recordCatches(e.route.SQS)
}

// recordCatches adds what happens after failures that the route does not catch; s is nil
// for events.
func (e *explained) recordCatches(s *config.SQS) {
	catches, _ := get(e.keys, "catch")
	list, _ := catches.([]any)
	if s != nil && s.DeadLetterQueue != "" {
		e.line(fmt.Sprintf("catch[%d].then", len(list)), "the default for records that can never run")
		list = append(list, yaml.MapSlice{
			{Key: "errors", Value: []string{bridge.BadRequest, bridge.ExpressionFailed, bridge.InputTooLarge}},
			{Key: "then", Value: string(config.ThenDeadLetter)},
		})
	}
	e.keys = put(e.keys, "catch", append(list, yaml.MapSlice{{Key: "errors", Value: []string{bridge.StatesAll}}, {Key: "then", Value: string(config.ThenRetry)}}))
	e.line(fmt.Sprintf("catch[%d].then", len(list)), "the default for every other failure")
}

func (e *explained) http() {
	e.verify()
	h := e.route.HTTP
	if e.route.Answer || e.route.Resume != nil {
		if h.CORS != nil {
			e.corsDefaults()
		}
		e.catches()
		return
	}
	e.dedupe()
	if e.route.Queue != nil {
		e.accepting()
		return
	}
	if h.Verify.Provider != "" && !e.has("timeout") {
		e.fallback("timeout", short(e.route.Timeout), "from the provider: the time that it waits, less a margin")
	} else if e.route.Timeout == 0 {
		e.head("mode", "no timeout: waits until half a second before Lambda's deadline, at most 5m")
	}
	if !e.has("input") {
		e.head("mode", "no input: all of $request except its cookies and the headers authorization, proxy-authorization,",
			"cookie, x-api-key and those with the signature")
	}
	switch {
	case e.route.Async:
		e.fallback("accepted", acknowledgement(h.Ack), "the default: the acknowledgement that the sender expects")
	case !e.has("respond"):
		e.head("mode", "no respond: an output with a statusCode is the answer, as in Lambda's payload format 2.0;", "any other is answered 200, as JSON")
	}
	if !e.route.Async && !e.has("onDeadline") {
		e.head("mode", "no onDeadline: if an execution has not ended in time, the answer is 504, and it may still be running")
	} else if h.OnDeadline != nil && h.OnDeadline.Acknowledge {
		e.line("onDeadline", fmt.Sprintf("answered %d", max(h.Ack.Status, 200)))
	}
	if h.CORS != nil {
		e.corsDefaults()
	}
	e.catches()
}

// accepting adds the keys of a route whose sender does not wait for the execution.
func (e *explained) accepting() {
	h := e.route.HTTP
	status := 202
	if h.Ack.Status != 0 {
		status = h.Ack.Status
	}
	if written, _ := get(e.keys, "queue"); written != e.route.Queue.Address {
		e.line("queue", e.route.Queue.Address)
	}
	e.head("queue", fmt.Sprintf("the sender is answered %d once the queue has the delivery, 503 if it certainly has not,", status),
		"and 502 if the outcome is unknown; the queue function starts the execution")
	if !e.has("input") {
		e.head("mode", "no input: all of $request except its cookies and the headers authorization, proxy-authorization,",
			"cookie, x-api-key and those with the signature")
	}
	e.fallback("concurrency", h.Work.Concurrency, "the default")
	if e.route.Timeout == 0 {
		e.head("mode", "no timeout: the queue function waits until half a second before Lambda's deadline, at most 5m")
	}
	if h.CORS != nil {
		e.corsDefaults()
	}
	e.recordCatches(h.Work)
}

func (e *explained) dedupe() {
	rule := e.route.Dedupe
	if rule == nil {
		if !e.has("dedupe") {
			e.head("mode", "no dedupe: a repeated delivery starts another execution")
		}
		return
	}
	written, _ := get(e.keys, "dedupe")
	keys, _ := written.(yaml.MapSlice)
	add := func(name string, value any, why string) {
		if _, ok := get(keys, name); !ok {
			keys = put(keys, name, value)
			e.line("dedupe."+name, why)
		}
	}
	add("key", "{% "+config.DeliveryKey(e.route.HTTP.DeliveryID)+" %}", "the provider's delivery id")
	add("for", short(rule.For), "the default")
	add("claim", short(rule.Claim), "the default: no Express Workflow runs longer")
	add("onError", "refuse", "the default: no execution starts while the store does not answer")
	if rule.WithBody {
		e.head("dedupe", "the sender does not sign its delivery id, so the body is part of the key")
	}
	e.keys = put(e.keys, "dedupe", keys)
}

func (e *explained) corsDefaults() {
	written, _ := get(e.keys, "cors")
	keys, _ := written.(yaml.MapSlice)
	c := e.route.HTTP.CORS
	if len(c.Methods) == 0 && e.route.HTTP.Method() != "" {
		keys = put(keys, "methods", []string{e.route.HTTP.Method()})
		e.line("cors.methods", "the default: the route's own")
	}
	if !c.Credentials {
		keys = put(keys, "credentials", false)
	}
	if len(c.Headers) == 0 {
		e.head("cors", "headers: by default content-type, and those that verify reads")
	}
	e.keys = put(e.keys, "cors", keys)
}

// catches adds the answers to the failures that the route does not catch, by status.
func (e *explained) catches() {
	written, _ := get(e.keys, "catch")
	list, _ := written.([]any)
	byStatus := map[int][]string{}
	var statuses []int
	for _, name := range bridge.Names() {
		late := name == bridge.Deadline && e.route.HTTP.OnDeadline != nil
		ofResume := name == bridge.BadToken || name == bridge.TaskGone || name == bridge.TaskUnknown
		if name == bridge.NoRoute || late || ofResume && e.route.Resume == nil || e.caught(name) {
			continue
		}
		status := httpfront.DefaultStatus(name)
		if byStatus[status] == nil {
			statuses = append(statuses, status)
		}
		byStatus[status] = append(byStatus[status], name)
	}
	slices.Sort(statuses)
	for _, status := range statuses {
		e.line(fmt.Sprintf("catch[%d].status", len(list)), "the default")
		list = append(list, yaml.MapSlice{{Key: "errors", Value: byStatus[status]}, {Key: "status", Value: status}})
	}
	e.keys = put(e.keys, "catch", list)
	e.head("catch", "by default, the body is a problem document (RFC 9457)")
	if !slices.ContainsFunc(e.route.Catch, func(c config.Catch) bool { return bridge.Matches(c.Errors, "") }) {
		e.head("catch", "for a workflow's own failure that no catch names, the answer is 500; for its timeout, 504")
	}
}

// caught reports whether one of the route's own catches covers a failure.
func (e *explained) caught(name string) bool {
	return slices.ContainsFunc(e.route.Catch, func(c config.Catch) bool {
		return slices.Contains(c.Errors, name) || name != bridge.Unverified && bridge.Matches(c.Errors, name)
	})
}

// short writes a duration without Go's trailing zeros.
func short(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if rest, ok := strings.CutSuffix(s, zero); ok {
			s = rest + zero[:1]
		}
	}
	return s
}
