package verify

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"
)

// snsCerts holds the certificates that SNS signs with, by their addresses.
//
// A certificate is fetched by https from an address that only SNS can serve, and SNS
// serves the leaf without the chain above it. So it is trusted because of the
// connection's own certificate, unless roots are given: then the chain is followed to one
// of them, by the issuer's address that the leaf names.
type snsCerts struct {
	fetch Fetch
	roots *x509.CertPool // nil means that the connection is the proof
	now   func() time.Time

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

func newSNSCerts(b *builder) *snsCerts {
	return &snsCerts{
		fetch: b.fetch, roots: b.roots, now: b.now,
		known: map[string]*x509.Certificate{}, failed: map[string]certFailure{}, loading: map[string]chan struct{}{},
	}
}

// get returns the certificate at an address that isCertURL accepts. An expired one is
// refused, wherever it comes from.
func (c *snsCerts) get(ctx context.Context, certURL, region string) (*x509.Certificate, error) {
	cert, err := c.find(ctx, certURL, region)
	if err != nil {
		return nil, err
	}
	if now := c.now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return nil, refuse(Stale, "SigningCertURL")
	}
	return cert, nil
}

// find returns the certificate from the cache, or fetches it. Concurrent callers wait for
// the same fetch.
func (c *snsCerts) find(ctx context.Context, certURL, region string) (*x509.Certificate, error) {
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
			cert, err := c.verified(ctx, certURL, region)
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
func (c *snsCerts) mayFetch(now time.Time) bool {
	if age := now.Sub(c.window); age < 0 || age >= certWindow {
		c.window, c.fetches = now, 0
	}
	if c.fetches >= maxFetches {
		return false
	}
	c.fetches++
	return true
}

// verified fetches a certificate, and checks that it belongs to SNS.
func (c *snsCerts) verified(ctx context.Context, certURL, region string) (*x509.Certificate, error) {
	chain, err := c.load(ctx, certURL)
	if err == nil {
		err = namesSNS(chain[0], region)
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
func (c *snsCerts) keep(ctx context.Context, certURL string, cert *x509.Certificate, err error) {
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
func (c *snsCerts) load(ctx context.Context, url string) ([]*x509.Certificate, error) {
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

// namesSNS checks that the certificate belongs to SNS. The first regions share one name;
// later ones, GovCloud and China have their own.
func namesSNS(cert *x509.Certificate, region string) error {
	host := snsHost(region)
	tail := strings.TrimPrefix(host, "sns.")
	err := cert.VerifyHostname("sns.amazonaws.com")
	for _, name := range []string{host, "sns-" + tail, "sns-signing." + tail} {
		if err == nil {
			break
		}
		err = cert.VerifyHostname(name)
	}
	return err
}

// issuerPattern matches the addresses of Amazon's certificates above the leaf. They are
// always plain http, because the certificates that they serve prove themselves.
var issuerPattern = lazyPattern(`^http://crt\.[a-z0-9]{1,16}\.amazontrust\.com/[a-z0-9]{1,16}\.cer$`)

// follow verifies the chain to the roots, if there are any.
func (c *snsCerts) follow(ctx context.Context, chain []*x509.Certificate) error {
	if c.roots == nil {
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
	options := x509.VerifyOptions{Roots: c.roots, Intermediates: between, CurrentTime: at}
	_, err := chain[0].Verify(options)
	if err == nil || len(chain) > 1 || len(chain[0].IssuingCertificateURL) == 0 || !issuerPattern().MatchString(chain[0].IssuingCertificateURL[0]) {
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
