// Package stepfn is the [bridge.Starter] that runs state machines on AWS Step
// Functions, or on anything that speaks its protocol at a custom endpoint.
//
// An Express Workflow starts once for every request that arrives, and nothing can look it
// up afterwards: a request that is sent again may be a second run. So the SDK's retries
// are off, whatever the environment asks for, and this package repeats only requests that
// certainly started nothing:
//
//	check     ARN, name, size                 → Misconfigured, InputTooLarge; nothing is sent
//	send      not one byte was written        → again, then Unavailable
//	          the service refused for load    → again, then Throttled
//	          the service refused             → Misconfigured, BadRequest
//	          sent, and no answer understood  → Unknown, at once
//	          sent, and the context ended     → Deadline, at once
//
// "Again" waits with full jitter, inside the context's deadline.
//
// The package links no AWS configuration loader: [FromEnv] reads what Lambda's
// environment holds, and [FromConfig] takes a configuration that was made elsewhere.
package stepfn

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/trace"
)

// waitLimit bounds a call whose context has no deadline: the longest workflow, plus time
// for the request and the answer. The service is silent while the workflow runs, so a
// shorter timeout could not tell a long run from a lost answer.
const waitLimit = bridge.MaxWait + 30*time.Second

// Options configure a [Client].
type Options struct {
	// Region is the AWS region, such as eu-west-1.
	Region string
	// Credentials sign the requests.
	Credentials aws.CredentialsProvider
	// Endpoint is the base URL of a custom endpoint; empty is AWS's own. Requests
	// go to exactly this host: the "sync-" that StartSyncExecution has on AWS is left out.
	Endpoint string
	// FIPS and DualStack choose among AWS's own endpoints.
	FIPS, DualStack bool
	// HTTPClient sends the requests; nil is the package's own client over HTTP/1.1, which
	// sees every byte it writes. With any other client, a request only counts as never
	// sent if it failed before there was a connection.
	HTTPClient aws.HTTPClient
	// MaxAttempts bounds how often one start is sent; zero is 6.
	MaxAttempts int
	// Log receives messages that are logged once; nil discards them.
	Log *slog.Logger
	// Getenv reads the invocation's trace header; nil means an empty environment.
	Getenv func(string) string
	// Recorder sends a subsegment for each start; nil sends none.
	Recorder *trace.Recorder
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
	// Sleep waits between attempts, and returns when ctx ends; nil waits in real time.
	Sleep func(ctx context.Context, d time.Duration)
	// Rand returns a number in [0,1) for the jitter of the waits; nil is math/rand.
	Rand func() float64
}

// A Client starts executions. It is safe for concurrent use, and should be made once,
// because it keeps the connections.
type Client struct {
	sfn    *sfn.Client
	http   *sender
	custom bool // endpoint
	opts   Options
	// differs is done once it has been logged that the service joined another trace.
	differs sync.Once
}

var _ bridge.Starter = (*Client)(nil)

// New returns a Client. It sends nothing.
func New(o Options) *Client {
	if o.MaxAttempts <= 0 {
		o.MaxAttempts = 6
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	c := &Client{http: newSender(o.HTTPClient), custom: o.Endpoint != "", opts: o}
	options := sfn.Options{
		Region:      o.Region,
		Credentials: o.Credentials,
		HTTPClient:  c.http,
		Retryer:     aws.NopRetryer{},
		APIOptions:  middleware(c.custom),
	}
	if c.custom {
		options.BaseEndpoint = aws.String(o.Endpoint)
	}
	if o.FIPS {
		options.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
	}
	if o.DualStack {
		options.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
	}
	c.sfn = sfn.New(options)
	return c
}

// CloseIdleConnections closes the connections that no call uses.
func (c *Client) CloseIdleConnections() { c.http.closeIdle() }

// StartSync implements [bridge.Starter] with StartSyncExecution.
//
// [StartSyncExecution]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
func (c *Client) StartSync(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
	return c.run(ctx, s, "StartSyncExecution", func(ctx context.Context, s bridge.Start, header *string) (bridge.Outcome, error) {
		out, err := c.sfn.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{
			StateMachineArn: &s.StateMachineARN,
			Name:            optional(s.Name),
			Input:           input(s.Input),
			TraceHeader:     header,
			IncludedData:    included(s),
		})
		if err != nil {
			return bridge.Outcome{}, err
		}
		c.compareTrace(ctx, header, out.TraceHeader)
		switch out.Status {
		case types.SyncExecutionStatusSucceeded, types.SyncExecutionStatusFailed, types.SyncExecutionStatusTimedOut:
		default:
			return bridge.Outcome{}, errUnreadable
		}
		outcome := bridge.Outcome{
			ExecutionARN:    aws.ToString(out.ExecutionArn),
			StateMachineARN: aws.ToString(out.StateMachineArn),
			Name:            aws.ToString(out.Name),
			Status:          bridge.Status(out.Status),
			Error:           aws.ToString(out.Error),
			Cause:           aws.ToString(out.Cause),
			StartDate:       aws.ToTime(out.StartDate),
			StopDate:        aws.ToTime(out.StopDate),
		}
		// A null output is the text null; an output that is not included was withheld.
		if d := out.OutputDetails; outcome.Status == bridge.Succeeded && out.Output == nil && (s.MetadataOnly || d != nil && !d.Included) {
			outcome.OutputWithheld = true
		}
		if outcome.Status == bridge.Succeeded && out.Output != nil {
			outcome.Output = json.RawMessage(*out.Output)
		}
		if b := out.BillingDetails; b != nil {
			outcome.BilledDuration = time.Duration(b.BilledDurationInMilliseconds) * time.Millisecond
			outcome.BilledMemoryMB = b.BilledMemoryUsedInMB
		}
		return outcome, nil
	})
}

// Start implements [bridge.Starter] with StartExecution. The same rules hold: an
// Express Workflow has no idempotency there either.
//
// [StartExecution]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
func (c *Client) Start(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
	return c.run(ctx, s, "StartExecution", func(ctx context.Context, s bridge.Start, header *string) (bridge.Outcome, error) {
		out, err := c.sfn.StartExecution(ctx, &sfn.StartExecutionInput{
			StateMachineArn: &s.StateMachineARN,
			Name:            optional(s.Name),
			Input:           input(s.Input),
			TraceHeader:     header,
		})
		if err != nil {
			return bridge.Outcome{}, err
		}
		if aws.ToString(out.ExecutionArn) == "" {
			return bridge.Outcome{}, errUnreadable
		}
		return bridge.Outcome{
			ExecutionARN: *out.ExecutionArn,
			Name:         s.Name,
			Status:       bridge.Running,
			StartDate:    aws.ToTime(out.StartDate),
		}, nil
	})
}

// A send is one request with its trace header, nil for none.
type send func(ctx context.Context, s bridge.Start, header *string) (bridge.Outcome, error)

// run checks s, and gives every call of send the trace header in both places where Step
// Functions looks for it. If the trace is sampled, the calls form one subsegment, whose
// id is the parent that the workflow sees.
func (c *Client) run(ctx context.Context, s bridge.Start, operation string, send send) (bridge.Outcome, error) {
	s.StateMachineARN = c.resolve(ctx, s.StateMachineARN)
	if f := check(s, c.custom); f != nil {
		return bridge.Outcome{}, f
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, waitLimit)
		defer cancel()
	}
	chosen, _ := trace.Choose(ctx, s.TraceHeader, c.opts.Getenv, s.FallbackTrace, s.TraceParent)
	subsegment, chosen := c.opts.Recorder.Begin(chosen)
	outcome, last, failure := c.repeat(ctx, s, chosen.String(), send)
	if subsegment != nil {
		subsegment.End(c.describe(operation, s, outcome, last, failure))
	}
	if failure != nil {
		if failure.Class() == bridge.Ambiguous {
			failure.StateMachineARN, failure.ExecutionName = s.StateMachineARN, s.Name
		}
		return bridge.Outcome{}, failure
	}
	return outcome, nil
}

// included returns how much of the execution the answer includes.
//
// [includedData]:
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html#StepFunctions-StartSyncExecution-request-includedData
func included(s bridge.Start) types.IncludedData {
	if s.MetadataOnly {
		return types.IncludedDataMetadataOnly
	}
	return ""
}

// compareTrace logs once that the service joined a different trace from the one that was
// sent.
func (c *Client) compareTrace(ctx context.Context, sent, joined *string) {
	if sent == nil || joined == nil || *sent == *joined {
		return
	}
	c.differs.Do(func() {
		c.opts.Log.LogAttrs(ctx, slog.LevelWarn, "Step Functions joined a different trace from the one it was sent",
			slog.String("sent", *sent), slog.String("joined", *joined))
	})
}

// repeat calls send until it succeeds, fails for good, or time is up. It also returns the
// last attempt.
func (c *Client) repeat(ctx context.Context, s bridge.Start, header string, send send) (bridge.Outcome, *attempt, *bridge.Failure) {
	stale := 0
	for n, calls := 1, 1; ; n, calls = n+1, calls+1 {
		a := newAttempt(header)
		a.calls = calls
		outcome, err := send(a.context(ctx), s, optional(header))
		if err == nil {
			return outcome, a, nil
		}
		f := a.failure(ctx, err)
		if f.Class() != bridge.Retryable {
			return outcome, a, f
		}
		if a.stale && stale < maxStale && ctx.Err() == nil {
			// The service closed the connection while it was idle, as happens while the
			// function is frozen. That says nothing about the service's load.
			stale++
			n--
			continue
		}
		if n >= c.opts.MaxAttempts || !c.nap(ctx, n, f) {
			if f.Name == bridge.Throttled {
				f.RetryAfter = max(f.RetryAfter, retryAfterLeast)
			}
			return outcome, a, f
		}
	}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// input is the execution's input; Step Functions wants {} if there is none. It shares the
// caller's bytes, because garbage dominates the cost of a warm start: the SDK writes them
// into the request before anything is sent, and keeps no reference.
func input(text json.RawMessage) *string {
	s := "{}"
	if len(text) > 0 {
		s = unsafe.String(unsafe.SliceData(text), len(text))
	}
	return &s
}
