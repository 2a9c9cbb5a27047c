package config

import (
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/verify"
)

var verifyKeys = []string{
	"provider", "url", "audience", "email", "username", "publicKey", "handshake", "tolerance", "secrets", "basic", "token", "hmac",
	"signature", "jwt", "mtls", "versions", "contentTypes", "topics",
}

// placesOfVerify is the number of positions that most routes record for verify.
const placesOfVerify = 4

func (d *document) readVerify(n ast.Node, r *Route) {
	spec := &r.HTTP.Verify
	if s, ok := n.(*ast.StringNode); ok {
		switch s.Value {
		case "none":
		case "link":
			r.HTTP.Link = true
		default:
			d.add(n, "verify must be a mapping, or none, or link")
		}
		spec.None = true
		return
	}
	at := make(map[string]ast.Node, placesOfVerify)
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
	d.keys(n, "verify", verifyKeys, func(key string, n ast.Node) {
		at[key] = n
		switch key {
		case "provider":
			if spec.Provider = d.text(n, key); spec.Provider == "" {
				d.add(n, "verify.provider is empty")
			}
		case "url":
			spec.URL = d.text(n, key)
		case "audience":
			spec.Audience = d.text(n, key)
		case "email":
			spec.Email = d.text(n, key)
		case "username":
			spec.Username = d.text(n, key)
		case "publicKey":
			spec.PublicKey = d.text(n, key)
		case "handshake":
			if pairs, isMapping := mappingValues(n); isMapping && len(pairs) > 0 { // an empty one is already refused by text
				d.fields(n, key, map[string]func(ast.Node){"store": text("handshake.store", &spec.HandshakeStore)})
				return
			}
			spec.Handshake = d.text(n, key)
		case "tolerance":
			spec.Tolerance = verify.Duration(d.duration(n, key).String())
		case "secrets":
			d.textsAt(key, &spec.Secrets, at)(n)
		case "versions":
			d.textsAt(key, &spec.Versions, at)(n)
		case "contentTypes":
			d.textsAt(key, &spec.ContentTypes, at)(n)
		case "topics":
			d.textsAt(key, (*[]string)(&spec.Topics), at)(n)
		case "basic":
			spec.Basic = &verify.Basic{}
			d.fields(n, "basic", map[string]func(ast.Node){"username": text("basic.username", &spec.Basic.Username)})
		case "token":
			d.readVerifyToken(n, spec, text)
		case "hmac":
			spec.HMAC = d.readHMAC(n, text, span)
		case "signature":
			spec.Signature = d.readKeySignature(n, text, span, at)
		case "jwt":
			spec.JWT = d.readJWT(n, text, span, at)
		case "mtls":
			spec.MTLS = &verify.MTLS{}
			d.fields(n, "mtls", map[string]func(ast.Node){
				"subject": d.textsAt("mtls.subject", &spec.MTLS.Subject, at),
				"issuer":  d.textsAt("mtls.issuer", &spec.MTLS.Issuer, at),
			})
		}
	})
	for _, scheme := range d.schemes {
		if scheme.Name == spec.Provider {
			spec.Custom = scheme
		}
	}
	for _, p := range spec.Validate() {
		d.add(nearest(at, p.Field, n), "%s", p.Error())
	}
	for key, n := range at {
		d.keep(r, "verify."+key, n)
	}
	r.adoptPreset()
}

// readVerifyToken reads where the token is in a request or, for meta, the reference to
// its value.
func (d *document) readVerifyToken(n ast.Node, spec *verify.Spec, text func(string, *string) func(ast.Node)) {
	spec.Token = &verify.Token{}
	if _, ok := n.(*ast.StringNode); ok { // the value of Meta's hub.verify_token
		spec.Token.Reference = d.text(n, "token")
		return
	}
	if ref, ok := rejoin(n); ok {
		spec.Token.Reference = ref
		return
	}
	d.fields(n, "token", map[string]func(ast.Node){
		"header": text("token.header", &spec.Token.Header),
		"query":  text("token.query", &spec.Token.Query),
		"body":   text("token.body", &spec.Token.Body),
	})
}

// nearest returns the node of a field, or else of the nearest field that contains it.
func nearest(at map[string]ast.Node, field string, block ast.Node) ast.Node {
	for field != "" {
		if n, ok := at[field]; ok {
			return n
		}
		field = field[:max(strings.LastIndexByte(field, '.'), 0)]
	}
	return block
}

// textsAt reads a list of text, and records the positions of the list and its items.
func (d *document) textsAt(key string, to *[]string, at map[string]ast.Node) func(ast.Node) {
	return func(n ast.Node) {
		at[key] = n
		if list, ok := n.(*ast.SequenceNode); ok {
			for i, item := range list.Values {
				at[key+"."+strconv.Itoa(i)] = item
			}
		}
		*to = d.texts(n, key)
	}
}

func (d *document) readJWT(n ast.Node, text func(string, *string) func(ast.Node), span func(string, *verify.Duration) func(ast.Node), at map[string]ast.Node) *verify.JWT {
	j := &verify.JWT{}
	d.fields(n, "jwt", map[string]func(ast.Node){
		"jwks":       text("jwt.jwks", &j.JWKS),
		"issuer":     text("jwt.issuer", &j.Issuer),
		"audience":   text("jwt.audience", &j.Audience),
		"header":     text("jwt.header", &j.Header),
		"scheme":     text("jwt.scheme", &j.Scheme),
		"cookie":     text("jwt.cookie", &j.Cookie),
		"query":      text("jwt.query", &j.Query),
		"expiry":     text("jwt.expiry", &j.Expiry),
		"maxAge":     span("jwt.maxAge", &j.MaxAge),
		"algorithms": d.textsAt("jwt.algorithms", &j.Algorithms, at),
		"body": func(n ast.Node) {
			at["jwt.body"] = n
			j.Body = &verify.BodyClaim{}
			d.fields(n, "jwt.body", map[string]func(ast.Node){
				"claim":     text("jwt.body.claim", &j.Body.Claim),
				"algorithm": text("jwt.body.algorithm", &j.Body.Algorithm),
				"encoding":  text("jwt.body.encoding", &j.Body.Encoding),
			})
		},
		"claims": func(n ast.Node) {
			at["jwt.claims"] = n
			j.Claims = map[string]string{}
			for m := range d.members(n, "jwt.claims") {
				text, ok := d.scalar(m.value)
				if !ok {
					d.add(m.value, "jwt.claims.%s must be text, a number, true or false", m.name)
				}
				j.Claims[m.name] = text
			}
		},
	})
	return j
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
		"hash":           text("hmac.hash", &h.Hash),
		"prefixOptional": func(n ast.Node) { h.PrefixOptional = d.flag(n, "prefixOptional") },
		"signature": func(n ast.Node) {
			h.Signature = &verify.FormField{}
			d.fields(n, "hmac.signature", map[string]func(ast.Node){"form": text("hmac.signature.form", &h.Signature.Form)})
		},
		"timestamp": func(n ast.Node) { h.Timestamp = d.readTimestamp(n, "hmac", text, span) },
	})
	return h
}

func (d *document) readTimestamp(n ast.Node, block string, text func(string, *string) func(ast.Node), span func(string, *verify.Duration) func(ast.Node)) *verify.Timestamp {
	t := &verify.Timestamp{}
	d.fields(n, "timestamp", map[string]func(ast.Node){
		"header":    text(block+".timestamp.header", &t.Header),
		"format":    text(block+".timestamp.format", &t.Format),
		"tolerance": span(block+".timestamp.tolerance", &t.Tolerance),
	})
	return t
}

func (d *document) readKeySignature(n ast.Node, text func(string, *string) func(ast.Node), span func(string, *verify.Duration) func(ast.Node), at map[string]ast.Node) *verify.KeySignature {
	k := &verify.KeySignature{}
	d.fields(n, "signature", map[string]func(ast.Node){
		"algorithm": text("signature.algorithm", &k.Algorithm),
		"header":    text("signature.header", &k.Header),
		"body":      text("signature.body", &k.Body),
		"encoding":  text("signature.encoding", &k.Encoding),
		"prefix":    text("signature.prefix", &k.Prefix),
		"signed":    text("signature.signed", &k.Signed),
		"timestamp": func(n ast.Node) { k.Timestamp = d.readTimestamp(n, "signature", text, span) },
		"keys": func(n ast.Node) {
			k.Keys = &verify.PublishedKeys{}
			d.fields(n, "signature.keys", map[string]func(ast.Node){
				"url":    text("signature.keys.url", &k.Keys.URL),
				"format": text("signature.keys.format", &k.Keys.Format),
				"member": text("signature.keys.member", &k.Keys.Member),
				"roots":  d.textsAt("signature.keys.roots", &k.Keys.Roots, at),
				"name":   text("signature.keys.name", &k.Keys.Name),
			})
		},
	})
	return k
}
