package console

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// A played delivery is what the development server passes to a recorder for a webhook that
// runs five states, with nothing of what it does itself.
type played struct {
	r       *Recorder
	log     slog.Handler
	payload []byte
	answer  []byte
	arn     string
	attrs   []slog.Attr
}

func newPlayed(r *Recorder) *played {
	p := &played{r: r, log: r.Log(slog.NewTextHandler(nil, &slog.HandlerOptions{Level: slog.LevelWarn})).WithAttrs([]slog.Attr{slog.String("version", "1")})}
	p.payload = []byte(`{"version":"2.0","rawPath":"/r","rawQueryString":"","headers":{"accept-encoding":"gzip","content-length":"26","content-type":"application/json","host":"127.0.0.1:37653","user-agent":"Go-http-client/1.1"},"requestContext":{"accountId":"anonymous","requestId":"64YD55T4LJXPH6I6VJAYADCDRF","apiId":"local","domainName":"local.lambda-url.us-east-1.on.aws","domainPrefix":"","time":"01/Dec/2026:09:35:58 +0000","timeEpoch":1796117758741,"http":{"method":"POST","path":"/r","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"Go-http-client/1.1"}},"body":"{\"id\":1,\"items\":[\"a\",\"b\"]}","isBase64Encoded":false}`)
	p.answer = []byte(`{"statusCode":200,"headers":{"Content-Type":"application/json"},"body":"{\"id\":1,\"items\":[\"a\",\"b\"]}","isBase64Encoded":false}`)
	p.arn = "arn:aws:states:us-east-1:123456789012:express:m:r-64YD55T4LJXPH6I6VJAYADCDRF:c6d72459-f04b-4ca6-bf6c-3078d34fe798"
	p.attrs = []slog.Attr{
		slog.String("method", "POST"), slog.String("pattern", "/r"), slog.String("route", "r"), slog.String("delivery", "64YD55T4LJXPH6I6VJAYADCDRF"),
		slog.String("gatewayRequestId", "64YD55T4LJXPH6I6VJAYADCDRF"), slog.Int("httpStatus", 200), slog.Float64("durationMs", 0.093),
		slog.String("executionArn", p.arn), slog.String("status", "SUCCEEDED"), slog.String("stateMachineArn", "arn:aws:states:us-east-1:123456789012:stateMachine:m"),
	}
	return p
}

// Invoke implements [lambda.Handler].
func (p *played) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	now := time.Now()
	in := &bridge.Delivery{Route: &bridge.Route{Name: "r"}, ID: "64YD55T4LJXPH6I6VJAYADCDRF", Kind: "request"}
	input := []byte(`{"id":1,"items":["a","b"]}`)
	p.r.Step(ctx, in, "input", json.RawMessage(input))
	record := statesapi.ExecutionRecord{
		ExecutionARN: p.arn, StateMachineARN: "arn:aws:states:us-east-1:123456789012:stateMachine:m", Name: "r-64YD55T4LJXPH6I6VJAYADCDRF", Sync: true,
		Input: input, Status: bridge.Running, StartDate: now,
	}
	p.r.OnExecution(record)
	observe := p.r.Observe(record, "{}")
	value := any(jsonata.NewRaw(input))
	n := int64(1)
	observe(asl.Event{ID: n, Type: "ExecutionStarted", Time: now, Input: value})
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		n++
		observe(asl.Event{ID: n, PreviousID: n - 1, Type: "PassStateEntered", Name: name, Time: now, Input: value})
		n++
		observe(asl.Event{ID: n, PreviousID: n - 1, Type: "PassStateExited", Name: name, Time: now, Output: value})
	}
	n++
	observe(asl.Event{ID: n, PreviousID: n - 1, Type: "ExecutionSucceeded", Time: now, Output: value})
	record.Status, record.StopDate, record.Output = bridge.Succeeded, now, input
	p.r.OnExecution(record)
	p.r.Settled(ctx, in, bridge.Result{Outcome: &bridge.Outcome{ExecutionARN: p.arn, Status: bridge.Succeeded}}, bridge.Settlement{})
	if p.log.Enabled(ctx, slog.LevelInfo) {
		line := slog.NewRecord(now, slog.LevelInfo, "delivery settled", 0)
		line.AddAttrs(p.attrs...)
		_ = p.log.Handle(ctx, line)
	}
	return p.answer, nil
}

// BenchmarkRecord is the recorder's part of a delivery that runs five states.
func BenchmarkRecord(b *testing.B) {
	r := NewRecorder(Options{Settled: func(Delivery) {}})
	p := newPlayed(r)
	h := r.Wrap("webhook", p)
	ctx := WithTitle(b.Context(), "POST /r")
	b.ReportAllocs()
	for b.Loop() {
		_, _ = h.Invoke(ctx, p.payload)
	}
}
