package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"time"
)

// sign is the inverse of Verify: it returns the headers that make r pass.
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
		signed.Header.Set(v.timestamp, timestamp) // {header:NAME} may refer to it
	}
	values, err := v.expand(&signed, timestamp)
	if err != nil {
		return nil, err
	}
	value := v.prefix + v.encoding.encode(v.sum(key, values, r.Body))
	switch {
	case v.list:
		value = timestamp + v.separator + value
	case v.kv:
		value = v.signatureKey + "=" + value
		if v.timestampKey != "" {
			value = v.timestampKey + "=" + timestamp + v.separator + value
		}
	}
	if v.form != "" {
		out.Set(v.form, value) // the caller moves it into the form
		return out, nil
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
		return errors.New("the secret is not a key in the form that this scheme accepts: " + keyForms(rule.keyEncoding))
	}
	h, err := rule.sign(key, r, s.now)
	if err != nil {
		return err
	}
	if rule.form != "" {
		form, ok := parseForm(string(s.out.Body))
		if !ok {
			return errors.New("the body is not a form, and this scheme writes the signature into one")
		}
		form.Set(rule.form, h.Get(rule.form))
		h.Del(rule.form)
		s.out.Body = []byte(form.Encode())
	}
	for name, values := range h {
		s.out.Header[name] = values
	}
	return nil
}
