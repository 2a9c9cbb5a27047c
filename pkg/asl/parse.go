package asl

import (
	"fmt"
	"slices"
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
	schemaFailed    = "SCHEMA_VALIDATION_FAILED"
	invalidJSON     = "INVALID_JSON_DESCRIPTION"
	missingTarget   = "MISSING_TRANSITION_TARGET"
	maxStates       = 10000
	maxTransitions  = 1000000 // of one execution: an Express Workflow has no such limit, a laptop's patience has
	defaultMapLimit = 40
)

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
		p.fields(o, "", flowFields, machineFields)
		p.machineLanguage(o)
		m.timeout = p.whole(o, "TimeoutSeconds", "", 0, maxWhole)
		m.flow = p.flow(o, "")
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
	// onlyJSONata is set where the machine's query language is JSONata, and jsonata where
	// that of the state is which is read.
	onlyJSONata, jsonata bool
}

func (p *parser) add(code, at, message string) {
	if len(p.problems) < 100 {
		p.problems = append(p.problems, Diagnostic{"ERROR", code, message, at})
	}
}

func (p *parser) schema(at, format string, args ...any) {
	p.add(schemaFailed, at, fmt.Sprintf(format, args...))
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
