package statesapi

import (
	"fmt"
	"net/http"
)

// A Code is the name of an API error, as SDKs know it.
type Code string

// The codes of the operations, and those of AWS's front end that precede them.
const (
	ActivityDoesNotExist          Code = "ActivityDoesNotExist"
	ConflictException             Code = "ConflictException"
	ExecutionAlreadyExists        Code = "ExecutionAlreadyExists"
	ExecutionDoesNotExist         Code = "ExecutionDoesNotExist"
	ExecutionNotRedrivable        Code = "ExecutionNotRedrivable"
	ExecutionLimitExceeded        Code = "ExecutionLimitExceeded"
	InvalidArn                    Code = "InvalidArn"
	InvalidDefinition             Code = "InvalidDefinition"
	InvalidEncryption             Code = "InvalidEncryptionConfiguration"
	InvalidExecutionInput         Code = "InvalidExecutionInput"
	InvalidLogging                Code = "InvalidLoggingConfiguration"
	InvalidName                   Code = "InvalidName"
	InvalidToken                  Code = "InvalidToken"
	MissingRequiredParameter      Code = "MissingRequiredParameter"
	ResourceNotFound              Code = "ResourceNotFound"
	ServiceQuotaExceeded          Code = "ServiceQuotaExceededException"
	StateMachineAlreadyExists     Code = "StateMachineAlreadyExists"
	StateMachineDeleting          Code = "StateMachineDeleting"
	StateMachineDoesNotExist      Code = "StateMachineDoesNotExist"
	StateMachineLimitExceeded     Code = "StateMachineLimitExceeded"
	StateMachineTypeNotSupported  Code = "StateMachineTypeNotSupported"
	TaskTimedOut                  Code = "TaskTimedOut"
	InvalidOutput                 Code = "InvalidOutput"
	TooManyTags                   Code = "TooManyTags"
	ValidationException           Code = "ValidationException"
	InternalFailure               Code = "InternalFailure"
	RequestEntityTooLarge         Code = "RequestEntityTooLargeException"
	SerializationException        Code = "SerializationException"
	ServiceUnavailable            Code = "ServiceUnavailable"
	ThrottlingException           Code = "ThrottlingException"
	UnknownOperationException     Code = "UnknownOperationException"
	UnsupportedMediaTypeException Code = "UnsupportedMediaTypeException"
)

// The namespaces precede the # in __type: AWS's front end (coral) has its own errors, and
// the service's are in its model's namespace.
const (
	serviceNamespace    = "com.amazonaws.swf.service.v2.model#"
	validateNamespace   = "com.amazon.coral.validate#"
	frontNamespace      = "com.amazon.coral.service#"
	throttlingNamespace = "com.amazon.coral.availability#"
)

// An Error is a refused call. It means that nothing was started and nothing changed,
// except for [InternalFailure], which leaves that open.
type Error struct {
	Code Code
	// Message is AWS's text if that is known. It quotes ARNs and names, as AWS does, and
	// never inputs or definitions.
	Message string
	// Reason names the violated rule, in some errors of type ValidationException.
	Reason string

	status int // if it is not the one of Code
}

// Error returns the code and the message.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Status returns the HTTP status of the error.
func (e *Error) Status() int {
	if e.status != 0 {
		return e.status
	}
	switch e.Code {
	case InternalFailure:
		return http.StatusInternalServerError
	case ServiceUnavailable:
		return http.StatusServiceUnavailable
	case RequestEntityTooLarge:
		return http.StatusRequestEntityTooLarge
	case UnsupportedMediaTypeException:
		return http.StatusUnsupportedMediaType
	}
	return http.StatusBadRequest
}

// Type returns the qualified name for __type.
func (e *Error) Type() string {
	switch e.Code {
	case ValidationException:
		return validateNamespace + string(e.Code)
	case ThrottlingException:
		return throttlingNamespace + string(e.Code)
	case InternalFailure, RequestEntityTooLarge, SerializationException, ServiceUnavailable,
		UnknownOperationException, UnsupportedMediaTypeException:
		return frontNamespace + string(e.Code)
	}
	return serviceNamespace + string(e.Code)
}

func errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func doesNotExist(arn string) *Error {
	return errorf(StateMachineDoesNotExist, "State Machine Does Not Exist: '%s'", arn)
}

func isDeleting(arn string) *Error {
	return errorf(StateMachineDeleting, "State Machine is being deleted: '%s'", arn)
}

// invalid returns a ValidationException with a reason.
func invalid(reason, format string, args ...any) *Error {
	e := errorf(ValidationException, format, args...)
	e.Reason = reason
	return e
}

// The reasons of a ValidationException.
const (
	reasonLabel   = "API_DOES_NOT_SUPPORT_LABELED_ARNS"
	reasonMissing = "MISSING_REQUIRED_PARAMETER"
	reasonRouting = "INVALID_ROUTING_CONFIGURATION"
)

// errInvalidToken returns AWS's answer to a page's or a task's token that it did not
// issue.
func errInvalidToken() *Error { return errorf(InvalidToken, "Invalid Token: 'Invalid token'") }

// errTypeNotSupported returns AWS's answer to StartSyncExecution of a STANDARD machine,
// and to listing the executions of an EXPRESS one.
func errTypeNotSupported() *Error {
	return errorf(StateMachineTypeNotSupported, "This operation is not supported by this type of state machine")
}
