package verify

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// newPreset returns the verifier of a provider whose scheme only consists of parameters.
func (b *builder) newPreset() (Verifier, error) {
	rule := compileHMAC(b.presetHMAC(), b.spec.URL)
	if b.preset.OtherHeader != "" {
		rule.headers = append(rule.headers, b.preset.OtherHeader)
	}
	for i := 2; i <= b.preset.Numbered; i++ {
		rule.headers = append(rule.headers, strings.TrimSuffix(b.preset.HMAC.Header, "1")+strconv.Itoa(i))
	}
	v, err := b.newHMAC(rule)
	switch {
	case err != nil:
		return nil, err
	case b.preset.SignedAt != Place{}:
		return signedAt{v, b.preset.SignedAt, b.tolerance(), b.now}, nil
	}
	return v, nil
}

// A signedAt checks the time in a body whose signature its Verifier has accepted.
type signedAt struct {
	Verifier
	place     Place
	tolerance time.Duration
	now       func() time.Time
}

func (v signedAt) Verify(ctx context.Context, r *Request) error {
	if err := v.Verifier.Verify(ctx, r); err != nil {
		return err
	}
	text := v.place.Of(nil, r.Body)
	if text == "" {
		return nil // the sender signed a body without a time
	}
	at, ok := parseTime(text, "unix_ms")
	if !ok {
		return refuse(Malformed, v.place.Body)
	}
	return fresh(v.now(), at, v.tolerance, v.place.Body)
}

// presetHMAC returns the preset's parameters, with the tolerance of the Spec.
func (b *builder) presetHMAC() HMAC {
	h := *b.preset.HMAC
	if h.Timestamp != nil || h.TimestampKey != "" {
		ts := Timestamp{}
		if h.Timestamp != nil {
			ts = *h.Timestamp
		}
		ts.Tolerance = Duration(b.tolerance().String())
		h.Timestamp = &ts
	}
	return h
}

// preset signs for a preset, and adds what else its signature covers: Twitch's message
// id, Feishu's nonce, and the time in Linear's body.
func (s *signer) preset(r *Request) error {
	rule := compileHMAC(*s.provider.HMAC, s.spec.URL)
	for _, p := range rule.signed {
		if p.field == "header:" && p.text != rule.timestamp && r.Header.Get(p.text) == "" {
			s.out.Header.Set(p.text, s.digest(r.Body))
			r.Header = withHeaders(r.Header, s.out.Header)
		}
	}
	if _, err := bodyObject(r.Body); s.provider.SignedAt.Body != "" && err == nil {
		if err := s.write(func(body object) error {
			body[s.provider.SignedAt.Body] = s.now.UnixMilli()
			return nil
		}); err != nil {
			return err
		}
		r.Body = s.out.Body
	}
	return s.hmac(rule, r)
}

func warnPreset(c *checker, _ *Spec, p *Preset) { p.HMAC.warn(c, "provider", "provider") }

func describePreset(p Preset) Signature {
	algorithm := "hmac-"
	if p.HMAC.Hash == "plain" {
		algorithm = "plain "
	}
	return describeHMAC(p, p.HMAC, algorithm+orDefault(p.HMAC.Algorithm, "sha256"), "shared secrets: "+keyForms(p.HMAC.KeyEncoding))
}
