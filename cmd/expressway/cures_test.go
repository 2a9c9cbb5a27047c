package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestCures holds that a command that AWS refuses says what to do about it.
func TestCures(t *testing.T) {
	t.Parallel()
	const (
		denied  = "Allow this action in a policy"
		signIn  = "Sign in again"
		missing = "Check the name, the region and the account."
		reach   = "Check the region, the network and, if it is set, AWS_ENDPOINT_URL."
	)
	commands := map[string]struct {
		args   []string
		action string
		xml    bool
	}{
		"forget":  {[]string{"forget", "orders", "o-1", "--table", "nope"}, "table nope", false},
		"logs":    {[]string{"logs", "0b0e7a3c", "--log-group", "nope"}, "logs:StartQuery", false},
		"doctor":  {[]string{"doctor", "--stack", "nope"}, "cloudformation:ListStackResources", true},
		"redrive": {[]string{"redrive", "--from", "https://sqs.eu-west-1.amazonaws.com/123456789012/nope"}, "nope", false},
	}
	for code, want := range map[string]string{
		"AccessDeniedException": denied, "ExpiredTokenException": signIn, "UnrecognizedClientException": signIn, "ResourceNotFoundException": missing, "": reach,
	} {
		for name, command := range commands {
			t.Run(name+" "+code, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if command.xml {
						w.WriteHeader(http.StatusBadRequest)
						_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>the service's message</Message></Error></ErrorResponse>", code)
						return
					}
					w.Header().Set("Content-Type", "application/x-amz-json-1.0")
					w.WriteHeader(http.StatusBadRequest)
					_, _ = fmt.Fprintf(w, `{"__type":%q,"message":"the service's message"}`, code)
				}))
				url := server.URL
				if code == "" {
					server.Close()
				} else {
					defer server.Close()
				}
				env := map[string]string{
					"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_ENDPOINT_URL": url, "HOME": t.TempDir(), "XDG_STATE_HOME": t.TempDir(),
				}
				var out, errs strings.Builder
				exit := run(t.Context(), command.args, nil, &out, &errs, func(name string) string { return env[name] })
				got := errs.String()
				if exit != 1 || !strings.HasSuffix(got, ".\n") || !strings.Contains(got, want) || !strings.Contains(got, command.action) {
					t.Errorf("got exit %d and %q, want exit 1, %q and %q", exit, got, command.action, want)
				}
				if code != "" && !strings.Contains(got, "the service's message") {
					t.Errorf("got %q, want the service's message in it", got)
				}
			})
		}
	}
}
