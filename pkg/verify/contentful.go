package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// contentfulScheme is
// https://www.contentful.com/developers/docs/webhooks/request-verification/: an HMAC of
// method, path, the headers that another header lists, and the body.
var contentfulScheme = scheme{
	name: "contentful",
	verifier: func(b *builder) (Verifier, error) {
		keys, err := newKeyring(b, keyDecoder("text"), "")
		return &contentful{keys, b.spec.URL, b.now, b.tolerance()}, err
	},
}

var contentfulTools = tools{
	sign: func(s *signer, r *Request) error {
		s.out.Header.Set(contentfulTime, formatTime(s.now, "unix_ms"))
		s.out.Header.Set(contentfulNames, "x-contentful-signed-headers,x-contentful-timestamp")
		r.Header = withHeaders(r.Header, s.out.Header)
		content, err := contentfulContent(s.spec.URL, r)
		if err != nil {
			return err
		}
		mac := hmac.New(sha256.New, []byte(s.secret))
		_, _ = io.WriteString(mac, content)
		mac.Write(r.Body)
		s.out.Header.Set(contentfulSignature, hex.EncodeToString(mac.Sum(nil)))
		return nil
	},
	signature: &Signature{
		Headers: []string{contentfulSignature, contentfulNames, contentfulTime}, Algorithm: "hmac-sha256", Encoding: "hex",
		Signed: "method, path, the named headers and the body, joined by line feeds", Keys: "the signing secret",
	},
}

const (
	contentfulSignature = "X-Contentful-Signature"
	contentfulNames     = "X-Contentful-Signed-Headers"
	contentfulTime      = "X-Contentful-Timestamp"
)

type contentful struct {
	keys      *keyring[[]byte]
	base      string
	now       func() time.Time
	tolerance time.Duration
}

func (*contentful) Headers() []string {
	return []string{"x-contentful-signature", "x-contentful-signed-headers", "x-contentful-timestamp"}
}

// contentfulContent returns what is signed before the body. The signed headers must
// include the time, and their list itself, because otherwise the time could be changed.
func contentfulContent(base string, r *Request) (string, error) {
	list, err := headerValue(r.Header, contentfulNames)
	if err != nil {
		return "", err
	}
	names := strings.Split(list, ",")
	if len(names) > 64 || !slices.Contains(names, strings.ToLower(contentfulTime)) || !slices.Contains(names, strings.ToLower(contentfulNames)) {
		return "", refuse(Malformed, contentfulNames)
	}
	pairs := make([]string, len(names))
	for i, name := range names {
		if !isToken(name) {
			return "", refuse(Malformed, contentfulNames)
		}
		value, err := headerValue(r.Header, name)
		if err != nil {
			return "", refuse(Malformed, contentfulNames)
		}
		pairs[i] = name + ":" + strings.TrimSpace(value)
	}
	path := strings.ReplaceAll(publicPath(base, r), "%", "%25")
	if query, _, _ := strings.Cut(r.RawQuery, "?"); query != "" {
		path += "?" + contentfulQuery(query)
	}
	return r.Method + "\n" + path + "\n" + strings.Join(pairs, ";") + "\n", nil
}

// contentfulQuery returns the query as Contentful's library writes it: escaped as a
// component of a URL, with the escapes escaped once more.
func contentfulQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		switch c := query[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.!~*'()", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%25%02X", c)
		}
	}
	return b.String()
}

func (v *contentful) Verify(ctx context.Context, r *Request) error {
	value, err := headerValue(r.Header, contentfulSignature)
	if err != nil {
		return err
	}
	got, err := decodeHex(value)
	if err != nil || len(got) != sha256.Size {
		return refuse(Malformed, contentfulSignature)
	}
	timestamp, err := headerValue(r.Header, contentfulTime)
	if err != nil {
		return err
	}
	at, ok := parseTime(timestamp, "unix_ms")
	if !ok {
		return refuse(Malformed, contentfulTime)
	}
	content, err := contentfulContent(v.base, r)
	if err != nil {
		return err
	}
	err = v.keys.match(ctx, contentfulSignature, func(key []byte) bool {
		mac := hmac.New(sha256.New, key)
		_, _ = io.WriteString(mac, content)
		mac.Write(r.Body)
		return hmac.Equal(mac.Sum(nil), got)
	})
	if err != nil {
		return err
	}
	return fresh(v.now(), at, v.tolerance, contentfulTime)
}
