package verify

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"sync"
	"time"
)

// A certStore holds the certificates that a sender signs with, by their addresses. Each is
// fetched by https from an address that only the sender can serve.
type certStore struct {
	fetch Fetch
	roots *x509.CertPool // nil means the system's
	// unchained means that the connection's own certificate is the proof if there are no
	// roots: SNS serves the leaf without the chain above it.
	unchained bool
	// issuers match the addresses of the certificates above a leaf. They are always plain
	// http, because the certificates that they serve prove themselves.
	issuers func() *regexp.Regexp
	where   string // the name of the address, for errors
	now     func() time.Time

	mu      sync.Mutex
	known   map[string]*x509.Certificate
	failed  map[string]certFailure   // of the last certPause
	loading map[string]chan struct{} // closed when the fetch of that address has ended
	window  time.Time                // when the count of fetches began
	fetches int
}

type certFailure struct {
	at  time.Time
	err error
}

// The address of a certificate in a message may be forged until the signature has been
// verified with it. So an address that did not serve one is not asked again at once, and
// the total number of fetches is limited: one certificate per region is in use, and it is
// replaced once a year.
const (
	certPause  = 5 * time.Second
	certWindow = time.Minute
	maxFetches = 16 // in one window
	maxCerts   = 64 // in the cache; AWS has fewer regions
	maxChain   = 8
)

var errManyCerts = fmt.Errorf("%w: signing certificate: too many addresses in one minute", ErrSecrets)

func newCertStore(b *builder, where string, issuers func() *regexp.Regexp) *certStore {
	return &certStore{
		fetch: b.fetch, roots: b.roots, issuers: issuers, where: where, now: b.now,
		known: map[string]*x509.Certificate{}, failed: map[string]certFailure{}, loading: map[string]chan struct{}{},
	}
}

// get returns the certificate at an address that the scheme accepts, if names accepts its
// subject. An expired one is refused, wherever it comes from.
func (c *certStore) get(ctx context.Context, certURL string, names func(*x509.Certificate) error) (*x509.Certificate, error) {
	cert, err := c.find(ctx, certURL, names)
	if err != nil {
		return nil, err
	}
	if now := c.now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return nil, refuse(Stale, c.where)
	}
	return cert, nil
}

// find returns the certificate from the cache, or fetches it. Concurrent callers wait for
// the same fetch.
func (c *certStore) find(ctx context.Context, certURL string, names func(*x509.Certificate) error) (*x509.Certificate, error) {
	for {
		c.mu.Lock()
		now := c.now()
		cert, failure, loading := c.known[certURL], c.failed[certURL], c.loading[certURL]
		switch {
		case cert != nil:
			c.mu.Unlock()
			return cert, nil
		case failure.err != nil && now.Sub(failure.at) < certPause:
			c.mu.Unlock()
			return nil, failure.err
		case loading == nil && !c.mayFetch(now):
			c.mu.Unlock()
			return nil, errManyCerts
		case loading == nil:
			done := make(chan struct{})
			c.loading[certURL] = done
			c.mu.Unlock()
			cert, err := c.verified(ctx, certURL, names)
			c.keep(ctx, certURL, cert, err)
			close(done)
			return cert, err
		}
		c.mu.Unlock()
		select {
		case <-loading:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: signing certificate: %w", ErrSecrets, ctx.Err())
		}
	}
}

// mayFetch reports whether a fetch is allowed, and counts it. It is called with mu held.
func (c *certStore) mayFetch(now time.Time) bool {
	if age := now.Sub(c.window); age < 0 || age >= certWindow {
		c.window, c.fetches = now, 0
	}
	if c.fetches >= maxFetches {
		return false
	}
	c.fetches++
	return true
}

// verified fetches a certificate, and checks that it belongs to the sender.
func (c *certStore) verified(ctx context.Context, certURL string, names func(*x509.Certificate) error) (*x509.Certificate, error) {
	chain, err := c.load(ctx, certURL)
	if err == nil {
		err = names(chain[0])
	}
	if err == nil {
		err = c.follow(ctx, chain)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: signing certificate: %w", ErrSecrets, err)
	}
	return chain[0], nil
}

// keep remembers how a fetch ended, unless it ended because of the caller's own deadline.
func (c *certStore) keep(ctx context.Context, certURL string, cert *x509.Certificate, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.loading, certURL)
	if err == nil {
		if len(c.known) >= maxCerts {
			clear(c.known)
		}
		c.known[certURL] = cert
		return
	}
	now := c.now()
	maps.DeleteFunc(c.failed, func(_ string, f certFailure) bool { return now.Sub(f.at) >= certPause })
	if ctx.Err() == nil {
		c.failed[certURL] = certFailure{now, err}
	}
}

// load fetches a certificate, and those above it if they are served with it.
func (c *certStore) load(ctx context.Context, url string) ([]*x509.Certificate, error) {
	document, err := c.fetch(ctx, url)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	for block, rest := pem.Decode(document); block != nil && len(chain) < maxChain; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return nil, errors.New("is not PEM")
	}
	return chain, nil
}

// follow verifies the chain to the roots.
func (c *certStore) follow(ctx context.Context, chain []*x509.Certificate) error {
	if c.roots == nil && c.unchained {
		return nil
	}
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	// Whether the leaf has expired is checked for each message, not here: the
	// certificates above it must be valid while the leaf is.
	at := c.now()
	if at.Before(chain[0].NotBefore) {
		at = chain[0].NotBefore
	} else if at.After(chain[0].NotAfter) {
		at = chain[0].NotAfter
	}
	options := x509.VerifyOptions{Roots: c.roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	_, err := chain[0].Verify(options)
	if err == nil || len(chain) > 1 || len(chain[0].IssuingCertificateURL) == 0 || !c.issuers().MatchString(chain[0].IssuingCertificateURL[0]) {
		return err
	}
	der, err := c.fetch(ctx, chain[0].IssuingCertificateURL[0])
	if err != nil {
		return fmt.Errorf("its issuer: %w", err)
	}
	issuer, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("its issuer: %w", err)
	}
	between.AddCert(issuer)
	_, err = chain[0].Verify(options)
	return err
}
