package stepfn_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/stepfn"
)

// A refusal names the service's code once, and keeps its message.
func TestCodeIsNamedOnce(t *testing.T) {
	t.Parallel()
	const code = "StateMachineDoesNotExist"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"` + code + `","message":"State Machine Does Not Exist: 'arn'"}`))
	}))
	t.Cleanup(server.Close)
	starter := stepfn.New(stepfn.Options{
		Region: "us-east-1", Endpoint: server.URL, Credentials: awscredentials.NewStaticCredentialsProvider("x", "x", ""),
	})
	_, err := starter.StartSync(t.Context(), bridge.Start{StateMachineARN: "arn:aws:states:us-east-1:123456789012:stateMachine:m", Name: "n", Input: []byte("{}")})
	if err == nil || strings.Count(err.Error(), code) != 1 || !strings.Contains(err.Error(), "State Machine Does Not Exist") {
		t.Errorf("error = %v, want %s once, and the service's message", err, code)
	}
}
