package asl

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

var stateKinds = []string{"Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"}

func (p *parser) state(name string, o *jsonata.Object, at string) *state {
	s := &state{name: name, kind: p.text(o, "Type", at, true)}
	if utf8.RuneCountInString(name) > maxStateName {
		p.schema(at, "State name exceeds 80 characters")
	}
	if !slices.Contains(stateKinds, s.kind) {
		p.schema(at+"/Type", "Value is not valid, expected one of [%s]", strings.Join(stateKinds, ", "))
		return s
	}
	s.jsonata = p.language(o, at)
	p.jsonata = s.jsonata
	if s.jsonata {
		p.fields(o, at, jsonataStateField[s.kind]...)
	} else {
		p.fields(o, at, perStateFields[s.kind]...)
	}
	p.checkVariables(o, at)
	s.nameEvents()
	p.transition(s, o, at)
	p.stages(s, o, at)
	p.kindFields(s, o, at)
	return s
}

func (s *state) nameEvents() {
	s.entered, s.exited = s.kind+"StateEntered", s.kind+"StateExited"
	switch s.kind {
	case "Map", "Parallel":
		s.failed, s.aborted = s.kind+"StateFailed", s.kind+"StateAborted"
	case "Task", "Wait":
		s.aborted = s.kind + "StateAborted"
	}
}

// transition reads Next and End.
func (p *parser) transition(s *state, o *jsonata.Object, at string) {
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
}

// stages reads the fields that the stages of a state apply, whatever its type.
func (p *parser) stages(s *state, o *jsonata.Object, at string) {
	s.assign = p.template(o, "Assign", at)
	if s.jsonata {
		s.arguments = p.template(o, "Arguments", at)
		s.output = p.template(o, "Output", at)
		return
	}
	s.inputPath, s.noInput = p.path(o, "InputPath", at)
	s.outputPath, s.noOutput = p.path(o, "OutputPath", at)
	s.resultPath, s.noResult = p.path(o, "ResultPath", at)
	if s.resultPath != nil && !(s.resultPath.root == "" && s.resultPath.path.IsReference()) {
		p.schema(at+"/ResultPath", "Value is not a Reference Path: Illegal use of a path; it must name one place in the input")
	}
	if s.kind != "Map" { // there, it is the legacy name of ItemSelector
		s.arguments = p.template(o, "Parameters", at)
	}
	s.selector = p.template(o, "ResultSelector", at)
}

func (p *parser) kindFields(s *state, o *jsonata.Object, at string) {
	switch s.kind {
	case "Pass":
		s.result, s.hasResult = o.Get("Result")
	case "Task":
		p.taskFields(s, o, at)
	case "Choice":
		p.choiceFields(s, o, at)
	case "Wait":
		p.waitFields(s, o, at)
	case "Fail":
		s.errorText, s.causeText = p.failField(o, "Error", at), p.failField(o, "Cause", at)
	case "Parallel":
		p.retryCatch(s, o, at)
		p.parallelFields(s, o, at)
	case "Map":
		p.retryCatch(s, o, at)
		p.mapFields(s, o, at)
	}
}

func (p *parser) choiceFields(s *state, o *jsonata.Object, at string) {
	s.defaultNext = p.text(o, "Default", at, false)
	v, _ := o.Get("Choices")
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		p.schema(at+"/Choices", "The field 'Choices' is required and must be a non-empty array")
	}
	for i, item := range list {
		field := fmt.Sprintf("Choices[%d]", i)
		if s.jsonata {
			s.rules = append(s.rules, p.conditionRule(item, field, at+"/"+field))
		} else {
			s.rules = append(s.rules, p.rule(item, at+"/"+field, true, 0))
		}
	}
}

func (p *parser) parallelFields(s *state, o *jsonata.Object, at string) {
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
}

// failField reads Error or Cause of a Fail state, or their Path forms.
func (p *parser) failField(o *jsonata.Object, field, at string) *template {
	if v, has := o.Get(field); has {
		if _, ok := v.(string); !ok {
			p.schema(at+"/"+field, "The field '%s' must be text", field)
		}
		if p.jsonata {
			return p.template(o, field, at)
		}
		return &template{literal: v}
	}
	if v, has := o.Get(field + "Path"); has {
		return compileField(v, field+"Path", at+"/"+field+"Path", p.templateProblem)
	}
	return nil
}
