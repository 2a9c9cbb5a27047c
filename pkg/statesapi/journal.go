package statesapi

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// journalSuffix is the suffix of the files of STANDARD executions in the folder of
// [Service.Persist].
const journalSuffix = ".execution.jsonl"

// A journal keeps a STANDARD execution in a file, line by line, so that it continues when
// another process takes over: where its flows are, its events, and the answers to its
// tokens. It survives the process, even if that is killed, but not a crash of the machine.
// It exists as long as the execution runs. It is an [asl.Journal]; a nil one keeps nothing.
type journal struct {
	mu     sync.Mutex
	file   *os.File
	flows  flows
	frozen bool // the service has closed: what happens now is its end, not the execution's
	over   bool // the execution has ended
	err    error
	// children are files of executions that have ended, by the paths of the flows that
	// waited for them.
	children map[string][]string
}

// A journalLine is one line; exactly one of its members is set.
type journalLine struct {
	Begin  *storedExecution `json:"begin,omitempty"`
	Path   string           `json:"path,omitempty"` // of Flow
	Flow   *storedFlow      `json:"flow,omitempty"`
	Drop   *string          `json:"drop,omitempty"`
	Event  *storedEvent     `json:"event,omitempty"`
	Answer *storedAnswer    `json:"answer,omitempty"`
	End    *storedEnd       `json:"end,omitempty"`
}

// A storedExecution is how an execution began.
type storedExecution struct {
	Format          int            `json:"format"`
	ExecutionARN    string         `json:"executionArn"`
	Name            string         `json:"name"`
	StateMachineARN string         `json:"stateMachineArn"`
	TestCase        string         `json:"testCase,omitempty"`
	Input           string         `json:"input"`
	TraceHeader     string         `json:"traceHeader,omitempty"`
	Started         time.Time      `json:"started"`
	Revision        storedRevision `json:"revision"`
	VersionARN      string         `json:"versionArn,omitempty"`
	AliasARN        string         `json:"aliasArn,omitempty"`
	StartedBy       string         `json:"startedBy,omitempty"`
}

// executionFormat is the format of these files. In format 1, each line of a flow had its
// input and all of its variables.
const executionFormat = 2

// A storedFlow is an [asl.Checkpoint]. It has the input once for each state that the flow
// enters, and only the variables that have been set since the flow's previous line, so that
// data that a flow carries along is not written again at each step.
type storedFlow struct {
	State     string          `json:"state,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	Variables json.RawMessage `json:"variables,omitempty"`
	Before    int64           `json:"before,omitempty"`
	Entered   int64           `json:"entered,omitempty"`
	Last      int64           `json:"last,omitempty"`
	Since     time.Time       `json:"since,omitzero"`
	Called    time.Time       `json:"called,omitzero"`
	RetryAt   time.Time       `json:"retryAt,omitzero"`
	Visits    int             `json:"visits,omitempty"`
	Retries   int             `json:"retries,omitempty"`
	Counts    []int           `json:"counts,omitempty"`
	Phase     string          `json:"phase,omitempty"`
	Token     string          `json:"token,omitempty"`
	Heartbeat time.Duration   `json:"heartbeat,omitempty"`
	Ended     bool            `json:"ended,omitempty"`
	Failed    bool            `json:"failed,omitempty"`
	Output    json.RawMessage `json:"output,omitempty"`
	Final     int64           `json:"final,omitempty"`
}

// A storedEvent is an [asl.Event].
type storedEvent struct {
	ID           int64           `json:"id"`
	PreviousID   int64           `json:"previousId,omitempty"`
	Type         string          `json:"type"`
	Time         time.Time       `json:"time"`
	Name         string          `json:"name,omitempty"`
	Index        int             `json:"index,omitempty"`
	Length       int             `json:"length,omitempty"`
	Resource     string          `json:"resource,omitempty"`
	ResourceType string          `json:"resourceType,omitempty"`
	Input        json.RawMessage `json:"input,omitempty"`
	Output       json.RawMessage `json:"output,omitempty"`
	Assigned     json.RawMessage `json:"assigned,omitempty"`
	Timeout      int             `json:"timeout,omitempty"`
	Heartbeat    int             `json:"heartbeat,omitempty"`
	RoleARN      string          `json:"roleArn,omitempty"`
	Region       string          `json:"region,omitempty"`
	Worker       string          `json:"worker,omitempty"`
	Location     string          `json:"location,omitempty"`
	Error        string          `json:"error,omitempty"`
	Cause        string          `json:"cause,omitempty"`
}

// A storedAnswer is the answer to a token.
type storedAnswer struct {
	Token  string          `json:"token"`
	Output json.RawMessage `json:"output,omitempty"`
	Failed bool            `json:"failed,omitempty"`
	Error  string          `json:"error,omitempty"`
	Cause  string          `json:"cause,omitempty"`
}

// begin takes the name of a STANDARD execution, and creates its file if executions are
// kept.
func (s *Service) begin(x *execution, stop context.CancelCauseFunc) (*ExecutionRecord, error) {
	earlier, refused := s.remember(x, stop)
	if refused != nil {
		return nil, refused
	}
	if earlier != nil {
		return earlier, nil
	}
	var err error
	if x.journal, err = s.beginJournal(x); err == nil {
		x.started.journal = x.journal
		return nil, nil
	}
	s.runMu.Lock()
	defer s.runMu.Unlock()
	s.names.forget(x.record.ExecutionARN)
	return nil, err
}

// beginJournal creates the file of an execution. It returns nil if executions are not
// kept.
func (s *Service) beginJournal(x *execution) (*journal, error) {
	s.mu.RLock()
	dir := s.data
	s.mu.RUnlock()
	if dir == "" {
		return nil, nil
	}
	r := x.record
	file, err := os.OpenFile(s.journalFile(r.ExecutionARN), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep execution: %w", err)
	}
	j := &journal{file: file, flows: newFlows()}
	j.write(journalLine{Begin: &storedExecution{
		Format: executionFormat, ExecutionARN: r.ExecutionARN, Name: r.Name, StateMachineARN: r.StateMachineARN, TestCase: r.TestCase,
		Input: string(r.Input), TraceHeader: r.TraceHeader, Started: r.StartDate, Revision: storeRevision(x.target.revision),
		VersionARN: x.target.versionARN, AliasARN: x.target.aliasARN,
		StartedBy: x.startedBy,
	}})
	return j, j.err
}

func (s *Service) journalFile(executionARN string) string {
	return strings.TrimSuffix(s.dataFile(executionARN), dataSuffix) + journalSuffix
}

// write adds a line. The caller holds j.mu, or is alone.
func (j *journal) write(line journalLine) {
	if j.frozen || j.err != nil {
		return
	}
	text, err := json.Marshal(line)
	if err == nil {
		_, err = j.file.Write(append(text, '\n'))
	}
	j.err = err
}

// At implements [asl.Journal].
func (j *journal) At(path string) (asl.Checkpoint, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c, ok := j.flows.at[path]
	return c, ok
}

// Keep implements [asl.Journal].
func (j *journal) Keep(path string, c asl.Checkpoint) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(journalLine{Path: path, Flow: storeFlow(j.flows.at[path], c)})
	j.flows.set(path, c)
	j.goneOn(path)
}

// Drop implements [asl.Journal].
func (j *journal) Drop(path string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flows.drop(path)
	j.write(journalLine{Drop: &path})
	for below := range j.children {
		if strings.HasPrefix(below, path) {
			j.goneOn(below)
		}
	}
}

// event adds an event.
func (j *journal) event(e asl.Event) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(journalLine{Event: storeEvent(e)})
}

// answered keeps the answer to a token before it is acknowledged. An answer that would be
// lost is refused with an error that SDKs retry.
func (j *journal) answered(token string, answer *asl.Answer) *Error {
	if j == nil {
		return nil
	}
	a := &storedAnswer{Token: token}
	if answer.Err != nil {
		a.Failed, a.Error, a.Cause = true, answer.Err.Name, answer.Err.Cause
	} else {
		a.Output = storeValue(answer.Output)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.frozen {
		return errorf(ServiceUnavailable, "The service is shutting down")
	}
	if j.write(journalLine{Answer: a}); j.err != nil {
		return errorf(InternalFailure, "The answer cannot be kept: %v", j.err)
	}
	return nil
}

// freeze keeps the file as it is: another process continues from it.
func (j *journal) freeze() {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.frozen = true
}

// end removes the file of an execution that has ended, or leaves it to another process.
func (j *journal) end() {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	_ = j.file.Close()
	if !j.frozen {
		_ = os.Remove(j.file.Name()) // if it remains, the next process ends the execution again
		for path := range j.children {
			j.goneOn(path)
		}
	}
	j.over = !j.frozen
	j.frozen = true
}

// storeValue writes a value of pkg/jsonata. It always has a JSON form, because states are
// checked for that.
func storeValue(v any) json.RawMessage {
	text, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		return json.RawMessage("null")
	}
	return text
}

// storeFlow returns c without what the flow's previous line already has.
func storeFlow(before, c asl.Checkpoint) *storedFlow {
	f := &storedFlow{
		State: c.State, Before: c.Before, Entered: c.Entered, Last: c.Last, Since: c.Since, Called: c.Called, RetryAt: c.RetryAt, Visits: c.Visits,
		Retries: c.Retries, Counts: c.Counts, Phase: c.Phase, Token: c.Token, Heartbeat: c.Heartbeat, Ended: c.Ended, Failed: c.Failed, Final: c.Final,
	}
	if c.Assigned != nil {
		f.Variables = storeValue(c.Assigned)
	}
	switch {
	case c.Ended:
		f.Output = storeValue(c.Output)
	case before.Visits != c.Visits:
		f.Input = storeValue(c.Input)
	}
	return f
}

func storeEvent(e asl.Event) *storedEvent {
	out := &storedEvent{
		ID: e.ID, PreviousID: e.PreviousID, Type: e.Type, Time: e.Time, Name: e.Name, Index: e.Index, Length: e.Length, Resource: e.Resource,
		ResourceType: e.ResourceType, Timeout: e.TimeoutSeconds, Heartbeat: e.HeartbeatSeconds, RoleARN: e.RoleARN, Region: e.Region,
		Worker: e.Worker, Location: e.Location, Error: e.Error, Cause: e.Cause, Input: storeValue(e.Input), Output: storeValue(e.Output),
	}
	if e.Assigned != nil {
		out.Assigned = storeValue(e.Assigned)
	}
	return out
}
