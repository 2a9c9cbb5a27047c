package stepfn

import (
	"context"
	"fmt"

	smithy "github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/expressway-dev/expressway/pkg/trace"
)

// middleware returns what is different from the SDK's own stack.
func middleware(custom bool) []func(*smithy.Stack) error {
	return []func(*smithy.Stack) error{func(stack *smithy.Stack) error {
		// RecursionDetection would set the header to Lambda's invocation, percent-encoded,
		// and Step Functions prefers the header to the field.
		if _, err := stack.Build.Swap("RecursionDetection", traceHeader{}); err != nil {
			return fmt.Errorf("replace RecursionDetection: %w", err)
		}
		if custom {
			return stack.Initialize.Add(plainHost{}, smithy.Before)
		}
		return nil
	}}
}

// traceHeader sets the HTTP header to what the field holds.
type traceHeader struct{}

func (traceHeader) ID() string { return "ExpresswayTraceHeader" }

func (traceHeader) HandleBuild(ctx context.Context, in smithy.BuildInput, next smithy.BuildHandler) (smithy.BuildOutput, smithy.Metadata, error) {
	if a := attemptOf(ctx); a != nil && a.header != "" {
		req, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return smithy.BuildOutput{}, smithy.Metadata{}, fmt.Errorf("unknown request type %T", in.Request)
		}
		req.Header.Set(trace.HeaderName, a.header)
	}
	return next.HandleBuild(ctx, in)
}

// plainHost keeps "sync-" off a custom endpoint's host: sync-localhost has no address.
type plainHost struct{}

func (plainHost) ID() string { return "ExpresswayPlainHost" }

func (plainHost) HandleInitialize(ctx context.Context, in smithy.InitializeInput, next smithy.InitializeHandler) (smithy.InitializeOutput, smithy.Metadata, error) {
	return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
}
