package verify

import (
	"context"
	"fmt"
	"strings"
)

// gitlabScheme accepts the signing token, which is Standard Webhooks, or the older
// X-Gitlab-Token. A secret's prefix shows which of the two it is, so that a sender cannot
// choose the weaker check.
var gitlabScheme = scheme{
	name:     "gitlab",
	verifier: newGitLab,
}

var gitlabTools = tools{
	sign: func(s *signer, r *Request) error {
		if strings.HasPrefix(s.secret, "whsec_") {
			return s.standard(r)
		}
		s.token(gitlabToken)
		return nil
	},
	signature: &Signature{
		Headers:   []string{"X-Gitlab-Token", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"},
		Algorithm: "hmac-sha256 (v1), with a secret token equality", Encoding: "base64", Signed: "{header:Webhook-Id}.{timestamp}.{body}",
		Keys: "a signing token (whsec_), or a secret token",
	},
}

type gitlab struct {
	signing, plain Verifier // nil if no secret is of that kind
}

const gitlabToken = "X-Gitlab-Token" //nolint:gosec // a header's name

func newGitLab(b *builder) (Verifier, error) {
	v := &gitlab{}
	var signing, plain builder
	signing, plain = *b, *b
	signing.refs, plain.refs = nil, nil
	for _, ref := range b.refs {
		secret, err := b.source.Get(context.Background(), ref)
		if err != nil && ref.Remote() { // its kind must be known
			return nil, fmt.Errorf("%w: %w", ErrSecrets, err)
		}
		if err == nil && strings.HasPrefix(secret.Reveal(), "whsec_") {
			signing.refs = append(signing.refs, ref)
		} else {
			plain.refs = append(plain.refs, ref) // its keyring reports the error
		}
	}
	var err error
	if len(signing.refs) > 0 {
		if v.signing, err = signing.newStandard(); err != nil {
			return nil, err
		}
	}
	if len(plain.refs) > 0 {
		if v.plain, err = plain.newToken(TokenPlace{Header: gitlabToken}); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (*gitlab) Headers() []string {
	return append((&standard{}).Headers(), strings.ToLower(gitlabToken))
}

func (v *gitlab) Verify(ctx context.Context, r *Request) error {
	signed := len(r.Header.Values("Webhook-Signature")) > 0
	if v.signing != nil && (signed || v.plain == nil) {
		return v.signing.Verify(ctx, r)
	}
	return v.plain.Verify(ctx, r)
}
