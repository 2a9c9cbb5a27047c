package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

// adyenScheme implements
// https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/.
// Each item of the body has a signature over eight of its fields.
var adyenScheme = scheme{
	name:     "adyen",
	verifier: newAdyen,
}

var adyenTools = tools{
	sign: (*signer).adyen,
	signature: &Signature{
		Algorithm: "hmac-sha256", Encoding: "base64", Signed: "eight fields of each item of the body, joined by colons", Keys: "the HMAC key in hex",
	},
}

type adyen struct{ keys *keyring[[]byte] }

const adyenSignature = "additionalData.hmacSignature"

func newAdyen(b *builder) (Verifier, error) {
	keys, err := newKeyring(b, keyDecoder("hex"), keyForms("hex"))
	if err != nil {
		return nil, err
	}
	return &adyen{keys}, nil
}

func (*adyen) Headers() []string { return nil }

// An adyenItem holds what is read from one item: the signed fields in Adyen's order, and
// the signature.
type adyenItem struct {
	members   []*want
	fields    []*want
	signature *want
}

func newAdyenItem() *adyenItem {
	f := func(name string) *want { return wanted(name) }
	psp, original, account, reference := f("pspReference"), f("originalReference"), f("merchantAccountCode"), f("merchantReference")
	value, currency, event, success, signature := f("value"), f("currency"), f("eventCode"), f("success"), f("hmacSignature")
	return &adyenItem{
		members: []*want{
			psp, original, account, reference, wanted("amount", value, currency), event, success, wanted("additionalData", signature),
		},
		fields:    []*want{psp, original, account, reference, value, currency, event, success},
		signature: signature,
	}
}

func (i *adyenItem) content() (string, error) {
	values := make([]string, len(i.fields))
	for n, field := range i.fields {
		var ok bool
		if values[n], ok = field.text(); !ok {
			return "", refuse(Malformed, field.name)
		}
	}
	return strings.Join(values, ":"), nil
}

func (v *adyen) Verify(ctx context.Context, r *Request) error {
	item := newAdyenItem()
	// Every item is verified: a valid item must not vouch for another one.
	each := &want{below: []*want{wanted("NotificationRequestItem", item.members...)}, done: func() error { return v.verifyItem(ctx, item) }}
	list := &want{name: "notificationItems", each: each}
	if err := scanObject(r.Body, list); err != nil {
		return err
	}
	if list.items == 0 {
		return refuse(Malformed, list.name)
	}
	return nil
}

func (v *adyen) verifyItem(ctx context.Context, item *adyenItem) error {
	encoded := item.signature.string()
	if encoded == "" {
		return refuse(Missing, adyenSignature)
	}
	got, err := decodeBase64(encoded)
	if err != nil || len(got) != sha256.Size {
		return refuse(Malformed, adyenSignature)
	}
	content, err := item.content()
	if err != nil {
		return err
	}
	return v.keys.match(ctx, adyenSignature, func(key []byte) bool { return hmac.Equal(hmac256(key, content), got) })
}

// adyenSigned returns the signed text of an item of a sample.
func adyenSigned(item object) (string, error) {
	sample, err := json.Marshal(item)
	if err != nil {
		return "", err
	}
	found := newAdyenItem()
	if err := scanObject(sample, found.members...); err != nil {
		return "", err
	}
	return found.content()
}

func (s *signer) adyen(*Request) error {
	key, err := keyDecoder("hex")(s.secret)
	if err != nil {
		return errors.New("the secret is not a key in the form that this scheme accepts: " + keyForms("hex"))
	}
	return s.write(func(body object) error {
		list, err := items(body, "notificationItems", "NotificationRequestItem")
		if err != nil {
			return err
		}
		for _, item := range list {
			content, err := adyenSigned(item)
			if err != nil {
				return err
			}
			more, ok := item["additionalData"].(object)
			if !ok {
				more = object{}
			}
			more["hmacSignature"] = base64.StdEncoding.EncodeToString(hmac256(key, content))
			item["additionalData"] = more
		}
		return nil
	})
}
