package statesapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// maxEvents is AWS's quota of events in a history; an execution that reaches it fails.
const maxEvents = 25000

// errHistoryFull is AWS's failure of an execution with too many events.
var errHistoryFull = &stopRequest{
	status: bridge.Failed, name: "States.Runtime",
	cause: fmt.Sprintf("The execution reached the maximum number of history events (%d).", maxEvents),
}

// A history holds the steps of one STANDARD execution; the service's runMu guards it.
type history struct {
	events []json.RawMessage
	last   lastEvent
	bytes  int
	// dropped means that the history was dropped because it did not fit.
	dropped bool
}

// eventBytes is the memory of an event in addition to its text.
const eventBytes = 48

// A lastEvent is the one that the next event follows.
type lastEvent struct {
	ID, PreviousID int64
	Type           string
}

func (h *history) add(e asl.Event, text []byte) {
	h.events = append(h.events, text)
	h.bytes += len(text) + eventBytes
	h.last = lastEvent{e.ID, e.PreviousID, e.Type}
}

// drop drops a whole history, because half of one would be misleading.
func (h *history) drop() { *h = history{last: h.last, dropped: true} }

// observer returns the function that observes the events of an execution, or nil if there
// is none.
func (s *Service) observer(x *execution) func(asl.Event) {
	var outside func(asl.Event)
	if s.opts.Observe != nil {
		outside = s.opts.Observe(x.record, x.target.definition)
	}
	if x.started == nil {
		return outside
	}
	keep := s.keeper(x)
	observe := func(e asl.Event) {
		keep(e)
		if outside != nil {
			outside(e)
		}
	}
	for _, e := range x.events { // of an earlier process
		observe(e)
	}
	return func(e asl.Event) {
		x.journal.event(e)
		observe(e)
	}
}

// keeper returns the function that keeps the events of a STANDARD execution.
func (s *Service) keeper(x *execution) func(asl.Event) {
	return func(e asl.Event) {
		switch e.Type {
		case "ExecutionStarted":
			e.RoleARN = x.target.roleARN
		case "TaskScheduled":
			e.Region = s.opts.Region
		}
		// The failure itself is the last event.
		if e.ID < maxEvents {
			s.keep(x.started, e)
		}
		if e.ID == maxEvents-1 && !strings.HasPrefix(e.Type, "Execution") {
			x.started.stop(errHistoryFull)
		}
	}
}

// keep adds an event to a history, and drops older executions' histories if needed.
func (s *Service) keep(x *started, e asl.Event) {
	text, err := e.MarshalJSON()
	s.runMu.Lock()
	defer s.runMu.Unlock()
	if x.history.dropped {
		return
	}
	before := x.size()
	x.history.add(e, text)
	s.names.bytes += x.size() - before
	if s.names.trim(); err != nil || s.names.bytes > maxRememberedBytes {
		before = x.size()
		x.history.drop()
		s.names.bytes += x.size() - before
	}
}

// keepEnd makes the end of a stopped execution the last event of its history, replacing
// the timeout that the engine records.
func (s *Service) keepEnd(x *started, r ExecutionRecord) {
	end := asl.Event{Type: "ExecutionAborted", Time: r.StopDate, Error: r.Error, Cause: r.Cause}
	if r.Status == bridge.Failed {
		end.Type = "ExecutionFailed"
	}
	s.runMu.Lock()
	last := x.history.last
	if n := len(x.history.events); n > 0 && last.Type == "ExecutionTimedOut" {
		end.ID, end.PreviousID = last.ID, last.PreviousID
		size := len(x.history.events[n-1]) + eventBytes
		x.history.events = slices.Clip(x.history.events[:n-1]) // it may be being read
		x.history.bytes -= size
		s.names.bytes -= size
	} else {
		end.ID, end.PreviousID = last.ID+1, last.ID
	}
	s.runMu.Unlock()
	s.keep(x, end)
}

// A HistoryInput is the request of [Service.History]; a nil member was not sent.
type HistoryInput struct {
	ExecutionARN *string
	// MaxResults is at most 1000; nil and 0 mean 100.
	MaxResults *int64
	NextToken  *string
	// ReverseOrder returns the latest event first.
	ReverseOrder bool
	// WithoutData leaves out inputs, outputs and variables.
	WithoutData bool
}

// A HistoryOutput is one page of the answer of [Service.History].
type HistoryOutput struct {
	Events    []json.RawMessage `json:"events"`
	NextToken string            `json:"nextToken,omitempty"`
}

// maxHistoryPage bounds a page in bytes, except for its first event.
const maxHistoryPage = 1 << 20

// History returns the steps of an execution of a STANDARD state machine
// ([GetExecutionHistory]).
//
// [GetExecutionHistory]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetExecutionHistory.html
func (s *Service) History(in HistoryInput) (*HistoryOutput, error) {
	var c constraints
	c.arn("executionArn", in.ExecutionARN)
	c.page(in.MaxResults, in.NextToken, maxToken)
	if err := c.err(); err != nil {
		return nil, err
	}
	x, err := s.recall(*in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	if x.history.dropped {
		return nil, errorf(UnknownOperationException, "The history of this execution is not kept: there was no room for it")
	}
	place, err := in.after(x.history.events)
	if err != nil {
		return nil, err
	}
	left, step := len(x.history.events)-place, 1
	if in.ReverseOrder {
		left, step = place, -1
	}
	out := &HistoryOutput{Events: make([]json.RawMessage, 0, min(left, pageSize(in.MaxResults)))}
	for bytes := 0; left > 0; left-- {
		event := x.history.events[place+min(step, 0)]
		bytes += len(event)
		if n := len(out.Events); n == pageSize(in.MaxResults) || n > 0 && bytes > maxHistoryPage {
			break
		}
		out.Events = append(out.Events, event)
		place += step
	}
	if left > 0 {
		out.NextToken = pageToken(strconv.Itoa(place + max(-step, 0)))
	}
	if in.WithoutData {
		for i, text := range out.Events {
			out.Events[i] = withoutData(text)
		}
	}
	return out, nil
}

// after returns how many events come before the page in the order of their ids: before its
// first event, or, in reverse order, before what pages have shown. The token names the last
// event that was shown by its id, which counts from 1.
func (in HistoryInput) after(events []json.RawMessage) (int, *Error) {
	if in.NextToken == nil {
		if in.ReverseOrder {
			return len(events), nil
		}
		return 0, nil
	}
	text, err := readToken(*in.NextToken)
	if err != nil {
		return 0, err
	}
	id, failed := strconv.Atoi(text)
	if failed != nil || id < 1 || id > len(events) {
		return 0, errInvalidToken()
	}
	if in.ReverseOrder {
		return id - 1, nil
	}
	return id, nil
}

// withoutData returns an event without the data of the execution.
func withoutData(event json.RawMessage) json.RawMessage {
	v, _ := jsonata.Decode(event) // the JSON was written here
	o, _ := v.(*jsonata.Object)
	kept := jsonata.NewObject(o.Len())
	for i := range o.Len() {
		name, member := o.At(i)
		if details, ok := jsonata.Force(member).(*jsonata.Object); ok {
			member = details.Without("input", "output", "parameters", "assignedVariables")
		}
		kept.Set(name, member)
	}
	text, err := jsonata.AppendJSON(nil, kept)
	if err != nil {
		return json.RawMessage("{}")
	}
	return text
}
