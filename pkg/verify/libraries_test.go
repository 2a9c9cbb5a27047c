package verify_test

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// A judged group has requests to one route, with the verdicts of a provider's library.
type judged struct {
	Library, Provider, URL string
	Secrets                []string
	Cases                  []struct {
		Name, Path, Query, Body string
		BodyBase64              []byte
		Headers                 [][2]string
		Accept                  bool
		Differs                 string
	}
}

// TestLibraries compares verdicts with those of the providers' own libraries, about
// good deliveries and about forged, altered, old and malformed ones. Where they are not
// the same, the file says why.
func TestLibraries(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/libraries.json")
	if err != nil {
		t.Fatal(err)
	}
	var groups []judged
	if err := json.Unmarshal(text, &groups); err != nil {
		t.Fatal(err)
	}
	providers, cases, accepted := map[string]bool{}, 0, 0
	for _, g := range groups {
		providers[g.Provider] = true
		keys := environment(g.Secrets)
		v, err := verify.New(verify.Spec{Provider: g.Provider, URL: g.URL, Secrets: keys.references()}, keys.source(), clockAt(time.Unix(1_790_000_000, 0)))
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
			} else if verify.ReasonOf(err) == "" {
				t.Errorf("%s: %s: Verify = %v, want a reason", g.Provider, c.Name, err)
			}
			if want := c.Accept == (c.Differs == ""); (err == nil) != want {
				t.Errorf("%s: %s: Verify = %v, want accepted = %v (%s says %v)", g.Provider, c.Name, err, want, g.Library, c.Accept)
			}
		}
	}
	t.Logf("%d requests for %d providers, %d of them accepted", cases, len(providers), accepted)
	if cases < 900 || accepted < 390 || len(providers) < 16 {
		t.Errorf("%d requests for %d providers, %d accepted: the file is not whole", cases, len(providers), accepted)
	}
}
