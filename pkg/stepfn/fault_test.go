package stepfn_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/stepfn"
)

// clients are the ways to make a Client; none may change how often a request is sent.
var clients = map[string]func(endpoint string) stepfn.Options{
	"own transport": options,
	"SDK config": func(endpoint string) stepfn.Options {
		o := stepfn.FromConfig(aws.Config{
			Region: "us-east-1", Credentials: credentials, BaseEndpoint: &endpoint,
			RetryMaxAttempts: 5, RetryMode: aws.RetryModeAdaptive,
			HTTPClient: awshttp.NewBuildableClient(),
		}, func(string) string { return "" })
		p := options(endpoint)
		o.Sleep, o.Rand = p.Sleep, p.Rand
		return o
	},
	"foreign client": func(endpoint string) stepfn.Options {
		o := options(endpoint)
		o.HTTPClient = &http.Client{Transport: &http.Transport{}}
		return o
	},
}

func TestFaults(t *testing.T) {
	t.Parallel()
	const throttled = "ThrottlingException"
	tests := map[string]struct {
		script   []reply
		late     bool   // the deadline passes when the request has been read
		want     string // error name
		requests int
	}{
		"fine":                          {script: []reply{answer(200, done)}, requests: 1},
		"throttled, then fine":          {script: []reply{refusal(400, throttled), refusal(400, throttled), answer(200, done)}, requests: 3},
		"quota, then fine":              {script: []reply{refusal(400, "ServiceQuotaExceededException"), answer(200, done)}, requests: 2},
		"limit, then fine":              {script: []reply{refusal(400, "ExecutionLimitExceeded"), answer(200, done)}, requests: 2},
		"KMS throttled, then fine":      {script: []reply{refusal(400, "KmsThrottlingException"), answer(200, done)}, requests: 2},
		"429 without a body, then fine": {script: []reply{answer(429, ""), answer(200, done)}, requests: 2},
		"throttled forever":             {script: []reply{refusal(400, throttled)}, want: bridge.Throttled, requests: 6},
		"500 InternalFailure":           {script: []reply{refusal(500, "InternalFailure"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"503 ServiceUnavailable":        {script: []reply{refusal(503, "ServiceUnavailable"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"503 that names throttling":     {script: []reply{refusal(503, throttled), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"500 that names throttling":     {script: []reply{refusal(500, throttled), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"504 of a proxy":                {script: []reply{answer(504, "<html>", "Retry-After: 1"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"101 to something else":         {script: []reply{raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"100s, and then nothing":        {script: []reply{raw(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 3)), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"headers without an end":        {script: []reply{raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20)), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"two lengths":                   {script: []reply{raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"chunks that break off":         {script: []reply{raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"200 that still runs":           {script: []reply{answer(200, `{"executionArn":"","status":"RUNNING"}`), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"200 with a null status":        {script: []reply{answer(200, `{"executionArn":"","status":null,"output":"{}"}`), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"200 with another's throttling": {script: []reply{refusal(200, throttled), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"204":                           {script: []reply{answer(204, ""), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"503, and the line drops":       {script: []reply{reset("HTTP/1.1 503 x\r\nContent-Length: 500\r\n\r\n{\"__type\":\"Throt"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"400, and the line drops":       {script: []reply{reset("HTTP/1.1 400 x\r\nContent-Length: 500\r\n\r\n{\"__type\":\"Throt"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"slow headers past the end":     {script: []reply{slowHeaders, answer(200, done)}, late: true, want: bridge.Deadline, requests: 1},
		"502 of a proxy":                {script: []reply{answer(502, "<html>"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"throttled, then 500":           {script: []reply{refusal(400, throttled), refusal(500, "InternalFailure"), answer(200, done)}, want: bridge.Unknown, requests: 2},
		"reset before the answer":       {script: []reply{reset(""), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"reset within the answer":       {script: []reply{reset("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"status\":"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"reset within the headers":      {script: []reply{reset("HTTP/1.1 200 OK\r\nConte"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"EOF before the answer":         {script: []reply{raw(""), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"EOF within the answer":         {script: []reply{raw("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + done[:200]), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"not HTTP":                      {script: []reply{raw("SSH-2.0-x\r\n\r\n"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"200 cut off in its JSON":       {script: []reply{answer(200, done[:200]), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"200 that is not JSON":          {script: []reply{answer(200, "<html>it works</html>"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"200 that is another JSON":      {script: []reply{answer(200, `["secret"]`), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"200 without status or ARN":     {script: []reply{answer(200, "{}"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"200 and empty":                 {script: []reply{answer(200, ""), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"200 without an end":            {script: []reply{raw("HTTP/1.1 200 OK\r\n\r\n{\"cause\":\"" + strings.Repeat("x", 9<<20)), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"303 to somewhere":              {script: []reply{answer(303, "", "Location: /"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"307 to somewhere":              {script: []reply{answer(307, "", "Location: /"), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"408":                           {script: []reply{answer(408, ""), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"400 cut off":                   {script: []reply{answer(400, `{"__type":"Thr`), answer(200, done)}, want: bridge.Unknown, requests: 1},
		"403 of a proxy":                {script: []reply{answer(403, "<html>"), answer(200, done)}, want: bridge.Misconfigured, requests: 1},
		"413 of a proxy":                {script: []reply{answer(413, "<html>"), answer(200, done)}, want: bridge.InputTooLarge, requests: 1},
		"an unknown code":               {script: []reply{refusal(400, "BrandNewException"), answer(200, done)}, want: bridge.Misconfigured, requests: 1},
		"silence past the deadline":     {script: []reply{silence, answer(200, done)}, late: true, want: bridge.Deadline, requests: 1},
		"slow answer past the deadline": {script: []reply{slow, answer(200, done)}, late: true, want: bridge.Deadline, requests: 1},
	}
	for title, tt := range tests {
		for via, make := range clients {
			for op, start := range both {
				t.Run(title+"/"+via+"/"+op, func(t *testing.T) {
					t.Parallel()
					s := newServer(t, tt.script...)
					c := newClient(t, make(s.url()))
					ctx, end := context.WithCancelCause(t.Context())
					defer end(nil)
					if tt.late {
						s.onRequest(func() { time.AfterFunc(20*time.Millisecond, func() { end(context.DeadlineExceeded) }) })
					}
					_, err := start(c, ctx, order())
					if got := name(t, err); got != tt.want {
						t.Errorf("error = %v, want %q", err, tt.want)
					}
					if got := len(s.seen()); got != tt.requests {
						t.Errorf("the server saw %d requests, want %d", got, tt.requests)
					}
					if err != nil && strings.Contains(err.Error(), "secret") {
						t.Errorf("the error shows payload: %v", err)
					}
				})
			}
		}
	}
}

// A connection that served one request and is dropped while the next is processed
// is what net/http and the SDK between them turn into a silent second run.
func TestKeepAliveDroppedAfterProcessing(t *testing.T) {
	t.Parallel()
	for title, drop := range map[string]reply{"FIN": raw(""), "RST": reset("")} {
		for via, make := range clients {
			for op, start := range both {
				t.Run(title+"/"+via+"/"+op, func(t *testing.T) {
					t.Parallel()
					// net/http returns a connection shortly after the answer is read, so
					// the second start sometimes dials; that is another case.
					for range 20 {
						s := newServer(t, answer(200, done), drop, answer(200, done))
						c := newClient(t, make(s.url()))
						if _, err := start(c, t.Context(), order()); err != nil {
							t.Fatal(err)
						}
						_, err := start(c, t.Context(), order())
						if got := name(t, err); got != bridge.Unknown {
							t.Errorf("error = %v, want %s", err, bridge.Unknown)
						}
						if got := len(s.seen()); got != 2 {
							t.Errorf("the server saw %d requests, want 2", got)
						}
						if s.connections() == 1 {
							return
						}
					}
					t.Error("the second start never took the first one's connection")
				})
			}
		}
	}
}

// Connections that the service closed while they were idle cost neither an
// execution nor a failure: nothing was written to them.
func TestIdleConnectionsClosedByTheService(t *testing.T) {
	t.Parallel()
	for range 20 { // in most runs, the reader notices; in some, the check before the write
		s := newServer(t, answer(200, done))
		c := newClient(t, options(s.url()))
		for n := range 3 {
			if _, err := c.StartSync(t.Context(), order()); err != nil {
				t.Fatalf("start %d: %v", n, err)
			}
			s.hangUp()
		}
		if got := len(s.seen()); got != 3 {
			t.Errorf("the server saw %d requests, want 3", got)
		}
	}
}

func TestNeverSent(t *testing.T) {
	t.Parallel()
	dialer := func(dials *atomic.Int32, err error) *awshttp.BuildableClient {
		return awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				dials.Add(1)
				if err != nil {
					return nil, err
				}
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			}
		})
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	untrusted := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request came through")
	}))
	untrusted.Config.ErrorLog = discard
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	deaf := newServer(t, silence) // it reads the ClientHello as a bad request, and hangs up

	tests := map[string]struct {
		endpoint string
		err      error
	}{
		"refused":            {endpoint: "http://" + closed.Addr().String()},
		"no such host":       {endpoint: "http://states.invalid", err: &net.DNSError{Err: "no such host", Name: "states.invalid", IsNotFound: true}},
		"certificate":        {endpoint: untrusted.URL},
		"handshake cut off":  {endpoint: "https://" + deaf.listener.Addr().String()},
		"network is unknown": {endpoint: "http://192.0.2.1", err: &net.OpError{Op: "dial", Err: context.DeadlineExceeded}},
	}
	for title, tt := range tests {
		for op, start := range both {
			t.Run(title+"/"+op, func(t *testing.T) {
				t.Parallel()
				var dials atomic.Int32
				o := options(tt.endpoint)
				o.HTTPClient = dialer(&dials, tt.err)
				waits := &naps{}
				o.Sleep = waits.sleep
				_, err := start(newClient(t, o), t.Context(), order())
				if got := name(t, err); got != bridge.Unavailable {
					t.Errorf("error = %v, want %s", err, bridge.Unavailable)
				}
				if got := dials.Load(); got != 6 {
					t.Errorf("%d dials, want 6", got)
				}
				if got := len(waits.taken); got != 5 {
					t.Errorf("%d waits, want 5", got)
				}
			})
		}
	}
}

// A client that is not net/http's does not show what it sent, so its failures count as
// sent, except those that name a dial.
func TestClientThatTellsNothing(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err   error
		want  string
		calls int
	}{
		"closed":  {net.ErrClosed, bridge.Unknown, 1},
		"dial":    {&net.OpError{Op: "dial", Err: net.ErrClosed}, bridge.Unavailable, 6},
		"read":    {&net.OpError{Op: "read", Err: net.ErrClosed}, bridge.Unknown, 1},
		"no host": {&net.DNSError{}, bridge.Unavailable, 6},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			calls := 0
			o := options("http://127.0.0.1:1")
			o.HTTPClient = httpFunc(func(*http.Request) (*http.Response, error) {
				calls++
				return nil, tt.err
			})
			_, err := newClient(t, o).StartSync(t.Context(), order())
			if got := name(t, err); got != tt.want || calls != tt.calls {
				t.Errorf("error = %v after %d calls, want %s after %d", err, calls, tt.want, tt.calls)
			}
		})
	}
}

// A timeout of the HTTP client's own says nothing about the execution. The connection
// exists in advance, so that only the request takes time.
func TestClientTimeout(t *testing.T) {
	t.Parallel()
	for title, client := range map[string]aws.HTTPClient{
		"Client.Timeout":        &http.Client{Timeout: time.Second, Transport: &http.Transport{}},
		"ResponseHeaderTimeout": &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: time.Second}},
		"ReadTimeout of the SDK": awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.ResponseHeaderTimeout = time.Second
		}),
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, answer(200, done), silence, answer(200, done))
			o := options(s.url())
			o.HTTPClient = client
			c := newClient(t, o)
			if _, err := c.StartSync(t.Context(), order()); err != nil {
				t.Fatal(err)
			}
			_, err := c.StartSync(t.Context(), order())
			if got := name(t, err); got != bridge.Unknown || len(s.seen()) != 2 {
				t.Errorf("error = %v after %d requests, want %s after 2", err, len(s.seen()), bridge.Unknown)
			}
		})
	}
}

func TestOverTLS(t *testing.T) {
	t.Parallel()
	issuer := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(issuer.Close)
	trusting := func() *awshttp.BuildableClient {
		return awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.TLSClientConfig = issuer.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		})
	}
	serveTLS := func(t *testing.T, script ...reply) (*server, *stepfn.Client) {
		t.Helper()
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: issuer.TLS.Certificates, MinVersion: tls.VersionTLS12})
		if err != nil {
			t.Fatal(err)
		}
		s := serve(t, l, script...)
		o := options("https://" + l.Addr().String())
		o.HTTPClient = trusting()
		return s, newClient(t, o)
	}
	t.Run("idle connections closed", func(t *testing.T) {
		t.Parallel()
		for range 10 {
			s, c := serveTLS(t, answer(200, done))
			for n := range 3 {
				if _, err := c.StartSync(t.Context(), order()); err != nil {
					t.Fatalf("start %d: %v", n, err)
				}
				s.hangUp()
			}
			if got := len(s.seen()); got != 3 {
				t.Errorf("the server saw %d requests, want 3", got)
			}
		}
	})
	t.Run("dropped after processing", func(t *testing.T) {
		t.Parallel()
		s, c := serveTLS(t, answer(200, done), reset(""), answer(200, done))
		if _, err := c.StartSync(t.Context(), order()); err != nil {
			t.Fatal(err)
		}
		_, err := c.StartSync(t.Context(), order())
		if got := name(t, err); got != bridge.Unknown || len(s.seen()) != 2 {
			t.Errorf("error = %v after %d requests, want %s after 2", err, len(s.seen()), bridge.Unknown)
		}
	})
}

// If the deadline passes before there is a connection, nothing was started.
func TestDeadlineWhileDialing(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	o := options("http://127.0.0.1:1")
	o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.DialContext = func(context.Context, string, string) (net.Conn, error) {
			<-release
			return nil, net.ErrClosed
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := newClient(t, o).StartSync(ctx, order())
	if got := name(t, err); got != bridge.Unavailable {
		t.Errorf("error = %v, want %s", err, bridge.Unavailable)
	}
}

// An answer whose headers arrive at once and whose body takes a moment is complete,
// although the SDK has closed the request's body by then.
func TestAnswerInTwoParts(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(conn net.Conn) bool {
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(done))
		if _, err := io.WriteString(conn, head); err != nil {
			return false
		}
		time.Sleep(200 * time.Microsecond)
		_, err := io.WriteString(conn, done)
		return err == nil
	})
	c := newClient(t, options(s.url()))
	for n := range 500 {
		if _, err := c.StartSync(t.Context(), order()); err != nil {
			t.Fatalf("start %d: %v", n, err)
		}
	}
	if got := s.connections(); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}

// Through a proxy, too, it is known whether a request was sent: a refused tunnel has sent
// none.
func TestThroughProxy(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		scheme string
		script []reply
		want   string
		seen   int
	}{
		"tunnel refused": {"https", []reply{answer(407, "")}, bridge.Unavailable, 6},
		"dropped":        {"http", []reply{raw("")}, bridge.Unknown, 1},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			proxy := newServer(t, tt.script...)
			o := options(tt.scheme + "://states.invalid")
			o.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
				tr.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.url()) }
			})
			_, err := newClient(t, o).StartSync(t.Context(), order())
			if got := name(t, err); got != tt.want || len(proxy.seen()) != tt.seen {
				t.Errorf("error = %v after %d requests, want %s after %d", err, len(proxy.seen()), tt.want, tt.seen)
			}
		})
	}
}
