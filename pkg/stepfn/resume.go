package stepfn

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A Resumer completes tasks that wait with .waitForTaskToken: SendTaskSuccess,
// SendTaskFailure and SendTaskHeartbeat.
//
// Unlike a start, each of them may be sent again: a token completes its task only once.
// Failures are handled as follows, with retries until the context's deadline and at most
// six attempts:
//
//	not one byte was sent              → again, then Unavailable
//	refused for load                   → again, then Throttled
//	5xx, a reset, no answer            → again, then Unknown
//	the token is malformed or foreign  → BadToken, at once
//	the task is gone                   → TaskGone, at once; but Unknown where an earlier
//	                                     attempt may have been the one that completed it
//
// It is safe for concurrent use.
type Resumer struct {
	client *awsjson.Client
	sleep  func(ctx context.Context, d time.Duration)
	rand   func() float64
}

var _ bridge.Resumer = (*Resumer)(nil)

// NewResumer returns a Resumer for AWS as Lambda's environment describes it, or for the
// endpoint that AWS_ENDPOINT_URL_SFN names. It sends nothing.
func NewResumer(getenv func(string) string) (*Resumer, error) {
	client, err := awsjson.New(getenv, awsjson.StepFunctions)
	if err != nil {
		return nil, err
	}
	return &Resumer{client: client, sleep: sleep, rand: rand.Float64}, nil
}

const (
	resumeAttempts  = 6
	resumeFirstWait = 100 * time.Millisecond
	resumeLongWait  = 2 * time.Second
)

// A taskAnswer is the request of all three operations.
//
// [SendTaskSuccess]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
type taskAnswer struct {
	Token  string  `json:"taskToken"`
	Output *string `json:"output,omitempty"`
	Error  string  `json:"error,omitempty"`
	Cause  string  `json:"cause,omitempty"`
}

// Resume implements [bridge.Resumer].
func (r *Resumer) Resume(ctx context.Context, in bridge.Resumption) error {
	operation, body := "SendTaskHeartbeat", taskAnswer{Token: in.Token}
	switch in.Action {
	case bridge.TaskSucceeds:
		output := string(in.Output)
		operation, body.Output = "SendTaskSuccess", &output
	case bridge.TaskFails:
		operation, body.Error, body.Cause = "SendTaskFailure", in.Error, in.Cause
	case bridge.TaskHeartbeat:
	}
	maybe := false // an earlier attempt may have been accepted
	wait := resumeFirstWait
	for n := 1; ; n++ {
		unsent, err := r.client.Once(ctx, operation, body, &struct{}{})
		if err == nil {
			return nil
		}
		f, again := resumeFailure(ctx, err, unsent, maybe && in.Action != bridge.TaskHeartbeat)
		if !again || n == resumeAttempts || ctx.Err() != nil {
			return f
		}
		maybe = maybe || f.Class() == bridge.Ambiguous
		r.sleep(ctx, time.Duration(r.rand()*float64(wait)))
		if ctx.Err() != nil {
			return f
		}
		wait = min(2*wait, resumeLongWait)
	}
}

// resumeFailure names what happened to an attempt, and reports whether another attempt may
// succeed. Maybe means that an earlier one may have been accepted.
func resumeFailure(ctx context.Context, err error, unsent, maybe bool) (f *bridge.Failure, again bool) {
	var answer *awsjson.Error
	switch {
	case errors.As(err, &answer) && answer.Status >= 400 && answer.Status < 500 && answer.Status != http.StatusRequestTimeout:
		return refusedResume(answer, maybe)
	case unsent && maybe:
		return bridge.NewFailure(bridge.Unknown, "sent, but no answer came; the task may have been resumed", err), true
	case unsent && ctx.Err() == nil:
		return bridge.NewFailure(bridge.Unavailable, "Step Functions cannot be reached; nothing was sent", err), true
	case ctx.Err() != nil:
		return bridge.NewFailure(bridge.Deadline, "no answer in time; the task may have been resumed", err), false
	}
	return bridge.NewFailure(bridge.Unknown, "sent, but no answer came; the task may have been resumed", err), true
}

// refusedResume names an answer of 4xx. The service's own text is left out: it may quote
// the token.
func refusedResume(answer *awsjson.Error, maybe bool) (f *bridge.Failure, again bool) {
	switch answer.Code {
	case "InvalidToken":
		return bridge.NewFailure(bridge.BadToken, "Step Functions did not issue this task token", answer), false
	case "TaskDoesNotExist", "TaskTimedOut":
		if maybe {
			f = bridge.NewFailure(bridge.Unknown, "an attempt got no answer, and then the task was gone: whether this delivery completed it cannot be known", answer)
		} else {
			f = bridge.NewFailure(bridge.TaskGone, "the task was completed or has timed out, or its execution has ended", answer)
		}
		f.Settles = true
		return f, false
	case "InvalidOutput":
		return bridge.NewFailure(bridge.BadRequest, "Step Functions refused the output", answer), false
	case "ValidationException": // the only part that is not checked in advance is the token
		return bridge.NewFailure(bridge.BadToken, "the task token is malformed", answer), false
	}
	name, ok := codes[answer.Code]
	if !ok {
		name = unlisted(answer.Status, answer.Code)
	}
	switch name {
	case bridge.Throttled:
		return bridge.NewFailure(name, "Step Functions refused because of load: "+answer.Code, answer), true
	case bridge.Unknown:
		return bridge.NewFailure(name, "refused without a readable reason", answer), true
	}
	return bridge.NewFailure(name, "Step Functions refused to resume the task: "+answer.Code, answer), false
}
