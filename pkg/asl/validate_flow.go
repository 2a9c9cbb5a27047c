package asl

import (
	"fmt"
	"slices"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The query languages.
const (
	languageJSONPath = "JSONPath"
	languageJSONata  = "JSONata"
)

// maxStates bounds the states of a machine, in all its flows.
const maxStates = 10000

var (
	flowFields     = []string{"Comment", "StartAt", "States", "QueryLanguage"}
	machineFields  = []string{"Version", "TimeoutSeconds"}
	processorModes = []string{"INLINE", "DISTRIBUTED"}
)

func (v *validator) machine(o *jsonata.Object) {
	v.fields(o, "", machineFields, flowFields)
	v.comment(o, "")
	v.oneOf(o, "Version", "", "1.0")
	v.machineJSONata, _ = v.language(o, "")
	v.integer(o, "TimeoutSeconds", "", 0, maxSeconds)
	v.flow(o, "", true)
}

// language reads a QueryLanguage. As measured on the service, any value other than
// JSONPath is treated as JSONata in what follows.
func (v *validator) language(o *jsonata.Object, at string) (isJSONata, given bool) {
	value, given := o.Get("QueryLanguage")
	v.oneOf(o, "QueryLanguage", at, languageJSONPath, languageJSONata)
	return given && value != languageJSONPath, given
}

// A graph holds the transitions between the states of one flow.
type graph struct {
	at     string
	start  string
	names  []string // in order of definition
	target map[string][]transition
	ends   map[string]bool
}

type transition struct{ to, at string }

// flow checks a StartAt with its States: those of the machine (top), a branch or a
// processor.
func (v *validator) flow(o *jsonata.Object, at string, top bool) {
	before := len(v.problems)
	v.required(o, at, "States", "StartAt")
	g := graph{at: at, target: map[string][]transition{}, ends: map[string]bool{}}
	g.start, _ = v.text(o, "StartAt", at)
	value, has := o.Get("States")
	states, ok := value.(*jsonata.Object)
	switch {
	case has && !ok:
		v.wrongType(at+"/States", "OBJECT")
	case has && states.Len() == 0:
		v.schema(at+"/States", "Value cannot be empty")
	}
	if !ok || states.Len() == 0 {
		return
	}
	if len(v.states)+states.Len() > maxStates {
		v.schema(at+"/States", "A state machine has at most %d states", maxStates)
		return
	}
	for i := range states.Len() {
		name, value := states.At(i)
		where := v.join(at+"/States", name)
		g.names = append(g.names, name)
		if v.states[name] {
			v.add(SeverityError, duplicateState, where, "Duplicate State name: "+name)
		}
		v.states[name] = true
		if s, ok := value.(*jsonata.Object); ok {
			v.state(name, s, where, &g)
		} else {
			v.wrongType(where, "OBJECT")
		}
	}
	broken := slices.ContainsFunc(v.problems[before:], isError)
	complete := v.targets(&g)
	// Consequences of a mistake in a state are not reported; and a missing target may
	// have been the end.
	if !broken && (!complete || v.end(&g, top)) {
		v.reach(&g)
	}
}

// targets reports whether the target of every transition exists. The service says 'Next'
// for every field.
func (v *validator) targets(g *graph) (complete bool) {
	exists := map[string]bool{}
	for _, name := range g.names {
		exists[name] = true
	}
	complete = true
	check := func(t transition) {
		if t.to != "" && !exists[t.to] {
			complete = false
			v.add(SeverityError, missingTarget, t.at, "Missing 'Next' target: "+t.to)
		}
	}
	check(transition{g.start, g.at + "/StartAt"})
	for _, name := range g.names {
		for _, t := range g.target[name] {
			check(t)
		}
	}
	return complete
}

// reach checks that something leads to every state. Like the service, it only looks at
// transitions: states that lead to each other are treated as reached.
func (v *validator) reach(g *graph) {
	reached := map[string]bool{g.start: true}
	for _, list := range g.target {
		for _, t := range list {
			reached[t.to] = true
		}
	}
	for _, name := range g.names {
		if !reached[name] {
			v.add(SeverityError, missingTarget, v.join(g.at+"/States", name), fmt.Sprintf("State \"%s\" is not reachable.", name))
		}
	}
}

// end checks that the machine has an end. The service allows endless loops in branches
// and processors.
func (v *validator) end(g *graph, top bool) bool {
	if !top || len(g.ends) > 0 {
		return true
	}
	v.add(SeverityError, missingEnd, "", "Workflow has no terminal state")
	return false
}

// transitions checks Next and End of a state that has them.
func (v *validator) transitions(name string, o *jsonata.Object, at string, g *graph) {
	end := false
	if value, has := o.Get("End"); has {
		if end, has = value.(bool); !has {
			v.wrongType(at+"/End", "BOOLEAN")
			return
		}
	}
	if end {
		g.ends[name] = true
	}
	switch {
	case end && o.Has("Next"):
		v.oneAtMost(o, at, "Next", "End")
	case !end:
		if !o.Has("Next") {
			v.schema(at, "Exactly one of these fields is required: [Next, End]")
			return
		}
		v.next(name, o, "Next", at, g)
	}
}

// next records a transition of a state.
func (v *validator) next(name string, o *jsonata.Object, field, at string, g *graph) {
	if to, ok := v.text(o, field, at); ok {
		g.target[name] = append(g.target[name], transition{to, at + "/" + field})
	}
}

func (v *validator) branches(o *jsonata.Object, at string) {
	if !v.required(o, at, "Branches") {
		return
	}
	for i, item := range v.list(o, "Branches", at) {
		where := fmt.Sprintf("%s/Branches[%d]", at, i)
		if b, ok := item.(*jsonata.Object); ok {
			v.fields(b, where, flowFields)
			v.comment(b, where)
			v.flow(b, where, false)
		} else {
			v.wrongType(where, "OBJECT")
		}
	}
}

// processor checks the processor of a Map; Iterator is its legacy name.
func (v *validator) processor(o *jsonata.Object, at string) {
	field := "ItemProcessor"
	if !o.Has(field) && o.Has("Iterator") {
		field = "Iterator"
	}
	v.oneAtMost(o, at, "ItemProcessor", "Iterator")
	if !v.required(o, at, field) {
		return
	}
	at += "/" + field
	value, _ := o.Get(field)
	p, ok := value.(*jsonata.Object)
	if !ok {
		v.wrongType(at, "OBJECT")
		return
	}
	v.fields(p, at, flowFields, []string{"ProcessorConfig"})
	v.comment(p, at)
	v.processorConfig(p, at)
	v.flow(p, at, false)
}

func (v *validator) processorConfig(p *jsonata.Object, at string) {
	value, has := p.Get("ProcessorConfig")
	if !has {
		return
	}
	at += "/ProcessorConfig"
	config, ok := value.(*jsonata.Object)
	if !ok {
		v.wrongType(at, "OBJECT")
		return
	}
	v.fields(config, at, []string{"Mode", "ExecutionType"})
	mode, _ := v.oneOf(config, "Mode", at, processorModes...)
	v.oneOf(config, "ExecutionType", at, "STANDARD", "EXPRESS")
	switch {
	case mode == "DISTRIBUTED" && v.express:
		v.schema(at+"/Mode", "Express state machine does not support Map states with the mode 'DISTRIBUTED'")
	case mode == "DISTRIBUTED":
		v.required(config, at, "ExecutionType")
	}
}
