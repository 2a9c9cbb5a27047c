package verify

import (
	"context"
	"net/http"
)

// dropboxHandshake is https://www.dropbox.com/developers/reference/webhooks#documentation.
var dropboxHandshake = Handshake{Methods: []string{http.MethodGet}, before: dropboxChallenge}

func dropboxChallenge(_ context.Context, r *Request) (*Reply, error) {
	challenge, ok, err := asked(r, "challenge", isPlain)
	if err != nil || !ok {
		return nil, err
	}
	return echo(challenge), nil
}
