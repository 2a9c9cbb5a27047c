package statesapi

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// The region and the account of a service are in each ARN that it makes, whatever region a
// client signs for; state machines of another region or account do not exist, for clients and
// for tasks alike.
func TestRegionAndAccount(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{Region: "eu-west-1", Account: "111122223333"}, passDefinition)
	own := "arn:aws:states:eu-west-1:111122223333:stateMachine:orders"
	for _, scope := range []string{"us-east-1/states", "eu-west-1/states", "cn-north-1/sts", "nonsense"} {
		for op, body := range map[string]string{"DescribeStateMachine": `{"stateMachineArn":"` + own + `"}`, "ListStateMachines": `{}`} {
			r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte(body)))
			r.Header.Set("Content-Type", contentType)
			r.Header.Set("X-Amz-Target", targetPrefix+op)
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20261122/"+scope+"/aws4_request, SignedHeaders=host, Signature=0")
			if code, _, answer := serve(t, NewHandler(s, HandlerOptions{}), r); code != 200 || !strings.Contains(must(t, answer), own) {
				t.Errorf("%s signed for %s: %d %v, want %s", op, scope, code, answer, own)
			}
		}
	}
	for _, other := range []string{
		"arn:aws:states:us-east-1:111122223333:stateMachine:orders", "arn:aws:states:eu-west-1:123456789012:stateMachine:orders",
		"arn:aws-cn:states:eu-west-1:111122223333:stateMachine:orders",
	} {
		_, err := s.StartSync(t.Context(), StartInput{StateMachineARN: &other})
		wantCode(t, err, StateMachineDoesNotExist)
		put(t, s, "outer", strings.ReplaceAll(starting("states:startSyncExecution", "orders", `{}`), "arn:aws:states:us-east-1:123456789012:stateMachine:orders", other))
		got, err := s.StartSync(t.Context(), StartInput{StateMachineARN: ptr(s.ARN("outer"))})
		if err != nil || got.Status != bridge.Failed || got.Error != "StepFunctions.StateMachineDoesNotExistException" {
			t.Errorf("a task that starts %s: got %s %s %s, %v, want StateMachineDoesNotExistException", other, got.Status, got.Error, got.Cause, err)
		}
	}
}
