package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// mercadopagoScheme is
// https://www.mercadopago.com/developers/en/docs/your-integrations/notifications/webhooks:
// an HMAC of the resource's id in the query, of the request's id and of the time, where
// the first two are left out if they are missing. The body is not signed.
var mercadopagoScheme = scheme{
	name: "mercadopago",
	verifier: func(b *builder) (Verifier, error) {
		keys, err := newKeyring(b, keyDecoder("text"), "")
		return &mercadopago{keys, b.now, b.tolerance()}, err
	},
}

var mercadopagoTools = tools{
	sign: func(s *signer, r *Request) error {
		at := formatTime(s.now, "unix")
		content, err := mercadopagoContent(r, at)
		if err == nil {
			s.out.Header.Set(mercadopagoSignature, "ts="+at+",v1="+hex.EncodeToString(hmac256([]byte(s.secret), content)))
		}
		return err
	},
	signature: &Signature{
		Headers: []string{mercadopagoSignature, mercadopagoRequest}, Algorithm: "hmac-sha256", Encoding: "hex",
		Signed: "id:{query:data.id};request-id:{header:X-Request-Id};ts:{timestamp};, but not the body", Keys: "the webhook's secret",
	},
}

const (
	mercadopagoSignature = "X-Signature"
	mercadopagoRequest   = "X-Request-Id"
)

type mercadopago struct {
	keys      *keyring[[]byte]
	now       func() time.Time
	tolerance time.Duration
}

func (*mercadopago) Headers() []string { return []string{"x-signature", "x-request-id"} }

func mercadopagoContent(r *Request, timestamp string) (string, error) {
	content := ""
	id, ok, err := queried(r, "data.id")
	if err != nil {
		return "", err
	}
	// With a semicolon in it, the id could include the request's id that follows.
	if strings.Contains(id, ";") {
		return "", refuse(Malformed, "data.id")
	}
	if ok && id != "" {
		content = "id:" + id + ";"
	}
	if len(r.Header.Values(mercadopagoRequest)) > 0 {
		request, err := headerValue(r.Header, mercadopagoRequest)
		if err != nil {
			return "", err
		}
		content += "request-id:" + request + ";"
	}
	return content + "ts:" + timestamp + ";", nil
}

func (v *mercadopago) Verify(ctx context.Context, r *Request) error {
	value, err := headerValue(r.Header, mercadopagoSignature)
	if err != nil {
		return err
	}
	timestamp, texts, ok := parseKV(value, ",", "ts", "v1")
	at, timed := parseTime(timestamp, "unix")
	if !ok || !timed || len(texts) != 1 {
		return refuse(Malformed, mercadopagoSignature)
	}
	got, err := decodeHex(texts[0])
	if err != nil || len(got) != sha256.Size {
		return refuse(Malformed, mercadopagoSignature)
	}
	content, err := mercadopagoContent(r, timestamp)
	if err != nil {
		return err
	}
	if err := v.keys.match(ctx, mercadopagoSignature, func(key []byte) bool { return hmac.Equal(hmac256(key, content), got) }); err != nil {
		return err
	}
	return fresh(v.now(), at, v.tolerance, mercadopagoSignature)
}
