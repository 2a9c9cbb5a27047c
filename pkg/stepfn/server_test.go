package stepfn_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/stepfn"
)

const arn = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"

// A reply answers one request on its connection, and reports whether the
// connection stays open.
type reply func(conn net.Conn) bool

// A request is the part of a request that the server has read.
type request struct {
	header http.Header
	host   string
	body   string
}

// A server reads whole requests and follows its script; the last reply is used for all
// further requests. It counts the executions that a service would have run.
type server struct {
	listener net.Listener
	script   []reply

	mu       sync.Mutex
	hook     func() // called for each request
	requests []request
	conns    map[net.Conn]bool
	dials    int
	wg       sync.WaitGroup
}

func newServer(t *testing.T, script ...reply) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, l, script...)
}

func serve(t *testing.T, l net.Listener, script ...reply) *server {
	t.Helper()
	s := &server{listener: l, script: script, conns: map[net.Conn]bool{}}
	s.wg.Go(s.accept)
	t.Cleanup(func() {
		_ = l.Close()
		s.hangUp()
		s.wg.Wait()
	})
	return s
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[conn] = true
		s.dials++
		s.mu.Unlock()
		s.wg.Go(func() {
			defer func() {
				_ = conn.Close()
				s.mu.Lock()
				delete(s.conns, conn)
				s.mu.Unlock()
			}()
			r := bufio.NewReader(conn)
			for s.one(conn, r) {
			}
		})
	}
}

func (s *server) one(conn net.Conn, r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return false
	}
	s.mu.Lock()
	s.requests = append(s.requests, request{req.Header, req.Host, string(body)})
	do, hook := s.script[min(len(s.requests), len(s.script))-1], s.hook
	s.mu.Unlock()
	if hook != nil {
		hook()
	}
	return do(conn)
}

// hangUp closes all connections, as a service does with idle ones.
func (s *server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close()
	}
}

// onRequest calls f for each request that was read.
func (s *server) onRequest(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = f
}

func (s *server) seen() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

func (s *server) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

func (s *server) url() string { return "http://" + s.listener.Addr().String() }

// answer is a whole answer of the service.
func answer(status int, body string, headers ...string) reply {
	return func(conn net.Conn) bool {
		text := fmt.Sprintf("HTTP/1.1 %d x\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amzn-Requestid: req-1\r\nContent-Length: %d\r\n", status, len(body))
		for _, h := range headers {
			text += h + "\r\n"
		}
		_, err := io.WriteString(conn, text+"\r\n"+body)
		return err == nil
	}
}

// refusal is an error of the service.
func refusal(status int, code string, headers ...string) reply {
	return answer(status, fmt.Sprintf(`{"__type":"com.amazonaws.swf.service.v2.model#%s","message":"said the service"}`, code), headers...)
}

// raw writes text and closes the connection.
func raw(text string) reply {
	return func(conn net.Conn) bool {
		_, _ = io.WriteString(conn, text)
		return false
	}
}

// reset ends the connection with a RST after writing text.
func reset(text string) reply {
	return func(conn net.Conn) bool {
		_, _ = io.WriteString(conn, text)
		if tc, ok := conn.(*tls.Conn); ok {
			conn = tc.NetConn()
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		return false
	}
}

// silence keeps the connection, and answers nothing until the client hangs up.
func silence(conn net.Conn) bool {
	_, _ = io.Copy(io.Discard, conn)
	return false
}

// slow sends an answer byte by byte, for as long as the client reads.
func slow(conn net.Conn) bool {
	_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
	for err == nil {
		time.Sleep(time.Millisecond)
		_, err = io.WriteString(conn, " ")
	}
	return false
}

// slowHeaders never comes to the end of its headers.
func slowHeaders(conn net.Conn) bool {
	_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
	for err == nil {
		time.Sleep(time.Millisecond)
		_, err = io.WriteString(conn, "X: y\r\n")
	}
	return false
}

// done is a success that both operations understand.
const done = `{"executionArn":"arn:aws:states:us-east-1:123456789012:express:orders:n:u","name":"n",
"status":"SUCCEEDED","startDate":1667486785.389,"stopDate":1667486786.5,"output":"{\"id\": 9007199254740993}",
"billingDetails":{"billedDurationInMilliseconds":1200,"billedMemoryUsedInMB":64}}`

// naps records waits, and does not wait.
type naps struct {
	mu    sync.Mutex
	taken []time.Duration
}

func (n *naps) sleep(_ context.Context, d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.taken = append(n.taken, d)
}

// options are for a server on this machine, without waits.
func options(endpoint string) stepfn.Options {
	return stepfn.Options{
		Region:      "us-east-1",
		Endpoint:    endpoint,
		Credentials: credentials,
		Sleep:       (&naps{}).sleep,
		Rand:        func() float64 { return 0.5 },
	}
}

var credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}, nil
})

func newClient(t *testing.T, o stepfn.Options) *stepfn.Client {
	t.Helper()
	c := stepfn.New(o)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// both are the operations; what may be sent again is the same for each.
var both = map[string]func(*stepfn.Client, context.Context, bridge.Start) (bridge.Outcome, error){
	"StartSync": (*stepfn.Client).StartSync,
	"Start":     (*stepfn.Client).Start,
}

func order() bridge.Start {
	return bridge.Start{StateMachineARN: arn, Name: "orders-1", Input: []byte(`{"id": 1}`)}
}

// name returns the error name of err, or "" if there is none.
func name(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var f *bridge.Failure
	if !errors.As(err, &f) {
		t.Fatalf("%v is not a *bridge.Failure", err)
	}
	return f.Name
}

// refused is the error of a dial to a port on which no process listens.
var refused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
