package verify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A vault is a service for secrets, such as SSM.
type vault struct {
	mu      sync.Mutex
	values  map[string]string
	creates int
	down    error
}

func (v *vault) Fetch(_ context.Context, ref secrets.Reference) (secrets.Secret, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down != nil {
		return secrets.Secret{}, v.down
	}
	if v.values[ref.Name] == "" {
		return secrets.Secret{}, secrets.ErrMissing
	}
	return secrets.New(v.values[ref.Name]), nil
}

func (v *vault) Create(_ context.Context, ref secrets.Reference, secret secrets.Secret) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.creates++
	if v.values[ref.Name] != "" {
		return secrets.ErrExists
	}
	v.values[ref.Name] = secret.Reveal()
	return nil
}

func handingOver(t *testing.T, provider string, v *vault) (verify.Verifier, *verify.Handshaker) {
	t.Helper()
	source := secrets.NewSource(secrets.Options{Getenv: func(string) string { return "" }, Fetchers: map[secrets.Scheme]secrets.Fetcher{secrets.SSM: v}})
	spec := verify.Spec{Provider: provider, HandshakeStore: "ssm:/hook"}
	verifier, handshake, err := verify.NewBoth(spec, source, verify.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return verifier, handshake
}

const handedOver = "0123456789abcdef0123456789abcdef"

// setUp is a provider's setup request with a secret.
func setUp(provider, secret string) *verify.Request {
	r := &verify.Request{Method: http.MethodPost, Path: "/", Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("{}")}
	if provider == "asana" {
		r.Header.Set("X-Hook-Secret", secret)
	} else {
		r.Body = []byte(`{"verification_token":"` + secret + `"}`)
	}
	return r
}

// A secret that is handed over is stored once, and verifies later deliveries; the answer
// contains it only if the provider requires that.
func TestSecretsHandedOver(t *testing.T) {
	t.Parallel()
	for provider, header := range map[string]string{"asana": "X-Hook-Signature", "notion": "X-Notion-Signature"} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			v := &vault{values: map[string]string{}}
			verifier, handshake := handingOver(t, provider, v)
			delivery := setUp(provider, "")
			delivery.Header.Del("X-Hook-Secret")
			delivery.Body = []byte(`{"events":[{"id":1}]}`)
			prefix := map[string]string{"notion": "sha256="}[provider]
			signed := func(secret string) *verify.Request {
				r := *delivery
				r.Header = delivery.Header.Clone()
				r.Header.Set(header, prefix+hexMAC(secret, string(delivery.Body)))
				return &r
			}
			if err := verifier.Verify(t.Context(), signed(handedOver)); !errors.Is(err, verify.ErrUnverified) {
				t.Errorf("before the handshake: %v, want unverified", err)
			}
			if err := verifier.Verify(t.Context(), signed("")); !errors.Is(err, verify.ErrUnverified) {
				t.Errorf("signed with no key: %v, want unverified", err)
			}
			for name, bad := range map[string]string{"short": "abc", "markup": "<script>alert(1)</script>", "long": strings.Repeat("a", 257), "spaces": strings.Repeat("a ", 16)} {
				if reply, err := handshake.Before(t.Context(), setUp(provider, bad)); !errors.Is(err, verify.ErrUnverified) || reply != nil {
					t.Errorf("%s: %v, %v, want unverified", name, reply, err)
				}
			}
			if v.creates != 0 {
				t.Fatalf("%d secrets were stored before there was a good one", v.creates)
			}
			first, err := handshake.Before(t.Context(), setUp(provider, handedOver))
			if err != nil || first == nil || first.Status != http.StatusOK || len(first.Body) > 0 || v.values["/hook"] != handedOver {
				t.Fatalf("%v, %v; stored %d", first, err, len(v.values["/hook"]))
			}
			want := http.Header{}
			if provider == "asana" {
				want.Set("X-Hook-Secret", handedOver)
			}
			if diff := cmp.Diff(want, first.Header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if again, err := handshake.Before(t.Context(), setUp(provider, handedOver)); err != nil || again == nil {
				t.Errorf("the same once more: %v, %v, want the answer", again, err)
			}
			other := "fedcba9876543210fedcba9876543210"
			if reply, err := handshake.Before(t.Context(), setUp(provider, other)); !errors.Is(err, verify.ErrUnverified) || reply != nil || v.values["/hook"] != handedOver {
				t.Errorf("another secret: %v, %v, want it refused and the first kept", reply, err)
			}
			if err := verifier.Verify(t.Context(), signed(handedOver)); err != nil {
				t.Errorf("after the handshake: %v", err)
			}
			if err := verifier.Verify(t.Context(), signed(other)); !errors.Is(err, verify.ErrUnverified) {
				t.Errorf("signed with another secret: %v, want unverified", err)
			}
			if reply, err := handshake.Before(t.Context(), signed(handedOver)); reply != nil || err != nil {
				t.Errorf("a delivery: %v, %v, want no handshake", reply, err)
			}
		})
	}
}

// Of two environments that are asked at once, one stores the secret; a service that is down
// is never mistaken for one that has no secret.
func TestSecretsHandedOverAtOnce(t *testing.T) {
	t.Parallel()
	v := &vault{values: map[string]string{}}
	var all sync.WaitGroup
	replies := make([]*verify.Reply, 16)
	for i := range replies {
		_, handshake := handingOver(t, "asana", v)
		all.Go(func() {
			replies[i], _ = handshake.Before(t.Context(), setUp("asana", handedOver+fmt.Sprint(i)))
		})
	}
	all.Wait()
	answered := 0
	for i, r := range replies {
		if r != nil {
			answered++
			if got, want := v.values["/hook"], handedOver+fmt.Sprint(i); got != want {
				t.Errorf("%d was answered, but another one's secret is stored", i)
			}
		}
	}
	if answered != 1 {
		t.Errorf("%d handshakes were answered, want 1", answered)
	}
	down := &vault{values: map[string]string{}, down: errors.New("no answer")}
	verifier, handshake := handingOver(t, "notion", down)
	if reply, err := handshake.Before(t.Context(), setUp("notion", handedOver)); !errors.Is(err, verify.ErrSecrets) || reply != nil || down.creates != 0 {
		t.Errorf("a service that is down: %v, %v, %d stored", reply, err, down.creates)
	}
	r := setUp("notion", handedOver)
	r.Header.Set("X-Notion-Signature", "sha256="+strings.Repeat("0", 64))
	if err := verifier.Verify(t.Context(), r); !errors.Is(err, verify.ErrSecrets) {
		t.Errorf("a delivery then: %v, want secrets unavailable", err)
	}
}

// Where a secret is put is a parameter or a secret of its own, and the provider hands one
// over.
func TestStoresThatAreRefused(t *testing.T) {
	t.Parallel()
	for store, want := range map[string]string{
		"env:A": "is ssm:/name or secretsmanager:NAME", "ssm:/a#b": "", "secretsmanager:a#key": "without a key", "nothing": "reference", "secretsmanager:a#previous": "version",
	} {
		spec := verify.Spec{Provider: "asana", HandshakeStore: store}
		problems := spec.Validate()
		if len(problems) == 0 || problems[0].Field != "handshake.store" || !strings.Contains(problems[0].Message, want) {
			t.Errorf("%s: %v", store, problems)
		}
	}
	spec := verify.Spec{Provider: "github", HandshakeStore: "ssm:/a"}
	if problems := spec.Validate(); len(problems) != 1 || !strings.Contains(problems[0].Message, "allowed only with provider asana, notion") {
		t.Errorf("github: %v", problems)
	}
	none := verify.Spec{Provider: "asana"}
	if problems := none.Validate(); len(problems) != 1 || problems[0].Field != "secrets" {
		t.Errorf("no secret and no store: %v", problems)
	}
	given := verify.Spec{Provider: "asana", Secrets: []string{"env:A"}}
	_, handshake, err := verify.NewBoth(given, secrets.NewEnv(func(string) string { return handedOver }), verify.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if reply, err := handshake.Before(t.Context(), setUp("asana", handedOver)); reply != nil || err != nil {
		t.Errorf("without a store: %v, %v, want no handshake", reply, err)
	}
}
