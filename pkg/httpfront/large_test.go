package httpfront_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// largeOrder is a body of about a megabyte.
func largeOrder() string {
	var b strings.Builder
	b.WriteString(`{"id":"o-1","lines":[`)
	for i := 0; b.Len() < 1<<20; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"sku":"crate-%d","title":"Crate, \"large\", number %d","quantity":%d,"price":%d.50,"tags":["wood","stackable"],"fragile":false}`, i, i, i%9+1, i%100)
	}
	b.WriteString(`]}`)
	return b.String()
}

// One field of a large body costs no tree of it.
func TestOneFieldOfALargeBody(t *testing.T) {
	f, payload := largeFront(t)
	var out []byte
	n := testing.AllocsPerRun(3, func() { out, _ = f.Invoke(context.Background(), payload) })
	if !bytes.Contains(out, []byte(`{\"got\":{\"id\":\"o-1\"}}`)) {
		t.Fatalf("%.300s", out)
	}
	if n >= 1000 {
		t.Errorf("%.0f allocations, want less than 1000", n)
	}
}

func BenchmarkOneFieldOfALargeBody(b *testing.B) {
	f, payload := largeFront(b)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = f.Invoke(b.Context(), payload)
	}
}

func largeFront(tb testing.TB) (invoker, []byte) {
	f := front(tb, `  - name: large
    http: POST /orders
    verify: none
    start: m
    input: {id: '{% $request.body.id %}'}
`, starterFunc(func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: executionARN, Status: bridge.Succeeded, Output: json.RawMessage(`{"got":` + string(s.Input) + `}`)}, nil
	}))
	return f, event("POST", "/orders", "application/json", largeOrder())
}

type invoker interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}
