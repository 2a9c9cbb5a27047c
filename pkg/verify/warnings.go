package verify

// Warnings reports settings of s that work but are weak, by their fields.
func (s *Spec) Warnings() []Problem {
	if len(s.Validate()) > 0 {
		return nil
	}
	c := &checker{}
	p, known := s.Known()
	if !known {
		p = &noPreset
	}
	if warn := schemeOf(s).warn; warn != nil {
		warn(c, s, p)
	}
	return c.problems
}

// SignedTime returns how far a signed time may be off, and whether s signs any part of a
// request. If it does, a tolerance of zero means that it signs no time.
func (s *Spec) SignedTime() (tolerance Duration, signed bool) {
	p, known := s.Preset()
	switch {
	case !known:
		found := blockOf(s)
		if len(found) == 0 || found[0].scheme == nil || found[0].scheme.signedTime == nil {
			return "", false
		}
		return found[0].scheme.signedTime(s)
	case p.Signature().Signed == "":
		return "", false
	case s.Tolerance != "" || p.Tolerance == 0:
		return s.Tolerance, true
	}
	return Duration(p.Tolerance.String()), true
}

func (t *Timestamp) tolerance() Duration {
	if t == nil || t.Tolerance == "" {
		return Duration(defaultTolerance.String())
	}
	return t.Tolerance
}
