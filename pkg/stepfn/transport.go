package stepfn

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	// maxIdle is how many connections stay open: an SQS batch runs many executions
	// concurrently, and each holds a connection for as long as it runs.
	maxIdle = 100
	// connectTimeout bounds a dial and a TLS handshake each. The SDK's 30 and 10 seconds
	// exceed API Gateway's own timeout.
	connectTimeout = 5 * time.Second
)

// defaultTransport returns the SDK's transport without HTTP/2, which retries by itself;
// one call per connection is good enough for Step Functions.
func defaultTransport() *http.Transport {
	t := awshttp.NewBuildableClient().GetTransport()
	t.DialContext = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = connectTimeout
	t.MaxIdleConns, t.MaxIdleConnsPerHost = maxIdle, maxIdle
	t.MaxResponseHeaderBytes = 1 << 20
	return t
}

// watch makes t's connections report what they write, which requires HTTP/1.1.
func watch(t *http.Transport) {
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	dial := t.DialContext
	if dial == nil {
		dial = (&net.Dialer{Timeout: connectTimeout}).DialContext
	}
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &sentConn{Conn: conn, raw: conn}, nil
	}
	if t.DialTLSContext != nil {
		return
	}
	// Over TLS, the plain text is watched: below it, a close_notify would look like a
	// request. A proxy's tunnel is still watched below TLS, which errs on the side of
	// "sent".
	config, timeout := t.TLSClientConfig, t.TLSHandshakeTimeout
	t.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		tc := tls.Client(conn, configFor(config, addr))
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		if err := tc.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return &sentConn{Conn: tc, raw: conn}, nil
	}
}

func configFor(base *tls.Config, addr string) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if base != nil {
		config = base.Clone()
	}
	if config.ServerName == "" {
		if host, _, err := net.SplitHostPort(addr); err == nil {
			config.ServerName = host
		}
	}
	config.NextProtos = []string{"http/1.1"}
	return config
}

var (
	errSealed = errors.New("the request was given up before it was sent")
	errStale  = errors.New("the connection was closed while it was idle")
)

// A sentConn knows whether the request it carries has begun to be written. HTTP/1.1 has
// one request on a connection at a time: arm is called when the request gets the
// connection, Write while it is sent, and seal when it has failed.
type sentConn struct {
	net.Conn
	raw    net.Conn
	reused bool
	state  atomic.Int32
}

const (
	passing int32 = iota // before the first request: a proxy's CONNECT, a handshake
	armed                // there is a request, and none of it has been written
	writing
	sealed
)

// ours returns the sentConn that is net/http's connection, or that lies below its TLS.
func ours(conn net.Conn) *sentConn {
	if tc, ok := conn.(*tls.Conn); ok {
		conn = tc.NetConn()
	}
	c, _ := conn.(*sentConn)
	return c
}

func (c *sentConn) arm(reused bool) {
	c.reused = reused
	c.state.Store(armed)
}

// seal prevents the request from beginning, and reports whether it has not begun.
func (c *sentConn) seal() bool {
	return c.state.CompareAndSwap(armed, sealed) || c.state.Load() == sealed
}

func (c *sentConn) Write(p []byte) (int, error) {
	if c.reused && c.state.Load() == armed && spoken(c.raw) {
		c.state.CompareAndSwap(armed, sealed)
		return 0, errStale
	}
	if !c.state.CompareAndSwap(armed, writing) && c.state.Load() == sealed {
		return 0, errSealed
	}
	return c.Conn.Write(p)
}
