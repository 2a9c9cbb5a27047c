package stepfn

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// check refuses what the service would refuse, with a message that names the cause. If
// the endpoint is not AWS's, an ARN may have a "#TestCase", as in Step Functions Local.
func check(s bridge.Start, custom bool) *bridge.Failure {
	arn := s.StateMachineARN
	if custom {
		arn, _, _ = strings.Cut(arn, "#")
	}
	if why := badARN(arn); why != "" {
		return bridge.NewFailure(bridge.Misconfigured, fmt.Sprintf("state machine %q: %s", cut(s.StateMachineARN), why), nil)
	}
	if why := badName(s.Name); why != "" {
		return bridge.NewFailure(bridge.Misconfigured, "execution name: "+why, nil)
	}
	if len(s.Input) > bridge.MaxInput {
		return bridge.NewFailure(bridge.InputTooLarge,
			fmt.Sprintf("the input has %d bytes, and Step Functions takes at most %d", len(s.Input), bridge.MaxInput), nil)
	}
	return nil
}

const samLocal = "`sam local` puts such a placeholder where the template has !Ref or !GetAtt;" +
	" set the variable in env.json to arn:aws:states:us-east-1:123456789012:stateMachine:NAME"

// badARN describes what is wrong with the ARN of a state machine, a version or an alias.
//
// [StateMachineArn]: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-version.html
func badARN(arn string) string {
	if arn == "" {
		return "the ARN is empty"
	}
	if len(arn) > 256 {
		return fmt.Sprintf("the ARN has %d characters; the limit is 256", len(arn))
	}
	if !strings.HasPrefix(arn, "arn:") {
		return "is not an ARN; " + samLocal
	}
	parts := strings.Split(arn, ":")
	if len(parts) > 2 && parts[2] == "lambda" {
		return "is a Lambda function's ARN; " + samLocal
	}
	const shape = "want arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME, perhaps with :VERSION or :ALIAS"
	if len(parts) < 7 || len(parts) > 8 || parts[2] != "states" {
		return "is not a state machine's ARN; " + shape
	}
	if parts[5] != "stateMachine" {
		return "is the ARN of something else in Step Functions; " + shape
	}
	if !all(parts[1], isLabel) || !all(parts[3], isLabel) {
		return "the partition or the region is malformed; " + shape
	}
	if len(parts[4]) != 12 || !all(parts[4], isDigit) {
		return "the account is not 12 digits; " + shape
	}
	for _, name := range parts[6:] {
		if name == "" || badName(name) != "" {
			return "the name, version or alias is malformed; " + shape
		}
	}
	return ""
}

// badName describes what is wrong with an execution's name; an empty name is valid.
//
// [Name]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#StepFunctions-StartExecution-request-name
func badName(name string) string {
	if utf8.RuneCountInString(name) > 80 {
		return fmt.Sprintf("has %d characters; the limit is 80", utf8.RuneCountInString(name))
	}
	for _, r := range name {
		if r <= ' ' || r >= 0x7f && r <= 0xa0 || r >= 0xfffe && r <= 0xffff || r == utf8.RuneError ||
			strings.ContainsRune("<>{}[]?*\"#%\\^|~`$&,;:/", r) {
			return fmt.Sprintf("contains %q, which Step Functions does not allow", r)
		}
	}
	return ""
}

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return s != ""
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLabel(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'z' || c == '-' }

// cut shortens text for messages.
func cut(s string) string {
	if len(s) > 300 {
		return strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
