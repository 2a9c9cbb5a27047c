package verify_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A custom scheme gets each secret of the route and the time; requests that it does not
// accept are unverified.
func TestCustom(t *testing.T) {
	t.Parallel()
	scheme := &verify.Custom{
		Name:    "acme",
		Headers: []string{"X-Acme-Key"},
		Verify: func(r *verify.Request, secret string, now time.Time) bool {
			return r.Header.Get("X-Acme-Key") == secret+"/"+now.Format("15")
		},
	}
	spec := verify.Spec{Provider: "acme", Custom: scheme, Secrets: []string{"env:NEW", "env:OLD"}}
	source := secrets.NewEnv(func(name string) string { return strings.ToLower(name) })
	now := func() time.Time { return time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC) }
	v, err := verify.New(spec, source, verify.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Headers(); len(got) != 1 || got[0] != "x-acme-key" {
		t.Errorf("Headers = %q, want x-acme-key", got)
	}
	for key, want := range map[string]error{"new/03": nil, "old/03": nil, "new/04": verify.ErrUnverified, "": verify.ErrUnverified} {
		r := &verify.Request{Method: "POST", Path: "/", Header: http.Header{"X-Acme-Key": {key}}}
		if err := v.Verify(t.Context(), r); !errors.Is(err, want) {
			t.Errorf("key %q: %v, want %v", key, err, want)
		}
	}
}

// A scheme can neither have the name of a preset nor lack code or secrets.
func TestCustomIsChecked(t *testing.T) {
	t.Parallel()
	yes := func(*verify.Request, string, time.Time) bool { return true }
	for want, spec := range map[string]verify.Spec{
		"cannot be the name": {Provider: "github", Custom: &verify.Custom{Name: "github", Verify: yes}, Secrets: []string{"env:A"}},
		"has no Verify":      {Provider: "acme", Custom: &verify.Custom{Name: "acme"}, Secrets: []string{"env:A"}},
		"at least one":       {Provider: "acme", Custom: &verify.Custom{Name: "acme", Verify: yes}},
	} {
		problems := spec.Validate()
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), want) {
			t.Errorf("problems = %v, want one that says %q", problems, want)
		}
	}
}
