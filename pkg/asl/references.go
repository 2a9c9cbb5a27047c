package asl

import (
	"maps"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/intrinsic"
	"github.com/expressway-dev/expressway/pkg/asl/jsonpath"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// VariableReferences returns the variables that each state of a definition refers to, by
// the name of the state, as DescribeStateMachine does. States without variables are
// omitted. For a definition that [Validate] refuses, it returns what can be determined.
func VariableReferences(definition []byte) map[string][]string {
	v, err := jsonata.Decode(definition)
	o, ok := v.(*jsonata.Object)
	if err != nil || !ok {
		return nil
	}
	language, _ := o.Get("QueryLanguage")
	r := &references{language == languageJSONata, map[string][]string{}}
	r.flow(o)
	return r.found
}

type references struct {
	onlyJSONata bool
	found       map[string][]string
}

func (r *references) flow(v any) {
	o, _ := v.(*jsonata.Object)
	states := o.Object("States")
	for i := range states.Len() {
		name, v := states.At(i)
		s, _ := v.(*jsonata.Object)
		language, _ := s.Get("QueryLanguage")
		x := &stateReferences{r.onlyJSONata || language == languageJSONata, map[string]bool{}}
		for i := range s.Len() {
			switch field, v := s.At(i); field {
			case "Branches":
				branches, _ := v.([]any)
				for _, branch := range branches {
					r.flow(branch)
				}
			case "ItemProcessor", "Iterator":
				r.flow(v)
			case "Result": // used literally
			default:
				x.value(field, v, false)
			}
		}
		if len(x.names) > 0 {
			r.found[name] = slices.Sorted(maps.Keys(x.names))
		}
	}
}

// stateReferences collects the references of one state.
type stateReferences struct {
	jsonata bool
	names   map[string]bool
}

// templates are the fields in whose values only members with names that end in .$ are
// paths.
var templates = []string{"Parameters", "ResultSelector", "ItemSelector", "Assign", "BatchInput", "Credentials"}

func (x *stateReferences) value(field string, v any, template bool) {
	switch v := v.(type) {
	case *jsonata.Object:
		template = template || slices.Contains(templates, field)
		for i := range v.Len() {
			key, item := v.At(i)
			x.value(key, item, template)
		}
	case []any:
		for _, item := range v {
			x.value(field, item, template)
		}
	case string:
		dynamic := strings.HasSuffix(field, ".$") || !template && (strings.HasSuffix(field, "Path") || field == "Variable")
		switch {
		case x.jsonata && isExpression(v):
			x.expression(v)
		case !x.jsonata && dynamic:
			x.path(v)
		}
	}
}

func (x *stateReferences) expression(text string) {
	e, err := compileExpression(strings.TrimSuffix(strings.TrimPrefix(text, "{%"), "%}"))
	if err != nil {
		return
	}
	for _, name := range e.Variables() {
		if name != "states" {
			x.names[name] = true
		}
	}
}

func (x *stateReferences) path(text string) {
	paths := []string{text}
	if intrinsic.Is(text) {
		call, err := intrinsic.Parse(text)
		if err != nil {
			return
		}
		paths = call.Paths()
	}
	for _, p := range paths {
		if root, _ := jsonpath.Split(p); root != "" && root != "$" {
			x.names[root] = true
		}
	}
}
