package verify

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"time"
)

const (
	certificateForms = "a certificate as PEM, or its DER in base64"
	rootForms        = "the certificate of a root, as PEM or its DER in base64"
)

// decodeCertificate reads a certificate.
func decodeCertificate(text string) (*x509.Certificate, error) {
	der, err := decodeBase64(strings.TrimSpace(text))
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der, err = block.Bytes, nil
	}
	if err != nil {
		return nil, errKey
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errKey
	}
	return cert, nil
}

// decodeRoot reads a root certificate.
func decodeRoot(text string) (*x509.Certificate, error) {
	cert, err := decodeCertificate(text)
	if err != nil || !cert.IsCA {
		return nil, errKey
	}
	return cert, nil
}

func isCurrent(c *x509.Certificate, now time.Time) bool {
	return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}
