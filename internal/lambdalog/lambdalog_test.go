package lambdalog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/lambdalog"
)

func invocation(id, trace string) context.Context {
	ctx := lambdacontext.NewContext(context.Background(), &lambdacontext.LambdaContext{AwsRequestID: id})
	//lint:ignore SA1029 the key is aws-lambda-go's own
	return context.WithValue(ctx, "x-amzn-trace-id", trace)
}

func TestLines(t *testing.T) {
	t.Parallel()
	const trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0"
	const root = "1-5759e988-bd862e3fe1be46a994272793"
	tests := map[string]struct {
		service string
		log     []context.Context
		want    []map[string]any
	}{
		"plain": {"", []context.Context{invocation("r-1", trace)}, []map[string]any{{"a": "b", "traceId": root}}},
		"with Powertools' names": {"shop", []context.Context{invocation("r-1", trace), invocation("r-1", trace), invocation("r-2", trace)}, []map[string]any{
			{"a": "b", "traceId": root, "xray_trace_id": root, "service": "shop", "cold_start": true, "function_request_id": "r-1"},
			{"a": "b", "traceId": root, "xray_trace_id": root, "service": "shop", "cold_start": true, "function_request_id": "r-1"},
			{"a": "b", "traceId": root, "xray_trace_id": root, "service": "shop", "cold_start": false, "function_request_id": "r-2"},
		}},
		"without a trace":        {"", []context.Context{invocation("r-1", "Parent=1")}, []map[string]any{{"a": "b"}}},
		"outside of invocations": {"shop", []context.Context{context.Background()}, []map[string]any{{"a": "b", "service": "shop"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			getenv := func(name string) string { return map[string]string{"POWERTOOLS_SERVICE_NAME": test.service}[name] }
			log := slog.New(lambdalog.Wrap(slog.NewJSONHandler(&out, nil), getenv)).With("a", "b")
			for _, ctx := range test.log {
				log.InfoContext(ctx, "m")
			}
			lines := json.NewDecoder(&out)
			for _, want := range test.want {
				var got map[string]any
				if err := lines.Decode(&got); err != nil {
					t.Fatal(err)
				}
				for _, key := range []string{"time", "level", "msg"} {
					delete(got, key)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

// What aws-lambda-go says of a function error may hold a workflow's cause; everything else
// that it says is kept.
func TestErrorDocuments(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	w := lambdalog.DropErrors(&out)
	for _, line := range []string{"2026/11/30 12:21:34 {\"errorMessage\":\"Broken: payload\",\"errorType\":\"Broken\"}\n", "2026/11/30 12:21:34 WARNING!\n"} {
		if n, err := w.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("Write = %d, %v, want %d", n, err, len(line))
		}
	}
	if got := out.String(); got != "2026/11/30 12:21:34 WARNING!\n" {
		t.Errorf("written: %q", got)
	}
}
