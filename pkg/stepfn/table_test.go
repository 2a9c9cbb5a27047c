package stepfn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Every code of the table becomes its name, and the message contains nothing that may be
// payload.
func TestCodes(t *testing.T) {
	t.Parallel()
	for code, want := range codes {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			if !slices.Contains(bridge.Names(), want) {
				t.Fatalf("%s is not a name of the bridge", want)
			}
			sent := 0
			env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
			o, err := FromEnv(func(n string) string { return env[n] })
			if err != nil {
				t.Fatal(err)
			}
			o.MaxAttempts = 1
			o.HTTPClient = doFunc(func(*http.Request) (*http.Response, error) {
				sent++
				body := fmt.Sprintf(`{"__type":"com.amazonaws.swf.service.v2.model#%s","message":"payload 4711"}`, code)
				return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
			})
			_, err = New(o).StartSync(t.Context(), bridge.Start{
				StateMachineARN: "arn:aws:states:us-east-1:123456789012:stateMachine:orders",
			})
			f := bridge.AsFailure(err)
			if f.Name != want || sent != 1 {
				t.Errorf("got = %v after %d requests, want %s after 1", f, sent, want)
			}
			if !strings.Contains(f.Error(), code) {
				t.Errorf("%q does not name the code", f.Error())
			}
			if shown := strings.Contains(f.Error(), "4711"); shown != (want == bridge.Misconfigured && code != "ValidationException") {
				t.Errorf("message shown = %t in %q", shown, f.Error())
			}
			var e *AnswerError
			if !errors.As(err, &e) || e.Status != 400 || e.Code != code {
				t.Errorf("chain = %#v, want status 400 and the code", e)
			}
		})
	}
}

// The errors that the SDK models for the two operations are all in the table.
func TestCodesAreComplete(t *testing.T) {
	t.Parallel()
	for _, err := range []smithy.APIError{
		&types.InvalidArn{}, &types.InvalidExecutionInput{}, &types.InvalidName{}, &types.KmsAccessDeniedException{},
		&types.KmsInvalidStateException{}, &types.KmsThrottlingException{}, &types.StateMachineDeleting{},
		&types.StateMachineDoesNotExist{}, &types.StateMachineTypeNotSupported{}, &types.ExecutionAlreadyExists{},
		&types.ExecutionLimitExceeded{}, &types.ValidationException{}, &types.ServiceQuotaExceededException{},
	} {
		if _, ok := codes[err.ErrorCode()]; !ok {
			t.Errorf("%s is not in the table", err.ErrorCode())
		}
	}
}

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// Only the check before the write prevents a frozen function from losing a request in a
// connection that the service closed long ago.
func TestStaleConnectionIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	for title, last := range map[string]string{"closed": "", "closed after a response": "HTTP/1.1 408 Request Timeout\r\n\r\n", "reset": ""} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			client, service := pair(t)
			c := &sentConn{Conn: client, raw: client}
			c.arm(true)
			if _, err := c.Write([]byte("x")); err != nil {
				t.Fatalf("open connection: %v", err)
			}
			if c.seal() {
				t.Error("a request that was written counts as not begun")
			}
			if title == "reset" {
				_ = service.(*net.TCPConn).SetLinger(0)
			}
			_, _ = io.WriteString(service, last)
			_ = service.Close()
			wait(t, client)
			c.arm(true)
			if n, err := c.Write([]byte("x")); n != 0 || !errors.Is(err, errStale) {
				t.Errorf("Write = %d, %v, want %v", n, err, errStale)
			}
			if !c.seal() {
				t.Error("a request that was never written counts as begun")
			}
			if _, err := c.Write([]byte("x")); !errors.Is(err, errSealed) {
				t.Errorf("Write after seal = %v, want %v", err, errSealed)
			}
		})
	}
}

func pair(t *testing.T) (client, service net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if service, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), service.Close() })
	return client, service
}

// wait returns once the other side has sent something.
func wait(t *testing.T, conn net.Conn) {
	t.Helper()
	for range 1_000_000 {
		if spoken(conn) {
			return
		}
	}
	t.Fatal("the other side's end never arrived")
}
