package statesapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), // idle connections of clients
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

const (
	passDefinition = `{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}`
	failDefinition = `{"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "Order.Rejected", "Cause": "no stock"}}}`
	roleARN        = "arn:aws:iam::123456789012:role/test"
	machineARN     = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"
)

// at is the clock of tests that check times.
var at = time.Date(2026, 11, 22, 10, 30, 0, 250e6, time.UTC)

// A scripted engine accepts every definition and runs the function.
type scripted func(ctx context.Context, x Execution) Result

func (f scripted) Parse([]byte, string) (Program, error) { return f, nil }

func (scripted) Validate([]byte, string) []Diagnostic { return nil }

func (f scripted) Run(ctx context.Context, x Execution) Result { return f(ctx, x) }

// echo succeeds with the input.
func echo(_ context.Context, x Execution) Result {
	return Result{Status: bridge.Succeeded, Output: x.Input}
}

// untilStopped runs until its context ends.
func untilStopped(ctx context.Context, _ Execution) Result {
	<-ctx.Done()
	return Result{Stopped: context.Cause(ctx)}
}

// sequence makes ids that tests can foresee: id-1, id-2, …
func sequence() func() string {
	var n atomic.Int64
	return func() string { return fmt.Sprintf("id-%d", n.Add(1)) }
}

// newService has the EXPRESS machine "orders" and a fixed clock.
func newService(t *testing.T, opts Options, definition string) *Service {
	t.Helper()
	s := newBare(t, opts)
	if err := s.Put("orders", []byte(definition)); err != nil {
		t.Fatal(err)
	}
	return s
}

// newEmpty has no state machine.
func newEmpty(t *testing.T) *Service {
	t.Helper()
	return newBare(t, Options{})
}

func newBare(t *testing.T, opts Options) *Service {
	t.Helper()
	if opts.Now == nil {
		opts.Now = func() time.Time { return at }
	}
	if opts.UUID == nil {
		opts.UUID = sequence()
	}
	s := New(opts)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// newFake is newService on a function.
func newFake(t *testing.T, opts Options, fn scripted) *Service {
	t.Helper()
	opts.Engine = fn
	return newService(t, opts, passDefinition)
}

func ptr[T any](v T) *T { return &v }

// wantCode fails unless err is an Error with the code; "" wants no error.
func wantCode(t *testing.T, err error, want Code) {
	t.Helper()
	var e *Error
	var got Code
	if errors.As(err, &e) {
		got = e.Code
	} else if err != nil {
		t.Fatalf("error = %v, want an *Error", err)
	}
	if got != want {
		t.Errorf("error = %v, want code %q", err, want)
	}
}

// post sends one operation to a handler and returns status, headers and body.
func post(t *testing.T, h http.Handler, op, body string) (int, http.Header, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte(body)))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("X-Amz-Target", targetPrefix+op)
	return serve(t, h, r)
}

func serve(t *testing.T, h http.Handler, r *http.Request) (int, http.Header, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	text, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("the answer %q is not JSON: %v", text, err)
	}
	return w.Code, w.Header(), out
}

// must encodes a request.
func must(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
