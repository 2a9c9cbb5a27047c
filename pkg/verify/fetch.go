package verify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// A Fetch gets a small document: a certificate of SNS, a key set, or the page that
// confirms a subscription. The caller has checked that the scheme allows the address.
// Implementations do not follow redirects, which would bypass that check, and bound time
// and size. [NewFetch] returns one.
type Fetch func(ctx context.Context, url string) ([]byte, error)

const (
	fetchTimeout = 3 * time.Second
	maxDocument  = 256 << 10
)

// NewFetch returns the [Fetch] for production: one GET of at most three seconds and 256
// KiB, over TLS 1.2 or later, which must be answered 200. A nil transport means a
// transport of its own, without a proxy, and without idle connections, which would not
// survive while a function is frozen.
func NewFetch(transport http.RoundTripper) Fetch {
	if transport == nil {
		transport = &http.Transport{
			DisableKeepAlives:      true,
			ForceAttemptHTTP2:      true,
			MaxResponseHeaderBytes: 64 << 10,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		}
	}
	client := &http.Client{
		Transport:     transport,
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context, address string) ([]byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
		if err != nil {
			return nil, errors.New("the address is not a URL")
		}
		response, err := client.Do(r)
		if err != nil {
			// The client's own text contains the whole address, with the token that
			// confirms a subscription, and errors are logged.
			var failed *url.Error
			if errors.As(err, &failed) {
				err = failed.Err
			}
			return nil, fmt.Errorf("%s: %w", r.URL.Host, err)
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s answered %d", r.URL.Host, response.StatusCode)
		}
		document, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
		switch {
		case err != nil:
			return nil, err
		case len(document) > maxDocument:
			return nil, fmt.Errorf("%s answered more than %d bytes", r.URL.Host, maxDocument)
		}
		return document, nil
	}
}

// isLoopback reports whether a host is this machine.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
