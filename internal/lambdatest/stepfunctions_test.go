package lambdatest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

func call(t *testing.T, url, target, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "AWSStepFunctions."+target)
	req.Header.Set("X-Amzn-Trace-Id", "Root=1-a-b")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(got)
}

func TestStepFunctions(t *testing.T) {
	t.Parallel()
	const delay = 30 * time.Millisecond
	api := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{Delay: delay})
	t.Cleanup(api.Close)
	began := time.Now()
	status, body := call(t, api.URL, "StartSyncExecution", `{"input":"{}"}`)
	if status != http.StatusOK || !strings.Contains(body, `"SUCCEEDED"`) {
		t.Errorf("got %d %s, want a success", status, body)
	}
	if took := time.Since(began); took < delay {
		t.Errorf("took %v, want at least %v", took, delay)
	}
	if got, want := string(api.LastRequest()), `{"input":"{}"}`; got != want {
		t.Errorf("last request = %s, want %s", got, want)
	}
	if status, _ = call(t, api.URL, "DeleteStateMachine", `{}`); status != http.StatusBadRequest {
		t.Errorf("other operation: status = %d, want 400", status)
	}
	if got := api.Calls(); got != 1 {
		t.Errorf("calls = %d, want 1", got)
	}
}

func TestStepFunctionsRespond(t *testing.T) {
	t.Parallel()
	calls := make(chan lambdatest.StartSyncExecution, 1)
	api := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{
		Respond: func(c lambdatest.StartSyncExecution) (int, any) {
			calls <- c
			return http.StatusBadRequest, map[string]string{"__type": "StateMachineDoesNotExist"}
		},
	})
	t.Cleanup(api.Close)
	status, body := call(t, api.URL, "StartSyncExecution", `{"stateMachineArn":"m","name":"n","input":"1","traceHeader":"t"}`)
	if want := `{"__type":"StateMachineDoesNotExist"}`; status != http.StatusBadRequest || body != want {
		t.Errorf("got %d %s, want 400 %s", status, body, want)
	}
	want := lambdatest.StartSyncExecution{StateMachineARN: "m", Name: "n", Input: "1", TraceHeader: "t", HTTPTraceHeader: "Root=1-a-b"}
	if diff := cmp.Diff(want, <-calls); diff != "" {
		t.Errorf("call (-want +got):\n%s", diff)
	}
	if status, _ = call(t, api.URL, "StartSyncExecution", `{`); status != http.StatusBadRequest {
		t.Errorf("broken request: status = %d, want 400", status)
	}
}
