package asl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// maxDiagnostics bounds the diagnostics of a hostile definition; the API returns at most
// 100.
const maxDiagnostics = 1000

// A validator checks a definition as it is written, in both query languages. All
// diagnostics come from it.
type validator struct {
	express  bool
	problems []Diagnostic
	states   map[string]bool // the names that occur in any flow
	long     bool            // a location was too long, which has been reported
	// machineJSONata means that JSONata is the language of the whole machine.
	machineJSONata bool
	// expressions holds the compiled expressions by their text, for the compiler.
	expressions map[string]*jsonata.Expr
}

func newValidator(express bool) *validator {
	return &validator{express: express, states: map[string]bool{}, expressions: map[string]*jsonata.Expr{}}
}

func (v *validator) compiler() *compiler {
	return &compiler{machineJSONata: v.machineJSONata, expressions: v.expressions}
}

func (v *validator) add(severity, code, at, message string) {
	if len(v.problems) < maxDiagnostics {
		v.problems = append(v.problems, Diagnostic{severity, code, message, at})
	}
}

// schema reports something that the language does not allow.
func (v *validator) schema(at, format string, args ...any) {
	v.add(SeverityError, schemaFailed, at, fmt.Sprintf(format, args...))
}

func (v *validator) warn(code, at, message string) { v.add(SeverityWarning, code, at, message) }

// maxLocation bounds the locations of diagnostics. The location of a value begins with
// those of all values around it, so that a few megabytes of long names would make
// gigabytes.
const maxLocation = 4096

// join returns the location of a member whose name the definition chose.
func (v *validator) join(at, name string) string {
	if len(at)+len(name) < maxLocation {
		return at + "/" + name
	}
	if !v.long {
		v.long = true
		v.schema(at, "The names that lead to a value cannot be longer than %d bytes in total", maxLocation)
	}
	return at
}

// rooted returns the location of an object; that of the machine is "/".
func rooted(at string) string {
	if at == "" {
		return "/"
	}
	return at
}

// wrongType reports a value that is not of the given type: STRING, INTEGER, OBJECT …
func (v *validator) wrongType(at, want string) { v.schema(at, "Expected value of type [%s]", want) }

// unsupported reports a member that the object at the location does not have.
func (v *validator) unsupported(at, field string) {
	if len(field) > maxLocation {
		v.join(at, field)
		return
	}
	v.schema(rooted(at), "Field '%s' is not supported", field)
}

// required reports the members that are missing, all in one diagnostic.
func (v *validator) required(o *jsonata.Object, at string, names ...string) bool {
	missing := slices.DeleteFunc(names, func(name string) bool { return o.Has(name) })
	if len(missing) == 0 {
		return true
	}
	v.schema(rooted(at), "These fields are required: [%s]", strings.Join(missing, ", "))
	return false
}

// exactlyOne reports that none, or more than one, of the members is present.
func (v *validator) exactlyOne(o *jsonata.Object, at string, names ...string) {
	if !slices.ContainsFunc(names, func(name string) bool { return o.Has(name) }) {
		v.schema(at, "Exactly one of these fields is required: [%s]", strings.Join(names, ", "))
		return
	}
	v.oneAtMost(o, at, names...)
}

// oneAtMost reports members that cannot be combined.
func (v *validator) oneAtMost(o *jsonata.Object, at string, names ...string) {
	present := 0
	for _, name := range names {
		if o.Has(name) {
			present++
		}
	}
	if present > 1 {
		v.schema(at, "There should only be one of the following fields: [%s]", strings.Join(names, ", "))
	}
}

// text returns a member that is a string; if it is present, it must not be empty.
func (v *validator) text(o *jsonata.Object, field, at string) (string, bool) {
	value, has := o.Get(field)
	if !has {
		return "", false
	}
	s, ok := value.(string)
	switch {
	case !ok:
		v.wrongType(at+"/"+field, "STRING")
	case s == "":
		v.schema(at+"/"+field, "Value cannot be empty")
	}
	return s, s != ""
}

func (v *validator) comment(o *jsonata.Object, at string) {
	if value, has := o.Get("Comment"); has {
		if _, ok := value.(string); !ok {
			v.wrongType(at+"/Comment", "STRING")
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
	switch {
	case !ok:
		v.wrongType(at+"/"+field, "STRING")
	case !slices.Contains(values, s):
		v.schema(at+"/"+field, "Value should be one of the following: [%s]", strings.Join(values, ", "))
		return "", false
	}
	return s, ok
}

// list returns a member that is a non-empty array.
func (v *validator) list(o *jsonata.Object, field, at string) []any {
	value, has := o.Get(field)
	if !has {
		return nil
	}
	list, ok := value.([]any)
	switch {
	case !ok:
		v.wrongType(at+"/"+field, "ARRAY")
	case len(list) == 0:
		v.schema(at+"/"+field, "Value cannot be empty")
	}
	return list
}

// objects calls do for an array of objects, which may be empty.
func (v *validator) objects(o *jsonata.Object, field, at string, do func(o *jsonata.Object, i int, n int, at string)) {
	value, has := o.Get(field)
	if !has {
		return
	}
	list, ok := value.([]any)
	if !ok {
		v.wrongType(at+"/"+field, "ARRAY")
		return
	}
	for i, item := range list {
		where := at + "/" + field + "[" + strconv.Itoa(i) + "]"
		if child, ok := item.(*jsonata.Object); ok {
			do(child, i, len(list), where)
		} else {
			v.wrongType(where, "OBJECT")
		}
	}
}

// fields refuses members that are in none of the lists.
func (v *validator) fields(o *jsonata.Object, at string, lists ...[]string) {
	for i := range o.Len() {
		key, _ := o.At(i)
		if !slices.ContainsFunc(lists, func(list []string) bool { return slices.Contains(list, key) }) {
			v.unsupported(at, key)
		}
	}
}
