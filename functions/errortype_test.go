package functions_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// Whatever the name of a workflow's failure, and however many events fail at once, Lambda
// gets the error and the process survives: aws-lambda-go reports errors to X-Ray in a
// header, and exits if that cannot be sent.
func TestErrorTypesOfEveryKind(t *testing.T) {
	t.Parallel()
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{
		Respond: func(call lambdatest.StartSyncExecution) (int, any) {
			var input struct{ Detail struct{ Name string } }
			_ = json.Unmarshal([]byte(call.Input), &input)
			return http.StatusOK, failed(input.Detail.Name, "")
		},
	})
	t.Cleanup(states.Close)
	env := environment(t, "event", states.URL)
	env["EXPRESSWAY_CONFIG"] = routesFile(t, "  - {name: all, eventbridge: {source: '*'}, start: m}\n")
	fn := start(t, "event", lambdatest.Options{Env: env})
	fails := func(payload, want string) {
		t.Helper()
		_, err := fn.Invoke(t.Context(), []byte(payload), lambdatest.InvokeOptions{})
		var failure *lambdatest.Error
		if !errors.As(err, &failure) || failure.Type != want {
			t.Errorf("%.200v, want errorType %.100q", err, want)
		}
	}
	event := func(name string) string {
		detail, _ := json.Marshal(map[string]string{"name": name})
		return fmt.Sprintf(`{"id":"e","source":"s","detail-type":"t","detail":%s}`, detail)
	}
	for name, want := range map[string]string{
		"Plain": "Plain", "": "States.Failed", "Wörter 😀": "Wörter 😀", `"quoted" <&>`: `"quoted" <&>`,
		"two\nlines\x00": "two\nlines\x00", "Del\x7f\u0085": "Del\uFFFD\u0085", strings.Repeat("ü", 256): strings.Repeat("ü", 256),
	} {
		fails(event(name), want)
	}
	const many = 1000
	fails("["+strings.Repeat(event(strings.Repeat("x", 250))+",", many-1)+event("last")+"]", strings.Repeat(strings.Repeat("x", 250)+", ", many-1)+"last")
	if got := fn.Starts(); got != 1 {
		t.Errorf("%d processes, want 1", got)
	}
}
