// Package wiring checks how a template fits the routes of expressway.yaml: the functions'
// event sources, permissions and environment, and how long each part waits for the next.
//
// Every finding is certain. If a part is not known, such as a role of another stack, the
// checks that need it are skipped, and a note says so.
package wiring

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/expressway-dev/expressway/pkg/template"
)

// Severity says how serious a finding is.
type Severity string

// The severities: for what cannot work, loses messages or is denied; for what works but
// is risky; and for what is not known.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// A Finding is a mistake or a risk, with its place and its cure.
type Finding struct {
	Severity Severity
	// Rule is the finding's kind, for filters and for SARIF.
	Rule    string
	Pos     template.Pos
	Message string
	Cure    string
}

// Text returns the message with its cure.
func (f Finding) Text() string {
	if f.Cure == "" {
		return f.Message
	}
	return f.Message + ". " + f.Cure
}

func (f Finding) String() string {
	rule := ""
	if f.Rule != "" {
		rule = " [" + f.Rule + "]"
	}
	return fmt.Sprintf("%s: %s: %s%s", f.Pos, f.Severity, f.Text(), rule)
}

// Rules describes every kind of finding of this package.
var Rules = map[string]string{
	"queue-without-mapping":      "A queue route that no event source mapping feeds, or a route whose accepted deliveries no function processes",
	"mapping-without-route":      "An event source mapping whose messages no route takes",
	"generated-name":             "A name that CloudFormation generates and the route does not match",
	"report-batch-item-failures": "An event source mapping without ReportBatchItemFailures",
	"visibility-timeout":         "A queue whose visibility timeout is shorter than six times the function's timeout and the batching window",
	"no-redrive-policy":          "A queue without a redrive policy",
	"permission-missing":         "A permission that a route needs and the function's role lacks",
	"permission-excess":          "A permission that no route of the function needs",
	"permission-unknown":         "A role whose permissions are not all known",
	"standard-synchronous":       "A STANDARD state machine that is started synchronously",
	"machine-unknown":            "A state machine that is not in the template",
	"express-logging":            "An Express state machine without logging",
	"variable-missing":           "A variable that the configuration reads and the function's environment lacks",
	"timeout-order":              "A timeout that is longer than the enclosing one",
	"reserved-concurrency":       "Reserved concurrency below the mapping's maximum",
	"rule-without-route":         "A rule whose events no route takes",
	"event-without-rule":         "An event route that no rule feeds",
	"door-missing":               "A method or path of a route that the API does not accept",
	"pipe-invocation":            "A pipe that does not wait for the function's answer",
	"source-without-function":    "A route that no function of the template runs",
	"dedupe-claim":               "A duplicate that is abandoned before the claim of the first delivery expires",
	"bucket-lifecycle":           "A bucket of large inputs that keeps them forever, or for less time than the messages that refer to them",
	"lookup-key":                 "A table of waiting tasks that the route reads by an attribute that is not its whole key",
	"resume-without-wait":        "A route that resumes tasks, though no state machine of the template waits for a task token",
	"template":                   "A mistake in the template itself",
}

// Sort orders findings by place.
func Sort(list []Finding) {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(a.Pos.Compare(b.Pos), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
}

// sorted orders findings by place, and drops duplicates.
func sorted(list []Finding) []Finding {
	Sort(list)
	return slices.Compact(list)
}
