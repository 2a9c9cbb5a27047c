package config

import (
	"fmt"
	"time"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// longTolerance is how far a signed time may be off before replays need more than it.
const longTolerance = 10 * time.Minute

// Warnings returns what works and is risky: signatures that can be sent again for ever,
// or for long, at routes that do not remember what they have seen.
func (c *Config) Warnings() []Problem {
	var out []Problem
	for _, r := range c.Routes {
		if r.HTTP == nil || r.Dedupe != nil {
			continue
		}
		switch tolerance, signed := signedTime(&r.HTTP.Verify); {
		case !signed:
		case tolerance == 0:
			out = append(out, r.Problem("verify", "what is signed holds no time, so a delivery that somebody recorded can be sent again for ever; add dedupe"))
		case tolerance > longTolerance:
			out = append(out, r.Problem("verify.tolerance", fmt.Sprintf("a delivery that somebody recorded can be sent again for %s; add dedupe", tolerance)))
		}
	}
	return out
}

// signedTime returns how far the signed time may be off, zero where the scheme signs
// none. It is false for schemes that sign nothing of the request.
func signedTime(s *verify.Spec) (tolerance time.Duration, signed bool) {
	preset, known := s.Preset()
	h := s.HMAC
	switch {
	case known && preset.Tolerance == 0:
		return 0, preset.Signature().Signed != ""
	case known:
		tolerance = preset.Tolerance
	case h == nil:
		return 0, false
	case h.Timestamp == nil && h.TimestampKey == "":
		return 0, true
	default:
		tolerance = verify.DefaultTolerance
	}
	written := s.Tolerance
	if h != nil && h.Timestamp != nil && h.Timestamp.Tolerance != "" {
		written = h.Timestamp.Tolerance
	}
	if v, err := written.Parse(); err == nil {
		tolerance = v
	}
	return tolerance, true
}
