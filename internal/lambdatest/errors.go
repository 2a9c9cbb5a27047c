package lambdatest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Types of errors that Lambda itself reports, as in errorType.
const (
	ErrorTypeTimeout          = "Sandbox.Timedout"
	ErrorTypeExit             = "Runtime.ExitError"
	ErrorTypeResponseTooLarge = "Function.ResponseSizeTooLarge"
)

// An Error is a failure of the function: one that it reported, or one that Lambda reports
// for it. On Lambda, the invocation is then answered 200, with X-Amz-Function-Error.
type Error struct {
	// Type and Message are errorType and errorMessage.
	Type, Message string
	// Init means that the process failed before its first poll.
	Init bool
	// Payload is the whole error document, as the invoker receives it.
	Payload []byte
	// Logs is what the process wrote before it failed to init: there may be no
	// [Function] to ask. It is empty for other errors.
	Logs string
}

// Error returns the type and the message, and the logs of an init error on separate
// lines.
func (e *Error) Error() string {
	if !e.Init {
		return fmt.Sprintf("function error: %s: %s", e.Type, e.Message)
	}
	text := fmt.Sprintf("init error: %s: %s", e.Type, e.Message)
	if e.Logs != "" {
		text += "\n" + strings.TrimRight(e.Logs, "\n")
	}
	return text
}

// reported returns the error that the function posted. A document that is not an error
// document is kept as the payload, with a type that says so.
func reported(body []byte) *Error {
	var doc struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return &Error{Type: "Function.Unknown", Message: "the error document is not JSON: " + err.Error(), Payload: body}
	}
	return &Error{Type: doc.ErrorType, Message: doc.ErrorMessage, Payload: body}
}

func platformError(kind, message string) *Error {
	// Two strings cannot fail.
	payload, _ := json.Marshal(struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{kind, message})
	return &Error{Type: kind, Message: message, Payload: payload}
}

func timeoutError(id string, after time.Duration) *Error {
	return platformError(ErrorTypeTimeout, fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", id, after.Seconds()))
}

func exitError(id string, exit error) *Error {
	reason := "Runtime exited without providing a reason"
	if status := (*exec.ExitError)(nil); errors.As(exit, &status) {
		reason = "Runtime exited with error: " + status.Error()
	}
	return platformError(ErrorTypeExit, fmt.Sprintf("RequestId: %s Error: %s", id, reason))
}

func tooLargeError() *Error {
	return platformError(ErrorTypeResponseTooLarge,
		fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse))
}
