package stepfn_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/stepfn"
)

// Any answer yields an outcome with a status of the operation, or a failure with one of the
// bridge's names; only a refusal because of load is followed by another request.
func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(done))
	f.Add(200, []byte(`{"executionArn":"a","status":"FAILED","error":null,"cause":7}`))
	f.Add(200, []byte(`{"status":"RUNNING","startDate":"x"}`))
	f.Add(200, []byte(`{"__type":"ThrottlingException"}`))
	f.Add(400, []byte(`{"__type":"com.amazonaws.swf.service.v2.model#ThrottlingException","message":"x"}`))
	f.Add(400, []byte(`{"code":"InvalidArn:http://x/","Message":{}}`))
	f.Add(503, []byte(`<html>`))
	f.Add(302, []byte(``))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return // net/http takes the others for no final answer
		}
		sent := 0
		o := options("http://127.0.0.1:1")
		o.HTTPClient = httpFunc(func(r *http.Request) (*http.Response, error) {
			sent++
			return says(status, string(body))(r)
		})
		c := stepfn.New(o)
		for op, start := range both {
			sent = 0
			outcome, err := start(c, t.Context(), order())
			if err == nil {
				if sent != 1 || status > 299 || !slices.Contains([]bridge.Status{bridge.Succeeded, bridge.Failed, bridge.TimedOut, bridge.Running}, outcome.Status) {
					t.Fatalf("%s: %+v after %d requests and status %d", op, outcome, sent, status)
				}
				continue
			}
			var failure *bridge.Failure
			if !errors.As(err, &failure) || !slices.Contains(bridge.Names(), failure.Name) {
				t.Fatalf("%s: error = %v", op, err)
			}
			refused := status >= 400 && status < 500
			if load := failure.Name == bridge.Throttled; load != (sent > 1) || load && !refused || !refused && failure.Name != bridge.Unknown {
				t.Fatalf("%s: %v after %d requests and status %d", op, failure, sent, status)
			}
		}
	})
}
