package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what some senders sign with
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A hash function by the name that the configuration uses.
var algorithms = map[string]func() hash.Hash{
	"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// An encoding of signatures, both ways.
type encoding struct {
	decode decoder
	encode func([]byte) string
}

var encodings = map[string]encoding{
	"hex":       {decodeHex, hex.EncodeToString},
	"base64":    {decodeBase64, base64.StdEncoding.EncodeToString},
	"base64url": {decodeBase64URL, base64.RawURLEncoding.EncodeToString},
}

// A compiledHMAC is a compiled [HMAC]. It serves most providers.
type compiledHMAC struct {
	headers        []string // of signatures; more than one for Box
	newHash        func() hash.Hash
	encoding       encoding
	prefix         string
	prefixOptional bool
	separator      string // of a list of signatures or of key=value pairs; may be empty
	kv             bool
	timestampKey   string
	signatureKey   string
	signed         []part
	timestamp      string // header name; empty with kv or without freshness
	format         string
	tolerance      time.Duration // 0 = the scheme signs no time
	keyEncoding    string
	url            func(*Request) string
	path           func(*Request) string
}

// compileHMAC expects settings that passed Validate.
func compileHMAC(h HMAC, base string) *compiledHMAC {
	s := &compiledHMAC{
		headers: []string{h.Header}, newHash: algorithms[orDefault(h.Algorithm, "sha256")],
		encoding: encodings[orDefault(h.Encoding, "hex")],
		prefix:   h.Prefix, prefixOptional: h.PrefixOptional, separator: h.Separator,
		kv: h.Format == "kv", timestampKey: h.TimestampKey, signatureKey: h.SignatureKey,
		format: "unix", keyEncoding: h.KeyEncoding,
		url:  func(r *Request) string { return publicURL(base, r) },
		path: func(r *Request) string { return publicPath(base, r) },
	}
	if s.kv && s.separator == "" {
		s.separator = ","
	}
	s.signed, _ = parseTemplate(orDefault(h.Signed, "{body}"))
	if h.Timestamp != nil || s.timestampKey != "" {
		s.tolerance = DefaultTolerance
	}
	if t := h.Timestamp; t != nil {
		s.timestamp, s.format = t.Header, orDefault(t.Format, "unix")
		if t.Tolerance != "" {
			s.tolerance, _ = t.Tolerance.Parse()
		}
	}
	return s
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

type hmacVerifier struct {
	*compiledHMAC
	keys *keyring[[]byte]
	now  func() time.Time
}

// hmacScheme is a provider whose scheme is only parameters.
var hmacScheme = scheme{
	name:     "hmac",
	verifier: func(b *builder) (Verifier, error) { return b.newPreset() },
	sign:     (*signer).preset,
	signsURL: func(_ *Spec, h *HMAC) bool { return h.signsURL() },
}

// hmacBlock is a sender that the Spec describes.
var hmacBlock = scheme{
	name:     "hmac",
	verifier: func(b *builder) (Verifier, error) { return b.newHMAC(compileHMAC(*b.spec.HMAC, b.spec.URL)) },
	sign: func(s *signer, r *Request) error {
		return s.hmac(compileHMAC(*s.spec.HMAC, s.spec.URL), r)
	},
	check:    func(c *checker, s *Spec) { s.HMAC.check(c) },
	signsURL: func(s *Spec, _ *HMAC) bool { return s.HMAC.signsURL() },
	defaults: func(s *Spec) []Default { return s.HMAC.defaults() },
}

func (h *HMAC) signsURL() bool {
	parts, err := parseTemplate(orDefault(h.Signed, "{body}"))
	return err == nil && uses(parts, "url")
}

func (h *HMAC) defaults() []Default {
	var found []Default
	add := func(field, written, otherwise string) {
		if written == "" {
			found = append(found, Default{Field: "hmac." + field, Value: otherwise})
		}
	}
	add("algorithm", h.Algorithm, "sha256")
	add("encoding", h.Encoding, "hex")
	add("signed", h.Signed, "{body}")
	add("keyEncoding", h.KeyEncoding, "text")
	if h.Timestamp != nil || h.TimestampKey != "" {
		t := Timestamp{}
		if h.Timestamp != nil {
			t = *h.Timestamp
		}
		add("timestamp.format", t.Format, "unix")
		add("timestamp.tolerance", string(t.Tolerance), shortDuration(DefaultTolerance))
	}
	return found
}

func (b *builder) newHMAC(s *compiledHMAC) (*hmacVerifier, error) {
	keys, err := newKeyring(b, keyDecoder(s.keyEncoding), keyForms(s.keyEncoding))
	if err != nil {
		return nil, err
	}
	return &hmacVerifier{s, keys, b.now}, nil
}

func (v *hmacVerifier) Headers() []string {
	names := make([]string, 0, 4)
	for _, n := range v.headers {
		names = append(names, strings.ToLower(n))
	}
	if v.timestamp != "" {
		names = append(names, strings.ToLower(v.timestamp))
	}
	for _, p := range v.signed {
		if p.field == "header" {
			names = append(names, strings.ToLower(p.text))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (v *hmacVerifier) Verify(ctx context.Context, r *Request) error {
	_, err := v.accept(ctx, r)
	return err
}

// accept is Verify, and the key that r is signed with.
func (v *hmacVerifier) accept(ctx context.Context, r *Request) (key []byte, _ error) {
	timestamp, signatures, err := v.signatures(r.Header)
	if err != nil {
		return nil, err
	}
	if v.timestamp != "" {
		if timestamp, err = headerValue(r.Header, v.timestamp); err != nil {
			return nil, err
		}
	}
	var at time.Time
	if v.tolerance > 0 {
		var ok bool
		if at, ok = parseTime(timestamp, v.format); !ok {
			return nil, refuse(Malformed, orDefault(v.timestamp, v.headers[0]))
		}
	}
	url := ""
	if uses(v.signed, "url") {
		url = v.url(r)
	}
	values, err := expand(v.signed, r, url, v.path(r), timestamp)
	if err != nil {
		return nil, err
	}
	err = v.keys.match(ctx, v.headers[0], func(candidate []byte) bool {
		key = candidate
		mac := hmac.New(v.newHash, key)
		write(mac, v.signed, values, r.Body)
		sum := mac.Sum(nil)
		return slices.ContainsFunc(signatures, func(s []byte) bool { return hmac.Equal(s, sum) })
	})
	if err == nil && v.tolerance > 0 {
		// Only now: the age of a forgery is nobody's business.
		err = fresh(v.now(), at, v.tolerance, orDefault(v.timestamp, v.headers[0]))
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

// signatures are the decoded signatures of the headers, at least one.
func (v *compiledHMAC) signatures(h http.Header) (timestamp string, decoded [][]byte, _ error) {
	size, found := v.newHash().Size(), false
	for _, name := range v.headers {
		value, err := headerValue(h, name)
		if ReasonOf(err) == Missing && len(v.headers) > 1 {
			continue
		}
		if err != nil {
			return "", nil, err
		}
		found = true
		texts, ok := []string{value}, true
		switch {
		case v.kv:
			timestamp, texts, ok = parseKV(value, v.separator, v.timestampKey, v.signatureKey)
		case v.separator != "":
			texts, ok = splitList(value, v.separator)
		}
		if !ok {
			return "", nil, refuse(Malformed, name)
		}
		for _, text := range texts {
			bare, prefixed := strings.CutPrefix(text, v.prefix)
			if !prefixed && !v.prefixOptional {
				continue
			}
			// A signature of another length is of another scheme, or cut.
			if sig, err := v.encoding.decode(bare); err == nil && len(sig) == size {
				decoded = append(decoded, sig)
			}
		}
	}
	if !found {
		return "", nil, refuse(Missing, v.headers[0])
	}
	if len(decoded) == 0 {
		return "", nil, refuse(Malformed, v.headers[0])
	}
	return timestamp, decoded, nil
}

// sign is the inverse of Verify: the headers that make r pass.
func (v *compiledHMAC) sign(key []byte, r *Request, now time.Time) (http.Header, error) {
	timestamp, out := "", http.Header{}
	if v.tolerance > 0 {
		timestamp = formatTime(now, v.format)
	}
	signed := *r
	if v.timestamp != "" {
		out.Set(v.timestamp, timestamp)
		signed.Header = r.Header.Clone()
		if signed.Header == nil {
			signed.Header = http.Header{}
		}
		signed.Header.Set(v.timestamp, timestamp) // {header:NAME} may name it
	}
	values, err := expand(v.signed, &signed, v.url(r), v.path(r), timestamp)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(v.newHash, key)
	write(mac, v.signed, values, r.Body)
	value := v.prefix + v.encoding.encode(mac.Sum(nil))
	if v.kv {
		value = v.signatureKey + "=" + value
		if v.timestampKey != "" {
			value = v.timestampKey + "=" + timestamp + v.separator + value
		}
	}
	out.Set(v.headers[0], value)
	return out, nil
}

func hmac256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, text)
	return mac.Sum(nil)
}

func (s *signer) hmac(rule *compiledHMAC, r *Request) error {
	key, err := keyDecoder(rule.keyEncoding)(s.secret)
	if err != nil {
		return errors.New("the secret is not a key of the form that this scheme takes: " + keyForms(rule.keyEncoding))
	}
	h, err := rule.sign(key, r, s.now)
	if err != nil {
		return err
	}
	for name, values := range h {
		s.out.Header[name] = values
	}
	return nil
}
