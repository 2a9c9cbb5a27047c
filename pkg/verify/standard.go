package verify

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// standard is Standard Webhooks:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme.
type standard struct {
	keys      *keyring[standardKey]
	now       func() time.Time
	tolerance time.Duration
}

// A standardKey makes v1 or v1a signatures; one of the two is set.
type standardKey struct {
	secret []byte            // v1
	public ed25519.PublicKey // v1a
}

func decodeStandardKey(text string) (standardKey, error) {
	if encoded, ok := strings.CutPrefix(text, "whpk_"); ok {
		key, err := decodeBase64(encoded)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return standardKey{}, errKey
		}
		return standardKey{public: key}, nil
	}
	key, err := keyDecoder("whsec")(text)
	return standardKey{secret: key}, err
}

// The two families of header names; Svix came first, and still sends its own.
var standardFamilies = []string{"Webhook-", "Svix-"}

func (b *builder) newStandard() (Verifier, error) {
	keys, err := newKeyring(b, decodeStandardKey)
	if err != nil {
		return nil, err
	}
	return &standard{keys, b.now, b.tolerance()}, nil
}

func (*standard) Headers() []string {
	var names []string
	for _, f := range standardFamilies {
		f = strings.ToLower(f)
		names = append(names, f+"id", f+"signature", f+"timestamp")
	}
	return names
}

func (v *standard) Verify(ctx context.Context, r *Request) error {
	d, err := readStandard(r.Header)
	if err != nil {
		return err
	}
	var message []byte // for Ed25519, which wants the whole
	err = v.keys.match(ctx, d.family+"Signature", func(key standardKey) bool {
		if key.public == nil {
			sum := standardMAC(key.secret, d.id, d.timestamp, r.Body)
			return slices.ContainsFunc(d.v1, func(s []byte) bool { return hmac.Equal(s, sum) })
		}
		if message == nil && len(d.v1a) > 0 {
			message = append([]byte(d.id+"."+d.timestamp+"."), r.Body...)
		}
		return slices.ContainsFunc(d.v1a, func(s []byte) bool { return ed25519.Verify(key.public, message, s) })
	})
	if err != nil {
		return err
	}
	return fresh(v.now(), d.at, v.tolerance, d.family+"Timestamp")
}

// standardHeaders are the headers of one family, read.
type standardHeaders struct {
	family, id, timestamp string
	at                    time.Time
	v1, v1a               [][]byte
}

func readStandard(h http.Header) (d standardHeaders, err error) {
	// The family of the signature is the family of id and time: mixed ones are
	// not what anybody sends.
	d.family = standardFamilies[0]
	if len(h.Values(d.family+"Signature")) == 0 && len(h.Values(standardFamilies[1]+"Signature")) > 0 {
		d.family = standardFamilies[1]
	}
	signature, err := headerValue(h, d.family+"Signature")
	if err != nil {
		return d, err
	}
	if d.id, err = headerValue(h, d.family+"Id"); err != nil {
		return d, err
	}
	if d.timestamp, err = headerValue(h, d.family+"Timestamp"); err != nil {
		return d, err
	}
	var ok bool
	if d.at, ok = parseTime(d.timestamp, "unix"); !ok {
		return d, refuse(Malformed, d.family+"Timestamp")
	}
	// Only one family is signed. Were the other's id different, a delivery could be
	// sent again under the id of another.
	for _, other := range standardFamilies {
		if ids := h.Values(other + "Id"); len(ids) > 1 || len(ids) == 1 && ids[0] != d.id {
			return d, refuse(Malformed, other+"Id")
		}
	}
	// With a full stop in the id, one signature would fit two ways of cutting
	// id.timestamp.body, and so two times.
	if strings.Contains(d.id, ".") {
		return d, refuse(Malformed, d.family+"Id")
	}
	if d.v1, d.v1a, ok = splitStandard(signature); !ok {
		return d, refuse(Malformed, d.family+"Signature")
	}
	return d, nil
}

func standardMAC(key []byte, id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, id+"."+timestamp+".")
	mac.Write(body)
	return mac.Sum(nil)
}

// splitStandard reads `v1,BASE64 v1a,BASE64 …`. Versions that are not known are
// passed over, as the specification asks; without any known one there is nothing
// to verify.
func splitStandard(value string) (v1, v1a [][]byte, ok bool) {
	items, ok := splitList(value, " ")
	if !ok {
		return nil, nil, false
	}
	for _, item := range items {
		version, text, _ := strings.Cut(item, ",")
		sig, err := decodeBase64(text)
		switch {
		case err != nil:
		case version == "v1" && len(sig) == sha256.Size:
			v1 = append(v1, sig)
		case version == "v1a" && len(sig) == ed25519.SignatureSize:
			v1a = append(v1a, sig)
		}
	}
	return v1, v1a, len(v1)+len(v1a) > 0
}

// gitlab takes the signing token, which is Standard Webhooks, or the older
// X-Gitlab-Token. Which one a secret is shows in its prefix, so that a sender
// cannot choose the weaker check.
type gitlab struct {
	signing, plain Verifier // nil when no secret is of that kind
}

const gitlabToken = "X-Gitlab-Token" //nolint:gosec // a header's name

func (b *builder) newGitLab() (Verifier, error) {
	v := &gitlab{}
	var signing, plain builder
	signing, plain = *b, *b
	signing.refs, plain.refs = nil, nil
	for _, ref := range b.refs {
		secret, err := b.source.Get(context.Background(), ref)
		if err != nil && ref.Remote() { // which kind it is must be known
			return nil, fmt.Errorf("%w: %w", ErrSecrets, err)
		}
		if err == nil && strings.HasPrefix(secret.Reveal(), "whsec_") {
			signing.refs = append(signing.refs, ref)
		} else {
			plain.refs = append(plain.refs, ref) // its keyring reports the error
		}
	}
	var err error
	if len(signing.refs) > 0 {
		if v.signing, err = signing.newStandard(); err != nil {
			return nil, err
		}
	}
	if len(plain.refs) > 0 {
		if v.plain, err = plain.newToken(gitlabToken); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (*gitlab) Headers() []string {
	return append((&standard{}).Headers(), strings.ToLower(gitlabToken))
}

func (v *gitlab) Verify(ctx context.Context, r *Request) error {
	signed := len(r.Header.Values("Webhook-Signature")) > 0
	if v.signing != nil && (signed || v.plain == nil) {
		return v.signing.Verify(ctx, r)
	}
	return v.plain.Verify(ctx, r)
}
