package asl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

var processorModes = []string{"INLINE", "DISTRIBUTED"}

func (v *validator) machine(o *jsonata.Object) {
	v.fields(o, "", machineFields, flowFields)
	v.comment(o, "")
	v.oneOf(o, "Version", "", "1.0")
	if language, ok := v.oneOf(o, "QueryLanguage", "", "JSONPath", "JSONata"); ok {
		v.machineJSONata = language == "JSONata"
	}
	v.integer(o, "TimeoutSeconds", "", 0, maxSeconds)
	v.flow(o, "")
}

// A graph is what the transitions of one flow make of its states.
type graph struct {
	at     string
	start  string
	names  []string // in the order of the definition
	target map[string][]transition
	ends   map[string]bool
}

type transition struct{ to, at string }

// flow checks a StartAt with its States: of the machine, a branch or a processor.
func (v *validator) flow(o *jsonata.Object, at string) {
	before := len(v.problems)
	v.required(o, at, "States", "StartAt")
	g := graph{at: at, target: map[string][]transition{}, ends: map[string]bool{}}
	g.start, _ = v.text(o, "StartAt", at)
	value, has := o.Get("States")
	states, ok := value.(*jsonata.Object)
	switch {
	case has && !ok:
		v.wrongType(at+"/States", "Object")
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
			v.wrongType(where, "Object")
		}
	}
	broken := anyErrors(v.problems[before:])
	complete := v.targets(&g)
	// What a mistake in a state leads to is not worth telling.
	if !broken {
		v.reach(&g)
		if complete { // what is missing may be the end
			v.end(&g)
		}
	}
}

func anyErrors(list []Diagnostic) bool {
	for _, d := range list {
		if isError(d) {
			return true
		}
	}
	return false
}

// targets reports whether every target is there.
func (v *validator) targets(g *graph) (complete bool) {
	exists := map[string]bool{}
	for _, name := range g.names {
		exists[name] = true
	}
	complete = true
	check := func(t transition) {
		if t.to != "" && !exists[t.to] {
			complete = false
			field := t.at[strings.LastIndexByte(t.at, '/')+1:]
			v.add(SeverityError, missingTarget, t.at, fmt.Sprintf("Missing '%s' target: %s", field, t.to))
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

// reach checks that every state can be reached.
func (v *validator) reach(g *graph) {
	seen := map[string]bool{}
	for next := []string{g.start}; len(next) > 0; {
		name := next[len(next)-1]
		next = next[:len(next)-1]
		if !seen[name] {
			seen[name] = true
			for _, t := range g.target[name] {
				next = append(next, t.to)
			}
		}
	}
	for _, name := range g.names {
		if !seen[name] {
			v.add(SeverityError, missingTarget, g.at+"/States/"+name, fmt.Sprintf("State \"%s\" is not reachable.", name))
		}
	}
}

// end checks that there is one.
func (v *validator) end(g *graph) {
	if !slices.ContainsFunc(g.names, func(name string) bool { return g.ends[name] }) {
		v.add(SeverityError, missingTerminal, g.at+"/States", "No terminal state found: one must be of type Succeed or Fail, or have \"End\": true")
	}
}

// transitions checks Next and End of a state that goes on or ends.
func (v *validator) transitions(name string, o *jsonata.Object, at string, g *graph) {
	end := false
	if value, has := o.Get("End"); has {
		if end, has = value.(bool); !has {
			v.wrongType(at+"/End", "Boolean")
			return
		}
	}
	g.ends[name] = end
	switch {
	case end && hasKey(o, "Next"):
		v.schema(at, "Only one of these fields is allowed: [Next, End]")
	case !end:
		if !hasKey(o, "Next") {
			v.schema(at, "Exactly one of these fields is required: [Next, End]")
			return
		}
		v.next(name, o, "Next", at, g)
	}
}

// next notes where a state goes.
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
			v.flow(b, where)
		} else {
			v.wrongType(where, "Object")
		}
	}
}

// processor checks what a Map runs; Iterator is the name that it had first.
func (v *validator) processor(o *jsonata.Object, at string) {
	field := "ItemProcessor"
	if !hasKey(o, field) && hasKey(o, "Iterator") {
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
		v.wrongType(at, "Object")
		return
	}
	v.fields(p, at, flowFields, []string{"ProcessorConfig"})
	v.comment(p, at)
	if value, has := p.Get("ProcessorConfig"); has {
		config, ok := value.(*jsonata.Object)
		if !ok {
			v.wrongType(at+"/ProcessorConfig", "Object")
			return
		}
		where := at + "/ProcessorConfig"
		v.fields(config, where, []string{"Mode", "ExecutionType"})
		mode, _ := v.oneOf(config, "Mode", where, processorModes...)
		v.oneOf(config, "ExecutionType", where, "STANDARD", "EXPRESS")
		switch {
		case mode == "DISTRIBUTED" && v.express:
			v.schema(where+"/Mode", "Express state machine does not support Map states with the mode 'DISTRIBUTED'")
		case mode == "DISTRIBUTED":
			v.required(config, where, "ExecutionType")
		}
	}
	v.flow(p, at)
}
