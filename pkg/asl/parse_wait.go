package asl

import "github.com/expressway-dev/expressway/pkg/jsonata"

func (p *parser) waitFields(s *state, o *jsonata.Object, at string) {
	w := &s.wait
	n := 0
	for _, field := range []string{"Seconds", "SecondsPath", "Timestamp", "TimestampPath"} {
		if !hasKey(o, field) {
			continue
		}
		n++
		switch field {
		case "Seconds":
			w.seconds = p.amountOnly(o, field, at, 0)
		case "SecondsPath":
			w.secondsPath, _ = p.path(o, field, at)
		case "Timestamp":
			w.timestamp = p.timestampField(o, field, at)
		case "TimestampPath":
			w.timestampPath, _ = p.path(o, field, at)
		}
	}
	if n != 1 {
		p.schema(at, "Exactly one of [Seconds, SecondsPath, Timestamp, TimestampPath] is required")
	}
}

// timestampField reads a time, or an expression for one.
func (p *parser) timestampField(o *jsonata.Object, field, at string) *template {
	text := p.text(o, field, at, true)
	if p.jsonata && isExpression(text) {
		return p.template(o, field, at)
	}
	if _, ok := timestamp(text); !ok {
		p.schema(at+"/"+field, "Value is not a valid ISO-8601 extended offset date-time format string")
	}
	return &template{literal: text}
}
