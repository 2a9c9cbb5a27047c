package config

import (
	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/verify"
)

func (d *document) readVerify(n ast.Node, r *Route) {
	spec := &r.HTTP.Verify
	if s, ok := n.(*ast.StringNode); ok {
		if s.Value != "none" {
			d.add(n, "verify must be a mapping, or none")
		}
		spec.None = true
		return
	}
	at := map[string]ast.Node{}
	text := func(key string, to *string) func(ast.Node) {
		return func(n ast.Node) {
			at[key] = n
			*to = d.text(n, key)
		}
	}
	span := func(key string, to *verify.Duration) func(ast.Node) {
		return func(n ast.Node) {
			at[key] = n
			*to = verify.Duration(d.duration(n, key).String())
		}
	}
	d.fields(n, "verify", map[string]func(ast.Node){
		"provider":  text("provider", &spec.Provider),
		"url":       text("url", &spec.URL),
		"tolerance": span("tolerance", &spec.Tolerance),
		"secrets": func(n ast.Node) {
			at["secrets"] = n
			spec.Secrets = d.texts(n, "secrets")
		},
		"basic": func(n ast.Node) {
			at["basic"] = n
			spec.Basic = &verify.Basic{}
			d.fields(n, "basic", map[string]func(ast.Node){"username": text("basic.username", &spec.Basic.Username)})
		},
		"token": func(n ast.Node) {
			at["token"] = n
			spec.Token = &verify.Token{}
			d.fields(n, "token", map[string]func(ast.Node){"header": text("token.header", &spec.Token.Header)})
		},
		"hmac": func(n ast.Node) {
			at["hmac"] = n
			spec.HMAC = d.readHMAC(n, text, span)
		},
		"jwt": func(n ast.Node) { d.add(n, "jwt: JSON Web Tokens are not supported by this version") },
	})
	if spec.Provider == "sns" {
		d.add(at["provider"], "verify: provider sns is not supported by this version: its certificates cannot be fetched yet")
		return
	}
	for _, p := range spec.Validate() {
		where := n
		if found, ok := at[p.Field]; ok {
			where = found
		}
		d.add(where, "verify: %s", p.Error())
	}
	if preset, ok := verify.Lookup(spec.Provider); ok {
		r.HTTP.DeliveryID, r.HTTP.Ack = preset.DeliveryID, preset.Ack
		if r.Timeout == 0 {
			r.Timeout = preset.Deadline
		}
	}
}

func (d *document) readHMAC(n ast.Node, text func(string, *string) func(ast.Node), span func(string, *verify.Duration) func(ast.Node)) *verify.HMAC {
	h := &verify.HMAC{}
	d.fields(n, "hmac", map[string]func(ast.Node){
		"header":         text("hmac.header", &h.Header),
		"algorithm":      text("hmac.algorithm", &h.Algorithm),
		"encoding":       text("hmac.encoding", &h.Encoding),
		"prefix":         text("hmac.prefix", &h.Prefix),
		"separator":      text("hmac.separator", &h.Separator),
		"signed":         text("hmac.signed", &h.Signed),
		"keyEncoding":    text("hmac.keyEncoding", &h.KeyEncoding),
		"format":         text("hmac.format", &h.Format),
		"timestampKey":   text("hmac.timestampKey", &h.TimestampKey),
		"signatureKey":   text("hmac.signatureKey", &h.SignatureKey),
		"prefixOptional": func(n ast.Node) { h.PrefixOptional = d.flag(n, "prefixOptional") },
		"timestamp": func(n ast.Node) {
			h.Timestamp = &verify.Timestamp{}
			d.fields(n, "timestamp", map[string]func(ast.Node){
				"header":    text("hmac.timestamp.header", &h.Timestamp.Header),
				"format":    text("hmac.timestamp.format", &h.Timestamp.Format),
				"tolerance": span("hmac.timestamp.tolerance", &h.Timestamp.Tolerance),
			})
		},
	})
	return h
}
