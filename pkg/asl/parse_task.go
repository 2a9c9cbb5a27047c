package asl

import "github.com/expressway-dev/expressway/pkg/jsonata"

func (p *parser) taskFields(s *state, o *jsonata.Object, at string) {
	s.resource = p.text(o, "Resource", at, true)
	s.events = newTaskEvents(s.resource)
	p.checkResource(s.resource, at)
	s.credentials = p.template(o, "Credentials", at)
	s.timeout = p.amount(o, "TimeoutSeconds", at, 1)
	s.heartbeat = p.amount(o, "HeartbeatSeconds", at, 1)
	if s.timeout.constant > 0 && s.heartbeat.constant >= s.timeout.constant {
		p.schema(at, "Heartbeat interval must be smaller than the timeout value")
	}
	p.retryCatch(s, o, at)
}
