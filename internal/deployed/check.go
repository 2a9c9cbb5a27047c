package deployed

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	sfntypes "github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/expressway-dev/expressway/internal/awserr"
	"github.com/expressway-dev/expressway/pkg/config"
)

// Severity is the severity of a finding, as in validate.
type Severity string

// The severities: an Error cannot work, loses messages or is denied; a Warning works but
// is risky; a Note could not be determined.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// A Finding is a fault of a resource, with its remedy. Its rules have the same names as
// in validate.
type Finding struct {
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	Resource string   `json:"resource"`
	Message  string   `json:"message"`
	Cure     string   `json:"cure,omitempty"`
}

// apiLimit is how many seconds an API waits for a function.
const apiLimit = 30

// Check returns the findings about the stack as it was read.
func (s *Stack) Check() []Finding {
	var out []Finding
	add := func(severity Severity, rule, resource, message, cure string) {
		out = append(out, Finding{severity, rule, resource, message, cure})
	}
	for _, f := range s.Functions {
		f.check(add)
	}
	for _, m := range s.Machines {
		m.check(add)
	}
	for _, u := range s.Unread {
		add(Warning, "not-read", u.Place, u.Err.Error()+": what depends on it was not checked", awserr.Cure(u.Err))
	}
	return sorted(out)
}

// sorted orders findings by resource, and drops duplicates.
func sorted(list []Finding) []Finding {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(list)
}

type adder func(severity Severity, rule, resource, message, cure string)

func (f *Function) check(add adder) {
	if f.State == lambdatypes.StateFailed || f.LastUpdateStatus == lambdatypes.LastUpdateStatusFailed {
		add(Error, "function-state", f.ID, fmt.Sprintf("Lambda could not update the function: %s", cmp.Or(aws.ToString(f.LastUpdateStatusReason), aws.ToString(f.StateReason), "no reason is given")), "Fix the cause, and deploy again")
	}
	timeout := int(aws.ToInt32(f.Timeout))
	fed := len(f.Mappings) > 0
	if name := strings.ToLower(f.ID + aws.ToString(f.Handler)); !fed && strings.Contains(name, "webhook") && timeout >= apiLimit {
		add(Warning, "timeout-order", f.ID, fmt.Sprintf("its timeout is %d s, and an API waits %d s: the sender gets the API's own 503 or 504 while the workflow continues", timeout, apiLimit), fmt.Sprintf("Set Timeout to at most %d", apiLimit-1))
	}
	if f.LoggingConfig != nil && f.LoggingConfig.LogFormat == lambdatypes.LogFormatText {
		add(Warning, "log-format", f.ID, "it logs as text: Logs Insights finds no ids in its lines, and expressway logs finds no lines", "Set LoggingConfig: {LogFormat: JSON}")
	}
	maximum, bounded := 0, true
	for _, m := range f.Mappings {
		m.check(f, timeout, add)
		bounded = bounded && m.Maximum != nil
		maximum += int(aws.ToInt32(m.Maximum))
	}
	if f.Reserved != nil && bounded && maximum > int(*f.Reserved) {
		add(Warning, "reserved-concurrency", f.ID, fmt.Sprintf("it has a reserved concurrency of %d, and its mappings poll up to %d at a time: throttled messages come back, and end in the dead-letter queue", *f.Reserved, maximum), fmt.Sprintf("Reserve at least %d, or lower ScalingConfig.MaximumConcurrency", maximum))
	}
	f.checkInvokes(add)
	if f.Reserved != nil && *f.Reserved == 0 {
		add(Error, "reserved-concurrency", f.ID, "its reserved concurrency is 0: it is switched off, and every invocation is throttled", "Remove ReservedConcurrentExecutions, or raise it")
	}
}

// checkInvokes checks where failed events go. A configuration belongs to one alias, and the
// others do not inherit it.
func (f *Function) checkInvokes(add adder) {
	qualifiers := slices.Sorted(maps.Keys(f.Invokes))
	for _, q := range qualifiers {
		if missing := f.Invokes[q].Missing; missing != "" {
			add(Error, "event-destination", f.ID, fmt.Sprintf("the destination %s of its asynchronous invocations (%s) does not exist: what should arrive there is lost", missing, q), "Create the queue, or correct the destination")
		}
	}
	letters := f.DeadLetterConfig != nil && aws.ToString(f.DeadLetterConfig.TargetArn) != ""
	if f.source() != config.SourceEventBridge || !f.InvokesRead || letters {
		return
	}
	const cure = "Set EventInvokeConfig with DestinationConfig.OnFailure for what the rules call"
	called := f.Aliases
	if len(called) == 0 {
		called = []string{"$LATEST"}
	}
	for _, q := range called {
		if f.Invokes[q].OnFailure == "" {
			add(Warning, "event-destination", f.ID, fmt.Sprintf("it has no on-failure destination (%s): an event that fails three times is lost", q), cure)
		}
	}
}

// place names a mapping by its function and its queue.
func (m *Mapping) place(f *Function) string {
	return f.ID + " ← " + m.Source[strings.LastIndexByte(m.Source, ':')+1:]
}

func (m *Mapping) check(f *Function, timeout int, add adder) {
	place := m.place(f)
	if !strings.Contains(m.Source, ":sqs:") {
		add(Error, "mapping-source", place, fmt.Sprintf("the mapping %s feeds the function from %s, which is not a queue: it refuses every record, and a stream is blocked", m.UUID, m.Source), "Remove the mapping; use EventBridge Pipes to pass streams to workflows")
		return
	}
	switch m.State {
	case "Disabled", "Disabling":
		add(Error, "mapping-disabled", place, fmt.Sprintf("the mapping %s is disabled: messages wait in the queue until they expire", m.UUID), "aws lambda update-event-source-mapping --enabled --uuid "+m.UUID)
	}
	if !m.Reports {
		add(Error, "report-batch-item-failures", place, fmt.Sprintf("the mapping %s does not report batch item failures, so Lambda deletes every message of a batch, including the failed ones", m.UUID), "Add FunctionResponseTypes: [ReportBatchItemFailures]")
	}
	if m.Queue == nil {
		return
	}
	if visibility, err := strconv.Atoi(m.Queue.Attributes["VisibilityTimeout"]); err == nil && visibility < 6*timeout+m.Window {
		severity, consequence := Warning, "a batch that Lambda retries becomes visible in the meantime, and runs twice"
		if visibility < timeout {
			severity, consequence = Error, "a message becomes visible while the function still processes it, and runs twice"
		}
		add(severity, "visibility-timeout", place, fmt.Sprintf("the VisibilityTimeout of %s is %d s, less than six times the function's timeout (%d s) and the batching window (%d s): %s", m.Queue.Name, visibility, timeout, m.Window, consequence), fmt.Sprintf("Set VisibilityTimeout: %d", 6*timeout+m.Window))
	}
	m.checkRedrive(place, add)
}

func (m *Mapping) checkRedrive(place string, add adder) {
	text := m.Queue.Attributes["RedrivePolicy"]
	if text == "" {
		add(Warning, "no-redrive-policy", place, fmt.Sprintf("%s has no RedrivePolicy: a message that never succeeds comes back until it expires, and is then lost", m.Queue.Name), "Add RedrivePolicy with a dead-letter queue (deadLetterTargetArn) and maxReceiveCount")
		return
	}
	var policy struct {
		MaxReceiveCount json.RawMessage `json:"maxReceiveCount"` // a number, or text with a number
	}
	_ = json.Unmarshal([]byte(text), &policy) // the service checked it
	if n, err := strconv.Atoi(strings.Trim(string(policy.MaxReceiveCount), `"`)); err == nil && n < 2 {
		add(Warning, "no-redrive-policy", place, fmt.Sprintf("the maxReceiveCount of %s is %d: a message is dead-lettered after it was throttled once", m.Queue.Name, n), "Set maxReceiveCount to 5 or more")
	}
}

func (m *Machine) check(add adder) {
	switch {
	case m.Status == sfntypes.StateMachineStatusDeleting:
		add(Error, "machine-unknown", m.ID, fmt.Sprintf("the state machine %s is being deleted", aws.ToString(m.Name)), "Deploy it again, and the resources that start it")
	case m.Type == sfntypes.StateMachineTypeStandard && m.User != "":
		add(Warning, "standard-synchronous", m.ID, fmt.Sprintf("%s is a STANDARD state machine, and %s names it: StartSyncExecution refuses those, so each route that starts it without mode: async fails", aws.ToString(m.Name), m.User), "Write mode: async on the routes, or deploy it as EXPRESS")
	case m.Type == sfntypes.StateMachineTypeExpress && (m.LoggingConfiguration == nil || m.LoggingConfiguration.Level == "" || m.LoggingConfiguration.Level == sfntypes.LogLevelOff):
		add(Warning, "express-logging", m.ID, fmt.Sprintf("the Express state machine %s has no logging: its executions have no history, so nothing shows why one failed", aws.ToString(m.Name)), "Set the logging level ERROR or ALL, and a log group")
	}
}
