package statesapi_test

import (
	"encoding/json"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// The Resumer completes tasks that wait in this process, and names its refusals as that for
// AWS does.
func TestResumer(t *testing.T) {
	t.Parallel()
	const definition = `{"StartAt":"W","States":{"W":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken",` +
		`"Parameters":{"FunctionName":"f","Payload":{"token.$":"$$.Task.Token"}},"End":true}}}`
	w := newWaiter(t, definition)
	r := w.Resumer()
	send := func(token string, action bridge.Action) string {
		err := r.Resume(t.Context(), bridge.Resumption{Token: token, Action: action, Output: json.RawMessage(`{"paid":true}`), Error: "Rejected", Cause: "no"})
		if err == nil {
			return ""
		}
		return bridge.AsFailure(err).Name
	}
	w.begin(t)
	token := receive(t, w.tokens)
	for _, step := range []struct {
		token  string
		action bridge.Action
		want   string
	}{
		{"guess", bridge.TaskSucceeds, bridge.BadToken},
		{token, bridge.TaskHeartbeat, ""},
		{token, bridge.TaskSucceeds, ""},
		{token, bridge.TaskFails, bridge.TaskGone},
	} {
		if got := send(step.token, step.action); got != step.want {
			t.Errorf("%s: got %q, want %q", step.action, got, step.want)
		}
	}
	if end := receive(t, w.ended); end.Status != "SUCCEEDED" || string(end.Output) != `{"paid":true}` {
		t.Errorf("the execution ended as %s with %s", end.Status, end.Output)
	}
	w.begin(t)
	if got := send(receive(t, w.tokens), bridge.TaskFails); got != "" {
		t.Errorf("SendTaskFailure was refused: %s", got)
	}
	if end := receive(t, w.ended); end.Status != "FAILED" {
		t.Errorf("the execution ended as %s", end.Status)
	}
}
