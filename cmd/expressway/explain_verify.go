package main

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// acknowledgement returns an accepted block that has the same effect as the default.
func acknowledgement(ack verify.Ack) yaml.MapSlice {
	if ack.Status == 0 {
		return yaml.MapSlice{{Key: "status", Value: 202}, {Key: "body", Value: yaml.MapSlice{{Key: "executionArn", Value: "{% $execution.arn %}"}}}}
	}
	out := yaml.MapSlice{{Key: "status", Value: ack.Status}}
	if ack.ContentType != "" {
		out = append(out, yaml.MapItem{Key: "headers", Value: yaml.MapSlice{{Key: "Content-Type", Value: ack.ContentType}}})
	}
	return append(out, yaml.MapItem{Key: "body", Value: ack.Body})
}

// verify adds what the sender must prove.
func (e *explained) verify() {
	s := e.route.HTTP.Verify
	if s.None {
		if e.route.HTTP.Link {
			e.line("verify", "anyone who has the link may call")
			return
		}
		e.line("verify", "anyone may call")
		return
	}
	written, _ := get(e.keys, "verify")
	keys, _ := written.(yaml.MapSlice)
	if len(s.Secrets) > 0 {
		keys = put(keys, "secrets", s.Secrets)
	}
	if s.Token != nil && s.Token.Reference != "" {
		keys = put(keys, "token", s.Token.Reference)
	}
	if s.HandshakeStore != "" {
		keys = putAt(keys, []string{"handshake", "store"}, s.HandshakeStore)
	}
	if preset, ok := s.Preset(); ok {
		e.head("verify", describe(preset)...)
	}
	for _, d := range s.Defaults() {
		about := d.About
		if about == "" {
			about = "the default"
		}
		keys = putAt(keys, strings.Split(d.Field, "."), d.Value)
		e.line("verify."+d.Field, about)
	}
	e.keys = put(e.keys, "verify", keys)
}

// putAt sets a value at a path of keys.
func putAt(keys yaml.MapSlice, path []string, value any) yaml.MapSlice {
	if len(path) > 1 {
		written, _ := get(keys, path[0])
		below, _ := written.(yaml.MapSlice)
		value = putAt(below, path[1:], value)
	}
	return put(keys, path[0], value)
}

// describe describes a preset in words.
func describe(p verify.Preset) []string {
	s := p.Signature()
	lines := []string{"signature: " + s.Algorithm}
	if s.Encoding != "" {
		lines[0] += ", in " + s.Encoding
	}
	if len(s.Headers) > 0 {
		lines = append(lines, "headers: "+strings.Join(s.Headers, ", "))
	}
	lines = append(lines, "signed: "+s.Signed, "secrets: "+s.Keys)
	if h := p.HMAC; h != nil && h.Prefix != "" {
		lines = append(lines, "before the signature: "+h.Prefix)
	} else if h != nil && h.Format == "kv" {
		lines = append(lines, "in the header: the signature as "+h.SignatureKey+"=, the time as "+h.TimestampKey+"=")
	}
	place := func(what string, p verify.Place) {
		var where []string
		if p.Header != "" {
			where = append(where, "header "+p.Header)
		}
		if p.OtherHeader != "" {
			where = append(where, "else header "+p.OtherHeader)
		}
		if p.Body != "" {
			where = append(where, p.Body+" in the body")
		}
		if p.Form != "" {
			where = append(where, "field "+p.Form+" of a form")
		}
		if len(where) == 0 {
			return
		}
		line := what + ": " + strings.Join(where, ", ")
		if p.Unsigned {
			line += ", which is not signed"
		}
		lines = append(lines, line)
	}
	place("delivery id", p.DeliveryID)
	place("event name", p.EventName)
	if p.Experimental {
		lines = append(lines, "experimental: what the provider signs is known from third parties only")
	}
	if p.Handshake != nil {
		lines = append(lines, "handshake: answered without starting an execution")
	}
	if p.Ack.Status != 0 {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("acknowledgement: %d %s", p.Ack.Status, p.Ack.Body)))
	}
	return lines
}
