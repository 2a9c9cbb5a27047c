package asl

import (
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/jsontext"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// How a definition becomes a Machine: text → tree (decodeDefinition) → validation
// (validate_*.go) → Machine (compile_*.go). Only validation refuses definitions; what it
// accepts compiles. Expressions are compiled once, during validation.

// A Diagnostic is one finding about a definition, as returned by
// ValidateStateMachineDefinition.
type Diagnostic struct {
	Severity string // ERROR or WARNING
	Code     string // such as SCHEMA_VALIDATION_FAILED
	Message  string
	Location string // a path such as /States/Ship/Next; empty for the whole definition
}

// String returns the diagnostic as CreateStateMachine writes it in its message.
func (d Diagnostic) String() string {
	switch {
	case d.Code == invalidJSON: // the message contains the place
		return d.Code + ": " + d.Message
	case d.Location == "":
		return d.Code + ": " + d.Message + " at null" // as the service writes it
	}
	return d.Code + ": " + d.Message + " at " + d.Location
}

// The severities of diagnostics: a definition with an error is refused, one with warnings
// is not.
const (
	SeverityError   = "ERROR"
	SeverityWarning = "WARNING"
)

// The codes of diagnostics.
const (
	schemaFailed          = "SCHEMA_VALIDATION_FAILED"
	invalidJSON           = "INVALID_JSON_DESCRIPTION"
	invalidExpression     = "INVALID_JSONATA_EXPRESSION"
	unsupportedExpression = "UNSUPPORTED_JSONATA_EXPRESSION"
	missingTarget         = "MISSING_TRANSITION_TARGET"
	missingEnd            = "MISSING_END_STATE"
	duplicateState        = "DUPLICATE_STATE_NAME"
	staticPassResult      = "PASS_RESULT_IS_STATIC"
	noDollar              = "NO_DOLLAR"
	noPath                = "NO_PATH"
)

// A DefinitionError holds the errors of a definition; it has at least one.
type DefinitionError struct{ Diagnostics []Diagnostic }

// Error returns the message of CreateStateMachine.
func (e *DefinitionError) Error() string {
	texts := make([]string, len(e.Diagnostics))
	for i, d := range e.Diagnostics {
		texts[i] = d.String()
	}
	return "Invalid State Machine Definition: '" + strings.Join(texts, ", ") + "'"
}

// Parse reads a definition for a state machine of either type. The error is a
// *[DefinitionError] with the errors that [Validate] returns.
func Parse(definition []byte) (*Machine, error) { return load(definition, false) }

// ParseExpress is [Parse] for a machine of type EXPRESS, which has no activities, no .sync
// or .waitForTaskToken integrations, and no Distributed Map.
func ParseExpress(definition []byte) (*Machine, error) { return load(definition, true) }

func load(definition []byte, express bool) (*Machine, error) {
	o, v := judge(definition, express)
	if err := refusal(v.problems); err != nil {
		return nil, err
	}
	return v.compiler().machine(o)
}

// Validate returns the errors and the warnings of a definition, for a machine of type
// EXPRESS or for one of either type, with the texts of the service. Locations have the
// service's form: /States/Ship/Choices[0]/Next. [Locate] converts them to lines and
// columns.
func Validate(definition []byte, express bool) []Diagnostic {
	_, v := judge(definition, express)
	return v.problems
}

// judge decodes and validates a whole definition. If there are no errors, it returns the
// tree.
func judge(definition []byte, express bool) (*jsonata.Object, *validator) {
	v := newValidator(express)
	o := v.decode(definition)
	if o != nil {
		v.machine(o)
	}
	return o, v
}

// decode reads the text; it returns nil if it is not a JSON object.
func (v *validator) decode(definition []byte) *jsonata.Object {
	const notObject = "Definition must be a valid JSON object"
	if strings.TrimLeft(string(definition), " \t\r\n") == "" {
		v.schema("", notObject)
		return nil
	}
	if e := jsontext.CheckUnique(definition); e != nil {
		v.add(SeverityError, invalidJSON, e.Location(), e.Error())
		return nil
	}
	value, err := jsonata.Decode(definition)
	if err != nil {
		v.add(SeverityError, invalidJSON, "", err.Error())
		return nil
	}
	o, ok := value.(*jsonata.Object)
	if !ok {
		v.schema("", notObject)
	}
	return o
}

// refusal returns the errors among diagnostics as a *[DefinitionError], or nil.
func refusal(list []Diagnostic) error {
	list = slices.DeleteFunc(slices.Clone(list), func(d Diagnostic) bool { return !isError(d) })
	if len(list) == 0 {
		return nil
	}
	return &DefinitionError{list}
}

func isError(d Diagnostic) bool { return d.Severity == SeverityError }

// Locate returns the line and the column, from 1, of a diagnostic's place in its
// definition. If the message names a member of the place, it returns the member's
// position.
func Locate(definition []byte, d Diagnostic) (line, column int) {
	if d.Code == invalidJSON {
		if e := jsontext.CheckUnique(definition); e != nil {
			return e.Line, e.Column
		}
	}
	at := jsontext.Find(definition, d.Location)
	if field := namedField(d.Message); field != "" {
		at = jsontext.Find(definition, strings.TrimSuffix(d.Location, "/")+"/"+field)
	}
	return jsontext.Position(definition, at)
}

// namedField returns the field that a message is about, if its location is that of the
// object with the field.
func namedField(message string) string {
	for _, form := range [][2]string{{"Field '", "' is not supported"}, {"but field '", "' is only"}, {"The value for the field '", "' must be"}} {
		if _, rest, ok := strings.Cut(message, form[0]); ok {
			if field, _, ok := strings.Cut(rest, form[1]); ok {
				return field
			}
		}
	}
	return ""
}
