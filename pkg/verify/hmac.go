package verify

import (
	"context"
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // the one that Patreon signs with
	"crypto/sha1" //nolint:gosec // what some senders sign with
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"slices"
	"strings"
	"time"
)

// algorithms maps the configuration's names to hash functions.
var algorithms = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// An encoding encodes and decodes signatures.
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
	headers        []string // headers with signatures; Box has several
	form           string   // the field with the signature, instead of a header
	plain          bool     // a hash that includes the secret, instead of an HMAC
	newHash        func() hash.Hash
	encoding       encoding
	prefix         string
	prefixOptional bool
	separator      string // between the signatures of a list or between key=value pairs; may be empty
	kv, list       bool
	timestampKey   string
	signatureKey   string
	signed         []part
	timestamp      string // header name; empty with kv, or if no time is signed
	format         string
	tolerance      time.Duration // 0 if the scheme signs no time
	keyEncoding    string
	url            func(*Request) string
	path           func(*Request) string
}

// compileHMAC expects settings that passed Validate.
func compileHMAC(h HMAC, base string) *compiledHMAC {
	s := &compiledHMAC{
		headers: []string{h.Header}, plain: h.Hash == "plain", newHash: algorithms[orDefault(h.Algorithm, "sha256")],
		encoding: encodings[orDefault(h.Encoding, "hex")],
		prefix:   h.Prefix, prefixOptional: h.PrefixOptional, separator: h.Separator,
		kv: h.Format == "kv", list: h.Format == "list", timestampKey: h.TimestampKey, signatureKey: h.SignatureKey,
		format: "unix", keyEncoding: h.KeyEncoding,
		url:  func(r *Request) string { return publicURL(base, r) },
		path: func(r *Request) string { return publicPath(base, r) },
	}
	if (s.kv || s.list) && s.separator == "" {
		s.separator = ","
	}
	if h.Signature != nil {
		s.headers, s.form = nil, h.Signature.Form
	}
	s.signed, _ = parseTemplate(orDefault(h.Signed, "{body}"))
	if s.plain && !uses(s.signed, "secret") {
		s.signed = slices.Insert(s.signed, 0, part{field: "secret"})
	}
	if h.Timestamp != nil || s.timestampKey != "" || s.list {
		s.tolerance = defaultTolerance
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

// hmacScheme is for a provider whose scheme only consists of parameters.
var hmacScheme = scheme{
	name:     "hmac",
	verifier: func(b *builder) (Verifier, error) { return b.newPreset() },
	signsURL: func(_ *Spec, p *Preset) bool { return p.HMAC.signsURL() },
	warn:     warnPreset,
}

var hmacTools = tools{
	sign:     (*signer).preset,
	describe: describePreset,
}

// hmacBlock is for a sender that the Spec describes.
var hmacBlock = scheme{
	name:     "hmac",
	verifier: func(b *builder) (Verifier, error) { return b.newHMAC(compileHMAC(*b.spec.HMAC, b.spec.URL)) },
	fields: func(s *Spec) []Field {
		s.HMAC = &HMAC{}
		return s.HMAC.fields()
	},
	check:    func(c *checker, s *Spec) { s.HMAC.check(c) },
	signsURL: func(s *Spec, _ *Preset) bool { return s.HMAC.signsURL() },
	warn:     func(c *checker, s *Spec, _ *Preset) { s.HMAC.warn(c, "hmac.algorithm", "hmac.hash") },
	signedTime: func(s *Spec) (Duration, bool) {
		t := s.HMAC.Timestamp
		if t == nil && s.HMAC.TimestampKey == "" && s.HMAC.Format != "list" {
			return "", true
		}
		return t.tolerance(), true
	},
}

var hmacBlockTools = tools{
	sign: func(s *signer, r *Request) error {
		return s.hmac(compileHMAC(*s.spec.HMAC, s.spec.URL), r)
	},
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
		add("timestamp.tolerance", string(t.Tolerance), shortDuration(defaultTolerance))
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
		if p.field == "header:" {
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

// accept does what Verify does, and returns the key that r is signed with.
func (v *hmacVerifier) accept(ctx context.Context, r *Request) (key []byte, _ error) {
	sets, err := v.signatures(r)
	if err != nil {
		return nil, err
	}
	if v.plain && isLengthened(r.Body) {
		return nil, refuse(Malformed, "body")
	}
	for _, set := range sets {
		key, err = v.acceptSet(ctx, r, set)
		if ReasonOf(err) != Mismatch {
			return key, err
		}
	}
	return nil, err
}

// where returns the place that errors name.
func (v *compiledHMAC) where() string {
	if v.form != "" {
		return v.form
	}
	return v.headers[0]
}

// acceptSet tries the signatures that belong to one time.
func (v *hmacVerifier) acceptSet(ctx context.Context, r *Request, set signatureSet) (key []byte, err error) {
	timeIn := orDefault(v.timestamp, v.where())
	if v.timestamp != "" {
		if set.timestamp, err = headerValue(r.Header, v.timestamp); err != nil {
			return nil, err
		}
	}
	var at time.Time
	if v.tolerance > 0 {
		var ok bool
		if at, ok = parseTime(set.timestamp, v.format); !ok {
			return nil, refuse(Malformed, timeIn)
		}
	}
	values, err := v.expand(r, set.timestamp)
	if err != nil {
		return nil, err
	}
	err = v.keys.match(ctx, v.where(), func(candidate []byte) bool {
		key = candidate
		sum := v.sum(key, values, r.Body)
		return slices.ContainsFunc(set.signatures, func(s []byte) bool { return hmac.Equal(s, sum) })
	})
	if err == nil && v.tolerance > 0 {
		// The time is only checked now: the age of a forgery must not be revealed.
		err = fresh(v.now(), at, v.tolerance, timeIn)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

// expand collects the values of what is signed.
func (v *compiledHMAC) expand(r *Request, timestamp string) ([]string, error) {
	url := ""
	if uses(v.signed, "url") {
		url = v.url(r)
	}
	return expand(v.signed, r, url, v.path(r), timestamp)
}

// sum returns the signature that the key makes.
func (v *compiledHMAC) sum(key []byte, values []string, body []byte) []byte {
	h := v.newHash()
	if !v.plain {
		h = hmac.New(v.newHash, key)
	}
	write(h, v.signed, values, body, key)
	return h.Sum(nil)
}

// A signatureSet holds signatures and the time that belongs to them.
type signatureSet struct {
	timestamp  string
	signatures [][]byte
}

// signatures returns the decoded signatures of the headers or of the form's field: at
// least one set of at least one signature.
func (v *compiledHMAC) signatures(r *Request) (sets []signatureSet, _ error) {
	if v.form != "" {
		value, err := formField(r, v.form)
		if err != nil {
			return nil, err
		}
		return v.read(v.form, value, nil)
	}
	found := false
	for _, name := range v.headers {
		value, err := headerValue(r.Header, name)
		if ReasonOf(err) == Missing && len(v.headers) > 1 {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = true
		if sets, err = v.read(name, value, sets); err != nil {
			return nil, err
		}
	}
	switch {
	case !found:
		return nil, refuse(Missing, v.headers[0])
	case len(sets) == 0:
		return nil, refuse(Malformed, v.headers[0])
	}
	return sets, nil
}

// read adds the signatures in one value. If there are several headers, those without a
// signature of this scheme are skipped.
func (v *compiledHMAC) read(name, value string, sets []signatureSet) ([]signatureSet, error) {
	texts, ok := []string{value}, true
	timestamp := ""
	switch {
	case v.kv && strings.Contains(value, " "+v.timestampKey+"=") && v.timestampKey != "" && !strings.Contains(value, v.separator+" "):
		// There are two sets while a secret is rotated, each with its own time.
		for one := range strings.FieldsSeq(value) {
			var err error
			if sets, err = v.read(name, one, sets); err != nil || len(sets) > maxSignatures {
				return nil, refuse(Malformed, name)
			}
		}
		return sets, nil
	case v.kv:
		timestamp, texts, ok = parseKV(value, v.separator, v.timestampKey, v.signatureKey)
	case v.list:
		if texts, ok = splitList(value, v.separator); ok && len(texts) > 1 {
			timestamp, texts = texts[0], texts[1:]
		} else {
			ok = false
		}
	case v.separator != "":
		texts, ok = splitList(value, v.separator)
	}
	if !ok {
		return nil, refuse(Malformed, name)
	}
	decoded := v.decode(texts)
	if len(decoded) == 0 {
		if len(v.headers) > 1 {
			return sets, nil
		}
		return nil, refuse(Malformed, name)
	}
	return append(sets, signatureSet{timestamp, decoded}), nil
}

// decode skips texts that are not signatures of this scheme.
func (v *compiledHMAC) decode(texts []string) (decoded [][]byte) {
	size := v.newHash().Size()
	for _, text := range texts {
		bare, prefixed := strings.CutPrefix(text, v.prefix)
		if !prefixed && !v.prefixOptional {
			continue
		}
		// A signature of another length belongs to another scheme, or was truncated.
		if sig, err := v.encoding.decode(bare); err == nil && len(sig) == size {
			decoded = append(decoded, sig)
		}
	}
	return decoded
}
