package statesapi

// The codes of diagnostics: what the States Language refuses, and what is no JSON.
const (
	SchemaValidationFailed = "SCHEMA_VALIDATION_FAILED"
	InvalidJSONDescription = "INVALID_JSON_DESCRIPTION"
)

// A Diagnostic is one thing that is wrong with a definition. Severity is ERROR or
// WARNING; Location is a JSON pointer (/States/A/Next), or empty.
type Diagnostic struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Location string `json:"location,omitempty"`
}

// A ValidateInput is the request of [Service.Validate]; a nil member was not sent.
type ValidateInput struct {
	Definition, Type, Severity *string
	// MaxResults is at most 100, which nil and 0 stand for.
	MaxResults *int64
}

// A ValidateOutput is the answer of [Service.Validate]: Result is OK or FAIL.
type ValidateOutput struct {
	Result      string       `json:"result"`
	Diagnostics []Diagnostic `json:"diagnostics"`
	Truncated   bool         `json:"truncated"`
}

// Validate says what is wrong with a definition, and registers nothing
// ([ValidateStateMachineDefinition]).
//
// [ValidateStateMachineDefinition]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
func (s *Service) Validate(in ValidateInput) (*ValidateOutput, error) {
	var c constraints
	if c.required("definition", in.Definition != nil) {
		c.sensitive("definition", characters(*in.Definition), 1, maxDefinition)
	}
	c.oneOf("type", in.Type, Standard, Express)
	c.oneOf("severity", in.Severity, "ERROR", "WARNING")
	const most = 100
	c.number("maxResults", in.MaxResults, most)
	if err := c.err(); err != nil {
		return nil, err
	}
	out := &ValidateOutput{Result: "OK", Diagnostics: []Diagnostic{}}
	kind := Standard
	if in.Type != nil {
		kind = *in.Type
	}
	_, err := s.opts.Engine.Parse([]byte(*in.Definition), kind)
	if err == nil {
		return out, nil
	}
	out.Result, out.Diagnostics = "FAIL", diagnose(err)
	size := most
	if in.MaxResults != nil && *in.MaxResults > 0 {
		size = int(*in.MaxResults)
	}
	if len(out.Diagnostics) > size {
		out.Diagnostics, out.Truncated = out.Diagnostics[:size], true
	}
	return out, nil
}
