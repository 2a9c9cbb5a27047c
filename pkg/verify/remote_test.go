package verify_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A secret service that returns its secrets, or fails.
type service struct {
	values map[string]string
	down   bool
	asked  int
}

func (s *service) Get(_ context.Context, ref secrets.Reference) (secrets.Secret, error) {
	s.asked++
	text, ok := s.values[ref.String()]
	switch {
	case s.down:
		return secrets.Secret{}, errors.New("no way")
	case !ok:
		return secrets.Secret{}, fmt.Errorf("%s: %w", ref, secrets.ErrNoVersion)
	}
	return secrets.New(text), nil
}

func (s *service) Check(ref secrets.Reference) error {
	if ref.Scheme == secrets.SSM && ref.Name == "/unsupported" {
		return secrets.ErrUnsupported
	}
	return nil
}

// Secrets of a service are fetched when they are first needed, not at startup.
func TestRemoteSecrets(t *testing.T) {
	t.Parallel()
	const current, previous = "secretsmanager:gh#current", "ssm:/gh:previous"
	s := &service{values: map[string]string{current: "k"}, down: true}
	spec := verify.Spec{Provider: "github", Secrets: []string{current, previous}}
	v, err := verify.New(spec, s, verify.Options{Now: time.Now})
	if err != nil || s.asked != 0 {
		t.Fatalf("New = %v after %d questions, want none", err, s.asked)
	}
	q := post("{}", "X-Hub-Signature-256", "sha256="+hexMAC("k", "{}"))
	forged := post("{}", "X-Hub-Signature-256", "sha256="+hexMAC("other", "{}"))
	if err := v.Verify(t.Context(), q); !errors.Is(err, verify.ErrSecrets) {
		t.Errorf("while the service is down: %v, want ErrSecrets", err)
	}
	unsupported := verify.Spec{Provider: "github", Secrets: []string{"ssm:/unsupported"}}
	if _, err := verify.New(unsupported, s, verify.Options{Now: time.Now}); !errors.Is(err, secrets.ErrUnsupported) {
		t.Errorf("a reference that cannot be looked up: %v, want ErrUnsupported", err)
	}
	s.down = false
	if err := v.Verify(t.Context(), q); err != nil {
		t.Errorf("by the secret there is: %v", err)
	}
	if err := v.Verify(t.Context(), forged); verify.ReasonOf(err) != verify.Mismatch {
		t.Errorf("forged, without a previous version: %v, want a mismatch", err)
	}
	s.values = nil
	if err := v.Verify(t.Context(), q); !errors.Is(err, verify.ErrSecrets) {
		t.Errorf("with no version at all: %v, want ErrSecrets", err)
	}
	// GitLab's two kinds of secrets are distinguished by their text.
	s.down = true
	if _, err := verify.New(verify.Spec{Provider: "gitlab", Secrets: []string{current}}, s, verify.Options{Now: time.Now}); !errors.Is(err, verify.ErrSecrets) {
		t.Errorf("gitlab, while the service is down: %v, want ErrSecrets", err)
	}
}
