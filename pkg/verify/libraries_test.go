package verify_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestLibraries compares verdicts with those of the providers' own libraries, about
// good deliveries and about forged, altered, old and malformed ones. Where they are not
// the same, the file says why.
func TestLibraries(t *testing.T) {
	t.Parallel()
	groups, err := providertest.ReadJudged("testdata/libraries.json")
	if err != nil {
		t.Fatal(err)
	}
	providers, cases, accepted := map[string]bool{}, 0, 0
	for _, g := range groups {
		providers[g.Provider] = true
		keys := environment(g.Secrets)
		v, err := verify.New(verify.Spec{Provider: g.Provider, URL: g.URL, Secrets: keys.references(), Versions: g.Versions}, keys.source(), verify.Options{Now: clockAt(time.Unix(1_790_000_000, 0))})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range g.Cases {
			cases++
			r := &verify.Request{Method: http.MethodPost, Path: c.Path, RawQuery: c.Query, Header: http.Header{}, Body: []byte(c.Body)}
			if r.Path == "" {
				r.Path = "/hook"
			}
			if c.BodyBase64 != nil {
				r.Body = c.BodyBase64
			}
			for _, h := range c.Headers {
				r.Header.Add(h[0], h[1])
			}
			err := v.Verify(t.Context(), r)
			if err == nil {
				accepted++
			} else if verify.ReasonOf(err) == "" || !isTold(err) {
				t.Errorf("%s: %s: Verify = %v, want a reason and a name of the scheme's", g.Provider, c.Name, err)
			}
			if want := c.Accept == (c.Differs == ""); (err == nil) != want {
				t.Errorf("%s: %s: Verify = %v, want accepted = %v (%s says %v)", g.Provider, c.Name, err, want, g.Library, c.Accept)
			}
		}
	}
	t.Logf("%d requests for %d providers, %d of them accepted", cases, len(providers), accepted)
	if cases < 1100 || accepted < 450 || len(providers) < 30 {
		t.Errorf("%d requests for %d providers, %d accepted: the file is incomplete", cases, len(providers), accepted)
	}
}

// told checks that the error of a refusal only has its reason and the name of a place that
// the scheme reads, and nothing of the request or of a secret.
var told = regexp.MustCompile(`^unverified: (missing|malformed|mismatch|stale): [A-Za-z0-9._-]{2,50}$|^unverified: (missing|mismatch): claim [a-z0-9_]+$`)

func isTold(err error) bool {
	return told.MatchString(err.Error()) && fmt.Sprintf("%v %s %q", err, err, err) == err.Error()+" "+err.Error()+" "+strconv.Quote(err.Error())
}

// A secret that is not a key of its scheme is named by its reference alone.
func TestBadKeysAreNotShown(t *testing.T) {
	t.Parallel()
	const secret = "whsec_this!is?no#key*of-any/scheme"
	for _, provider := range []string{"adyen", "discord", "sendgrid", "standard-webhooks", "svix", "gitlab"} {
		keys := environment{secret}
		_, err := verify.New(verify.Spec{Provider: provider, Secrets: keys.references()}, keys.source(), verify.Options{Now: clockAt(epoch)})
		if !errors.Is(err, verify.ErrSecrets) || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret[6:20]) || !strings.Contains(err.Error(), "env:S0") {
			t.Errorf("%s: New = %v, want the reference and not the secret", provider, err)
		}
		if _, err := verify.SignRequest(verify.Spec{Provider: provider, Secrets: keys.references()}, secret, post("{}"), epoch); err == nil || strings.Contains(err.Error(), secret[6:20]) {
			t.Errorf("%s: SignRequest = %v, want an error without the secret", provider, err)
		}
	}
}
