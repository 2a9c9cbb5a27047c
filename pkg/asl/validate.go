package asl

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/jsontext"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The severities of diagnostics: of what is refused, and of what is merely odd.
const (
	SeverityError   = "ERROR"
	SeverityWarning = "WARNING"
)

// The codes of diagnostics that [Validate] makes, beside those of the parser.
const (
	duplicateState   = "DUPLICATE_STATE_NAME"
	missingTerminal  = "MISSING_TERMINAL_STATE"
	staticPassResult = "PASS_RESULT_IS_STATIC"
	noDollar         = "NO_DOLLAR"
	noPath           = "NO_PATH"
)

// maxDiagnostics bounds what a hostile definition makes; the API returns 100 at most.
const maxDiagnostics = 1000

// Validate returns everything that is wrong in a definition, for a machine of type
// EXPRESS or for any, and what is odd in it: as the service says it, which is more
// than what would keep [Parse] from making a machine of it. Locations are the service's:
// /States/Ship/Choices[0]/Next; [Locate] makes lines and columns of them.
func Validate(definition []byte, express bool) []Diagnostic {
	v, list := decodeDefinition(definition)
	if list != nil {
		return list
	}
	list = validateDefinition(v, express)
	if slices.ContainsFunc(list, isError) {
		return list
	}
	// The parser says nothing of a definition that passed above, unless it cannot run
	// what the service would; then its refusal counts.
	parse := Parse
	if express {
		parse = ParseExpress
	}
	if _, err := parse(definition); err != nil {
		var refused *DefinitionError
		if !errors.As(err, &refused) {
			return append(list, Diagnostic{SeverityError, schemaFailed, err.Error(), ""})
		}
		list = append(list, refused.Diagnostics...)
	}
	return list
}

// Locate returns the line and the column, from 1, of a diagnostic's place in its
// definition. Some locations of INVALID_JSON_DESCRIPTION are not such places; they have
// the place of the mistake.
func Locate(definition []byte, d Diagnostic) (line, column int) {
	if d.Code == invalidJSON {
		if e := jsontext.CheckUnique(definition); e != nil {
			return e.Line, e.Column
		}
	}
	return jsontext.Position(definition, jsontext.Find(definition, d.Location))
}

func isError(d Diagnostic) bool { return d.Severity == SeverityError }

// decodeDefinition reads the text, or says why it is no JSON object.
func decodeDefinition(definition []byte) (*jsonata.Object, []Diagnostic) {
	if strings.TrimLeft(string(definition), " \t\r\n") == "" {
		return nil, []Diagnostic{{SeverityError, schemaFailed, "Definition must be a valid JSON object", ""}}
	}
	if e := jsontext.CheckUnique(definition); e != nil {
		return nil, []Diagnostic{{SeverityError, invalidJSON, e.Error(), e.Location()}}
	}
	v, err := jsonata.Decode(definition)
	if err != nil {
		return nil, []Diagnostic{{SeverityError, invalidJSON, err.Error(), ""}}
	}
	o, ok := v.(*jsonata.Object)
	if !ok {
		return nil, []Diagnostic{{SeverityError, schemaFailed, "Definition must be a valid JSON object", ""}}
	}
	return o, nil
}

// A validator goes through a definition as it is written, with both query languages.
type validator struct {
	express  bool
	problems []Diagnostic
	states   map[string]bool // the names met, in all flows
	long     bool            // a location was too long, and that was said
	// machineJSONata tells that JSONata is the language of the whole machine.
	machineJSONata bool
}

func validateDefinition(o *jsonata.Object, express bool) []Diagnostic {
	v := &validator{express: express, states: map[string]bool{}}
	v.machine(o)
	return v.problems
}

func (v *validator) add(severity, code, at, message string) {
	if len(v.problems) < maxDiagnostics {
		v.problems = append(v.problems, Diagnostic{severity, code, message, at})
	}
}

// schema reports what the language does not allow.
func (v *validator) schema(at, format string, args ...any) {
	v.add(SeverityError, schemaFailed, at, fmt.Sprintf(format, args...))
}

func (v *validator) warn(code, at, message string) { v.add(SeverityWarning, code, at, message) }

// maxLocation bounds the locations of diagnostics. Each value has one, which begins with
// those of all that it is in: of long names, some megabytes would make gigabytes.
const maxLocation = 4096

// join returns the location of a member whose name the definition chose.
func (v *validator) join(at, name string) string {
	if len(at)+len(name) < maxLocation {
		return at + "/" + name
	}
	if !v.long {
		v.long = true
		v.schema(at, "The names that lead to a value cannot be longer than %d bytes together", maxLocation)
	}
	return at
}

// wrongType reports a value that is not of a type: String, Integer, Object …
func (v *validator) wrongType(at, want string) { v.schema(at, "Expected value of type %s", want) }

// required reports the members that are missing, all in one diagnostic.
func (v *validator) required(o *jsonata.Object, at string, names ...string) bool {
	missing := slices.DeleteFunc(names, func(name string) bool { return hasKey(o, name) })
	if len(missing) == 0 {
		return true
	}
	if at == "" {
		at = "/"
	}
	v.schema(at, "These fields are required: [%s]", strings.Join(missing, ", "))
	return false
}

// exactlyOne reports that none, or more than one, of the members is there.
func (v *validator) exactlyOne(o *jsonata.Object, at string, names ...string) bool {
	n := 0
	for _, name := range names {
		if hasKey(o, name) {
			n++
		}
	}
	if n != 1 {
		v.schema(at, "Exactly one of these fields is required: [%s]", strings.Join(names, ", "))
	}
	return n == 1
}

// oneAtMost reports that two members are there of which one stands for the other.
func (v *validator) oneAtMost(o *jsonata.Object, at, one, other string) {
	if hasKey(o, one) && hasKey(o, other) {
		v.schema(at, "Only one of these fields is allowed: [%s, %s]", one, other)
	}
}

// text returns a member that is text and, where it is there, not empty.
func (v *validator) text(o *jsonata.Object, field, at string) (string, bool) {
	value, has := o.Get(field)
	if !has {
		return "", false
	}
	s, ok := value.(string)
	switch {
	case !ok:
		v.wrongType(at+"/"+field, "String")
	case s == "":
		v.schema(at+"/"+field, "Value cannot be empty")
	}
	return s, s != ""
}

func (v *validator) comment(o *jsonata.Object, at string) {
	if value, has := o.Get("Comment"); has {
		if _, ok := value.(string); !ok {
			v.wrongType(at+"/Comment", "String")
		}
	}
}

// oneOf checks an enumeration.
func (v *validator) oneOf(o *jsonata.Object, field, at string, values ...string) (string, bool) {
	value, has := o.Get(field)
	if !has {
		return "", false
	}
	s, ok := value.(string)
	if !ok || !slices.Contains(values, s) {
		v.schema(at+"/"+field, "The field '%s' should have one of these values: [%s]", field, strings.Join(values, ", "))
		return "", false
	}
	return s, true
}

// list returns a member that is an array with something in it.
func (v *validator) list(o *jsonata.Object, field, at string) []any {
	value, has := o.Get(field)
	if !has {
		return nil
	}
	list, ok := value.([]any)
	switch {
	case !ok:
		v.wrongType(at+"/"+field, "Array")
	case len(list) == 0:
		v.schema(at+"/"+field, "Value cannot be empty")
	}
	return list
}

// objects goes through an array of objects; an empty one is allowed.
func (v *validator) objects(o *jsonata.Object, field, at string, do func(o *jsonata.Object, i int, n int, at string)) {
	value, has := o.Get(field)
	if !has {
		return
	}
	list, ok := value.([]any)
	if !ok {
		v.wrongType(at+"/"+field, "Array")
		return
	}
	for i, item := range list {
		where := at + "/" + field + "[" + strconv.Itoa(i) + "]"
		if child, ok := item.(*jsonata.Object); ok {
			do(child, i, len(list), where)
		} else {
			v.wrongType(where, "Object")
		}
	}
}

// fields refuses members that are in none of the lists.
func (v *validator) fields(o *jsonata.Object, at string, lists ...[]string) {
	for i := range o.Len() {
		key, _ := o.At(i)
		if !slices.ContainsFunc(lists, func(list []string) bool { return slices.Contains(list, key) }) {
			v.schema(v.join(at, key), "Field is not supported")
		}
	}
}
