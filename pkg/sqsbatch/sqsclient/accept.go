package sqsclient

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/internal/awsjson"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/trace"
)

// An Acceptor implements [bridge.Acceptor] with [SendMessage]. It reads the environment at
// the first call. It is safe for concurrent use.
//
// A message is sent again only if the queue certainly did not accept it; otherwise, the
// queue might hold it twice.
type Acceptor struct {
	client *Client
	getenv func(string) string
}

var _ bridge.Acceptor = (*Acceptor)(nil)

// NewAcceptor returns the Acceptor of Lambda's environment; see [FromEnv].
func NewAcceptor(getenv func(string) string) *Acceptor { return &Acceptor{FromEnv(getenv), getenv} }

// The number of attempts for a message that was not accepted, and the longest wait
// between two of them.
const (
	acceptAttempts = 4
	acceptWait     = 300 * time.Millisecond
)

// Accept implements [bridge.Acceptor].
func (a *Acceptor) Accept(ctx context.Context, in bridge.Acceptance) (string, error) {
	client, queueURL, err := a.client.at(in.Queue)
	if err != nil {
		return "", bridge.NewFailure(bridge.Misconfigured, "the queue cannot be used", err)
	}
	message := sendMessage{QueueURL: queueURL}
	if header, ok := trace.Choose(ctx, in.TraceHeader, a.getenv, in.FallbackTrace, in.TraceParent); ok {
		in.Envelope.Trace = header.String()
		message.MessageSystemAttributes = map[string]attribute{
			"AWSTraceHeader": {DataType: "String", StringValue: &in.Envelope.Trace},
		}
	}
	message.MessageBody = in.Envelope.Encode()
	for n := 1; ; n++ {
		var out struct {
			MessageID string `json:"MessageId"`
		}
		unsent, err := client.Once(ctx, "SendMessage", message, &out)
		if err == nil && out.MessageID == "" {
			err = awsjson.ErrUnreadable
		}
		if err == nil {
			return out.MessageID, nil
		}
		failure := acceptFailure(unsent, err)
		if failure.Class() != bridge.Retryable || n == acceptAttempts || !pause(ctx, rand.N(acceptWait)) {
			return "", failure
		}
	}
}

// acceptFailure names what went wrong. Only an answer below 500 says that the queue does
// not have the message.
func acceptFailure(unsent bool, err error) *bridge.Failure {
	var answer *awsjson.Error
	switch {
	case unsent:
		return bridge.NewFailure(bridge.Unavailable, "the queue cannot be reached", err)
	case !errors.As(err, &answer), answer.Status < 400, answer.Status >= 500:
		return bridge.NewFailure(bridge.Unknown, "the queue did not answer; it may have accepted the delivery", describe(err))
	case answer.Passes():
		return bridge.NewFailure(bridge.Throttled, "the queue does not accept messages at the moment", describe(err))
	}
	err = describe(err)
	if strings.Contains(err.Error(), "MaximumMessageSize") {
		return bridge.NewFailure(bridge.InputTooLarge, "the input and its envelope are longer than the queue's MaximumMessageSize: raise it to 1 MiB", err)
	}
	return bridge.NewFailure(bridge.Misconfigured, "the queue refuses the delivery", err)
}

// pause waits, and reports whether there is time for another attempt.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
