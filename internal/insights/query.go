// Package insights finds the log lines of a delivery: it writes the query of CloudWatch
// Logs Insights for an id, runs it, and makes a timeline of the results.
package insights

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// A Search says what to look for; empty members are ignored.
type Search struct {
	// Any is an id of any kind.
	Any string
	// Route is a route's name, Delivery the sender's id, Request the id of Lambda or the
	// one returned to the sender, Trace an X-Ray trace, and Execution an ARN or a name.
	Route, Delivery, Request, Trace, Execution string
}

// Empty reports whether the search has no criteria.
func (s Search) Empty() bool { return s == Search{} }

// Check refuses values that cannot be in a query.
func (s Search) Check() error {
	for _, text := range []string{s.Any, s.Route, s.Delivery, s.Request, s.Trace, s.Execution} {
		if len(text) > 2048 || strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("%.40q cannot be an id: it is longer than 2048 bytes, or has control characters", text)
		}
	}
	return nil
}

// The fields that hold ids of a kind, in the lines of the functions, of the API's access log
// and of executions.
var (
	requestFields   = []string{"requestId", "gatewayRequestId"}
	letterFields    = []string{"delivery", "deadLetter", "gatewayRequestId"}
	executionFields = []string{"executionArn", "execution_arn", "executionName"}
	anyFields       = append([]string{"delivery", "deadLetter", "traceId", "route"}, append(requestFields, executionFields...)...)
)

// Filter is the condition of the search.
func (s Search) Filter() string {
	var parts []string
	add := func(value string, fields ...string) {
		if value == "" {
			return
		}
		var either []string
		for _, f := range fields {
			either = append(either, f+" = "+quote(value))
			if f == "traceId" && xray(value) != value {
				either = append(either, f+" = "+quote(xray(value)))
			}
			if letter, ok := strings.CutPrefix(value, redriven); ok && slices.Contains(letterFields, f) {
				either = append(either, f+" = "+quote(letter))
			}
		}
		if slices.Contains(fields, "execution_arn") && !strings.HasPrefix(value, "arn:") {
			// A name is a part of the ARN.
			either = append(either, "executionArn like "+quote(":"+value+":"), "execution_arn like "+quote(":"+value+":"))
		}
		parts = append(parts, "("+strings.Join(either, " or ")+")")
	}
	add(s.Route, "route")
	add(s.Delivery, "delivery")
	add(s.Request, requestFields...)
	add(s.Trace, "traceId")
	add(s.Execution, executionFields...)
	add(s.Any, anyFields...)
	return strings.Join(parts, " and ")
}

// redriven begins the redrive id of a dead letter, before its message id.
const redriven = "redrive-"

var (
	header = regexp.MustCompile(`(?i)^Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(;|$)`)
	w3c    = regexp.MustCompile(`^(?:00-)?([0-9a-f]{8})([0-9a-f]{24})(?:-[0-9a-f]{16}-[0-9a-f]{2})?$`)
)

// xray returns a trace id in the form that the lines have, from X-Ray's header, from W3C's
// traceparent or from its trace id; any other text is returned as it is.
func xray(id string) string {
	if m := header.FindStringSubmatch(id); m != nil {
		return m[1]
	}
	if m := w3c.FindStringSubmatch(id); m != nil {
		return "1-" + m[1] + "-" + m[2]
	}
	return id
}

// Query returns the query of the search.
func (s Search) Query(limit int) string { return query(s.Filter(), time.Time{}, limit) }

// query returns the query of one page, from a time on if from is set.
func query(filter string, from time.Time, limit int) string {
	if !from.IsZero() {
		filter = fmt.Sprintf("@timestamp >= %d and %s", from.UnixMilli(), filter)
	}
	return fmt.Sprintf("fields @timestamp, @message, @log\n| filter %s\n| sort @timestamp asc\n| limit %d", filter, limit)
}

// executions returns the condition for the log lines of executions.
func executions(arns []string) string {
	quoted := make([]string, len(arns))
	for i, arn := range arns {
		quoted[i] = quote(arn)
	}
	return "execution_arn in [" + strings.Join(quoted, ", ") + "]"
}

// quote returns a string literal of the query language.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
