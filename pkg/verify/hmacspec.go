package verify

import (
	"slices"
	"strings"
)

// An HMAC describes how a sender signs. Zero values mean the defaults.
type HMAC struct {
	// Header carries the signature. Required, unless Signature says where else it is.
	Header string `yaml:"header,omitempty"`
	// Signature is where the signature is, if not in a header.
	Signature *FormField `yaml:"signature,omitempty"`
	// Hash is hmac (default) or plain. A plain hash covers Signed if that contains
	// {secret}, and otherwise the secret followed by Signed. Whoever has one delivery can
	// append to what a plain hash covers, so the body is only read as JSON, and must be
	// text.
	Hash string `yaml:"hash,omitempty"`
	// Algorithm is sha1, sha256 (default), sha384, sha512, or md5 if a sender has nothing
	// better.
	Algorithm string `yaml:"algorithm,omitempty"`
	// Encoding of the signature is hex (default), base64 or base64url.
	Encoding string `yaml:"encoding,omitempty"`
	// Prefix precedes each signature, such as "sha256=".
	Prefix string `yaml:"prefix,omitempty"`
	// PrefixOptional also accepts signatures without the prefix.
	PrefixOptional bool `yaml:"prefixOptional,omitempty"`
	// Separator makes the header a list of signatures, any of which may match; with
	// Format "kv" it separates the pairs (default a comma).
	Separator string `yaml:"separator,omitempty"`
	// Signed is a template over {body} (default), {timestamp}, {url}, {method}, {path},
	// {query}, {header:NAME}, {query:NAME}, {form:NAME} and {form}, the fields of a form
	// sorted by name, with each value preceded by its name.
	Signed string `yaml:"signed,omitempty"`
	// Timestamp says where the signed time is; it must be part of Signed.
	Timestamp *Timestamp `yaml:"timestamp,omitempty"`
	// KeyEncoding turns a secret into the key: text (default), hex, base64, whsec, or sha1
	// for the digest of the text.
	KeyEncoding string `yaml:"keyEncoding,omitempty"`
	// Format "kv" reads the header as key=value pairs, with a space between two sets;
	// "list" reads it as the time followed by signatures; empty uses it as it is.
	Format string `yaml:"format,omitempty"`
	// TimestampKey and SignatureKey are the keys of Format "kv".
	TimestampKey string `yaml:"timestampKey,omitempty"`
	SignatureKey string `yaml:"signatureKey,omitempty"`
}

// A Timestamp is a time that the sender signs.
type Timestamp struct {
	// Header carries it; empty with Format "kv", where TimestampKey names the pair.
	Header string `yaml:"header,omitempty"`
	// Format is unix (seconds, default), unix_ms, rfc3339 or http-date.
	Format string `yaml:"format,omitempty"`
	// Tolerance is how far it may be off, either way; default 5m.
	Tolerance Duration `yaml:"tolerance,omitempty"`
}

// A FormField is a field of a form.
type FormField struct {
	Form string `yaml:"form"`
}

// check reports the HMAC's problems.
func (h *HMAC) check(c *checker) {
	switch {
	case h.Signature == nil:
		c.header("hmac.header", h.Header)
	case h.Header != "" || h.Format != "":
		c.add("hmac.signature", "cannot be combined with header or format, which it replaces")
	case h.Signature.Form == "":
		c.add("hmac.signature.form", "is missing: name the field that carries the signature")
	}
	c.oneOf("hmac.hash", h.Hash, "hmac", "plain")
	c.oneOf("hmac.algorithm", h.Algorithm, "sha1", "sha256", "sha384", "sha512", "md5")
	c.oneOf("hmac.encoding", h.Encoding, "hex", "base64", "base64url")
	c.oneOf("hmac.keyEncoding", h.KeyEncoding, "text", "hex", "base64", "whsec", "sha1")
	c.oneOf("hmac.format", h.Format, "kv", "list")
	if h.PrefixOptional && h.Prefix == "" {
		c.add("hmac.prefixOptional", "needs a prefix")
	}
	if len(h.Prefix) > 64 {
		c.add("hmac.prefix", "is longer than 64 bytes")
	}
	if len(h.Separator) > 8 || strings.Contains(h.Separator, "=") {
		c.add("hmac.separator", "is at most 8 bytes, without =")
	}
	parts, err := parseTemplate(orDefault(h.Signed, "{body}"))
	if err != nil {
		c.add("hmac.signed", "%v", err)
		parts = nil
	}
	if uses(parts, "secret") && h.Hash != "plain" {
		c.add("hmac.signed", "has {secret}, which is for hash: plain")
	}
	h.checkKV(c)
	h.checkTimestamp(c, parts)
}

func (h *HMAC) checkKV(c *checker) {
	keys := [][2]string{{"hmac.signatureKey", h.SignatureKey}, {"hmac.timestampKey", h.TimestampKey}}
	if h.Format != "kv" {
		for _, key := range keys {
			if key[1] != "" {
				c.add(key[0], "needs format: kv")
			}
		}
		return
	}
	if h.SignatureKey == "" {
		c.add("hmac.signatureKey", "is missing: name the pair that carries the signature")
	}
	if h.SignatureKey != "" && h.SignatureKey == h.TimestampKey {
		c.add("hmac.timestampKey", "is the same as signatureKey")
	}
	separator := orDefault(h.Separator, ",")
	for _, key := range keys {
		if strings.ContainsAny(key[1], "= \t") || strings.Contains(key[1], separator) {
			c.add(key[0], "cannot have =, a space or the separator")
		}
	}
}

func (h *HMAC) checkTimestamp(c *checker, parts []part) {
	inKV := h.Format == "kv" && h.TimestampKey != "" || h.Format == "list"
	t := h.Timestamp
	if t == nil {
		if uses(parts, "timestamp") && !inKV {
			c.add("hmac.timestamp", "is missing, but signed has {timestamp}")
		}
	} else {
		c.oneOf("hmac.timestamp.format", t.Format, "unix", "unix_ms", "rfc3339", "http-date")
		c.duration("hmac.timestamp.tolerance", t.Tolerance)
		switch {
		case inKV && t.Header != "":
			c.add("hmac.timestamp.header", "and timestampKey cannot be combined")
		case !inKV:
			c.header("hmac.timestamp.header", t.Header)
		}
	}
	if (t != nil || inKV) && parts != nil {
		covered := uses(parts, "timestamp") || t != nil && slices.ContainsFunc(parts, func(p part) bool {
			return p.field == "header:" && strings.EqualFold(p.text, t.Header)
		})
		if !covered {
			c.add("hmac.signed", "leaves {timestamp} out, so that anyone can make an old delivery fresh")
		}
	}
}

func (h *HMAC) fields() []Field {
	return []Field{
		{Key: "header", To: &h.Header},
		{Key: "algorithm", To: &h.Algorithm},
		{Key: "encoding", To: &h.Encoding},
		{Key: "prefix", To: &h.Prefix},
		{Key: "prefixOptional", To: &h.PrefixOptional, Name: "prefixOptional"},
		{Key: "separator", To: &h.Separator},
		{Key: "signed", To: &h.Signed},
		{Key: "keyEncoding", To: &h.KeyEncoding},
		{Key: "format", To: &h.Format},
		{Key: "timestampKey", To: &h.TimestampKey},
		{Key: "signatureKey", To: &h.SignatureKey},
		{Key: "hash", To: &h.Hash},
		{Key: "signature", To: func() []Field {
			h.Signature = &FormField{}
			return []Field{{Key: "form", To: &h.Signature.Form}}
		}},
		{Key: "timestamp", Name: "timestamp", To: func() []Field {
			h.Timestamp = &Timestamp{}
			return h.Timestamp.fields()
		}},
	}
}

// warn reports what is weak, at the fields that say so.
func (h *HMAC) warn(c *checker, algorithm, hash string) {
	if h.Algorithm == "md5" {
		c.add(algorithm, "MD5 is broken for signatures, and still hard to forge as an HMAC; use it only where the sender has nothing else")
	}
	if h.Hash == "plain" {
		c.add(hash, "anyone who has one delivery can extend a plain hash: only JSON and text without zero bytes are accepted")
	}
}
