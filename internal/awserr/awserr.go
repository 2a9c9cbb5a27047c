// Package awserr explains the errors of calls to AWS to the person who runs a command: what
// failed, and what to do.
package awserr

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/aws/smithy-go"
)

// Errors that a caller distinguishes.
var (
	// ErrCredentials means that the credentials have expired or are not valid.
	ErrCredentials = errors.New("the credentials have expired or are not valid")
	// ErrDenied means that a permission is missing.
	ErrDenied = errors.New("a permission is missing")
	// ErrThrottled means that the service throttles.
	ErrThrottled = errors.New("the service is throttling, even after several attempts")
	// ErrNotFound means that a resource does not exist.
	ErrNotFound = errors.New("not found")
	// ErrUnreachable means that the service could not be reached.
	ErrUnreachable = errors.New("the service could not be reached")
)

var cures = []struct {
	kind error
	cure string
}{
	{ErrCredentials, "Sign in again (aws sso login, or aws configure), or correct the keys and the clock of this machine."},
	{ErrDenied, "Allow this action in a policy of the user or role whose credentials are used."},
	{ErrThrottled, "Try again later."},
	{ErrNotFound, "Check the name, the region and the account."},
	{ErrUnreachable, "Check the region, the network and, if it is set, AWS_ENDPOINT_URL."},
}

// Cure returns a sentence that says what to do about the failure of a call, or "" if err is
// not one of those that this package knows.
func Cure(err error) string {
	kind := Explain(err)
	for _, c := range cures {
		if errors.Is(kind, c.kind) {
			return c.cure
		}
	}
	return ""
}

// An answer is the error of a service: of the SDK, or of this module's own clients.
type answer interface {
	error
	ErrorCode() string
	ErrorMessage() string
}

var names = map[string]error{
	"ExpiredToken": ErrCredentials, "ExpiredTokenException": ErrCredentials, "RequestExpired": ErrCredentials, "InvalidClientTokenId": ErrCredentials,
	"UnrecognizedClientException": ErrCredentials, "InvalidSignatureException": ErrCredentials, "SignatureDoesNotMatch": ErrCredentials, "AuthFailure": ErrCredentials,
	"AccessDenied": ErrDenied, "AccessDeniedException": ErrDenied, "UnauthorizedOperation": ErrDenied, "AuthorizationError": ErrDenied,
	"Throttling": ErrThrottled, "ThrottlingException": ErrThrottled, "TooManyRequestsException": ErrThrottled, "RequestLimitExceeded": ErrThrottled,
	"LimitExceededException": ErrThrottled, "RequestThrottled": ErrThrottled,
	"ResourceNotFoundException": ErrNotFound, "QueueDoesNotExist": ErrNotFound, "AWS.SimpleQueueService.NonExistentQueue": ErrNotFound, "StateMachineDoesNotExist": ErrNotFound,
	"NoSuchBucket": ErrNotFound, "SlowDown": ErrThrottled, "ProvisionedThroughputExceededException": ErrThrottled, "RequestTimeTooSkewed": ErrCredentials, "InvalidAccessKeyId": ErrCredentials,
}

// Explain returns an error that wraps one of this package's errors, if the failure is one
// of those. It names the action of a call by the SDK, such as cloudformation:ListStackResources.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	for _, c := range cures {
		if errors.Is(err, c.kind) {
			return err
		}
	}
	action := action(err)
	var refused answer
	if errors.As(err, &refused) {
		why := refused.ErrorCode()
		if message := refused.ErrorMessage(); message != "" {
			why += ": " + message
		}
		if kind := names[refused.ErrorCode()]; kind != nil {
			return fmt.Errorf("%s%w (%s)", action, kind, why)
		}
		return fmt.Errorf("%s%s", action, why)
	}
	var network net.Error
	if errors.As(err, &network) && calls(err) && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s%w: %w", action, ErrUnreachable, network)
	}
	return fmt.Errorf("%s%w", action, err)
}

// calls reports whether an error comes from a call over the network. A syscall.Errno satisfies
// net.Error too, even if it is about a file or a port in use.
func calls(err error) bool {
	var call *url.Error
	var lookup *net.DNSError
	var op *net.OpError
	return errors.As(err, &call) || errors.As(err, &lookup) || errors.As(err, &op) && op.Op != "listen"
}

// Named is like Explain, for calls that do not use the SDK's clients. The action is the
// permission, and code is the service's error code, which may be empty.
func Named(action, code string, err error) error {
	switch kind := names[code]; {
	case err == nil:
		return nil
	case kind != nil:
		return fmt.Errorf("%s: %w (%w)", action, kind, err)
	}
	return fmt.Errorf("%s: %w", action, err)
}

// services are the prefixes of actions, by the SDK's names of services.
var services = map[string]string{
	"CloudWatch Logs": "logs", "CloudFormation": "cloudformation", "Lambda": "lambda", "SQS": "sqs", "SFN": "states",
}

// action returns the permission that the failed call needs, as "service:Operation: ", or ""
// if err is not the SDK's.
func action(err error) string {
	var operation *smithy.OperationError
	if !errors.As(err, &operation) {
		return ""
	}
	service := services[operation.Service()]
	if service == "" {
		service = operation.Service()
	}
	return service + ":" + operation.Operation() + ": "
}
