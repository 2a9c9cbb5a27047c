package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"slices"
	"strings"
)

// hubspotScheme is
// https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation.
// Versions 1 and 2 are plain SHA-256 over the secret and the request, without a time:
// anyone who has one delivery can append to its body and sign the result. So a route accepts
// version 3, and the others only if its Spec names them.
var hubspotScheme = scheme{
	name:     "hubspot",
	verifier: newHubSpot,
	check: func(c *checker, s *Spec) {
		if len(s.Versions) > 0 && !slices.Contains(s.Versions, "v3") {
			c.add("versions", "leaves v3 out, which every app can send")
		}
	},
	signsURL: func(*Spec, *Preset) bool { return true },
	warn: func(c *checker, s *Spec, _ *Preset) {
		if slices.Contains(s.Versions, "v1") {
			c.add("versions", "v1 is a plain hash of the secret and the body, without a time and without the URL: anyone who has one delivery can forge others")
		}
	},
}

var hubspotTools = tools{
	sign: func(s *signer, r *Request) error {
		return s.hmac(hubspotHMAC("", s.spec.URL), r)
	},
	signature: &Signature{
		Headers:   []string{hubspotV3, hubspotTimestamp, hubspotSignature, hubspotVersion},
		Algorithm: "hmac-sha256 (v3), sha256 of secret and request (v1, v2)", Encoding: "base64 (v3), hex (v1, v2)",
		Signed: "{method}{url}{body}{timestamp} (v3), {body} (v1), {method}{url}{body} (v2)", Keys: "the app's client secret",
	},
}

type hubspot struct {
	v3     *hmacVerifier
	base   string
	v1, v2 bool
}

const (
	hubspotSignature = "X-Hubspot-Signature"
	hubspotVersion   = "X-Hubspot-Signature-Version"
	hubspotV3        = "X-Hubspot-Signature-V3"
	hubspotTimestamp = "X-Hubspot-Request-Timestamp"
)

func newHubSpot(b *builder) (Verifier, error) {
	v, err := b.newHMAC(hubspotHMAC(Duration(b.tolerance().String()), b.spec.URL))
	if err != nil {
		return nil, err
	}
	versions := b.versions()
	return &hubspot{v, b.spec.URL, slices.Contains(versions, "v1"), slices.Contains(versions, "v2")}, nil
}

// hubspotHMAC is version 3.
func hubspotHMAC(tolerance Duration, base string) *compiledHMAC {
	s := compileHMAC(HMAC{
		Header: hubspotV3, Encoding: "base64", Signed: "{method}{url}{body}{timestamp}",
		Timestamp: &Timestamp{Header: hubspotTimestamp, Format: "unix_ms", Tolerance: tolerance},
	}, base)
	s.url = func(r *Request) string { return hubspotURL(publicURL(base, r)) }
	return s
}

// hubspotURL decodes the escapes that HubSpot decodes before it signs, and no others.
var hubspotDecode = strings.NewReplacer(
	"%3A", ":", "%3a", ":", "%2F", "/", "%2f", "/", "%3F", "?", "%3f", "?", "%40", "@", "%21", "!", "%24", "$",
	"%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2a", "*", "%2C", ",", "%2c", ",", "%3B", ";", "%3b", ";",
)

func hubspotURL(u string) string { return hubspotDecode.Replace(u) }

func (v *hubspot) Headers() []string {
	return append(v.v3.Headers(), strings.ToLower(hubspotSignature), strings.ToLower(hubspotVersion))
}

func (v *hubspot) Verify(ctx context.Context, r *Request) error {
	if len(r.Header.Values(hubspotV3)) > 0 || !v.v1 && !v.v2 {
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
	switch {
	case version == "v1" && v.v1:
	case version == "v2" && v.v2:
		between = r.Method + publicURL(v.base, r)
	default:
		return refuse(Malformed, hubspotVersion)
	}
	if isLengthened(r.Body) {
		return refuse(Malformed, "body")
	}
	return v.v3.keys.match(ctx, hubspotSignature, func(key []byte) bool {
		h := sha256.New()
		h.Write(key)
		_, _ = io.WriteString(h, between)
		h.Write(r.Body)
		return hmac.Equal(h.Sum(nil), got)
	})
}
