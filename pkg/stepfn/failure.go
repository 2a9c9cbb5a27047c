package stepfn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/aws/smithy-go"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// errUnreadable means that an answer of 200 lacks what the operation promises.
var errUnreadable = errors.New("the answer cannot be read")

// codes maps the service's error codes to the bridge's names. It applies to answers with a
// status of 4xx: after a 5xx, anything may have happened.
//
// [StartSyncExecution errors]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html#API_StartSyncExecution_Errors
// [Common errors]: https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html
var codes = map[string]string{
	// Refused for load or quota.
	"ThrottlingException":           bridge.Throttled,
	"ThrottledException":            bridge.Throttled,
	"Throttling":                    bridge.Throttled,
	"RequestThrottled":              bridge.Throttled,
	"RequestThrottledException":     bridge.Throttled,
	"RequestLimitExceeded":          bridge.Throttled,
	"TooManyRequestsException":      bridge.Throttled,
	"TooManyRequests":               bridge.Throttled,
	"SlowDown":                      bridge.Throttled,
	"ServiceQuotaExceededException": bridge.Throttled,
	"ExecutionLimitExceeded":        bridge.Throttled,
	"KmsThrottlingException":        bridge.Throttled,

	// The state machine.
	"InvalidArn":                   bridge.Misconfigured,
	"InvalidName":                  bridge.Misconfigured,
	"StateMachineDoesNotExist":     bridge.Misconfigured,
	"StateMachineDeleting":         bridge.Misconfigured,
	"StateMachineTypeNotSupported": bridge.Misconfigured,
	"ResourceNotFound":             bridge.Misconfigured,
	"ValidationException":          bridge.Misconfigured,

	// Keys and permissions.
	"KmsAccessDeniedException":            bridge.Misconfigured,
	"KmsInvalidStateException":            bridge.Misconfigured,
	"AccessDenied":                        bridge.Misconfigured,
	"AccessDeniedException":               bridge.Misconfigured,
	"NotAuthorized":                       bridge.Misconfigured,
	"OptInRequired":                       bridge.Misconfigured,
	"UnrecognizedClientException":         bridge.Misconfigured,
	"InvalidClientTokenId":                bridge.Misconfigured,
	"MissingAuthenticationToken":          bridge.Misconfigured,
	"IncompleteSignature":                 bridge.Misconfigured,
	"IncompleteSignatureException":        bridge.Misconfigured,
	"InvalidSignatureException":           bridge.Misconfigured,
	"SignatureDoesNotMatch":               bridge.Misconfigured,
	"ExpiredToken":                        bridge.Misconfigured,
	"ExpiredTokenException":               bridge.Misconfigured,
	"RequestExpired":                      bridge.Misconfigured,
	"RequestTimeTooSkewed":                bridge.Misconfigured,
	"UnknownOperationException":           bridge.Misconfigured,
	"MissingAuthenticationTokenException": bridge.Misconfigured,

	// The delivery.
	"InvalidExecutionInput":          bridge.BadRequest,
	"SerializationException":         bridge.BadRequest,
	"RequestEntityTooLargeException": bridge.InputTooLarge,
	"ExecutionAlreadyExists":         bridge.DedupeMismatch, // of a Standard Workflow
}

// failure names what happened to the attempt; err is the SDK's error.
func (a *attempt) failure(ctx context.Context, err error) *bridge.Failure {
	switch {
	case !a.entered && ctx.Err() != nil:
		return bridge.NewFailure(bridge.Unavailable, "time ran out before anything was sent", ctx.Err())
	case !a.entered:
		return bridge.NewFailure(bridge.Misconfigured, "the request cannot be built", err)
	case a.status != 0:
		return a.refused(ctx, err)
	case a.unsent:
		return bridge.NewFailure(bridge.Unavailable, "Step Functions cannot be reached; nothing was sent", transportError(err))
	case ctx.Err() != nil:
		return bridge.NewFailure(bridge.Deadline, "no answer in time; the execution may still be running", ctx.Err())
	}
	return bridge.NewFailure(bridge.Unknown, "the request was sent but no answer came; the execution may have run", transportError(err))
}

// refused names the failure of an attempt that was answered.
func (a *attempt) refused(ctx context.Context, err error) *bridge.Failure {
	if a.status < 400 || a.status >= 500 || a.status == http.StatusRequestTimeout {
		if a.status < 300 && ctx.Err() != nil {
			return bridge.NewFailure(bridge.Deadline, "time ran out before the answer was complete", ctx.Err())
		}
		return bridge.NewFailure(bridge.Unknown, "the answer cannot be understood; the execution may have run", a.answer(err))
	}
	var api smithy.APIError
	code := ""
	if errors.As(err, &api) && api.ErrorCode() != unknownCode {
		code = api.ErrorCode()
	}
	name, ok := codes[code]
	if !ok {
		name = unlisted(a.status, code)
	}
	if name == bridge.Unknown {
		return bridge.NewFailure(name, "Step Functions refused the request without a readable reason", a.answer(err))
	}
	if code == "" {
		code = http.StatusText(a.status)
	}
	f := bridge.NewFailure(name, "Step Functions refused the start: "+code, behindCode{a.answer(err)})
	if name == bridge.Throttled {
		f.RetryAfter = a.retryAfter
	}
	return f
}

// unknownCode is the SDK's code for an error without a code.
const unknownCode = "UnknownError"

// unlisted names an answer of 4xx whose code is not in the table. With a code, the service
// says that it did not start; an answer without a code may come from anything on the way.
func unlisted(status int, code string) string {
	switch status {
	case http.StatusTooManyRequests:
		return bridge.Throttled
	case http.StatusRequestEntityTooLarge:
		return bridge.InputTooLarge
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusProxyAuthRequired:
		return bridge.Misconfigured
	}
	if code != "" {
		return bridge.Misconfigured
	}
	return bridge.Unknown
}

// answer returns what the service answered, for the logs. The service's message is left
// out if it might quote the delivery.
func (a *attempt) answer(err error) *AnswerError {
	e := &AnswerError{Status: a.status, RequestID: a.requestID}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code = api.ErrorCode()
		if codes[e.Code] == bridge.Misconfigured && e.Code != "ValidationException" { // "Value '…' at 'input' failed …"
			e.Message = api.ErrorMessage()
		}
	}
	return e
}

// An AnswerError is a response of the service that does not report a successful start.
type AnswerError struct {
	// Status is the HTTP status. 2xx means an answer that is cut off or not
	// what the operation promises.
	Status int
	// Code is the service's error code, such as AccessDeniedException; may be empty.
	Code string
	// Message is the service's own message; it is only set if it concerns the
	// configuration alone.
	Message string
	// RequestID finds the request at AWS; may be empty.
	RequestID string
}

func (e *AnswerError) Error() string {
	s := fmt.Sprintf("status %d", e.Status)
	if e.Code != "" {
		s += " " + e.Code
	}
	if e.RequestID != "" {
		s += " (request " + e.RequestID + ")"
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// behindCode is an AnswerError in a chain that has already named its code.
type behindCode struct{ answer *AnswerError }

func (b behindCode) Error() string {
	e := *b.answer
	e.Code = ""
	return e.Error()
}

func (b behindCode) Unwrap() error { return b.answer }

// transportError returns the informative part of the SDK's error chain.
func transportError(err error) error {
	for e := err; e != nil; e = errors.Unwrap(e) {
		switch e.(type) {
		case *smithy.OperationError, *smithy.CanceledError:
		default:
			if errors.Unwrap(e) == nil {
				return e
			}
			var op *net.OpError
			if errors.As(e, &op) {
				return op
			}
		}
	}
	return err
}

// neverDialed reports whether err alone shows that there was no connection; it is for
// HTTP clients that reveal nothing else.
func neverDialed(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	return errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial"
}
