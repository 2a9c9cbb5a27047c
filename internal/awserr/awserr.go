// Package awserr says in words what calls of AWS have failed of, and what to do: for the
// commands that a person runs.
package awserr

import (
	"errors"
	"fmt"
	"net"

	"github.com/aws/smithy-go"
)

// Errors that a caller distinguishes.
var (
	// ErrCredentials are credentials that have expired, or are not valid.
	ErrCredentials = errors.New("the credentials have expired or are not valid: sign in again")
	// ErrDenied is a permission that is missing.
	ErrDenied = errors.New("a permission is missing")
	// ErrThrottled is a service that throttles.
	ErrThrottled = errors.New("the service is throttling, even after several attempts: try again later")
	// ErrNotFound is a thing that is not there.
	ErrNotFound = errors.New("not found")
	// ErrUnreachable is a service that was not reached.
	ErrUnreachable = errors.New("the service was not reached")
)

var names = map[string]error{
	"ExpiredToken": ErrCredentials, "ExpiredTokenException": ErrCredentials, "RequestExpired": ErrCredentials, "InvalidClientTokenId": ErrCredentials,
	"UnrecognizedClientException": ErrCredentials, "InvalidSignatureException": ErrCredentials, "SignatureDoesNotMatch": ErrCredentials, "AuthFailure": ErrCredentials,
	"AccessDenied": ErrDenied, "AccessDeniedException": ErrDenied, "UnauthorizedOperation": ErrDenied, "AuthorizationError": ErrDenied,
	"Throttling": ErrThrottled, "ThrottlingException": ErrThrottled, "TooManyRequestsException": ErrThrottled, "RequestLimitExceeded": ErrThrottled,
	"LimitExceededException": ErrThrottled, "RequestThrottled": ErrThrottled,
	"ResourceNotFoundException": ErrNotFound, "QueueDoesNotExist": ErrNotFound, "AWS.SimpleQueueService.NonExistentQueue": ErrNotFound, "StateMachineDoesNotExist": ErrNotFound,
	"NoSuchBucket": ErrNotFound, "SlowDown": ErrThrottled, "ProvisionedThroughputExceededException": ErrThrottled, "RequestTimeTooSkewed": ErrCredentials, "InvalidAccessKeyId": ErrCredentials,
}

// Explain returns an error that wraps one of this package's, where the failure is one of
// those, and names the action: cloudformation:ListStackResources.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	action := action(err)
	var api smithy.APIError
	if errors.As(err, &api) {
		if kind := names[api.ErrorCode()]; kind != nil {
			return fmt.Errorf("%s: %w (%s: %s)", action, kind, api.ErrorCode(), api.ErrorMessage())
		}
		return fmt.Errorf("%s: %s: %s", action, api.ErrorCode(), api.ErrorMessage())
	}
	var network net.Error
	if errors.As(err, &network) {
		return fmt.Errorf("%s: %w: %w", action, ErrUnreachable, network)
	}
	return fmt.Errorf("%s: %w", action, err)
}

// Named is Explain for calls that do not go through the SDK's clients: action is the
// permission, and code the service's, which may be empty.
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

// action is the permission that the failed call needs, as service:Operation.
func action(err error) string {
	var operation *smithy.OperationError
	if !errors.As(err, &operation) {
		return "AWS"
	}
	service := services[operation.Service()]
	if service == "" {
		service = operation.Service()
	}
	return service + ":" + operation.Operation()
}
