package stepfn_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/stepfn"
)

const taskToken = "AQCEAAAAKgAAAAMAAAAAAAAAASecret/+="

// taskEndpoint answers the attempts of one resumption in turn; the last answer is repeated.
// An answer is a status and a code, or "reset" or "hang".
func taskEndpoint(t *testing.T, answers ...string) (getenv func(string) string, seen func() []map[string]any) {
	t.Helper()
	var mu sync.Mutex
	var requests []map[string]any
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body := map[string]any{"operation": strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "AWSStepFunctions.")}
		_ = json.Unmarshal(text, &body)
		mu.Lock()
		answer := answers[min(len(requests), len(answers)-1)]
		requests = append(requests, body)
		mu.Unlock()
		switch answer {
		case "ok":
			_, _ = io.WriteString(w, "{}")
		case "reset":
			panic(http.ErrAbortHandler)
		case "hang":
			<-stop
		default:
			status, code, _ := strings.Cut(answer, " ")
			w.WriteHeader(map[string]int{"400": 400, "403": 403, "500": 500, "503": 503}[status])
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "Invalid Token: '" + taskToken + "'"})
		}
	}))
	t.Cleanup(func() { close(stop); server.Close() })
	env := map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL_SFN": server.URL,
	}
	return func(name string) string { return env[name] }, func() []map[string]any {
		mu.Lock()
		defer mu.Unlock()
		return requests
	}
}

var resumption = bridge.Resumption{Token: taskToken, Action: bridge.TaskSucceeds, Output: json.RawMessage(`{"a":1}`)}

// Which failures are retried, and the name of each result.
func TestResumeTable(t *testing.T) {
	t.Parallel()
	heartbeat := bridge.Resumption{Token: taskToken, Action: bridge.TaskHeartbeat}
	tests := map[string]struct {
		answers  []string
		in       bridge.Resumption
		want     string // "" for success
		attempts int
		settles  bool
	}{
		"taken":                                {[]string{"ok"}, resumption, "", 1, false},
		"throttled, then taken":                {[]string{"400 ThrottlingException", "ok"}, resumption, "", 2, false},
		"throttled throughout":                 {[]string{"400 ThrottlingException"}, resumption, bridge.Throttled, 6, false},
		"a server error, then taken":           {[]string{"500 InternalFailure", "ok"}, resumption, "", 2, false},
		"a reset, then taken":                  {[]string{"reset", "ok"}, resumption, "", 2, false},
		"a reset, then gone":                   {[]string{"reset", "400 TaskTimedOut"}, resumption, bridge.Unknown, 2, true},
		"a server error, then gone":            {[]string{"503 ServiceUnavailable", "400 TaskDoesNotExist"}, resumption, bridge.Unknown, 2, true},
		"throttled, then gone":                 {[]string{"400 ThrottlingException", "400 TaskTimedOut"}, resumption, bridge.TaskGone, 2, true},
		"a reset throughout":                   {[]string{"reset"}, resumption, bridge.Unknown, 6, false},
		"a heartbeat after a reset, then gone": {[]string{"reset", "400 TaskTimedOut"}, heartbeat, bridge.TaskGone, 2, true},
		"gone":                                 {[]string{"400 TaskTimedOut"}, resumption, bridge.TaskGone, 1, true},
		"gone with its execution":              {[]string{"400 TaskDoesNotExist"}, resumption, bridge.TaskGone, 1, true},
		"a foreign token":                      {[]string{"400 InvalidToken"}, resumption, bridge.BadToken, 1, false},
		"a malformed token":                    {[]string{"400 ValidationException"}, resumption, bridge.BadToken, 1, false},
		"no permission":                        {[]string{"400 AccessDeniedException"}, resumption, bridge.Misconfigured, 1, false},
		"the key of the machine":               {[]string{"400 KmsAccessDeniedException"}, resumption, bridge.Misconfigured, 1, false},
		"an output that is refused":            {[]string{"400 InvalidOutput"}, resumption, bridge.BadRequest, 1, false},
		"an answer of somebody else":           {[]string{"403 "}, resumption, bridge.Misconfigured, 1, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			getenv, seen := taskEndpoint(t, test.answers...)
			r, err := stepfn.NewResumer(getenv)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			err = r.Resume(ctx, test.in)
			got, settles := "", false
			if err != nil {
				f := bridge.AsFailure(err)
				got, settles = f.Name, f.Settles
				if strings.Contains(f.Error(), taskToken) {
					t.Errorf("the failure shows the token: %v", f)
				}
			}
			if got != test.want || settles != test.settles || len(seen()) != test.attempts {
				t.Errorf("got %q (settles %v) after %d attempts, want %q (%v) after %d", got, settles, len(seen()), test.want, test.settles, test.attempts)
			}
		})
	}
}

// Each action calls its operation, with the members that belong to it.
func TestResumeRequests(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		in   bridge.Resumption
		want map[string]any
	}{
		"success":       {resumption, map[string]any{"operation": "SendTaskSuccess", "taskToken": taskToken, "output": `{"a":1}`}},
		"failure":       {bridge.Resumption{Token: taskToken, Action: bridge.TaskFails, Error: "E", Cause: "c"}, map[string]any{"operation": "SendTaskFailure", "taskToken": taskToken, "error": "E", "cause": "c"}},
		"plain failure": {bridge.Resumption{Token: taskToken, Action: bridge.TaskFails}, map[string]any{"operation": "SendTaskFailure", "taskToken": taskToken}},
		"heartbeat":     {bridge.Resumption{Token: taskToken, Action: bridge.TaskHeartbeat}, map[string]any{"operation": "SendTaskHeartbeat", "taskToken": taskToken}},
	} {
		getenv, seen := taskEndpoint(t, "ok")
		r, err := stepfn.NewResumer(getenv)
		if err == nil {
			err = r.Resume(t.Context(), test.in)
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]map[string]any{test.want}, seen()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Without a connection, nothing was sent; without an answer, the result is unknown.
func TestResumeWithoutAnswer(t *testing.T) {
	t.Parallel()
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL_SFN": "http://127.0.0.1:1"}
	r, err := stepfn.NewResumer(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	if f := bridge.AsFailure(r.Resume(t.Context(), resumption)); f.Name != bridge.Unavailable {
		t.Errorf("without a listener: %v, want %s", f, bridge.Unavailable)
	}
	getenv, _ := taskEndpoint(t, "hang")
	if r, err = stepfn.NewResumer(getenv); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if f := bridge.AsFailure(r.Resume(ctx, resumption)); f.Name != bridge.Deadline {
		t.Errorf("no answer in time: %v, want %s", f, bridge.Deadline)
	}
}
