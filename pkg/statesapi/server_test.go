package statesapi

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The server gives up on a body that does not arrive, but not on an execution that takes
// longer than the read timeout.
func TestServerTimeouts(t *testing.T) {
	t.Parallel()
	const reading = 100 * time.Millisecond
	s := newFake(t, Options{Now: time.Now}, func(ctx context.Context, x Execution) Result {
		select {
		case <-time.After(3 * reading):
			return echo(ctx, x)
		case <-ctx.Done():
			return untilStopped(ctx, x)
		}
	})
	server := httptest.NewUnstartedServer(nil)
	server.Config = NewServer(NewHandler(s, HandlerOptions{}))
	if server.Config.ReadHeaderTimeout <= 0 || server.Config.ReadTimeout <= 0 || server.Config.IdleTimeout <= 0 {
		t.Errorf("server = %+v, want bounds on reading", server.Config)
	}
	if longest := 5*time.Minute + server.Config.ReadTimeout; server.Config.WriteTimeout <= longest {
		t.Errorf("answers may take %v, want more than %v, and a bound", server.Config.WriteTimeout, longest)
	}
	server.Config.ReadTimeout = reading
	server.Start()
	defer server.Close()
	client := newClient(server)

	started := time.Now()
	if _, err := client.StartSyncExecution(t.Context(), syncInput(`{"slow":true}`)); err != nil {
		t.Errorf("a slow execution failed: %v", err)
	}
	if took := time.Since(started); took < 3*reading {
		t.Errorf("the slow execution took %v, want %v", took, 3*reading)
	}

	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: "+contentType+
		"\r\nX-Amz-Target: AWSStepFunctions.ListStateMachines\r\nContent-Length: 1000\r\n\r\n{")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the answer to half a body: %v", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "SerializationException") {
		t.Errorf("the answer to half a body = %d %s %v, want 400 SerializationException", answer.StatusCode, text, err)
	}
}
