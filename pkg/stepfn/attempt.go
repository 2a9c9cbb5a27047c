package stepfn

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// maxAnswer bounds an answer, in bytes: input and output in JSON's longest
// escapes are 3 MB.
const maxAnswer = 8 << 20

// longestRetryAfter bounds the wait that a service can ask for.
const longestRetryAfter = 30 * time.Second

// An attempt is one request and what happened to it. It is used by one goroutine at a time.
type attempt struct {
	header string // X-Ray trace header, or ""
	calls  int    // the calls of the start, including this one
	hooks  httptrace.ClientTrace
	body   *bytes.Reader // of the request; nil leaves it to the SDK

	entered bool      // whether the SDK had a request to send
	asked   bool      // the client is net/http, and looked for a connection
	got     bool      // it got one
	conn    *sentConn // that connection, if it is a sentConn
	unsent  bool      // it failed, and certainly wrote nothing
	stale   bool      // because the connection it found had been closed

	status     int // of the answer; 0 without one
	requestID  string
	retryAfter time.Duration
}

type attemptKey struct{}

func attemptOf(ctx context.Context) *attempt {
	a, _ := ctx.Value(attemptKey{}).(*attempt)
	return a
}

func newAttempt(header string) *attempt {
	a := &attempt{header: header}
	a.hooks = httptrace.ClientTrace{
		GetConn: func(string) { a.asked = true },
		GotConn: func(info httptrace.GotConnInfo) {
			a.got = true
			if a.conn = ours(info.Conn); a.conn != nil {
				a.conn.arm(info.Reused)
			}
		},
	}
	return a
}

func (a *attempt) context(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(context.WithValue(ctx, attemptKey{}, a), &a.hooks)
}

// A sender is the SDK's HTTP client. It sends a request once, or not at all, and records
// which.
type sender struct {
	do        func(*http.Request) (*http.Response, error)
	closeIdle func()
}

func newSender(client aws.HTTPClient) *sender {
	switch client := client.(type) {
	case nil:
		return transportSender(defaultTransport())
	case *awshttp.BuildableClient:
		// The SDK's own loader makes this client; its CA bundle and proxy are in the
		// transport.
		return transportSender(client.GetTransport())
	case *http.Client:
		once := *client
		once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		return &sender{do: once.Do, closeIdle: once.CloseIdleConnections}
	default:
		return &sender{do: client.Do, closeIdle: func() {}}
	}
}

func transportSender(t *http.Transport) *sender {
	watch(t)
	return &sender{do: t.RoundTrip, closeIdle: t.CloseIdleConnections}
}

// Do implements the SDK's HTTP client.
func (s *sender) Do(req *http.Request) (*http.Response, error) {
	a := attemptOf(req.Context())
	a.entered = true
	if err := req.Context().Err(); err != nil {
		a.unsent = true
		return nil, err
	}
	// With GetBody, net/http could send the request again, and follow a redirect with it.
	req.GetBody = nil
	// The SDK closes its own wrapper of the body once the answer's headers are there. If
	// net/http has not yet read it to the end, it treats the EOF of the closed wrapper as
	// a failed write, and cuts off the answer. A plain reader does not have this problem,
	// and is sent in one packet with the headers.
	if b := a.body; b != nil && b.Size() == req.ContentLength {
		if _, err := b.Seek(0, io.SeekStart); err == nil {
			req.Body = io.NopCloser(b)
		}
	}
	resp, err := s.do(req)
	if err != nil {
		switch {
		case !a.got:
			a.unsent = a.asked || neverDialed(err)
		case a.conn != nil:
			a.unsent = a.conn.seal()
			a.stale = a.unsent && a.conn.reused
		}
		return resp, err
	}
	a.status = resp.StatusCode
	a.requestID = resp.Header.Get("X-Amzn-Requestid")
	if v := resp.Header.Get("Retry-After"); v != "" {
		if seconds, err := strconv.Atoi(v); err == nil && seconds > 0 {
			a.retryAfter = min(time.Duration(min(seconds, 3600))*time.Second, longestRetryAfter)
		}
	}
	if resp.ContentLength < 0 || resp.ContentLength > maxAnswer {
		resp.Body = &limitedBody{ReadCloser: resp.Body, left: maxAnswer}
	}
	return resp, nil
}

// limitedBody ends an answer that is too long with an error; io.LimitReader would make it
// look complete.
type limitedBody struct {
	io.ReadCloser
	left int
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
