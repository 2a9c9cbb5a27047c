package bridge

import (
	"strings"
)

// maxCause is how much of a workflow's cause is shown to those who may see it, in bytes.
const maxCause = 1024

// Detail describes the failure to the account's owner. If a workflow failed, it includes
// the first 1,024 bytes of the cause, and the state; both are payload. [Failure.Error] is
// for everybody else.
func (f *Failure) Detail() string {
	cause := f.shownCause()
	if state := f.State(); state != "" && !strings.Contains(cause, "'"+state+"'") {
		cause = strings.TrimSpace(cause + " (state " + state + ")")
	}
	if cause == "" {
		return f.Error()
	}
	return f.Name + ": " + cause
}

// State is the name of the state that failed, if the service or the engine reported it.
func (f *Failure) State() string {
	if f.Outcome == nil {
		return ""
	}
	if f.Outcome.State != "" {
		return f.Outcome.State
	}
	// Causes that Step Functions itself writes begin like this; a workflow's own need
	// not.
	rest, ok := strings.CutPrefix(f.Cause, "An error occurred while executing the state '")
	if !ok {
		return ""
	}
	state, _, ok := strings.Cut(rest, "' (entered at the event id #")
	if !ok {
		return ""
	}
	return state
}

// shownCause returns the beginning of a workflow's cause. It is empty for the bridge's
// own failures, whose text includes the cause.
func (f *Failure) shownCause() string {
	if f.Outcome == nil || f.Outcome.Status == Succeeded || f.Name == BadResponse {
		return ""
	}
	if len(f.Cause) <= maxCause {
		return strings.ToValidUTF8(f.Cause, "\uFFFD")
	}
	return strings.ToValidUTF8(f.Cause[:maxCause], "") + "…"
}
