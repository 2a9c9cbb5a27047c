package statesapi

import (
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// The codes of diagnostics: for violations of the States Language, and for text that is
// not JSON.
const (
	schemaFailed = "SCHEMA_VALIDATION_FAILED"
	invalidJSON  = "INVALID_JSON_DESCRIPTION"
)

// The severities of diagnostics.
const (
	severityError   = asl.SeverityError
	severityWarning = asl.SeverityWarning
)

// A Diagnostic is one finding about a definition. Severity is ERROR or WARNING; Location
// is a JSON pointer (/States/A/Next), or empty.
type Diagnostic struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Location string `json:"location,omitempty"`
}

// A ValidateInput is the request of [Service.Validate]; a nil member was not sent.
type ValidateInput struct {
	Definition, Type *string
	// Severity is the lowest severity to return: ERROR (the default) or WARNING.
	Severity *string
	// MaxResults is at most 100; nil and 0 mean 100.
	MaxResults *int64
}

// A ValidateOutput is the answer of [Service.Validate]: Result is OK or FAIL.
type ValidateOutput struct {
	Result      string       `json:"result"`
	Diagnostics []Diagnostic `json:"diagnostics"`
	Truncated   bool         `json:"truncated"`
}

// Validate returns the findings about a definition, and registers nothing
// ([ValidateStateMachineDefinition]).
//
// [ValidateStateMachineDefinition]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
func (s *Service) Validate(in ValidateInput) (*ValidateOutput, error) {
	var c constraints
	if c.required("definition", in.Definition != nil) {
		c.sensitive("definition", characters(*in.Definition), 1, maxDefinition)
	}
	c.oneOf("type", in.Type, Standard, Express)
	c.oneOf("severity", in.Severity, severityError, severityWarning)
	const most = 100
	c.number("maxResults", in.MaxResults, most)
	if err := c.err(); err != nil {
		return nil, err
	}
	kind := Standard
	if in.Type != nil {
		kind = *in.Type
	}
	out := &ValidateOutput{Result: "OK", Diagnostics: s.opts.Engine.Validate([]byte(*in.Definition), kind)}
	if slices.ContainsFunc(out.Diagnostics, func(d Diagnostic) bool { return d.Severity == severityError }) {
		out.Result = "FAIL"
	}
	if deref(in.Severity) != severityWarning {
		out.Diagnostics = slices.DeleteFunc(out.Diagnostics, func(d Diagnostic) bool { return d.Severity != severityError })
	}
	size := most
	if in.MaxResults != nil && *in.MaxResults > 0 {
		size = int(*in.MaxResults)
	}
	if len(out.Diagnostics) > size {
		out.Diagnostics, out.Truncated = out.Diagnostics[:size], true
	}
	if out.Diagnostics == nil {
		out.Diagnostics = []Diagnostic{}
	}
	return out, nil
}

// definitionMessage joins the findings about a definition as AWS does.
func definitionMessage(list []Diagnostic) string {
	texts := make([]string, len(list))
	for i, d := range list {
		texts[i] = asl.Diagnostic(d).String()
	}
	return strings.Join(texts, ", ")
}
