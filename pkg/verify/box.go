package verify

import (
	"context"
)

// boxScheme is https://developer.box.com/guides/webhooks/v2/signatures-v2/: two headers,
// signed with two keys. One valid signature is enough, so that keys can be rotated.
var boxScheme = scheme{
	name:     "box",
	verifier: newBox,
}

var boxTools = tools{
	sign: func(s *signer, r *Request) error {
		s.out.Header.Set("Box-Signature-Version", boxVersion)
		s.out.Header.Set("Box-Signature-Algorithm", boxAlgorithm)
		return s.hmac(compileHMAC(boxHMAC(""), ""), r)
	},
	signature: &Signature{
		Headers:   []string{"Box-Signature-Primary", "Box-Signature-Secondary", "Box-Signature-Version", "Box-Signature-Algorithm", "Box-Delivery-Timestamp"},
		Algorithm: "hmac-sha256", Encoding: "base64", Signed: "{body}{timestamp}", Keys: "the primary and the secondary signature key",
	},
}

type box struct{ *hmacVerifier }

func newBox(b *builder) (Verifier, error) {
	s := compileHMAC(boxHMAC(Duration(b.tolerance().String())), "")
	s.headers = append(s.headers, "Box-Signature-Secondary")
	v, err := b.newHMAC(s)
	if err != nil {
		return nil, err
	}
	return &box{v}, nil
}

const (
	boxVersion   = "1"
	boxAlgorithm = "HmacSHA256"
)

func boxHMAC(tolerance Duration) HMAC {
	return HMAC{
		Header: "Box-Signature-Primary", Encoding: "base64", Signed: "{body}{header:Box-Delivery-Timestamp}",
		Timestamp: &Timestamp{Header: "Box-Delivery-Timestamp", Format: "rfc3339", Tolerance: tolerance},
	}
}

func (v *box) Headers() []string {
	return append(v.hmacVerifier.Headers(), "box-signature-algorithm", "box-signature-version")
}

func (v *box) Verify(ctx context.Context, r *Request) error {
	for name, want := range map[string]string{"Box-Signature-Version": boxVersion, "Box-Signature-Algorithm": boxAlgorithm} {
		got, err := headerValue(r.Header, name)
		if err != nil {
			return err
		}
		if got != want {
			return refuse(Malformed, name)
		}
	}
	return v.hmacVerifier.Verify(ctx, r)
}
