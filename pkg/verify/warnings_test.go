package verify_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/verify"
)

func TestWarnings(t *testing.T) {
	t.Parallel()
	refs := []string{"env:S"}
	for name, test := range map[string]struct {
		spec verify.Spec
		want []string
	}{
		"github":       {verify.Spec{Provider: "github", Secrets: refs}, nil},
		"hubspot, v2":  {verify.Spec{Provider: "hubspot", URL: "https://h.example", Versions: []string{"v3", "v2"}, Secrets: refs}, nil},
		"hubspot, v1":  {verify.Spec{Provider: "hubspot", URL: "https://h.example", Versions: []string{"v3", "v1"}, Secrets: refs}, []string{"versions"}},
		"patreon":      {verify.Spec{Provider: "patreon", Secrets: refs}, []string{"provider"}},
		"feishu":       {verify.Spec{Provider: "feishu", Secrets: refs}, []string{"provider"}},
		"md5, plain":   {verify.Spec{HMAC: &verify.HMAC{Header: "S", Algorithm: "md5", Hash: "plain"}, Secrets: refs}, []string{"hmac.algorithm", "hmac.hash"}},
		"query":        {verify.Spec{Token: &verify.Token{Query: "t"}, Secrets: refs}, []string{"token.query"}},
		"header":       {verify.Spec{Token: &verify.Token{Header: "T"}, Secrets: refs}, nil},
		"jwt, query":   {verify.Spec{JWT: &verify.JWT{Issuer: "i", Audience: "a", Query: "t"}, Secrets: refs}, []string{"jwt.query"}},
		"jwt, bound":   {verify.Spec{JWT: &verify.JWT{Issuer: "i", Audience: "a", Body: &verify.BodyClaim{Claim: "b"}}, Secrets: refs}, nil},
		"not a scheme": {verify.Spec{Token: &verify.Token{Query: "t"}}, nil},
	} {
		var got []string
		for _, p := range test.spec.Warnings() {
			got = append(got, p.Field)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for spec, want := range map[*verify.Spec]verify.Duration{
		{HMAC: &verify.HMAC{Header: "S", Format: "list", Signed: "{timestamp}{body}"}}: "5m0s",
		{HMAC: &verify.HMAC{Header: "S"}}:                                              "",

		{Signature: &verify.KeySignature{Algorithm: "ed25519", Header: "S", Timestamp: &verify.Timestamp{Header: "T", Tolerance: "20m"}}}: "20m",
		{Provider: "linear"}:                  "7h30m0s",
		{Provider: "linear", Tolerance: "1m"}: "1m",
		{Provider: "github"}:                  "",
	} {
		if got, signed := spec.SignedTime(); got != want || !signed {
			t.Errorf("%+v: SignedTime = %q, %v, want %q", spec, got, signed, want)
		}
	}
	// Every provider's block is complete, so that its warnings can be asked for.
	for _, name := range verify.Providers() {
		c, err := providertest.Complete(name)
		if err != nil {
			t.Fatal(err)
		}
		if problems := c.Spec.Validate(); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
}
