package asl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A Diagnostic is one thing that is wrong in a definition, in the codes of
// ValidateStateMachineDefinition.
type Diagnostic struct {
	Severity string // ERROR or WARNING
	Code     string // such as SCHEMA_VALIDATION_FAILED
	Message  string
	Location string // a JSON pointer, such as /States/Ship/Next
}

// A DefinitionError holds everything that is wrong in a definition.
type DefinitionError struct{ Diagnostics []Diagnostic }

// Error is the message that CreateStateMachine answers.
func (e *DefinitionError) Error() string {
	texts := make([]string, len(e.Diagnostics))
	for i, d := range e.Diagnostics {
		texts[i] = d.Code + ": " + d.Message
		if d.Location != "" {
			texts[i] += " at " + d.Location
		}
	}
	return "Invalid State Machine Definition: '" + strings.Join(texts, ", ") + "'"
}

// The codes of diagnostics.
const (
	schemaFailed     = "SCHEMA_VALIDATION_FAILED"
	invalidJSON      = "INVALID_JSON_DESCRIPTION"
	missingTarget    = "MISSING_TRANSITION_TARGET"
	maxStates        = 10000
	maxTransitions   = 1000000 // of one execution: an Express Workflow has no such limit, a laptop's patience has
	defaultMapLimit  = 40
	defaultInterval  = 1
	defaultAttempts  = 3
	defaultBackoff   = 2.0
	maxRetryAttempts = 99999999
)

// A Machine is a parsed definition. It is immutable: any number of executions may
// run it at once.
type Machine struct {
	flow    *flow
	timeout int // TimeoutSeconds; 0 for none
}

// A flow is a StartAt with its States: a machine, a branch, an item processor.
type flow struct {
	start  string
	states map[string]*state
	// instant flows hold nothing that waits: running several of them side by side
	// would cost goroutines and gain nothing.
	instant bool
}

type state struct {
	name, kind, next string
	end              bool

	// The types of its events; failed and aborted are empty where there is none.
	entered, exited, failed, aborted string
	events                           taskEvents

	inputPath, outputPath *source // nil with none* false: "$"
	noInput, noOutput     bool    // the path is null
	resultPath            *source
	noResult              bool
	parameters, selector  *template // Parameters and ResultSelector
	assign                *template
	result                any
	hasResult             bool

	resource                   string
	timeout, heartbeat         int
	timeoutPath, heartbeatPath *source
	retry                      []*retrier
	catch                      []*catcher

	rules       []*rule
	defaultNext string

	seconds                    json.Number
	secondsPath, timestampPath *source
	timestamp                  string

	errorText, causeText *template

	branches []*flow

	reader             bool // ItemReader
	itemsPath          *source
	itemSelector       *template
	concurrency        int
	concurrencyPath    *source
	toleratedCount     int
	toleratedPercent   float64
	toleratedCountPath *source
	toleratedPctPath   *source
}

type retrier struct {
	errors   []string
	interval int
	attempts int
	backoff  float64
	maxDelay int
	jitter   bool
}

type catcher struct {
	errors     []string
	next       string
	resultPath *source
	noResult   bool
	assign     *template
}

// Parse reads a definition. The error is a *[DefinitionError] with all that is wrong.
// It takes tasks that only a Standard Workflow may have; [ParseExpress] does not.
func Parse(definition []byte) (*Machine, error) { return (&parser{}).machine(definition) }

// ParseExpress is Parse for a machine of type EXPRESS: it also refuses activities, and
// the .sync and .waitForTaskToken integrations.
func ParseExpress(definition []byte) (*Machine, error) {
	return (&parser{express: true}).machine(definition)
}

func (p *parser) machine(definition []byte) (*Machine, error) {
	v, err := jsonata.Decode(definition)
	o, ok := v.(*jsonata.Object)
	switch {
	case err != nil:
		p.notJSON(definition, err)
	case !ok:
		p.add(invalidJSON, "", "The definition is not a JSON object")
	default:
		m := &Machine{}
		p.language(o, "")
		p.fields(o, "", flowFields, machineFields)
		m.timeout = p.whole(o, "TimeoutSeconds", "", 0, 99999999)
		m.flow = p.flow(o, "")
		p.onlyJSONPath()
		if len(p.problems) == 0 {
			return m, nil
		}
	}
	return nil, &DefinitionError{p.problems}
}

type parser struct {
	problems []Diagnostic
	states   int
	express  bool
	// jsonata is the first place that asks for JSONata; downgrades are the states that
	// ask for JSONPath in a machine of JSONata.
	jsonata    string
	downgrades []Diagnostic
}

func (p *parser) add(code, at, message string) {
	if len(p.problems) < 100 {
		p.problems = append(p.problems, Diagnostic{"ERROR", code, message, at})
	}
}

func (p *parser) schema(at, format string, args ...any) {
	p.add(schemaFailed, at, fmt.Sprintf(format, args...))
}

// language notes what this version does not run.
func (p *parser) language(o *jsonata.Object, at string) {
	v, has := o.Get("QueryLanguage")
	switch {
	case !has:
	case v == "JSONata":
		if p.jsonata == "" {
			p.jsonata = at + "/QueryLanguage"
		}
	case v != "JSONPath":
		p.schema(at+"/QueryLanguage", "Value is not valid, expected one of [JSONPath, JSONata]")
	case at != "" && p.jsonata == "/QueryLanguage":
		p.downgrades = append(p.downgrades, Diagnostic{
			"ERROR", schemaFailed,
			"'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", at,
		})
	}
}

// onlyJSONPath leaves one clear diagnostic of a definition that uses JSONata: the
// others would be of reading it as JSONPath.
func (p *parser) onlyJSONPath() {
	switch {
	case len(p.downgrades) > 0:
		p.problems = p.downgrades
	case p.jsonata != "":
		p.problems = nil
		p.schema(p.jsonata, "The query language JSONata is not supported by this version of the local engine; use JSONPath")
	}
}

func (p *parser) flow(o *jsonata.Object, at string) *flow {
	f := &flow{start: p.text(o, "StartAt", at, false), states: map[string]*state{}}
	p.required(o, at, "States", "StartAt")
	v, has := o.Get("States")
	if !has {
		return f
	}
	states, ok := v.(*jsonata.Object)
	if !ok || states.Len() == 0 {
		p.schema(at+"/States", "The field 'States' is required and must be a non-empty object")
		return f
	}
	if p.states += states.Len(); p.states > maxStates {
		p.schema(at+"/States", "too many states")
		return f
	}
	for i := range states.Len() {
		name, v := states.At(i)
		where := at + "/States/" + name
		so, ok := v.(*jsonata.Object)
		if !ok {
			p.schema(where, "A state must be an object")
			continue
		}
		f.states[name] = p.state(name, so, where)
	}
	if hasKey(o, "StartAt") && f.states[f.start] == nil {
		p.add(missingTarget, at+"/StartAt", "Missing 'Next' target: "+f.start)
	}
	p.transitions(f, at)
	p.reachable(f, at)
	f.instant = true
	for _, s := range f.states {
		switch s.kind {
		case "Task", "Wait", "Map", "Parallel":
			f.instant = false
		}
	}
	return f
}

// transitions checks that every target is a state beside the one that names it.
func (p *parser) transitions(f *flow, at string) {
	for _, name := range sortedNames(f.states) {
		s := f.states[name]
		where := at + "/States/" + name
		target := func(next, field string) {
			if next != "" && f.states[next] == nil {
				p.add(missingTarget, where+"/"+field, "Missing 'Next' target: "+next)
			}
		}
		target(s.next, "Next")
		target(s.defaultNext, "Default")
		for i, r := range s.rules {
			target(r.next, fmt.Sprintf("Choices[%d]/Next", i))
		}
		for i, c := range s.catch {
			target(c.next, fmt.Sprintf("Catch[%d]/Next", i))
		}
	}
}

func sortedNames(states map[string]*state) []string {
	names := make([]string, 0, len(states))
	for n := range states {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

var stateKinds = []string{"Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"}

func (p *parser) state(name string, o *jsonata.Object, at string) *state {
	s := &state{name: name, kind: p.text(o, "Type", at, true)}
	if len(name) > 80 {
		p.schema(at, "State name exceeds 80 characters")
	}
	if !slices.Contains(stateKinds, s.kind) {
		p.schema(at+"/Type", "Value is not valid, expected one of [%s]", strings.Join(stateKinds, ", "))
		return s
	}
	p.language(o, at)
	p.fields(o, at, perStateFields[s.kind]...)
	p.checkVariables(o, at)
	s.entered, s.exited = s.kind+"StateEntered", s.kind+"StateExited"
	switch s.kind {
	case "Map", "Parallel":
		s.failed, s.aborted = s.kind+"StateFailed", s.kind+"StateAborted"
	case "Task", "Wait":
		s.aborted = s.kind + "StateAborted"
	}
	s.inputPath, s.noInput = p.path(o, "InputPath", at)
	s.outputPath, s.noOutput = p.path(o, "OutputPath", at)
	s.resultPath, s.noResult = p.path(o, "ResultPath", at)
	if s.resultPath != nil && !(s.resultPath.root == "" && s.resultPath.path.IsReference()) {
		p.schema(at+"/ResultPath", "Value is not a Reference Path: Illegal use of a path; it must name one place in the input")
	}
	s.assign = p.template(o, "Assign", at)
	s.next = p.text(o, "Next", at, false)
	if v, has := o.Get("End"); has {
		if s.end, has = v.(bool); !has {
			p.schema(at+"/End", "Expected value of type Boolean")
		}
	}
	terminal := s.kind == "Succeed" || s.kind == "Fail"
	switch {
	case terminal || s.kind == "Choice":
		if s.next != "" || s.end {
			p.schema(at, "Next and End are not supported for a state of type %s", s.kind)
		}
	case s.next == "" && !s.end:
		p.schema(at, "One of [Next, End] is required")
	case s.next != "" && s.end:
		p.schema(at, "Only one of [Next, End] is allowed")
	}
	if s.kind != "Map" || !hasKey(o, "ItemSelector") {
		s.parameters = p.template(o, "Parameters", at)
	}
	s.selector = p.template(o, "ResultSelector", at)
	p.kindFields(s, o, at)
	return s
}

func (p *parser) kindFields(s *state, o *jsonata.Object, at string) {
	switch s.kind {
	case "Pass":
		s.result, s.hasResult = o.Get("Result")
	case "Task":
		s.resource = p.text(o, "Resource", at, true)
		s.events = newTaskEvents(s.resource)
		p.checkResource(s.resource, at)
		p.timeouts(s, o, at)
		p.retryCatch(s, o, at)
	case "Choice":
		s.defaultNext = p.text(o, "Default", at, false)
		v, _ := o.Get("Choices")
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			p.schema(at+"/Choices", "The field 'Choices' is required and must be a non-empty array")
		}
		for i, item := range list {
			s.rules = append(s.rules, p.rule(item, fmt.Sprintf("%s/Choices[%d]", at, i), true, 0))
		}
	case "Wait":
		p.wait(s, o, at)
	case "Fail":
		s.errorText, s.causeText = p.failField(o, "Error", at), p.failField(o, "Cause", at)
	case "Parallel":
		v, _ := o.Get("Branches")
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			p.schema(at+"/Branches", "The field 'Branches' is required and must be a non-empty array")
		}
		for i, item := range list {
			where := fmt.Sprintf("%s/Branches[%d]", at, i)
			if b, ok := item.(*jsonata.Object); ok {
				p.fields(b, where, flowFields)
				s.branches = append(s.branches, p.flow(b, where))
			} else {
				p.schema(where, "A branch must be an object")
			}
		}
		p.retryCatch(s, o, at)
	case "Map":
		p.mapFields(s, o, at)
		p.retryCatch(s, o, at)
	}
}

func (p *parser) mapFields(s *state, o *jsonata.Object, at string) {
	field := "ItemProcessor"
	if !hasKey(o, field) {
		field = "Iterator"
	}
	v, _ := o.Get(field)
	processor, ok := v.(*jsonata.Object)
	if !ok {
		p.schema(at+"/ItemProcessor", "The field 'ItemProcessor' is required")
	} else {
		p.fields(processor, at+"/"+field, flowFields, []string{"ProcessorConfig"})
		s.branches = []*flow{p.flow(processor, at+"/"+field)}
	}
	s.reader = hasKey(o, "ItemReader")
	s.itemsPath, _ = p.path(o, "ItemsPath", at)
	s.itemSelector = p.template(o, "ItemSelector", at)
	if s.itemSelector == nil && s.parameters != nil {
		s.itemSelector, s.parameters = s.parameters, nil // the legacy name
	}
	s.concurrency = p.whole(o, "MaxConcurrency", at, 0, 99999999)
	s.concurrencyPath, _ = p.path(o, "MaxConcurrencyPath", at)
	s.toleratedCount = p.whole(o, "ToleratedFailureCount", at, 0, 99999999)
	s.toleratedCountPath, _ = p.path(o, "ToleratedFailureCountPath", at)
	s.toleratedPctPath, _ = p.path(o, "ToleratedFailurePercentagePath", at)
	if v, has := o.Get("ToleratedFailurePercentage"); has {
		n, ok := v.(json.Number)
		f, err := n.Float64()
		if !ok || err != nil || f < 0 || f > 100 {
			p.schema(at+"/ToleratedFailurePercentage", "Value is not a number between 0 and 100")
		}
		s.toleratedPercent = f
	}
}

func (p *parser) timeouts(s *state, o *jsonata.Object, at string) {
	s.timeout = p.whole(o, "TimeoutSeconds", at, 1, 99999999)
	s.heartbeat = p.whole(o, "HeartbeatSeconds", at, 1, 99999999)
	s.timeoutPath, _ = p.path(o, "TimeoutSecondsPath", at)
	s.heartbeatPath, _ = p.path(o, "HeartbeatSecondsPath", at)
	if s.timeout > 0 && s.heartbeat >= s.timeout {
		p.schema(at, "Heartbeat interval must be smaller than the timeout value")
	}
}

func (p *parser) wait(s *state, o *jsonata.Object, at string) {
	n := 0
	if v, has := o.Get("Seconds"); has {
		n++
		number, ok := v.(json.Number)
		if i, err := strconv.ParseInt(string(number), 10, 64); !ok || err != nil || i < 0 || i > 99999999 {
			p.schema(at+"/Seconds", "Value is not a whole number between 0 and 99999999")
		}
		s.seconds = number
	}
	if hasKey(o, "Timestamp") {
		n++
		s.timestamp = p.text(o, "Timestamp", at, true)
		if _, ok := timestamp(s.timestamp); !ok {
			p.schema(at+"/Timestamp", "Value is not a valid ISO-8601 extended offset date-time format string")
		}
	}
	if hasKey(o, "SecondsPath") {
		n++
		s.secondsPath, _ = p.path(o, "SecondsPath", at)
	}
	if hasKey(o, "TimestampPath") {
		n++
		s.timestampPath, _ = p.path(o, "TimestampPath", at)
	}
	if n != 1 {
		p.schema(at, "Exactly one of [Seconds, SecondsPath, Timestamp, TimestampPath] is required")
	}
}

// failField reads Error or Cause of a Fail state, or their Path forms.
func (p *parser) failField(o *jsonata.Object, field, at string) *template {
	if v, has := o.Get(field); has {
		if _, ok := v.(string); !ok {
			p.schema(at+"/"+field, "The field '%s' must be text", field)
		}
		return &template{literal: v}
	}
	if v, has := o.Get(field + "Path"); has {
		return compileField(v, field+"Path", at+"/"+field+"Path", p.templateProblem)
	}
	return nil
}

func (p *parser) retryCatch(s *state, o *jsonata.Object, at string) {
	list := p.objects(o, "Retry", at)
	for i, item := range list {
		where := fmt.Sprintf("%s/Retry[%d]", at, i)
		p.fields(item, where, retryFields)
		r := &retrier{
			errors:   p.errorNames(item, where),
			interval: p.wholeOr(item, "IntervalSeconds", where, 1, defaultInterval),
			attempts: p.wholeOr(item, "MaxAttempts", where, 0, defaultAttempts),
			maxDelay: p.wholeOr(item, "MaxDelaySeconds", where, 1, 0),
			backoff:  defaultBackoff,
			jitter:   p.jitter(item, where),
		}
		p.checkNames(r.errors, i == len(list)-1, where)
		if v, has := item.Get("BackoffRate"); has {
			n, ok := v.(json.Number)
			f, err := n.Float64()
			if !ok || err != nil || f < 1 {
				p.schema(where+"/BackoffRate", "Value is not a number of at least 1.0")
			}
			r.backoff = f
		}
		s.retry = append(s.retry, r)
	}
	list = p.objects(o, "Catch", at)
	for i, item := range list {
		where := fmt.Sprintf("%s/Catch[%d]", at, i)
		p.fields(item, where, catchFields)
		p.checkVariables(item, where)
		c := &catcher{errors: p.errorNames(item, where), next: p.text(item, "Next", where, true)}
		c.resultPath, c.noResult = p.path(item, "ResultPath", where)
		c.assign = p.template(item, "Assign", where)
		p.checkNames(c.errors, i == len(list)-1, where)
		s.catch = append(s.catch, c)
	}
}

func (p *parser) jitter(o *jsonata.Object, at string) (full bool) {
	strategy := p.text(o, "JitterStrategy", at, false)
	if strategy != "" && strategy != "FULL" && strategy != "NONE" {
		p.schema(at+"/JitterStrategy", "Value is not valid, expected one of [FULL, NONE]")
	}
	return strategy == "FULL"
}

func (p *parser) errorNames(o *jsonata.Object, at string) []string {
	v, _ := o.Get("ErrorEquals")
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		p.schema(at+"/ErrorEquals", "The field 'ErrorEquals' is required and must be a non-empty array")
	}
	var names []string
	for _, item := range list {
		name, ok := item.(string)
		if !ok {
			p.schema(at+"/ErrorEquals", "An error name must be text")
		}
		names = append(names, name)
	}
	return names
}

// path reads a path field; null is true beside nil.
func (p *parser) path(o *jsonata.Object, field, at string) (s *source, null bool) {
	v, has := o.Get(field)
	if !has {
		return nil, false
	}
	if v == nil {
		return nil, true
	}
	text, _ := v.(string)
	s, err := parseSource(text)
	if err != nil || !strings.HasPrefix(text, "$") {
		p.schema(at+"/"+field, "Value is not a valid JSONPath")
		return nil, false
	}
	return s, false
}

func (p *parser) template(o *jsonata.Object, field, at string) *template {
	v, has := o.Get(field)
	if !has {
		return nil
	}
	return compileTemplate(v, at+"/"+field, p.templateProblem)
}

func (p *parser) templateProblem(at, message string) { p.schema(at, "%s", message) }

func (p *parser) objects(o *jsonata.Object, field, at string) []*jsonata.Object {
	v, has := o.Get(field)
	if !has {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		p.schema(at+"/"+field, "The field '%s' must be an array", field)
	}
	var out []*jsonata.Object
	for i, item := range list {
		child, ok := item.(*jsonata.Object)
		if !ok {
			p.schema(fmt.Sprintf("%s/%s[%d]", at, field, i), "It must be an object")
			continue
		}
		out = append(out, child)
	}
	return out
}

func (p *parser) text(o *jsonata.Object, field, at string, required bool) string {
	v, has := o.Get(field)
	s, ok := v.(string)
	if has && !ok || required && s == "" {
		p.schema(at+"/"+field, "The field '%s' is required and must be text", field)
	}
	return s
}

func (p *parser) whole(o *jsonata.Object, field, at string, low, high int) int {
	v, has := o.Get(field)
	if !has {
		return 0
	}
	n, ok := v.(json.Number)
	i, err := strconv.Atoi(string(n))
	if !ok || err != nil || i < low || i > high {
		p.schema(at+"/"+field, "Value is not a whole number between %d and %d", low, high)
	}
	return i
}

func (p *parser) wholeOr(o *jsonata.Object, field, at string, low, otherwise int) int {
	if !hasKey(o, field) {
		return otherwise
	}
	return p.whole(o, field, at, low, maxRetryAttempts)
}

func hasKey(o *jsonata.Object, key string) bool {
	_, ok := o.Get(key)
	return ok
}
