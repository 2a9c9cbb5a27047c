package verify

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's choice
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// twilio is https://www.twilio.com/docs/usage/webhooks/webhooks-security.
type twilio struct {
	keys *keyring[[]byte]
	base string
}

const twilioSignature = "X-Twilio-Signature"

// maxParams bounds a form that is sorted; Twilio sends about fifty fields.
const maxParams = 10_000

func (b *builder) newTwilio() (Verifier, error) {
	keys, err := newKeyring(b, keyDecoder("text"))
	if err != nil {
		return nil, err
	}
	return &twilio{keys, b.spec.URL}, nil
}

func (*twilio) Headers() []string { return []string{"x-twilio-signature"} }

func (v *twilio) Verify(ctx context.Context, r *Request) error {
	value, err := headerValue(r.Header, twilioSignature)
	if err != nil {
		return err
	}
	got, err := decodeBase64(value)
	if err != nil || len(got) != sha1.Size {
		return refuse(Malformed, twilioSignature)
	}
	target := publicURL(v.base, r)
	params, err := twilioParams(r, target)
	if err != nil {
		return err
	}
	urls := twilioURLs(target)
	return v.keys.match(ctx, twilioSignature, func(key []byte) bool {
		for _, u := range urls {
			mac := hmac.New(sha1.New, key)
			_, _ = io.WriteString(mac, u)
			_, _ = io.WriteString(mac, params)
			if hmac.Equal(mac.Sum(nil), got) {
				return true
			}
		}
		return false
	})
}

// twilioParams is what follows the URL: the form's fields, by name, each name with
// each of its different values in order. A body that is no form is covered by its
// digest in the query, and must be.
func twilioParams(r *Request, target string) (string, error) {
	if isForm(r.Header) {
		form, ok := parseForm(string(r.Body))
		if !ok {
			return "", refuse(Malformed, "body")
		}
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(form)) {
			values := form[name]
			slices.Sort(values)
			for _, value := range slices.Compact(values) {
				b.WriteString(name)
				b.WriteString(value)
			}
		}
		return b.String(), nil
	}
	var digests []string
	_, query, _ := strings.Cut(target, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if digest, ok := strings.CutPrefix(pair, "bodySHA256="); ok {
			digests = append(digests, digest)
		}
	}
	if len(digests) == 0 {
		if len(r.Body) == 0 {
			return "", nil // a GET: the URL is all there is
		}
		return "", refuse(Missing, "bodySHA256")
	}
	want, err := hex.DecodeString(digests[0])
	sum := sha256.Sum256(r.Body)
	if err != nil || len(digests) > 1 || !hmac.Equal(want, sum[:]) {
		return "", refuse(Mismatch, "bodySHA256")
	}
	return "", nil
}

// parseForm splits at & alone: a semicolon, at which older parsers split too and
// which url.ParseQuery refuses, is a character like others.
func parseForm(text string) (url.Values, bool) {
	if strings.Count(text, "&") >= maxParams {
		return nil, false
	}
	form := url.Values{}
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(key)
		content, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			return nil, false
		}
		form.Add(name, content)
	}
	return form, true
}

// escapedQuery is the query with its apostrophes escaped.
func escapedQuery(query string) string { return strings.ReplaceAll(query, "'", "%27") }

// scriptMarks are what url.QueryEscape escapes and encodeURIComponent does not.
var scriptMarks = strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")

// scriptQuery is the query as JavaScript escapes it.
func scriptQuery(query string) string {
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(key)
		text, errText := url.QueryUnescape(value)
		if errName != nil || errText != nil {
			return query
		}
		pairs = append(pairs, scriptMarks.Replace(url.QueryEscape(name))+"="+scriptMarks.Replace(url.QueryEscape(text)))
	}
	return strings.Join(pairs, "&")
}

// twilioURLs are the texts that Twilio may have signed for the URL, by product: with
// the default port or without any, also where the configured URL has one of its own.
// Its query is now escaped in this way, now in that one, and behind a REST API or a
// load balancer the query that came here is in the gateway's spelling.
func twilioURLs(target string) []string {
	u, err := url.Parse(target)
	if err != nil {
		return []string{target}
	}
	prefix := u.Scheme + "://" + u.Host
	rest, ok := strings.CutPrefix(target, prefix)
	if !ok {
		return []string{target}
	}
	urls := []string{target}
	if port := u.Port(); port != "" {
		urls = append(urls, strings.TrimSuffix(prefix, ":"+port)+rest)
	} else if port = map[string]string{"https": ":443", "http": ":80"}[u.Scheme]; port != "" {
		urls = append(urls, prefix+port+rest)
	}
	for _, u := range urls {
		path, query, _ := strings.Cut(u, "?")
		for _, other := range []string{escapedQuery(query), scriptQuery(query)} {
			if other != query {
				urls = append(urls, path+"?"+other)
			}
		}
	}
	return urls
}

// discord is https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers.
type discord struct {
	keys      *keyring[ed25519.PublicKey]
	now       func() time.Time
	tolerance time.Duration
}

const (
	discordSignature = "X-Signature-Ed25519"
	discordTimestamp = "X-Signature-Timestamp"
)

func (b *builder) newDiscord() (Verifier, error) {
	keys, err := newKeyring(b, func(text string) (ed25519.PublicKey, error) {
		key, err := decodeHex(text)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, errKey
		}
		return key, nil
	})
	if err != nil {
		return nil, err
	}
	return &discord{keys, b.now, b.tolerance()}, nil
}

func (*discord) Headers() []string { return []string{"x-signature-ed25519", "x-signature-timestamp"} }

func (v *discord) Verify(ctx context.Context, r *Request) error {
	signature, timestamp, at, err := signatureAndTime(r, discordSignature, discordTimestamp, decodeHex)
	if err != nil {
		return err
	}
	if len(signature) != ed25519.SignatureSize {
		return refuse(Malformed, discordSignature)
	}
	message := append([]byte(timestamp), r.Body...)
	err = v.keys.match(ctx, discordSignature, func(key ed25519.PublicKey) bool { return ed25519.Verify(key, message, signature) })
	if err != nil {
		return err
	}
	return fresh(v.now(), at, v.tolerance, discordTimestamp)
}

// signatureAndTime reads the two headers of Discord and SendGrid.
func signatureAndTime(r *Request, signatureName, timestampName string, decode decoder) (signature []byte, timestamp string, at time.Time, _ error) {
	value, err := headerValue(r.Header, signatureName)
	if err != nil {
		return nil, "", at, err
	}
	if signature, err = decode(value); err != nil {
		return nil, "", at, refuse(Malformed, signatureName)
	}
	if timestamp, err = headerValue(r.Header, timestampName); err != nil {
		return nil, "", at, err
	}
	at, ok := parseTime(timestamp, "unix")
	if !ok {
		return nil, "", at, refuse(Malformed, timestampName)
	}
	return signature, timestamp, at, nil
}

// sendgrid is https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features.
type sendgrid struct {
	keys      *keyring[*ecdsa.PublicKey]
	now       func() time.Time
	tolerance time.Duration
}

const (
	sendgridSignature = "X-Twilio-Email-Event-Webhook-Signature"
	sendgridTimestamp = "X-Twilio-Email-Event-Webhook-Timestamp"
)

func (b *builder) newSendGrid() (Verifier, error) {
	keys, err := newKeyring(b, decodeECKey)
	if err != nil {
		return nil, err
	}
	return &sendgrid{keys, b.now, b.tolerance()}, nil
}

// decodeECKey reads a P-256 public key: base64 of its SPKI, or PEM.
func decodeECKey(text string) (*ecdsa.PublicKey, error) {
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil && block.Type == "PUBLIC KEY" {
		der = block.Bytes
	} else {
		var err error
		if der, err = decodeBase64(strings.TrimSpace(text)); err != nil {
			return nil, errKey
		}
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errKey
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errKey
	}
	return key, nil
}

func (*sendgrid) Headers() []string {
	return []string{strings.ToLower(sendgridSignature), strings.ToLower(sendgridTimestamp)}
}

func (v *sendgrid) Verify(ctx context.Context, r *Request) error {
	signature, timestamp, at, err := signatureAndTime(r, sendgridSignature, sendgridTimestamp, decodeBase64)
	if err != nil {
		return err
	}
	h := sha256.New()
	_, _ = io.WriteString(h, timestamp)
	h.Write(r.Body)
	sum := h.Sum(nil)
	err = v.keys.match(ctx, sendgridSignature, func(key *ecdsa.PublicKey) bool { return ecdsa.VerifyASN1(key, sum, signature) })
	if err != nil {
		return err
	}
	return fresh(v.now(), at, v.tolerance, sendgridTimestamp)
}

// box is https://developer.box.com/guides/webhooks/v2/signatures-v2/: two headers,
// signed with two keys, of which one is enough, so that keys can be changed.
type box struct{ *hmacVerifier }

func (b *builder) newBox() (Verifier, error) {
	s := compileHMAC(boxHMAC(Duration(b.tolerance().String())), "")
	s.headers = append(s.headers, "Box-Signature-Secondary")
	v, err := b.newHMACScheme(s)
	if err != nil {
		return nil, err
	}
	return &box{v.(*hmacVerifier)}, nil
}

const (
	boxVersion   = "1"
	boxAlgorithm = "HmacSHA256"
)

func boxHMAC(tolerance Duration) HMAC {
	return HMAC{
		Header: "Box-Signature-Primary", Encoding: "base64", Signed: "{body}{header:Box-Delivery-Timestamp}",
		Timestamp: &Timestamp{Header: "Box-Delivery-Timestamp", Format: "rfc3339", Tolerance: tolerance},
	}
}

func (v *box) Headers() []string {
	return append(v.hmacVerifier.Headers(), "box-signature-algorithm", "box-signature-version")
}

func (v *box) Verify(ctx context.Context, r *Request) error {
	for name, want := range map[string]string{"Box-Signature-Version": boxVersion, "Box-Signature-Algorithm": boxAlgorithm} {
		got, err := headerValue(r.Header, name)
		if err != nil {
			return err
		}
		if got != want {
			return refuse(Malformed, name)
		}
	}
	return v.hmacVerifier.Verify(ctx, r)
}
