package config

import (
	"fmt"
	"time"
)

// longTolerance is the tolerance above which a signed time alone does not protect against
// replays.
const longTolerance = 10 * time.Minute

// Warnings reports settings that work but are risky: on routes without dedupe, signatures
// that can be replayed forever or for a long time.
func (c *Config) Warnings() []Problem {
	var out []Problem
	for _, r := range c.Routes {
		if r.HTTP == nil {
			continue
		}
		for _, p := range r.HTTP.Verify.Warnings() {
			out = append(out, r.Problem("verify."+p.Field, p.Message))
		}
		if r.Dedupe != nil {
			continue
		}
		written, signed := r.HTTP.Verify.SignedTime()
		tolerance, _ := written.Parse() // an empty duration is zero
		switch {
		case !signed:
		case tolerance == 0:
			out = append(out, r.Problem("verify", "the signature covers no time, so a recorded delivery can be replayed forever: add dedupe"))
		case tolerance > longTolerance:
			out = append(out, r.Problem("verify.tolerance", fmt.Sprintf("a recorded delivery can be replayed for %s: add dedupe", tolerance)))
		}
	}
	return out
}
