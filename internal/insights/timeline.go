package insights

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// shown are the members of a line in the timeline, in order. The ids are in the summary.
var shown = map[Kind][]string{
	API:       {"routeKey", "status", "integrationError", "gatewayRequestId"},
	Function:  {"route", "delivery", "deadLetter", "gatewayRequestId", "error", "reason", "state", "cause", "then", "httpStatus", "receiveCount", "durationMs", "replayed", "filtered"},
	Execution: {"state", "error", "cause"},
}

// WriteTimeline writes the lines by time, and then the summary of each delivery.
func WriteTimeline(w io.Writer, events []Event) error {
	for _, e := range events {
		what := e.Text("message")
		switch e.Kind {
		case API:
			what = "request"
		case Execution:
			what = e.Text("type")
		}
		line := fmt.Sprintf("%s  %-9s  %s", stamp(e.Time), e.Kind, what)
		for _, name := range shown[e.Kind] {
			if v := e.Text(name); v != "" {
				line += " " + name + "=" + quoted(v)
			}
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	for _, s := range Summaries(events) {
		if _, err := fmt.Fprint(w, "\n", s); err != nil {
			return err
		}
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// quoted formats a value so that it can be read back, without quotes if it needs none.
func quoted(v string) string {
	if strings.ContainsAny(v, " =\"") {
		return fmt.Sprintf("%q", v)
	}
	return v
}

// A Summary describes the result of one attempt at a delivery.
type Summary struct {
	Delivery, Route, Request, Sender, Trace, Execution, Status, Error, State, Cause, Then string
	Time                                                                                  time.Time
}

// Summaries joins the lines of functions with those of executions.
func Summaries(events []Event) []Summary {
	ends := map[string]end{}
	for _, e := range events {
		if e.Kind == Execution {
			arn := e.Text("executionArn")
			x := ends[arn]
			x.read(e)
			ends[arn] = x
		}
	}
	var out []Summary
	said := map[string]bool{}
	for _, e := range events {
		if e.Kind != Function || e.Text("delivery") == "" && e.Text("error") == "" || e.Text("message") == "function starts" {
			continue
		}
		s := Summary{
			Delivery: e.Text("delivery"), Route: e.Text("route"), Request: e.Text("requestId"), Sender: e.Text("gatewayRequestId"), Trace: e.Text("traceId"),
			Execution: e.Text("executionArn"), Status: e.Text("status"), Error: e.Text("error"), State: e.Text("state"), Cause: e.Text("cause"), Then: e.Text("then"), Time: e.Time,
		}
		if s.Execution == "" {
			s.Execution = e.Text("executionName")
		}
		if s.Cause == "" && s.Error != "" {
			s.Cause = e.Text("reason")
		}
		s.join(ends[s.Execution])
		said[s.Execution] = true
		out = append(out, s)
	}
	// Executions that no function mentions, such as those of StartExecution.
	for _, e := range events {
		arn := e.Text("executionArn")
		if e.Kind != Execution || said[arn] {
			continue
		}
		said[arn] = true
		s := Summary{Execution: arn, Time: e.Time}
		s.join(ends[arn])
		out = append(out, s)
	}
	return out
}

func (s *Summary) join(x end) {
	set := func(to *string, v string) {
		if *to == "" {
			*to = v
		}
	}
	set(&s.Status, x.status)
	if x.status != "" && x.status != "SUCCEEDED" {
		set(&s.Error, x.err)
		set(&s.State, x.state)
		if x.cause != "" {
			s.Cause = x.cause
		}
	}
}

// An end is the end of an execution according to its log.
type end struct{ status, state, err, cause, entered string }

func (x *end) read(e Event) {
	switch kind := e.Text("type"); {
	case strings.HasSuffix(kind, "StateEntered"):
		x.entered = e.Text("state")
	case kind == "ExecutionSucceeded":
		x.status = "SUCCEEDED"
	case kind == "ExecutionFailed", kind == "ExecutionTimedOut", kind == "ExecutionAborted":
		x.status = map[string]string{"ExecutionFailed": "FAILED", "ExecutionTimedOut": "TIMED_OUT", "ExecutionAborted": "ABORTED"}[kind]
		x.state, x.err, x.cause = x.entered, e.Text("error"), e.Text("cause")
	}
}

// String formats the summary as a block of lines.
func (s Summary) String() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-10s %s\n", name, value)
		}
	}
	line("delivery", s.Delivery)
	line("route", s.Route)
	line("at", stamp(s.Time))
	line("request", s.Request)
	if s.Sender != s.Delivery {
		line("sender's", s.Sender)
	}
	line("trace", s.Trace)
	line("execution", s.Execution)
	line("status", s.Status)
	line("error", s.Error)
	line("state", s.State)
	line("cause", s.Cause)
	line("then", s.Then)
	return b.String()
}
