package verify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Some senders sign inside the body. Two JSON decoders may differ about a name that
// comes twice, about invalid UTF-8 and about what follows the document, and what
// was verified must be what the workflow gets: so all three are refused here.

// Bounds of a body that is verified by its contents.
const (
	maxItems = 1000 // items that are verified one by one
	maxDepth = 128  // nested lists and objects
)

type object = map[string]any

func bodyObject(body []byte) (object, error) {
	if utf8.Valid(body) {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		v, err := decodeValue(d, 0)
		if o, ok := v.(object); ok && err == nil {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				return o, nil
			}
		}
	}
	return nil, refuse(Malformed, "body")
}

var errBody = errors.New("malformed body")

func decodeValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	open, nested := t.(json.Delim)
	switch {
	case !nested:
		return t, nil
	case depth >= maxDepth:
		return nil, errBody
	case open == '[':
		var list []any
		for d.More() {
			v, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	o := object{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if _, twice := o[name]; twice {
			return nil, errBody
		}
		if o[name], err = decodeValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return o, err
}

// member is a member at a path of names; nil when there is none.
func member(v any, names ...string) any {
	for _, name := range names {
		o, ok := v.(object)
		if !ok {
			return nil
		}
		v = o[name]
	}
	return v
}

// text is a scalar as the sender wrote it; a number keeps its digits.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

// adyen is https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures/.
type adyen struct{ keys *keyring[[]byte] }

const adyenSignature = "additionalData.hmacSignature"

// The fields that Adyen signs, in its order.
var adyenFields = [][]string{
	{"pspReference"},
	{"originalReference"},
	{"merchantAccountCode"},
	{"merchantReference"},
	{"amount", "value"},
	{"amount", "currency"},
	{"eventCode"},
	{"success"},
}

func (b *builder) newAdyen() (Verifier, error) {
	keys, err := newKeyring(b, keyDecoder("hex"))
	if err != nil {
		return nil, err
	}
	return &adyen{keys}, nil
}

func (*adyen) Headers() []string { return nil }

func (v *adyen) Verify(ctx context.Context, r *Request) error {
	body, err := bodyObject(r.Body)
	if err != nil {
		return err
	}
	items, _ := member(body, "notificationItems").([]any)
	if len(items) == 0 || len(items) > maxItems {
		return refuse(Malformed, "notificationItems")
	}
	for _, item := range items { // every one: one good item must not vouch for another
		if err := v.verifyItem(ctx, member(item, "NotificationRequestItem")); err != nil {
			return err
		}
	}
	return nil
}

func (v *adyen) verifyItem(ctx context.Context, item any) error {
	encoded, ok := member(item, "additionalData", "hmacSignature").(string)
	if !ok || encoded == "" {
		return refuse(Missing, adyenSignature)
	}
	got, err := decodeBase64(encoded)
	if err != nil || len(got) != sha256.Size {
		return refuse(Malformed, adyenSignature)
	}
	content, err := adyenContent(item)
	if err != nil {
		return err
	}
	return v.keys.match(ctx, adyenSignature, func(key []byte) bool { return hmac.Equal(hmac256(key, content), got) })
}

func adyenContent(item any) (string, error) {
	values := make([]string, len(adyenFields))
	for i, path := range adyenFields {
		var ok bool
		if values[i], ok = text(member(item, path...)); !ok {
			return "", refuse(Malformed, path[0])
		}
	}
	return strings.Join(values, ":"), nil
}

// mailgun is https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks.
// It signs a time and a token, and nothing else of the body.
type mailgun struct {
	keys      *keyring[[]byte]
	now       func() time.Time
	tolerance time.Duration
}

func (b *builder) newMailgun() (Verifier, error) {
	keys, err := newKeyring(b, keyDecoder("text"))
	if err != nil {
		return nil, err
	}
	return &mailgun{keys, b.now, b.tolerance()}, nil
}

func (*mailgun) Headers() []string { return nil }

func (v *mailgun) Verify(ctx context.Context, r *Request) error {
	body, err := bodyObject(r.Body)
	if err != nil {
		return err
	}
	block := member(body, "signature")
	timestamp, _ := text(member(block, "timestamp"))
	token, _ := member(block, "token").(string)
	encoded, _ := member(block, "signature").(string)
	if timestamp == "" || token == "" || encoded == "" {
		return refuse(Missing, "signature")
	}
	got, err := decodeHex(encoded)
	at, ok := parseTime(timestamp, "unix")
	// Without a fixed length, digits could move from the time to the token.
	if err != nil || len(got) != sha256.Size || !ok || len(timestamp) != 10 {
		return refuse(Malformed, "signature")
	}
	err = v.keys.match(ctx, "signature", func(key []byte) bool { return hmac.Equal(hmac256(key, timestamp+token), got) })
	if err != nil {
		return err
	}
	return fresh(v.now(), at, v.tolerance, "signature.timestamp")
}

// clientState is Microsoft Graph's shared secret in each notification:
// https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks.
type clientState struct{ keys *keyring[[sha256.Size]byte] }

func (b *builder) newClientState() (Verifier, error) {
	keys, err := newKeyring(b, digestOf)
	if err != nil {
		return nil, err
	}
	return &clientState{keys}, nil
}

func (*clientState) Headers() []string { return nil }

func (v *clientState) Verify(ctx context.Context, r *Request) error {
	body, err := bodyObject(r.Body)
	if err != nil {
		return err
	}
	items, _ := member(body, "value").([]any)
	if len(items) == 0 || len(items) > maxItems {
		return refuse(Malformed, "value")
	}
	for _, item := range items {
		state, ok := member(item, "clientState").(string)
		if !ok || state == "" {
			return refuse(Missing, "clientState")
		}
		got, _ := digestOf(state)
		err := v.keys.match(ctx, "clientState", func(want [sha256.Size]byte) bool { return hmac.Equal(got[:], want[:]) })
		if err != nil {
			return err
		}
	}
	return nil
}
