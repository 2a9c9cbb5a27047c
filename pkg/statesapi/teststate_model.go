package statesapi

import (
	_ "embed" // the models
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

//go:generate sh -c "python3 testdata/teststate_models.py > teststate_models.txt"

// answers are the answers of services' operations; testdata/teststate_models.py has the
// format, and the list of services.
//
//go:embed teststate_models.txt
var answers string

// The modes for checking a mocked result against the service's model.
const (
	modeStrict  = "STRICT"
	modePresent = "PRESENT"
	modeNone    = "NONE"
)

// checkMocked refuses a mocked result that the service of the resource would not return.
// Services and operations that are not in the models are not checked.
func checkMocked(resource, mode string, result any) *Error {
	if mode == modeNone {
		return nil
	}
	service, action, anything := answerOf(resource)
	m := model{strict: mode != modePresent, anything: anything, read: map[string]*members{}}
	if !m.load(service, action) {
		return nil
	}
	return m.value(m.answer, "", result)
}

// answerOf returns the operation whose answer is the result of a resource, and the
// members in which an optimised integration has JSON although the service has text.
func answerOf(resource string) (service, action string, anything []string) {
	rest, _ := asl.Integration(resource)
	if strings.HasSuffix(rest, ".waitForTaskToken") {
		return "", "", nil // the result is the output given to SendTaskSuccess
	}
	if rest, ok := strings.CutPrefix(rest, "aws-sdk:"); ok {
		service, action, _ = strings.Cut(rest, ":")
		return service, action, nil
	}
	switch rest {
	case "states:startExecution.sync":
		return "sfn", "describeExecution", nil
	case "states:startExecution.sync:2":
		return "sfn", "describeExecution", []string{"Input", "Output"}
	case "lambda:invoke":
		anything = []string{"Payload"}
	}
	service, action, _ = strings.Cut(rest, ":")
	switch service {
	case "events":
		service = "eventbridge"
	case "states":
		service = "sfn"
	}
	return service, action, anything
}

// A model is the answer of one operation.
type model struct {
	section  string // the lines of the service, with a line feed before and after each
	answer   string // the structure's name
	strict   bool   // required members must be present
	anything []string
	read     map[string]*members // the structures that have been read so far
}

// members holds the types of a structure's members by their names in lower case.
type members struct {
	kinds    map[string]string
	required []string
}

// load finds the operation, and reports whether it exists.
func (m *model) load(service, action string) bool {
	if service == "" || action == "" || strings.ContainsAny(service+action, " \n") {
		return false
	}
	head := "\n@" + service + "\n"
	start := strings.Index(answers, head)
	if start < 0 {
		return false
	}
	m.section = answers[start+len(head)-1:]
	if end := strings.Index(m.section, "\n@"); end >= 0 {
		m.section = m.section[:end+1]
	}
	var ok bool
	m.answer, ok = m.line("+" + action)
	return ok
}

// line returns the text after the name at the start of a line.
func (m *model) line(name string) (string, bool) {
	if _, rest, ok := strings.Cut(m.section, "\n"+name+" "); ok {
		line, _, _ := strings.Cut(rest, "\n")
		return line, true
	}
	return "", strings.Contains(m.section, "\n"+name+"\n")
}

func schemaError(field, problem string) *Error {
	if field == "" {
		return errorf(ValidationException, "Mock result schema validation error: %s", "The result "+problem)
	}
	return errorf(ValidationException, "Mock result schema validation error: Field '%s' %s", field, problem)
}

// value checks the value of a field; null is treated as absent.
func (m *model) value(kind, field string, v any) *Error {
	v = jsonata.Force(v)
	if v == nil || kind == "a" {
		return nil
	}
	switch kind[0] {
	case '[':
		list, ok := v.([]any)
		if !ok {
			return schemaError(field, "must be an array")
		}
		return m.values(kind[1:], field, slices.Values(list))
	case '{':
		o, ok := v.(*jsonata.Object)
		if !ok {
			return schemaError(field, "must be an object")
		}
		return m.values(kind[1:], field, func(yield func(any) bool) {
			for i := range o.Len() {
				if _, item := o.At(i); !yield(item) {
					return
				}
			}
		})
	case 'n', 'b', 't', 's', 'x', 'e':
		return checkScalar(kind, field, v)
	}
	o, ok := v.(*jsonata.Object)
	if !ok {
		return schemaError(field, "must be an object")
	}
	return m.structure(kind, o)
}

func checkScalar(kind, field string, v any) *Error {
	text, isText := v.(string)
	switch kind[0] {
	case 'n':
		if !isNumber(v) {
			return schemaError(field, "must be a number")
		}
		return checkRange(kind, field, v)
	case 'b':
		if _, ok := v.(bool); !ok {
			return schemaError(field, "must be a boolean")
		}
		return nil
	}
	if !isText {
		return schemaError(field, "must be a string")
	}
	return checkText(kind, field, text)
}

// checkRange checks a number against n, or n128..10240.
func checkRange(kind, field string, v any) *Error {
	low, high, ok := strings.Cut(kind[1:], "..")
	if !ok {
		return nil
	}
	n := numberOf(v)
	if least, err := strconv.ParseFloat(low, 64); err == nil && n < least {
		return schemaError(field, "is less than the minimum value")
	}
	if most, err := strconv.ParseFloat(high, 64); err == nil && n > most {
		return schemaError(field, "exceeds the maximum value")
	}
	return nil
}

func numberOf(v any) float64 {
	switch v := v.(type) {
	case json.Number:
		f, _ := v.Float64()
		return f
	case float64:
		return v
	}
	return 0
}

func isNumber(v any) bool {
	switch v.(type) {
	case json.Number, float64:
		return true
	}
	return false
}

func (m *model) values(kind, field string, items func(func(any) bool)) *Error {
	for item := range items {
		if err := m.value(kind, field, item); err != nil {
			return err
		}
	}
	return nil
}

// structure checks the members that the model has; others are accepted, as in the
// service. Names are compared regardless of case, because the service writes acronyms in
// more than one way (MD5OfMessageBody, Md5OfMessageBody).
func (m *model) structure(name string, o *jsonata.Object) *Error {
	s := m.readMembers(name)
	if m.strict && len(s.required) > 0 {
		sent := map[string]bool{}
		for i := range o.Len() {
			key, _ := o.At(i)
			sent[strings.ToLower(key)] = true
		}
		for _, name := range s.required {
			if !sent[strings.ToLower(name)] {
				return errorf(ValidationException, "Mock result schema validation error: Required field '%s' is missing", name)
			}
		}
	}
	for i := range o.Len() {
		key, v := o.At(i)
		kind, known := s.kinds[strings.ToLower(key)]
		if !known || name == m.answer && slices.Contains(m.anything, key) {
			continue
		}
		if err := m.value(kind, key, v); err != nil {
			return err
		}
	}
	return nil
}

// readMembers reads a structure once.
func (m *model) readMembers(name string) *members {
	if s := m.read[name]; s != nil {
		return s
	}
	line, _ := m.line(name)
	s := &members{kinds: map[string]string{}}
	for member := range strings.FieldsSeq(line) {
		name, kind, _ := strings.Cut(member, ":")
		name, required := strings.CutSuffix(name, "!")
		if required {
			s.required = append(s.required, name)
		}
		s.kinds[strings.ToLower(name)] = kind
	}
	m.read[name] = s
	return s
}

// checkText checks text against e(A|B), s, or s1-10.
func checkText(kind, field, text string) *Error {
	if values, ok := strings.CutPrefix(kind, "e("); ok {
		if !slices.Contains(strings.Split(strings.TrimSuffix(values, ")"), "|"), text) {
			return schemaError(field, "is not an expected value")
		}
		return nil
	}
	least, most, ok := strings.Cut(kind[1:], "-")
	if !ok {
		return nil
	}
	n := utf8.RuneCountInString(text)
	if kind[0] == 'x' {
		if bytes, err := base64.StdEncoding.DecodeString(text); err == nil {
			n = len(bytes)
		}
	}
	if low, _ := strconv.Atoi(least); n < low {
		return schemaError(field, "is smaller than the minimum length")
	}
	if high, err := strconv.Atoi(most); err == nil && n > high {
		return schemaError(field, "is larger than the maximum length")
	}
	return nil
}
