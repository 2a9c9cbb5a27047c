package verify_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A vault is a source whose secrets can be had, or not.
type vault map[string]error

func (v vault) Get(_ context.Context, ref secrets.Reference) (secrets.Secret, error) {
	if err, known := v[ref.String()]; !known || err != nil {
		return secrets.Secret{}, errors.Join(err, secrets.ErrMissing)
	}
	return secrets.New("hunter2-" + ref.Name + ref.Stage), nil
}

// Check knows nothing without asking.
func (vault) Check(secrets.Reference) error { return nil }

// What asks a service is asked at the first request, and then fails closed.
func TestRemoteSecrets(t *testing.T) {
	t.Parallel()
	const current, previous = "secretsmanager:a#k", "secretsmanager:a#k@AWSPREVIOUS"
	down := errors.New("throttled")
	for name, test := range map[string]struct {
		refs   []string
		vault  vault
		token  string
		wants  error // of Verify
		starts bool
	}{
		"there":                         {[]string{current}, vault{current: nil}, "hunter2-a", nil, true},
		"forged":                        {[]string{current}, vault{current: nil}, "forged", verify.ErrUnverified, true},
		"down":                          {[]string{current}, vault{current: down}, "hunter2-a", verify.ErrSecrets, true},
		"gone":                          {[]string{current}, vault{}, "hunter2-a", verify.ErrSecrets, true},
		"previous":                      {[]string{current, previous}, vault{current: nil, previous: nil}, "hunter2-aAWSPREVIOUS", nil, true},
		"never rotated":                 {[]string{current, previous}, vault{current: nil, previous: secrets.ErrNoVersion}, "hunter2-a", nil, true},
		"never rotated, forged":         {[]string{current, previous}, vault{current: nil, previous: secrets.ErrNoVersion}, "forged", verify.ErrUnverified, true},
		"never rotated, and down":       {[]string{current, previous}, vault{current: down, previous: secrets.ErrNoVersion}, "forged", verify.ErrSecrets, true},
		"no version at all":             {[]string{previous}, vault{previous: secrets.ErrNoVersion}, "forged", verify.ErrSecrets, true},
		"a local one that is not there": {[]string{"env:A", current}, vault{current: nil}, "", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := verify.New(verify.Spec{Token: &verify.Token{Header: "X-Api-Key"}, Secrets: test.refs}, test.vault, time.Now)
			if (err == nil) != test.starts {
				t.Fatalf("New: %v, want a verifier %v", err, test.starts)
			}
			if err != nil {
				return
			}
			err = v.Verify(t.Context(), &verify.Request{Method: "POST", Path: "/", Header: http.Header{"X-Api-Key": {test.token}}})
			if !errors.Is(err, test.wants) {
				t.Errorf("Verify: %v, want %v", err, test.wants)
			}
		})
	}
}

// GitLab's two kinds of secrets are told apart by what they hold: without it nothing starts.
func TestRemoteSecretsOfGitLab(t *testing.T) {
	t.Parallel()
	spec := verify.Spec{Provider: "gitlab", Secrets: []string{"ssm:/gitlab"}}
	if _, err := verify.New(spec, vault{"ssm:/gitlab": errors.New("down")}, time.Now); !errors.Is(err, verify.ErrSecrets) {
		t.Errorf("New: %v, want ErrSecrets", err)
	}
	if _, err := verify.New(spec, vault{"ssm:/gitlab": nil}, time.Now); err != nil {
		t.Errorf("New: %v", err)
	}
}
