package insights

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// Kind is the origin of a line.
type Kind string

// The kinds.
const (
	API       Kind = "api"       // the access log of an API
	Function  Kind = "function"  // a function of Expressway
	Execution Kind = "execution" // an execution
	Other     Kind = "other"     // a line that is not JSON
)

// maxText bounds each text of a line.
const maxText = 2048

// An Event is a line of a log.
type Event struct {
	Time  time.Time
	Group string
	Kind  Kind

	ptr    string
	order  int // order of an execution's events with the same time
	fields map[string]string
}

// Text returns a member of the line, or "" if it has none.
func (e Event) Text(name string) string { return e.fields[name] }

// kept are the members of lines that a timeline shows or uses.
var kept = []string{
	"level", "message", "msg", "route", "delivery", "deadLetter", "gatewayRequestId", "requestId", "traceId", "executionArn", "executionName", "stateMachineArn",
	"status", "error", "reason", "class", "cause", "state", "then", "queue", "receiveCount", "source", "detailType", "method", "pattern", "path", "httpStatus",
	"durationMs", "version", "functionVersion", "routeKey", "integrationError", "replayed", "filtered",
}

// parse reads a row. It reports false if the row is not a log line.
func parse(row []types.ResultField) (Event, bool) {
	e := Event{Kind: Other, fields: map[string]string{}}
	text := ""
	for _, f := range row {
		v := aws.ToString(f.Value)
		switch aws.ToString(f.Field) {
		case "@timestamp":
			e.Time, _ = time.Parse("2006-01-02 15:04:05.000", v)
		case "@message":
			text = v
		case "@log":
			_, e.Group, _ = strings.Cut(v, ":") // ACCOUNT:GROUP
		case "@ptr":
			e.ptr = v
		}
	}
	if e.Time.IsZero() {
		return e, false
	}
	e.ptr = cmp.Or(e.ptr, e.Time.String()+text)
	var doc map[string]any
	if json.Unmarshal([]byte(text), &doc) != nil {
		e.fields["message"] = clean(text)
		return e, true
	}
	for _, name := range kept {
		if v, ok := doc[name]; ok {
			e.fields[name] = show(v)
		}
	}
	switch {
	case doc["execution_arn"] != nil:
		e.execution(doc)
	case doc["routeKey"] != nil:
		e.Kind = API
		e.fields["gatewayRequestId"] = e.fields["requestId"]
	default:
		e.Kind = Function
		e.fields["message"] = cmp.Or(e.fields["message"], e.fields["msg"])
	}
	return e, true
}

// execution reads an event of Step Functions.
func (e *Event) execution(doc map[string]any) {
	e.Kind = Execution
	e.fields["executionArn"] = show(doc["execution_arn"])
	e.fields["type"] = show(doc["type"])
	e.order, _ = strconv.Atoi(show(doc["id"]))
	if ms, err := strconv.ParseInt(show(doc["event_timestamp"]), 10, 64); err == nil {
		e.Time = time.UnixMilli(ms).UTC()
	}
	details, _ := doc["details"].(map[string]any)
	for to, from := range map[string]string{"state": "name", "error": "error", "cause": "cause"} {
		if v, ok := details[from]; ok {
			e.fields[to] = show(v)
		}
	}
}

// show formats a value as one line of bounded text.
func show(v any) string {
	switch x := v.(type) {
	case string:
		return clean(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case nil:
		return ""
	case bool:
		return strconv.FormatBool(x)
	}
	return clean(fmt.Sprint(v))
}

// clean removes characters of a log that could harm a terminal.
func clean(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// order sorts by time; the events of an execution keep their own order.
func order(events []Event) {
	slices.SortStableFunc(events, func(a, b Event) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.order, b.order))
	})
}
