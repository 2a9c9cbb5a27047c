package verify

import (
	"context"
	"net/http"
)

// dropboxHandshake is https://www.dropbox.com/developers/reference/webhooks#documentation.
var dropboxHandshake = Handshake{Methods: []string{http.MethodGet}, before: dropboxChallenge}

func dropboxChallenge(_ context.Context, r *Request) (*Reply, error) {
	if r.Method != http.MethodGet {
		return nil, nil //nolint:nilnil // no handshake
	}
	challenge, ok, err := queried(r, "challenge")
	if err != nil || !ok {
		return nil, err
	}
	if !isPlain(challenge) {
		return nil, refuse(Malformed, "challenge")
	}
	return echo(challenge), nil
}
