package statesapi

import (
	"slices"
	"strings"
	"unicode"
)

// An arn is the parsed ARN of a state machine.
type arn struct {
	base      string // without the qualifier
	name      string
	qualifier string // a version's number or an alias, or ""
	testCase  string // from Step Functions Local: the text after #, or ""
}

// full returns the ARN with its qualifier but without the test case, which is the service's
// name for the state machine in answers.
func (a arn) full() string {
	if a.qualifier == "" {
		return a.base
	}
	return a.base + ":" + a.qualifier
}

// parseARN parses the ARN of a state machine, in the form
// arn:aws:states:us-east-1:123456789012:stateMachine:NAME[:QUALIFIER][#TESTCASE].
func parseARN(s string) (arn, *Error) {
	text, testCase, _ := strings.Cut(s, "#")
	var room [8]string // an ARN with a qualifier has as many parts
	parts := room[:0]
	for part := range strings.SplitSeq(text, ":") {
		parts = append(parts, part)
	}
	if parts[0] != "arn" || len(parts) < 2 {
		return arn{}, noARN(s)
	}
	if len(parts) < 7 || parts[1] == "" || parts[2] != "states" || parts[3] == "" || parts[4] == "" || parts[6] == "" {
		return arn{}, invalidARN(s)
	}
	if parts[5] != "stateMachine" {
		return arn{}, wrongResource(parts[5])
	}
	a := arn{base: text, name: parts[6], testCase: testCase}
	switch {
	case len(parts) > 8:
		return arn{}, invalidARN(s)
	case len(parts) == 8:
		a.base, a.qualifier = strings.Join(parts[:7], ":"), parts[7]
		if a.qualifier == "" {
			return arn{}, invalidARN(s)
		}
	}
	if machine, label, labelled := strings.Cut(a.name, "/"); labelled {
		if machine == "" || label == "" {
			return arn{}, invalidARN(s)
		}
		return arn{}, invalid(reasonLabel, "This operation does not support ARNs with the label of a Map state: '%s'", s)
	}
	return a, nil
}

// checkARN refuses a text that is not the ARN of an execution, an activity or a Map Run.
// The ARN must have length parts, and none after the resource's name may be empty.
func checkARN(text, resource string, length int) *Error {
	parts := strings.Split(text, ":")
	switch {
	case parts[0] != "arn" || len(parts) < 2:
		return noARN(text)
	case len(parts) < 7 || parts[2] != "states":
		return invalidARN(text)
	case parts[5] != resource:
		return wrongResource(parts[5])
	case len(parts) != length || slices.Contains(parts[6:], ""):
		return invalidARN(text)
	}
	return nil
}

func noARN(text string) *Error {
	return errorf(InvalidArn, "Invalid Arn: 'Invalid ARN prefix: %s'", text)
}

func invalidARN(text string) *Error { return errorf(InvalidArn, "Invalid Arn: '%s'", text) }

func wrongResource(kind string) *Error {
	return errorf(InvalidArn, "Invalid Arn: 'Resource type not valid in this context: %s'", kind)
}

// validName reports whether Step Functions accepts a name for a state machine or an
// execution. The list of characters is from [StartExecution]; lengths are checked
// separately.
//
// [StartExecution]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func validName(name string) bool {
	for _, r := range name {
		switch {
		case unicode.IsSpace(r), strings.ContainsRune("<>{}[]?*\"#%\\^|~`$&,;:/", r),
			r <= 0x1F, r >= 0x7F && r <= 0x9F, r == 0xFFFE, r == 0xFFFF, r == 0x10FFFF,
			r == unicode.ReplacementChar: // also the decoded form of a lone surrogate
			return false
		}
	}
	return true
}

func checkName(name string) *Error {
	if !validName(name) {
		return errorf(InvalidName, "Invalid Name: '%s'", name)
	}
	return nil
}
