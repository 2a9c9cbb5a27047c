package stepfn

import (
	"bytes"
	"context"
	"fmt"

	smithy "github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/expressway-dev/expressway/pkg/trace"
)

// middleware returns the changes to the SDK's own stack.
func middleware(custom bool) []func(*smithy.Stack) error {
	return []func(*smithy.Stack) error{func(stack *smithy.Stack) error {
		// RecursionDetection would set the header to Lambda's invocation, percent-encoded,
		// and Step Functions prefers the header to the field.
		if _, err := stack.Build.Swap("RecursionDetection", prepare{}); err != nil {
			return fmt.Errorf("replace RecursionDetection: %w", err)
		}
		// With a single attempt, the retry loop only produces garbage, a tenth of a
		// start's. Its correction of a wrong clock is removed with it, but Lambda's clock
		// is right. If a version of the SDK names it differently, it stays, together with
		// the NopRetryer.
		for _, id := range []string{"Retry", "RetryMetricsHeader", "spanRetryLoop"} {
			_, _ = stack.Finalize.Remove(id)
		}
		if custom {
			return stack.Initialize.Add(plainHost{}, smithy.Before)
		}
		return nil
	}}
}

// prepare sets the HTTP header to the field's value, and remembers the body.
type prepare struct{}

func (prepare) ID() string { return "ExpresswayPrepare" }

func (prepare) HandleBuild(ctx context.Context, in smithy.BuildInput, next smithy.BuildHandler) (smithy.BuildOutput, smithy.Metadata, error) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return smithy.BuildOutput{}, smithy.Metadata{}, fmt.Errorf("unknown request type %T", in.Request)
	}
	if a := attemptOf(ctx); a != nil {
		if a.header != "" {
			req.Header.Set(trace.HeaderName, a.header)
		}
		a.body, _ = req.GetStream().(*bytes.Reader)
	}
	return next.HandleBuild(ctx, in)
}

// plainHost keeps "sync-" off a custom endpoint's host: sync-localhost has no address.
type plainHost struct{}

func (plainHost) ID() string { return "ExpresswayPlainHost" }

func (plainHost) HandleInitialize(ctx context.Context, in smithy.InitializeInput, next smithy.InitializeHandler) (smithy.InitializeOutput, smithy.Metadata, error) {
	return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
}
