package devserver_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/internal/devcost"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

func TestMain(m *testing.M) {
	devcost.ServeIfAsked()
	goleak.VerifyTestMain(m)
}

type starterFunc = bridgetest.StarterFunc

func echo(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{ExecutionARN: "arn", Status: bridge.Succeeded, Output: s.Input}, nil
}

const routes = `version: 1
routes:
  - {name: echo, http: "/echo/{rest...}", verify: none, start: m}
  - {name: raw, http: "POST /raw", verify: none, start: m, input: "{% $request.body %}", respond: {base64: true, headers: {Content-Type: application/octet-stream}, cookies: ["a=1", "b=2"], body: "{% $execution.output %}"}}
  - {name: none, http: "POST /none", verify: none, start: m, respond: {status: 204}}
  - {name: queue, sqs: "*", start: m}
  - {name: event, eventbridge: {source: "*"}, start: m}
`

func noEnvironment(string) string { return "" }

func newLocal(t *testing.T, starter bridge.Starter, log *slog.Logger) *devserver.Local {
	t.Helper()
	path := filepath.Join(t.TempDir(), "expressway.yaml")
	if err := os.WriteFile(path, []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	local, err := devserver.NewLocal(devserver.Options{Config: path, Getenv: noEnvironment, Log: log, Starter: starter})
	if err != nil {
		t.Fatal(err)
	}
	return local
}

// serve runs a server until stop is called, or the test has ended; stop returns what
// Serve did.
func serve(t *testing.T, starter bridge.Starter) (address string, stop func() error) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	server, err := devserver.Listen(newLocal(t, starter, log), devserver.ListenOptions{HTTP: "127.0.0.1:0", States: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	var ended bool
	stop = func() error {
		if ended {
			return nil
		}
		ended = true
		cancel()
		return <-done
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return server.Webhooks(), stop
}

// client keeps no connections, because a test would have to close them.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}

func send(t *testing.T, method, url, contentType string, body []byte, headers ...string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, got
}

// A request over the wire is the event that a Function URL makes of it.
func TestRequestOverTheWire(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, starterFunc(echo))
	response, body := send(t, "PUT", "http://"+address+"/echo/a%2Fb/%C3%A9?x=1+2&x=%2B", "application/json", []byte(`{"n":9007199254740993}`),
		"X-Repeated", "1", "X-Repeated", "2", "Cookie", "k=v")
	if response.StatusCode != 200 {
		t.Fatalf("got %d %s", response.StatusCode, body)
	}
	var in struct {
		Method, Path, SourceIP, RequestID string
		Params                            map[string]string
		MultiQuery                        map[string][]string
		Headers                           map[string]string
		Body                              json.RawMessage
	}
	if err := json.Unmarshal(body, &in); err != nil {
		t.Fatal(err)
	}
	got := []string{in.Method, in.Path, in.Params["rest"], strings.Join(in.MultiQuery["x"], ";"), in.Headers["x-repeated"], in.Headers["host"], string(in.Body), in.SourceIP}
	want := []string{"PUT", "/echo/a%2Fb/%C3%A9", "a/b/é", "1 2;+", "1,2", address, `{"n":9007199254740993}`, "127.0.0.1"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
	if in.RequestID == "" {
		t.Error("the request has no id")
	}
}

// Bytes are unchanged in both directions, and cookies stay separate.
func TestBinaryOverTheWire(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, starterFunc(echo))
	sent := []byte{0xff, 0, '\r', '\n', 0xfe}
	response, got := send(t, "POST", "http://"+address+"/raw", "image/png", sent)
	if response.StatusCode != 200 || !bytes.Equal(got, sent) {
		t.Errorf("got %d %x, want 200 %x", response.StatusCode, got, sent)
	}
	if cookies := response.Header.Values("Set-Cookie"); len(cookies) != 2 {
		t.Errorf("cookies = %q, want two", cookies)
	}
	response, got = send(t, "POST", "http://"+address+"/none", "application/json", []byte(`{}`))
	if response.StatusCode != 204 || len(got) != 0 {
		t.Errorf("got %d %q, want 204 and nothing", response.StatusCode, got)
	}
	response, got = send(t, "HEAD", "http://"+address+"/echo/x", "", nil)
	if response.StatusCode != 200 || len(got) != 0 {
		t.Errorf("HEAD: got %d %q, want 200 and nothing", response.StatusCode, got)
	}
}

// The largest body that Lambda takes is answered by the route, and a larger one is not read.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, starterFunc(echo))
	for size, want := range map[int]string{6 << 20: bridge.InputTooLarge, 6<<20 + 1: "Request Too Long"} {
		response, got := send(t, "POST", "http://"+address+"/echo/x", "text/plain", bytes.Repeat([]byte("x"), size))
		if response.StatusCode != 413 || !strings.Contains(string(got), want) {
			t.Errorf("%d bytes: got %d %.200s, want 413 %s", size, response.StatusCode, got, want)
		}
		if typ := response.Header.Get("Content-Type"); !strings.Contains(typ, "json") {
			t.Errorf("%d bytes: the answer is JSON and says that it is %q", size, typ)
		}
	}
}

// A client that goes away in the middle of its body starts nothing; one that dawdles
// does not delay other requests.
func TestAbortedAndSlowClients(t *testing.T) {
	t.Parallel()
	started := make(chan struct{}, 10)
	address, _ := serve(t, starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		started <- struct{}{}
		return echo(ctx, s)
	}))
	var slow []net.Conn
	for _, text := range []string{"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf", "POST /raw HTTP/1.1\r\nHos", ""} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, text)
		slow = append(slow, connection)
	}
	if response, got := send(t, "POST", "http://"+address+"/echo/x", "text/plain", []byte("x")); response.StatusCode != 200 {
		t.Errorf("beside slow clients: got %d %s, want 200", response.StatusCode, got)
	}
	<-started
	for _, connection := range slow {
		_ = connection.Close()
	}
	select {
	case <-started:
		t.Error("half a request started an execution")
	case <-time.After(100 * time.Millisecond):
	}
}

// The wait for the execution ends when the client goes away.
func TestClientGoesAwayMeanwhile(t *testing.T) {
	t.Parallel()
	started, ended := make(chan struct{}), make(chan error, 1)
	address, _ := serve(t, starterFunc(func(ctx context.Context, _ bridge.Start) (bridge.Outcome, error) {
		close(started)
		<-ctx.Done()
		ended <- ctx.Err()
		return bridge.Outcome{}, bridge.NewFailure(bridge.Deadline, "", ctx.Err())
	}))
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(connection, "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
	<-started
	_ = connection.Close()
	select {
	case err := <-ended:
		if err != context.Canceled {
			t.Errorf("the wait ended by %v, want %v", err, context.Canceled)
		}
	case <-time.After(10 * time.Second):
		t.Error("the wait continues")
	}
}

// A request that is not HTTP is answered 400, and one without a path is answered by name.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	address, _ := serve(t, starterFunc(echo))
	for text, want := range map[string]string{
		"\x16\x03\x01\x02\r\n\r\n":                                "400 Bad Request",
		"GET /echo/%zz HTTP/1.1\r\nHost: a\r\n\r\n":               "400 Bad Request",
		"GET //echo/x HTTP/1.1\r\nHost: a\r\n\r\n":                "404 Not Found",
		"GET http://b.example/echo/x HTTP/1.1\r\nHost: a\r\n\r\n": "200 OK",
	} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(connection, text)
		line, err := bufio.NewReader(connection).ReadString('\n')
		_ = connection.Close()
		if err != nil || !strings.Contains(line, want) {
			t.Errorf("%q: got %q, %v, want %s", text, line, err, want)
		}
	}
}

// An address in use is an error that says which flag to use, and leaves nothing open.
func TestAddressInUse(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	for flag, addresses := range map[string][2]string{"--http": {taken.Addr().String(), address}, "--states": {address, taken.Addr().String()}} {
		local := newLocal(t, starterFunc(echo), log)
		_, err := devserver.Listen(local, devserver.ListenOptions{HTTP: addresses[0], States: addresses[1], Log: log})
		if err == nil || !strings.Contains(err.Error(), flag) || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), taken.Addr().String()) {
			t.Errorf("got %v, want an error that names the address and %s", err, flag)
		}
		if err := local.Close(t.Context()); err != nil {
			t.Error(err)
		}
		again, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("the other address stays taken: %v", err)
			continue
		}
		_ = again.Close()
	}
}

// A stop lets running requests finish, and accepts no new ones.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	started, finish := make(chan struct{}), make(chan struct{})
	address, stop := serve(t, starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		close(started)
		<-finish
		return echo(ctx, s)
	}))
	answered := make(chan string, 1)
	go func() {
		response, err := client.Post("http://"+address+"/none", "application/json", strings.NewReader(`{}`))
		if err != nil {
			answered <- err.Error()
			return
		}
		_ = response.Body.Close()
		answered <- response.Status
	}()
	<-started
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		_ = connection.Close()
		if time.Now().After(deadline) {
			t.Fatal("it still takes connections")
		}
	}
	close(finish)
	if got := <-answered; got != "204 No Content" {
		t.Errorf("the request that ran got %s, want 204", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// Routes that have nothing to start are known before a delivery fails.
func TestMissing(t *testing.T) {
	t.Parallel()
	machines := t.TempDir()
	config := filepath.Join(machines, "expressway.yaml")
	const text = "version: 1\nroutes:\n" +
		"  - {name: a, sqs: a, start: here}\n" +
		"  - {name: b, sqs: b, start: \"arn:aws:states:us-east-1:123456789012:stateMachine:here\"}\n" +
		"  - {name: c, sqs: c, start: gone}\n" +
		"  - {name: d, sqs: d, start: \"arn:aws:states:us-east-1:123456789012:stateMachine:here:live\"}\n"
	for path, text := range map[string]string{config: text, filepath.Join(machines, "here.asl.json"): `{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	local, err := devserver.NewLocal(devserver.Options{Config: config, StateMachines: machines, Getenv: noEnvironment, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = local.Close(t.Context()) }()
	want := []devserver.Missing{{Route: "c", StateMachine: "gone"}, {Route: "d", StateMachine: "arn:aws:states:us-east-1:123456789012:stateMachine:here:live"}}
	if diff := cmp.Diff(want, local.Missing()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A function that does not exist is an error that names those that do.
func TestHandlers(t *testing.T) {
	t.Parallel()
	local := newLocal(t, starterFunc(echo), slog.New(slog.DiscardHandler))
	defer func() { _ = local.Close(t.Context()) }()
	for _, function := range []string{"webhook", "queue", "event"} {
		if h, err := local.Handler(function); err != nil || h == nil {
			t.Errorf("%s: %v", function, err)
		}
	}
	if _, err := local.Handler("worker"); err == nil || !strings.Contains(err.Error(), "webhook, queue and event") {
		t.Errorf("got %v, want the functions that exist", err)
	}
}

// If a file that the options name is missing or cannot be read, the error names its path.
func TestBrokenOptions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, mocks := filepath.Join(dir, "expressway.yaml"), filepath.Join(dir, "mocks.json")
	for path, text := range map[string]string{config: routes, mocks: `{"StateMachines": 1}`, filepath.Join(dir, "a.asl.json"): `{`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := func(value string) func(string) string {
		return func(name string) string {
			if name == "SFN_MOCK_CONFIG" {
				return value
			}
			return ""
		}
	}
	tests := map[string]struct {
		options devserver.Options
		want    string
	}{
		"no configuration": {devserver.Options{Config: filepath.Join(dir, "nope.yaml"), Getenv: noEnvironment}, "nope.yaml"},
		"no mock file":     {devserver.Options{Config: config, Getenv: env(filepath.Join(dir, "nope.json"))}, "nope.json"},
		"a bad mock file":  {devserver.Options{Config: config, Getenv: env(mocks)}, "mocks.json"},
		"a bad machine":    {devserver.Options{Config: config, StateMachines: dir, Getenv: noEnvironment}, "a.asl.json"},
		"no machines":      {devserver.Options{Config: config, StateMachines: filepath.Join(dir, "nope"), Getenv: noEnvironment}, "nope"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.options.Log = slog.New(slog.DiscardHandler)
			local, err := devserver.NewLocal(test.options)
			if err == nil {
				_ = local.Close(t.Context())
			}
			if err == nil || !strings.Contains(fmt.Sprint(err), test.want) {
				t.Errorf("got %v, want an error that names %s", err, test.want)
			}
		})
	}
}

// A server on all addresses is named by one that a client can open.
func TestAddressOfAllInterfaces(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	server, err := devserver.Listen(newLocal(t, nil, log), devserver.ListenOptions{HTTP: "0.0.0.0:0", States: "[::]:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	for _, address := range []string{server.Webhooks(), server.States()} {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			t.Errorf("got the address %s, want one on 127.0.0.1", address)
		}
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Error(err)
			continue
		}
		_ = conn.Close()
	}
	if !server.Open() {
		t.Error("Open() = false, want true")
	}
}
