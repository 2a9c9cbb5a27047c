package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// mailgunScheme is
// https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks.
// It signs a time and a token, and nothing else in the body. Events of a subaccount carry
// a second signature, with the key of the parent account.
var mailgunScheme = scheme{
	name:     "mailgun",
	verifier: newMailgun,
}

var mailgunTools = tools{
	sign: (*signer).mailgun,
	signature: &Signature{
		Algorithm: "hmac-sha256", Encoding: "hex", Signed: "only the time and the token in the body", Keys: "the HTTP webhook signing key",
	},
}

type mailgun struct {
	keys      *keyring[[]byte]
	now       func() time.Time
	tolerance time.Duration
}

func newMailgun(b *builder) (Verifier, error) {
	keys, err := newKeyring(b, keyDecoder("text"), "")
	if err != nil {
		return nil, err
	}
	return &mailgun{keys, b.now, b.tolerance()}, nil
}

func (*mailgun) Headers() []string { return nil }

// A mailgunBlock is one signature.
type mailgunBlock struct{ *want }

func newMailgunBlock(name string) mailgunBlock {
	return mailgunBlock{wanted(name, wanted("timestamp"), wanted("token"), wanted("signature"))}
}

func (v *mailgun) Verify(ctx context.Context, r *Request) error {
	own, parent := newMailgunBlock("signature"), newMailgunBlock("parent-signature")
	if err := scanObject(r.Body, own.want, parent.want); err != nil {
		return err
	}
	err := v.verifyBlock(ctx, own)
	if parent.found && ReasonOf(err) == Mismatch {
		// Both are equally strong, so nothing is gained by choosing one.
		return v.verifyBlock(ctx, parent)
	}
	return err
}

func (v *mailgun) verifyBlock(ctx context.Context, block mailgunBlock) error {
	timestamp, _ := block.below[0].text()
	token, encoded := block.below[1].string(), block.below[2].string()
	if timestamp == "" || token == "" || encoded == "" {
		return refuse(Missing, block.name)
	}
	got, err := decodeHex(encoded)
	at, ok := parseTime(timestamp, "unix")
	// Without a fixed length, digits could be moved from the time to the token.
	if err != nil || len(got) != sha256.Size || !ok || len(timestamp) != 10 {
		return refuse(Malformed, block.name)
	}
	err = v.keys.match(ctx, block.name, func(key []byte) bool { return hmac.Equal(hmac256(key, timestamp+token), got) })
	if err != nil {
		return err
	}
	return fresh(v.now(), at, v.tolerance, block.name+".timestamp")
}

func (s *signer) mailgun(*Request) error {
	timestamp, token := formatTime(s.now, "unix"), s.digest(s.out.Body)
	return s.write(func(body object) error {
		body["signature"] = object{
			"timestamp": timestamp, "token": token, "signature": hex.EncodeToString(hmac256([]byte(s.secret), timestamp+token)),
		}
		return nil
	})
}
