package statesapi

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A started execution belongs to a STANDARD state machine: its name is taken, and it can
// be described. EXPRESS executions are not kept, as in AWS.
type started struct {
	input    [sha256.Size]byte
	record   ExecutionRecord
	target   target
	ended    bool
	history  history
	sequence int // in the order of starting
	stop     context.CancelCauseFunc
	journal  *journal      // of an execution that is kept
	over     chan struct{} // closed at its end; nil if nothing waits for it
}

// perExecution is the memory of an execution without its payloads, in bytes.
const perExecution = 1000

func (x *started) size() int {
	return perExecution + len(x.record.Input) + len(x.record.Output) + len(x.record.Cause) + x.history.bytes
}

// Bounds of what is remembered. AWS keeps names and executions for 90 days; here, if there
// are too many or they are too large, those that ended first lose their histories, and
// then are dropped.
const (
	maxRemembered      = 100_000
	maxRememberedBytes = 128 << 20
)

// remembered holds the latest STANDARD executions. It is guarded by the service's runMu.
type remembered struct {
	byARN map[string]*started
	// listed has the same executions in the order of ListExecutions.
	listed listing
	// finished are those that have ended, in that order; the first gone ones are dropped,
	// and the first bare ones have no history.
	finished   []string
	gone, bare int
	bytes      int
	count      int
}

// remember takes the name of a STANDARD execution. If an execution of that name is
// already running with the same input, that one is returned; any other execution of that
// name is an error.
func (s *Service) remember(x *execution, stop context.CancelCauseFunc) (*ExecutionRecord, *Error) {
	s.runMu.Lock()
	defer s.runMu.Unlock()
	input := sha256.Sum256(x.record.Input)
	name := x.record.ExecutionARN
	if old := s.names.byARN[name]; old != nil {
		if old.ended || old.input != input {
			return nil, errorf(ExecutionAlreadyExists, "Execution Already Exists: '%s'", name)
		}
		record := old.record
		return &record, nil
	}
	s.names.count++
	x.started = &started{input: input, record: x.record, target: x.target, sequence: s.names.count, stop: stop, journal: x.journal}
	s.names.byARN[name] = x.started
	s.names.listed.add(x.started)
	s.names.bytes += x.started.size()
	s.names.trim()
	return nil, nil
}

// finish records that an execution has ended.
func (r *remembered) finish(arn string) {
	r.finished = append(r.finished, arn)
	r.trim()
}

// trim enforces the bounds, as far as dropping ended executions makes room.
func (r *remembered) trim() {
	r.bare = max(r.bare, r.gone)
	for ; r.bytes > maxRememberedBytes && r.bare < len(r.finished); r.bare++ {
		x := r.byARN[r.finished[r.bare]]
		before := x.size()
		x.history.drop()
		r.bytes += x.size() - before
	}
	for (len(r.byARN) > maxRemembered || r.bytes > maxRememberedBytes) && r.gone < len(r.finished) {
		name := r.finished[r.gone]
		r.bytes -= r.byARN[name].size()
		r.listed.remove(r.byARN[name])
		delete(r.byARN, name)
		r.finished[r.gone] = ""
		r.gone++
	}
	if r.gone > 1000 && r.gone > len(r.finished)/2 {
		r.finished = slices.Clone(r.finished[r.gone:])
		r.bare, r.gone = max(r.bare-r.gone, 0), 0
	}
}

// forget frees the name of an execution that did not begin.
func (r *remembered) forget(name string) {
	if x := r.byARN[name]; x != nil {
		r.bytes -= x.size()
		r.listed.remove(x)
		delete(r.byARN, name)
	}
}

// ended records how a STANDARD execution ended.
func (s *Service) ended(x *execution) {
	defer s.finishDeletion(x.target.arn)
	s.endJournal(x)
	s.runMu.Lock()
	defer s.runMu.Unlock()
	before := x.started.size()
	s.names.listed.remove(x.started)
	x.started.record, x.started.ended = x.record, true
	s.names.listed.add(x.started)
	if x.started.over != nil {
		close(x.started.over)
	}
	x.started.stop = func(error) {} // there is nothing left to stop, so the function need not be kept
	s.names.bytes += x.started.size() - before
	s.names.finish(x.record.ExecutionARN)
}

// A stopRequest is the cause of an execution's context that was ended early, and says how
// the execution ended: ABORTED by StopExecution.
type stopRequest struct {
	status      bridge.Status
	name, cause string
}

func (e *stopRequest) Error() string { return "stopped: " + e.name + ": " + e.cause }

// recall returns the STANDARD execution with an ARN, or AWS's error.
func (s *Service) recall(text string) (started, *Error) {
	// An EXPRESS execution is refused, because AWS does not keep them either.
	if err := checkARN(text, "execution", 8); err != nil {
		return started{}, err
	}
	s.runMu.Lock()
	defer s.runMu.Unlock()
	if x := s.names.byARN[text]; x != nil {
		return *x, nil
	}
	return started{}, errorf(ExecutionDoesNotExist, "Execution Does Not Exist: '%s'", text)
}

// An executionInput is the request of operations on one execution; a nil member was not
// sent.
type executionInput struct {
	ExecutionARN, IncludedData *string
}

func (in executionInput) check() *Error {
	var c constraints
	c.arn("executionArn", in.ExecutionARN)
	c.oneOf("includedData", in.IncludedData, allData, metadataOnly)
	return c.err()
}

// A describeExecutionOutput is the answer of [Service.describeExecution].
type describeExecutionOutput struct {
	ExecutionARN           string       `json:"executionArn"`
	StateMachineARN        string       `json:"stateMachineArn"`
	Name                   string       `json:"name"`
	Status                 string       `json:"status"`
	StartDate              epoch        `json:"startDate"`
	StopDate               *epoch       `json:"stopDate,omitempty"`
	Input                  *string      `json:"input,omitempty"`
	InputDetails           dataDetails  `json:"inputDetails"`
	Output                 *string      `json:"output,omitempty"`
	OutputDetails          *dataDetails `json:"outputDetails,omitempty"`
	TraceHeader            string       `json:"traceHeader,omitempty"`
	Error                  string       `json:"error,omitempty"`
	Cause                  string       `json:"cause,omitempty"`
	StateMachineVersionARN string       `json:"stateMachineVersionArn,omitempty"`
	StateMachineAliasARN   string       `json:"stateMachineAliasArn,omitempty"`
	RedriveCount           int          `json:"redriveCount"`
	RedriveStatus          string       `json:"redriveStatus"`
	RedriveStatusReason    string       `json:"redriveStatusReason,omitempty"`
}

// describeExecution returns an execution of a STANDARD state machine
// ([describeExecution]).
//
// [describeExecution]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
func (s *Service) describeExecution(in executionInput) (*describeExecutionOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	x, err := s.recall(*in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	r := x.record
	out := &describeExecutionOutput{
		ExecutionARN: r.ExecutionARN, StateMachineARN: x.target.arn, Name: r.Name, Status: string(r.Status),
		StartDate: epoch(r.StartDate), TraceHeader: r.TraceHeader, Error: r.Error, Cause: r.Cause,
		StateMachineVersionARN: x.target.versionARN, StateMachineAliasARN: x.target.aliasARN,
		RedriveStatus: "NOT_REDRIVABLE", RedriveStatusReason: notRedriven(r.Status),
	}
	if r.Status == bridge.TimedOut {
		out.Error, out.Cause = "", "" // as recorded, the status shows it
	}
	all := deref(in.IncludedData) != metadataOnly
	out.InputDetails.Included = all
	if x.ended {
		stop := epoch(r.StopDate)
		out.StopDate = &stop
	}
	if r.Output != nil {
		out.OutputDetails = &dataDetails{all}
	}
	if all {
		input := string(r.Input)
		out.Input = &input
		if r.Output != nil {
			output := string(r.Output)
			out.Output = &output
		}
	}
	return out, nil
}

// A describeForExecutionOutput is the answer of [Service.describeForExecution].
type describeForExecutionOutput struct {
	StateMachineARN string          `json:"stateMachineArn"`
	Name            string          `json:"name"`
	Definition      string          `json:"definition"`
	RoleARN         string          `json:"roleArn"`
	UpdateDate      epoch           `json:"updateDate"`
	Logging         *jsonata.Object `json:"loggingConfiguration"`
	Tracing         *jsonata.Object `json:"tracingConfiguration"`
	Encryption      *jsonata.Object `json:"encryptionConfiguration"`
	RevisionID      string          `json:"revisionId,omitempty"`

	VariableReferences map[string][]string `json:"variableReferences,omitempty"`
}

// describeForExecution returns the state machine as it was for an execution
// ([DescribeStateMachineForExecution]).
//
// [DescribeStateMachineForExecution]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineForExecution.html
func (s *Service) describeForExecution(in executionInput) (*describeForExecutionOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	x, err := s.recall(*in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	rev := x.target.revision
	out := &describeForExecutionOutput{
		StateMachineARN: rev.arn, Name: rev.name, Definition: rev.definition, RoleARN: rev.roleARN, UpdateDate: epoch(rev.created),
		Logging: rev.logging, Tracing: rev.tracing, Encryption: rev.encryption, RevisionID: rev.id,
	}
	if deref(in.IncludedData) == metadataOnly {
		out.Definition = "{}"
	} else {
		out.VariableReferences = asl.VariableReferences([]byte(rev.definition))
	}
	return out, nil
}

// A stopExecutionInput is the request of [Service.stopExecution]; a nil member was not
// sent.
type stopExecutionInput struct{ ExecutionARN, Error, Cause *string }

// A stopExecutionOutput is the answer of [Service.stopExecution].
type stopExecutionOutput struct {
	StopDate epoch `json:"stopDate"`
}

// stopExecution ends an execution of a STANDARD state machine ([stopExecution]). An
// execution that has ended is left unchanged.
//
// [stopExecution]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
func (s *Service) stopExecution(in stopExecutionInput) (*stopExecutionOutput, error) {
	var c constraints
	c.arn("executionArn", in.ExecutionARN)
	if in.Error != nil {
		c.sensitive("error", characters(*in.Error), 0, 256)
	}
	if in.Cause != nil {
		c.sensitive("cause", characters(*in.Cause), 0, 32768)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	x, err := s.recall(*in.ExecutionARN)
	if err != nil {
		return nil, err
	}
	if x.ended {
		return &stopExecutionOutput{epoch(x.record.StopDate)}, nil
	}
	x.stop(&stopRequest{aborted, deref(in.Error), deref(in.Cause)})
	return &stopExecutionOutput{epoch(s.opts.Now())}, nil
}

// A listExecutionsInput is the request of [Service.listExecutions]; a nil member was not
// sent.
type listExecutionsInput struct {
	// StateMachineARN may be qualified by a version or an alias.
	StateMachineARN, MapRunARN  *string
	StatusFilter, RedriveFilter *string
	MaxResults                  *int64
	NextToken                   *string
}

// A listExecutionsOutput is one page of the answer of [Service.listExecutions].
type listExecutionsOutput struct {
	Executions []executionItem `json:"executions"`
	NextToken  string          `json:"nextToken,omitempty"`
}

// An executionItem is an execution in a [listExecutionsOutput].
type executionItem struct {
	ExecutionARN           string `json:"executionArn"`
	StateMachineARN        string `json:"stateMachineArn"`
	Name                   string `json:"name"`
	Status                 string `json:"status"`
	StartDate              epoch  `json:"startDate"`
	StopDate               *epoch `json:"stopDate,omitempty"`
	StateMachineVersionARN string `json:"stateMachineVersionArn,omitempty"`
	StateMachineAliasARN   string `json:"stateMachineAliasArn,omitempty"`
	RedriveCount           int    `json:"redriveCount"`
}

// listExecutions returns the executions of a STANDARD state machine, the last one first
// ([listExecutions]).
//
// [listExecutions]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
func (s *Service) listExecutions(in listExecutionsInput) (*listExecutionsOutput, error) {
	a, err := in.check()
	if err != nil {
		return nil, err
	}
	e := s.get(a)
	if e == nil || a.qualifier != "" && e.find(a.qualifier, s.opts.Random).revision == nil {
		return nil, doesNotExist(a.full())
	}
	if e.current.kind == Express {
		return nil, errTypeNotSupported()
	}
	s.runMu.Lock()
	defer s.runMu.Unlock()
	place := ""
	if in.NextToken != nil {
		if place, err = readToken(*in.NextToken); err != nil {
			return nil, err
		}
	}
	out := &listExecutionsOutput{Executions: []executionItem{}}
	if deref(in.RedriveFilter) == "REDRIVEN" { // no execution has this status
		return out, nil
	}
	var last *started
	for x := range s.names.listed.after(a.full(), bridge.Status(deref(in.StatusFilter)), place) {
		if len(out.Executions) == pageSize(in.MaxResults) {
			out.NextToken = pageToken(last.place())
			break
		}
		last = x
		item := executionItem{
			ExecutionARN: x.record.ExecutionARN, StateMachineARN: x.target.arn, Name: x.record.Name, Status: string(x.record.Status),
			StartDate: epoch(x.record.StartDate), StateMachineVersionARN: x.target.versionARN, StateMachineAliasARN: x.target.aliasARN,
		}
		if x.ended {
			stop := epoch(x.record.StopDate)
			item.StopDate = &stop
		}
		out.Executions = append(out.Executions, item)
	}
	return out, nil
}

// latest returns the time by which executions are listed, as in AWS: that of their end,
// or else that of their start.
func (x *started) latest() time.Time {
	if x.ended {
		return x.record.StopDate
	}
	return x.record.StartDate
}

func (in listExecutionsInput) check() (arn, *Error) {
	var c constraints
	c.text("stateMachineArn", in.StateMachineARN, 1, maxARN)
	// In the order of AWS's message.
	c.oneOf("statusFilter", in.StatusFilter, "SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING")
	const longToken = 3096
	c.page(in.MaxResults, in.NextToken, longToken)
	c.text("mapRunArn", in.MapRunARN, 1, maxLongARN)
	c.oneOf("redriveFilter", in.RedriveFilter, "REDRIVEN", "NOT_REDRIVEN")
	if err := c.err(); err != nil {
		return arn{}, err
	}
	switch {
	case in.StateMachineARN == nil && in.MapRunARN == nil:
		return arn{}, invalid(reasonMissing, "Must provide either a State Machine ARN or Map Run ARN")
	case in.MapRunARN == nil:
		return parseARN(*in.StateMachineARN)
	case in.StateMachineARN != nil:
		return arn{}, errorf(ValidationException, "Must provide either a State Machine ARN or Map Run ARN, not both")
	}
	return arn{}, noMapRun(*in.MapRunARN)
}
