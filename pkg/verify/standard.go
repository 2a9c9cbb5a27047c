package verify

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// standardScheme is Standard Webhooks:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme.
var standardScheme = scheme{
	name:     "standard-webhooks",
	verifier: func(b *builder) (Verifier, error) { return b.newStandard() },
}

var standardTools = tools{
	sign: (*signer).standard,
	signature: &Signature{
		Headers:   []string{"Webhook-Signature", "Webhook-Id", "Webhook-Timestamp", "Svix-Signature", "Svix-Id", "Svix-Timestamp"},
		Algorithm: "hmac-sha256 (v1) or ed25519 (v1a)", Encoding: "base64", Signed: "{header:Webhook-Id}.{timestamp}.{body}",
		Keys: standardForms,
	},
}

// polarScheme is Standard Webhooks with the secret's own text as the key, even for
// secrets that begin with whsec_; newer secrets of that form are base64, as elsewhere.
var polarScheme = scheme{
	name: "standard-webhooks",
	verifier: func(b *builder) (Verifier, error) {
		keys, err := newKeyring(b, decodePolarKey, standardForms)
		return &standard{keys, b.now, b.tolerance()}, err
	},
}

var polarTools = tools{
	sign: func(s *signer, r *Request) error { return s.standardWith([]byte(s.secret), r) },
	signature: &Signature{
		Headers: []string{"Webhook-Signature", "Webhook-Id", "Webhook-Timestamp", "Svix-Signature", "Svix-Id", "Svix-Timestamp"}, Algorithm: "hmac-sha256 (v1)", Encoding: "base64",
		Signed: "{header:Webhook-Id}.{timestamp}.{body}", Keys: "the secret as it is shown",
	},
}

func decodePolarKey(text string) (standardKey, error) {
	keys := [][]byte{[]byte(text)}
	if decoded, err := keyDecoder("whsec")(text); err == nil && strings.HasPrefix(text, "whsec_") {
		keys = append(keys, decoded)
	}
	return standardKey{secrets: keys}, nil
}

const standardForms = "whsec_ and base64, the same after v1,, the text of a secret without whsec_, or whpk_ and the base64 of a public key"

type standard struct {
	keys      *keyring[standardKey]
	now       func() time.Time
	tolerance time.Duration
}

// A standardKey checks v1 or v1a signatures; exactly one of secrets and public is set.
type standardKey struct {
	secrets [][]byte          // v1; any of them may have signed
	public  ed25519.PublicKey // v1a
}

// decodeStandardKey reads a secret as senders show it. Most show whsec_ and base64, some
// with the version before it. Without whsec_, the specification's libraries decode
// base64, while those of some senders use the text itself, so the same text yields two
// keys, both as secret as the text.
func decodeStandardKey(text string) (standardKey, error) {
	if encoded, ok := strings.CutPrefix(text, "whpk_"); ok {
		key, err := decodeBase64(encoded)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return standardKey{}, errKey
		}
		return standardKey{public: key}, nil
	}
	bare := strings.TrimPrefix(text, "v1,")
	key, err := keyDecoder("whsec")(bare)
	switch {
	case strings.HasPrefix(bare, "whsec_") || bare != text:
		return standardKey{secrets: [][]byte{key}}, err
	case err != nil:
		return standardKey{secrets: [][]byte{[]byte(text)}}, nil
	}
	return standardKey{secrets: [][]byte{key, []byte(text)}}, nil
}

// The two families of header names; Svix came first, and still sends its own.
var standardFamilies = []string{"Webhook-", "Svix-"}

func (b *builder) newStandard() (Verifier, error) {
	keys, err := newKeyring(b, decodeStandardKey, standardForms)
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
	var message []byte // for Ed25519, which needs the whole message
	err = v.keys.match(ctx, d.family+"Signature", func(key standardKey) bool {
		if key.public == nil {
			return slices.ContainsFunc(key.secrets, func(secret []byte) bool {
				sum := standardMAC(secret, d.id, d.timestamp, r.Body)
				return slices.ContainsFunc(d.v1, func(s []byte) bool { return hmac.Equal(s, sum) })
			})
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

// standardHeaders holds the values of one family of headers.
type standardHeaders struct {
	family, id, timestamp string
	at                    time.Time
	v1, v1a               [][]byte
}

func readStandard(h http.Header) (d standardHeaders, err error) {
	// The signature, the id and the time must be of the same family: no sender mixes
	// them.
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
	// Only one family is signed. If the other family's id could differ, a delivery could
	// be replayed under another id.
	for _, other := range standardFamilies {
		if ids := h.Values(other + "Id"); len(ids) > 1 || len(ids) == 1 && ids[0] != d.id {
			return d, refuse(Malformed, other+"Id")
		}
	}
	// With a full stop in the id, one signature would fit two ways of splitting
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

// splitStandard reads `v1,BASE64 v1a,BASE64 …`. Unknown versions are ignored, as the
// specification requires; without a known one, there is nothing to verify.
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

// standard sets v1 headers. It keeps an id that is in r.
func (s *signer) standard(r *Request) error {
	if strings.HasPrefix(s.secret, "whpk_") {
		return s.cannot(needsPrivateKey)
	}
	if isPrivateKey(s.secret) {
		keys, err := s.privateKeys()
		if err != nil {
			return err
		}
		return s.standardAs("v1a", r, func(message []byte) []byte { return ed25519.Sign(keys.ed25519, message) })
	}
	key, err := decodeStandardKey(s.secret)
	if err != nil {
		return errors.New("the secret is not a key in a form that this scheme accepts: " + standardForms)
	}
	return s.standardWith(key.secrets[0], r)
}

func (s *signer) standardWith(key []byte, r *Request) error {
	return s.standardAs("v1", r, func(message []byte) []byte { return hmac256(key, string(message)) })
}

func (s *signer) standardAs(version string, r *Request, sign func([]byte) []byte) error {
	timestamp := formatTime(s.now, "unix")
	id := orDefault(r.Header.Get("Webhook-Id"), "msg_"+s.digest(r.Body))
	s.out.Header.Set("Webhook-Id", id)
	s.out.Header.Set("Webhook-Timestamp", timestamp)
	message := append([]byte(id+"."+timestamp+"."), r.Body...)
	s.out.Header.Set("Webhook-Signature", version+","+base64.StdEncoding.EncodeToString(sign(message)))
	return nil
}
