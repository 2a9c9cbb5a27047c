package asl

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// within returns the check of an object in the state, at the given place.
func (s *stateCheck) within(o *jsonata.Object, place string) *stateCheck {
	inner := *s
	inner.o, inner.at, inner.place = o, s.at+"/"+place, s.inState(place)
	return &inner
}

// inState returns the place of a member in its state, as in the service's messages.
func (s *stateCheck) inState(field string) string {
	if s.place == "" {
		return field
	}
	return s.place + "/" + field
}

// assign checks the variables that a state, a rule or a catcher sets, and their values.
func (s *stateCheck) assign() {
	value, has := s.o.Get("Assign")
	if !has {
		return
	}
	at := s.at + "/Assign"
	variables, ok := value.(*jsonata.Object)
	if !ok {
		s.wrongType(at, "OBJECT")
		return
	}
	for i := range variables.Len() {
		key, _ := variables.At(i)
		name := key
		if !s.jsonata {
			name = strings.TrimSuffix(key, ".$")
		}
		if !validVariable(name) {
			s.schema(s.join(at, key), "Value is not a valid variable name")
		}
	}
	if s.jsonata {
		s.expressions(s.o, "Assign")
	} else {
		s.template(variables, at)
	}
}

// validVariable reports whether a path or an expression can refer to a name.
func validVariable(name string) bool {
	const longest = 80
	if name == "" || name == "states" || utf8.RuneCountInString(name) > longest {
		return false
	}
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return true
}

// expressions checks all expressions in a member of any shape.
func (s *stateCheck) expressions(o *jsonata.Object, field string) {
	if value, has := o.Get(field); has && s.jsonata {
		s.expressionsIn(value, field)
	}
}

// expressionsIn is expressions for a value; field is the path to it from s.
func (s *stateCheck) expressionsIn(value any, field string) {
	switch value := value.(type) {
	case string:
		s.expression(value, field)
	case *jsonata.Object:
		for i := range value.Len() {
			key, item := value.At(i)
			s.expressionsIn(item, s.join(field, key))
		}
	case []any:
		for i, item := range value {
			s.expressionsIn(item, fmt.Sprintf("%s[%d]", field, i))
		}
	}
}

// expression reports whether a value of a JSONata state is an expression, which is then
// checked.
func (s *stateCheck) expression(value any, field string) bool {
	text, ok := value.(string)
	if !ok || !s.jsonata || !isExpression(text) {
		return false
	}
	at := s.at + "/" + field
	source, ok := expressionText(text)
	if !ok {
		s.add(SeverityError, invalidExpression, at, "The expression begins with {% and does not end with %}")
		return true
	}
	e, known := s.validator.expressions[source]
	if !known {
		var err error
		if e, err = compileExpression(source); err != nil {
			s.add(SeverityError, invalidExpression, at, syntaxMessage(err))
			return true
		}
		s.validator.expressions[source] = e
	}
	s.references(e, at)
	return true
}

// syntaxMessage returns the message of a mistake in an expression without its code, as in
// the service.
func syntaxMessage(err error) string {
	if e, ok := errors.AsType[*jsonata.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// references refuses references to things that a state does not have: to an input at the
// top of an expression, and to the error outside a Catch. Each is reported once.
func (s *stateCheck) references(e *jsonata.Expr, at string) {
	told := map[string]bool{}
	for _, r := range e.References() {
		message := ""
		switch {
		case r.Kind == jsonata.NameReference && r.Top:
			message = "Reference to '" + r.Name + "' at the top level is not supported."
		case r.Kind == jsonata.ContextReference && r.Top:
			message = "Reference to '$' at the top level is not supported."
		case r.Kind == jsonata.RootReference:
			message = "Reference to '$$' is not supported."
		case r.Kind == jsonata.VariableReference && r.Name == "states" && len(r.Members) > 0 && r.Members[0].Name == "errorOutput" && !s.catching:
			message = "Field '$states.errorOutput' does not exist."
		}
		if message != "" && !told[message] {
			told[message] = true
			s.add(SeverityError, unsupportedExpression, at, message)
		}
	}
}
