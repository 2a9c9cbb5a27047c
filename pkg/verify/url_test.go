package verify_test

import (
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestSignedURL signs what the sender called: with the stage and the base path, or with
// the path that the route's url has in their place.
func TestSignedURL(t *testing.T) {
	t.Parallel()
	const body = "{}"
	for name, test := range map[string]struct {
		url, path, prefix, query string
		signed, signedPath       string
	}{
		"no stage":             {"https://h.example", "/hook", "", "", "https://h.example/hook", "/hook"},
		"stage":                {"https://h.example", "/prod/hook", "/prod", "a=1", "https://h.example/prod/hook?a=1", "/prod/hook"},
		"slash at the end":     {"https://h.example/", "/prod/hook", "/prod", "", "https://h.example/prod/hook", "/prod/hook"},
		"path for the stage":   {"https://h.example/api/v1", "/prod/hook", "/prod", "a=1", "https://h.example/api/v1/hook?a=1", "/api/v1/hook"},
		"path, slash":          {"https://h.example/api/", "/prod/hook", "/prod", "", "https://h.example/api/hook", "/api/hook"},
		"path, nothing cut":    {"https://h.example:8443/api", "/hook", "", "", "https://h.example:8443/api/hook", "/api/hook"},
		"escapes are the path": {"https://h.example", "/prod/a%20b", "/prod", "", "https://h.example/prod/a%20b", "/prod/a%20b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVerifier(t, verify.Spec{URL: test.url, HMAC: &verify.HMAC{Header: "S", Signed: "{url}|{path}|{body}"}}, epoch, "k")
			r := post(body, "S", hexMAC("k", test.signed+"|"+test.signedPath+"|"+body))
			r.Path, r.RoutedPath, r.RawQuery = test.path, strings.TrimPrefix(test.path, test.prefix), test.query
			checkReason(t, v, r, "")
		})
	}
	for _, bad := range []string{"hooks.example.com", "ftp://h.example", "https://h.example/a?b=1", "https://u@h.example", "https://h.example/#a"} {
		s := verify.Spec{Provider: "square", URL: bad, Secrets: []string{"env:S0"}}
		if problems := s.Validate(); len(problems) != 1 || problems[0].Field != "url" {
			t.Errorf("url %q: Validate = %v, want one problem of url", bad, problems)
		}
	}
}
