package verify

import "slices"

// Warnings reports settings of s that work but are weak, by their fields.
func (s *Spec) Warnings() []Problem {
	if len(s.Validate()) > 0 {
		return nil
	}
	c := &checker{}
	p, known := s.Preset()
	h := s.HMAC
	if known && h == nil {
		h = p.HMAC
	}
	field := func(name string) string {
		if known {
			return "provider"
		}
		return "hmac." + name
	}
	if h != nil && h.Algorithm == "md5" {
		c.add(field("algorithm"), "MD5 is broken for signatures, and still hard to forge as an HMAC; use it only where the sender has nothing else")
	}
	if h != nil && h.Hash == "plain" {
		c.add(field("hash"), "anyone who has one delivery can extend a plain hash: only JSON and text without zero bytes are accepted")
	}
	if slices.Contains(s.Versions, "v1") && slices.Contains(p.Versions, "v1") {
		c.add("versions", "v1 is a plain hash of the secret and the body, without a time and without the URL: anyone who has one delivery can forge others")
	}
	if s.Token != nil && s.Token.Query != "" {
		c.add("token.query", "a secret in the URL is written to the access logs of every server on the way")
	}
	if s.JWT != nil && s.JWT.Query != "" {
		c.add("jwt.query", "a token in the URL is written to the access logs of every server on the way")
	}
	return c.problems
}

// SignedTime returns how far a signed time may be off, and whether s signs any part of a
// request. If it does, a tolerance of zero means that it signs no time.
func (s *Spec) SignedTime() (tolerance Duration, signed bool) {
	p, known := s.Preset()
	switch t := (*Timestamp)(nil); {
	case known:
		if p.Signature().Signed == "" {
			return "", false
		}
		if s.Tolerance != "" || p.Tolerance == 0 {
			return s.Tolerance, true
		}
		return Duration(p.Tolerance.String()), true
	case s.HMAC != nil:
		t = s.HMAC.Timestamp
		if t == nil && s.HMAC.TimestampKey == "" && s.HMAC.Format != "list" {
			return "", true
		}
		return t.tolerance(), true
	case s.Signature != nil:
		if t = s.Signature.Timestamp; t == nil {
			return "", true
		}
		return t.tolerance(), true
	}
	return "", false
}

func (t *Timestamp) tolerance() Duration {
	if t == nil || t.Tolerance == "" {
		return Duration(defaultTolerance.String())
	}
	return t.Tolerance
}
