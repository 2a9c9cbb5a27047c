package tasks

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
)

// maxHeaderText bounds the part of a response that is kept to determine the order of its
// headers.
const maxHeaderText = 64 << 10

// An orderedTransport keeps the order of a response's headers, which net/http does not,
// because results of optimised integrations list them in that order. Over TLS, the order
// is not visible, and the headers are sorted.
type orderedTransport struct{ base *http.Transport }

// newOrderedTransport takes over base, which must not have been used yet.
func newOrderedTransport(base *http.Transport) *orderedTransport {
	dial := base.DialContext
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &recordedConn{Conn: conn}, nil
	}
	return &orderedTransport{base}
}

// RoundTrip implements [http.RoundTripper].
func (t *orderedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	var conn *recordedConn
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if conn, _ = info.Conn.(*recordedConn); conn != nil {
			conn.start()
		}
	}})
	resp, err := t.base.RoundTrip(req.WithContext(ctx))
	if err != nil || conn == nil {
		return resp, err
	}
	resp.Body = &orderedBody{resp.Body, conn.names()}
	return resp, nil
}

// An orderedBody is the body of a response with the names of its headers.
type orderedBody struct {
	io.ReadCloser
	names []string
}

// headerNames returns the names of a response's headers in their original order, or nil
// if that is not known.
func headerNames(resp *http.Response) []string {
	if body, ok := resp.Body.(*orderedBody); ok {
		return body.names
	}
	return nil
}

// A recordedConn remembers the beginning of the response that it reads.
type recordedConn struct {
	net.Conn
	mu   sync.Mutex
	text []byte
	full bool // the headers are complete, or there are too many
}

func (c *recordedConn) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text, c.full = c.text[:0], false
}

func (c *recordedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.full {
		c.text = append(c.text, p[:min(n, maxHeaderText-len(c.text))]...)
		_, c.full = finalHeaders(c.text)
		c.full = c.full || len(c.text) == maxHeaderText
	}
	return n, err
}

// names returns the names of the headers, as they were written.
func (c *recordedConn) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	block, _ := finalHeaders(c.text)
	var names []string
	seen := map[string]bool{}
	for line := range bytes.SplitSeq(block, []byte("\n")) {
		name, _, found := strings.Cut(string(line), ":")
		if key := textproto.CanonicalMIMEHeaderKey(name); found && !seen[key] {
			seen[key] = true
			names = append(names, name)
		}
	}
	return names
}

// finalHeaders returns the header lines of the response that ends an exchange, and reports
// whether they are complete. Interim responses, such as 100 Continue, come before it.
func finalHeaders(text []byte) ([]byte, bool) {
	for {
		block, rest, complete := bytes.Cut(text, []byte("\r\n\r\n"))
		status, lines, _ := bytes.Cut(block, []byte("\r\n"))
		if _, code, _ := bytes.Cut(status, []byte(" ")); !bytes.HasPrefix(code, []byte("1")) || !complete {
			return lines, complete
		}
		text = rest
	}
}
