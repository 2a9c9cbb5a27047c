package verify

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// snsCerts are the certificates that SNS signs with, by their addresses.
//
// A certificate comes by https from an address that only SNS can serve, and SNS
// serves the leaf without the chain above it. So the proof is the connection's own
// certificate, unless roots are given: then the chain is followed to one of them,
// over the issuer's address that the leaf names.
type snsCerts struct {
	fetch Fetch
	roots *x509.CertPool // nil = the connection is the proof
	now   func() time.Time

	mu    sync.Mutex
	known map[string]*x509.Certificate
}

const (
	// maxCerts bounds the cache: SNS has one certificate in use for each region.
	maxCerts = 16
	maxChain = 8
)

// get is the certificate at an address that isCertURL allows. One that is out of
// date is refused, however it came here.
func (c *snsCerts) get(ctx context.Context, certURL, region string) (*x509.Certificate, error) {
	c.mu.Lock()
	cert := c.known[certURL]
	c.mu.Unlock()
	if cert == nil {
		chain, err := c.load(ctx, certURL)
		if err == nil {
			cert = chain[0]
			err = namesSNS(cert, region)
		}
		if err == nil {
			err = c.follow(ctx, chain)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: signing certificate: %w", ErrSecrets, err)
		}
	}
	c.keep(certURL, cert)
	if now := c.now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return nil, refuse(Stale, "SigningCertURL")
	}
	return cert, nil
}

func (c *snsCerts) keep(certURL string, cert *x509.Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxCerts && c.known[certURL] == nil {
		clear(c.known)
	}
	c.known[certURL] = cert
}

// load gets a certificate, and those above it where they are served with it.
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

// namesSNS checks whose certificate it is. The first regions share one name; later
// ones, GovCloud and China have their own.
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

// issuerPattern are the addresses of Amazon's certificates above the leaf. They
// are plain http everywhere, as what they serve proves itself.
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
	// Whether the leaf is in date is asked for each message, and not here: the
	// certificates above it must be when it is.
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
