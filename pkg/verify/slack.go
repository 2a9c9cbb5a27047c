package verify

import (
	"context"
	"net/http"
)

// slackHandshake answers https://docs.slack.dev/reference/events/url_verification, which
// is signed, and the check of the certificate, which is not: for slash commands, Slack
// occasionally sends ssl_check=1, of which nothing is echoed.
var slackHandshake = Handshake{before: sslCheck, after: urlVerification}

func sslCheck(_ context.Context, r *Request) (*Reply, error) {
	checked := ""
	switch {
	case len(r.Header.Values("X-Slack-Signature")) > 0 || len(r.Body) > maxHandshake:
	case r.Method == http.MethodGet:
		checked, _, _ = queried(r, "ssl_check")
	case r.Method == http.MethodPost && isForm(r.Header):
		checked = formValue(r.Body, "ssl_check")
	}
	if checked != "1" {
		return nil, nil //nolint:nilnil // no handshake
	}
	return &Reply{Status: http.StatusOK, Header: http.Header{}}, nil
}

func urlVerification(_ context.Context, r *Request) (*Reply, error) {
	body, ok := document(r, "url_verification")
	if !ok || body["type"] != "url_verification" {
		return nil, nil //nolint:nilnil // no handshake
	}
	return echoMember(body, "challenge")
}
