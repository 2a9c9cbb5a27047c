package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"strings"
	"time"
)

// sendgridScheme is https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features.
var sendgridScheme = scheme{
	name:     "sendgrid",
	verifier: newSendGrid,
}

var sendgridTools = tools{
	sign: func(s *signer, r *Request) error {
		keys, err := s.privateKeys()
		if err != nil {
			return err
		}
		at := formatTime(s.now, "unix")
		signature, err := keys.sign("ecdsa-sha256", append([]byte(at), r.Body...))
		s.out.Header.Set(sendgridTimestamp, at)
		s.out.Header.Set(sendgridSignature, base64.StdEncoding.EncodeToString(signature))
		return err
	},
	signature: &Signature{
		Headers: []string{sendgridSignature, sendgridTimestamp}, Algorithm: "ecdsa-p256-sha256", Encoding: "base64", Signed: "{timestamp}{body}",
		Keys: "the public key, in base64 or PEM",
	},
}

type sendgrid struct {
	keys      *keyring[*ecdsa.PublicKey]
	now       func() time.Time
	tolerance time.Duration
}

const (
	sendgridSignature = "X-Twilio-Email-Event-Webhook-Signature"
	sendgridTimestamp = "X-Twilio-Email-Event-Webhook-Timestamp"
)

func newSendGrid(b *builder) (Verifier, error) {
	keys, err := newKeyring(b, decodeECKey, "the public key of P-256, in base64 or PEM")
	if err != nil {
		return nil, err
	}
	return &sendgrid{keys, b.now, b.tolerance()}, nil
}

// decodeECKey reads a P-256 public key: base64 of its SPKI, or PEM.
func decodeECKey(text string) (*ecdsa.PublicKey, error) {
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil && block.Type == "PUBLIC KEY" {
		der = block.Bytes
	} else {
		var err error
		if der, err = decodeBase64(strings.TrimSpace(text)); err != nil {
			return nil, errKey
		}
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errKey
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errKey
	}
	return key, nil
}

func (*sendgrid) Headers() []string {
	return []string{strings.ToLower(sendgridSignature), strings.ToLower(sendgridTimestamp)}
}

func (v *sendgrid) Verify(ctx context.Context, r *Request) error {
	signature, timestamp, at, err := signatureAndTime(r, sendgridSignature, sendgridTimestamp, decodeBase64)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, _ = io.WriteString(h, timestamp)
	h.Write(r.Body)
	sum := h.Sum(nil)
	err = v.keys.match(ctx, sendgridSignature, func(key *ecdsa.PublicKey) bool { return ecdsa.VerifyASN1(key, sum, signature) })
	if err != nil {
		return err
	}
	return fresh(v.now(), at, v.tolerance, sendgridTimestamp)
}
