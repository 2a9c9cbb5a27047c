package stepfn_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// METADATA_ONLY is requested only for the routes that ask for it.
func TestIncludedData(t *testing.T) {
	t.Parallel()
	for metadata, want := range map[bool]any{true: "METADATA_ONLY", false: nil} {
		var sent map[string]any
		o := options("http://127.0.0.1:1")
		o.HTTPClient = httpFunc(func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			_ = json.Unmarshal(body, &sent)
			return says(200, `{"executionArn":"a","status":"SUCCEEDED","startDate":1}`)(r)
		})
		s := order()
		s.MetadataOnly = metadata
		out, err := newClient(t, o).StartSync(t.Context(), s)
		if err != nil || sent["includedData"] != want || out.OutputWithheld != metadata {
			t.Errorf("metadata %v: sent %v, outcome %+v, %v", metadata, sent["includedData"], out, err)
		}
	}
}

// If the service joins a different trace from the one that was sent, exactly one line is
// logged.
func TestTraceOfTheAnswer(t *testing.T) {
	t.Parallel()
	for joined, want := range map[string]int{"": 0, `,"traceHeader":"Root=1-67890abc-0123456789abcdef01234567"`: 0, `,"traceHeader":"Root=1-other"`: 1} {
		var out strings.Builder
		o := options("http://127.0.0.1:1")
		o.Log = slog.New(slog.NewTextHandler(&out, nil))
		o.HTTPClient = says(200, `{"executionArn":"a","status":"SUCCEEDED","startDate":1`+joined+`}`)
		c := newClient(t, o)
		s := order()
		s.TraceHeader = "Root=1-67890abc-0123456789abcdef01234567"
		for range 2 {
			if _, err := c.StartSync(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(out.String(), "joined a different trace"); n != want {
			t.Errorf("%q: %d lines, want %d: %s", joined, n, want, &out)
		}
	}
}

// An execution that may be running can be found: at least the machine and the name are
// known.
func TestNameOfWhatMayRun(t *testing.T) {
	t.Parallel()
	o := options("http://127.0.0.1:1")
	o.HTTPClient = says(500, `{}`)
	_, err := newClient(t, o).StartSync(t.Context(), order())
	if f := bridge.AsFailure(err); f.Name != bridge.Unknown || f.ExecutionName != "orders-1" || !strings.HasPrefix(f.StateMachineARN, "arn:aws:states:") {
		t.Errorf("failure %+v", f)
	}
}
