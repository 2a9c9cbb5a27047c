package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"strings"
)

// hubspot is https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation.
// Versions 1 and 2 are plain SHA-256 over the secret and the request: anyone with
// one valid delivery can append to it. They are taken because HubSpot still sends
// them, and only where version 3's header is not there.
type hubspot struct {
	v3   *hmacVerifier
	base string
}

const (
	hubspotSignature = "X-Hubspot-Signature"
	hubspotVersion   = "X-Hubspot-Signature-Version"
	hubspotV3        = "X-Hubspot-Signature-V3"
	hubspotTimestamp = "X-Hubspot-Request-Timestamp"
)

func (b *builder) newHubSpot() (Verifier, error) {
	v, err := b.newHMACScheme(hubspotScheme(Duration(b.tolerance().String()), b.spec.URL))
	if err != nil {
		return nil, err
	}
	return &hubspot{v.(*hmacVerifier), b.spec.URL}, nil
}

// hubspotScheme is version 3.
func hubspotScheme(tolerance Duration, base string) *hmacScheme {
	s := compileHMAC(HMAC{
		Header: hubspotV3, Encoding: "base64", Signed: "{method}{url}{body}{timestamp}",
		Timestamp: &Timestamp{Header: hubspotTimestamp, Format: "unix_ms", Tolerance: tolerance},
	}, base)
	s.url = func(r *Request) string { return hubspotURL(publicURL(base, r)) }
	return s
}

// hubspotURL decodes the escapes that HubSpot decodes before it signs, and no other.
var hubspotDecode = strings.NewReplacer(
	"%3A", ":", "%3a", ":", "%2F", "/", "%2f", "/", "%3F", "?", "%3f", "?", "%40", "@", "%21", "!", "%24", "$",
	"%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2a", "*", "%2C", ",", "%2c", ",", "%3B", ";", "%3b", ";",
)

func hubspotURL(u string) string { return hubspotDecode.Replace(u) }

func (v *hubspot) Headers() []string {
	return append(v.v3.Headers(), strings.ToLower(hubspotSignature), strings.ToLower(hubspotVersion))
}

func (v *hubspot) Verify(ctx context.Context, r *Request) error {
	if len(r.Header.Values(hubspotV3)) > 0 {
		return v.v3.Verify(ctx, r)
	}
	value, err := headerValue(r.Header, hubspotSignature)
	if err != nil {
		return err
	}
	got, err := decodeHex(value)
	if err != nil || len(got) != sha256.Size {
		return refuse(Malformed, hubspotSignature)
	}
	version, err := headerValue(r.Header, hubspotVersion)
	if err != nil {
		return err
	}
	between := ""
	switch version {
	case "v1":
	case "v2":
		between = r.Method + publicURL(v.base, r)
	default:
		return refuse(Malformed, hubspotVersion)
	}
	return v.v3.keys.match(ctx, hubspotSignature, func(key []byte) bool {
		h := sha256.New()
		h.Write(key)
		_, _ = io.WriteString(h, between)
		h.Write(r.Body)
		return hmac.Equal(h.Sum(nil), got)
	})
}
