package asl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The operators of data test expressions, by the type that they compare.
var (
	comparisons  = []string{"Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"}
	typeTests    = []string{"IsPresent", "IsNull", "IsString", "IsBoolean", "IsNumeric", "IsTimestamp"}
	choiceFields = []string{"Variable", "Next", "Assign", "Comment"}
)

// operandType returns the type of a comparison's operand; path says that the operand is a
// path.
func operandType(operator string) (kind string, path, ok bool) {
	base, path := strings.CutSuffix(operator, "Path")
	switch {
	case slices.Contains(typeTests, operator):
		return "Boolean", false, true
	case operator == "StringMatches":
		return "String", false, true
	case base == "BooleanEquals":
		return "Boolean", path, true
	}
	for _, kind := range []string{"String", "Numeric", "Timestamp"} {
		if rest, found := strings.CutPrefix(base, kind); found && slices.Contains(comparisons, rest) {
			return kind, path, true
		}
	}
	return "", false, false
}

// choice checks the rules of a Choice state.
func (s *stateCheck) choice(name string, g *graph) {
	s.next(name, s.o, "Default", s.at, g)
	if !s.required(s.o, s.at, "Choices") {
		return
	}
	for i, item := range s.list(s.o, "Choices", s.at) {
		at := fmt.Sprintf("%s/Choices[%d]", s.at, i)
		rule, ok := item.(*jsonata.Object)
		if !ok {
			s.wrongType(at, "OBJECT")
			continue
		}
		inner := s.within(rule, fmt.Sprintf("Choices[%d]", i))
		s.comment(rule, at)
		inner.assign()
		s.next(name, rule, "Next", at, g)
		if s.jsonata {
			inner.condition()
			continue
		}
		s.required(rule, at, "Next")
		s.rule(rule, at, true, 0)
	}
}

// condition checks a JSONata rule.
func (s *stateCheck) condition() {
	s.required(s.o, s.at, "Condition", "Next")
	for i := range s.o.Len() {
		key, value := s.o.At(i)
		switch _, _, operator := operandType(key); {
		case key == "Condition":
			if _, ok := value.(bool); !ok && !s.expression(value, "Condition") {
				s.schema(s.at+"/Condition", "Value must be a Boolean or a JSONata expression")
			}
		case key == "Output":
			s.expressions(s.o, "Output")
		case operator || slices.Contains([]string{"Variable", "And", "Or", "Not"}, key):
			s.only(key, s.at, false)
		case !slices.Contains(choiceFields, key):
			s.unsupported(s.at, key)
		}
	}
}

// rule checks a JSONPath rule; rules inside And, Or and Not have no transition.
func (s *stateCheck) rule(rule *jsonata.Object, at string, top bool, depth int) {
	if depth > maxRuleDepth {
		s.schema(at, "Choice Rules are nested deeper than %d", maxRuleDepth)
		return
	}
	comparing, combining := 0, 0
	for i := range rule.Len() {
		key, value := rule.At(i)
		where := s.join(at, key)
		switch kind, isPath, operator := operandType(key); {
		case operator:
			comparing++
			s.operand(rule, key, value, kind, isPath, at)
		case key == "And" || key == "Or":
			combining++
			for i, item := range s.list(rule, key, at) {
				s.inner(item, fmt.Sprintf("%s[%d]", where, i), depth)
			}
		case key == "Not":
			combining++
			s.inner(value, where, depth)
		case key == "Condition" || key == "Output":
			s.only(key, at, true)
		case !slices.Contains(choiceFields, key), !top && (key == "Next" || key == "Assign"):
			s.unsupported(at, key)
		}
	}
	switch {
	case comparing+combining != 1:
		if !rule.Has("Condition") { // a field that is not supported has its own diagnostic
			s.schema(at, "Exactly one comparison operator is required")
		}
	case comparing == 1 && s.required(rule, at, "Variable"):
		s.path(rule, "Variable", at, reference|anyPath)
	case combining == 1 && rule.Has("Variable"):
		s.unsupported(at, "Variable")
	}
}

func (s *stateCheck) inner(item any, at string, depth int) {
	if rule, ok := item.(*jsonata.Object); ok {
		s.rule(rule, at, false, depth+1)
	} else {
		s.wrongType(at, "OBJECT")
	}
}

func (s *stateCheck) operand(rule *jsonata.Object, key string, value any, kind string, isPath bool, at string) {
	where := at + "/" + key
	if isPath {
		s.path(rule, key, at, reference|anyPath)
		return
	}
	text, isText := value.(string)
	switch kind {
	case "Boolean":
		if _, ok := value.(bool); !ok {
			s.wrongType(where, "BOOLEAN")
		}
	case "Numeric":
		if _, ok := value.(json.Number); !ok {
			s.wrongType(where, "NUMBER")
		}
	case "Timestamp":
		s.time(value, where)
	default:
		if !isText {
			s.wrongType(where, "STRING")
		} else if isDynamic(text) {
			s.warn(noPath, where, "The value appears to be a JSONPath, but the name of the field does not end with Path")
		}
	}
}
