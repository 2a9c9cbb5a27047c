package verify

import (
	"context"
)

// twitchHandshake is
// https://dev.twitch.tv/docs/eventsub/handling-webhook-events/#responding-to-a-challenge-request.
// The message's type is in a header that is not signed, but the challenge in the body is.
var twitchHandshake = Handshake{after: twitchChallenge}

func twitchChallenge(_ context.Context, r *Request) (*Reply, error) {
	kind, err := headerValue(r.Header, "Twitch-Eventsub-Message-Type")
	if err != nil || kind != "webhook_callback_verification" {
		return nil, nil //nolint:nilnil // no handshake
	}
	body, ok := document(r, `"challenge"`)
	if !ok {
		return nil, refuse(Malformed, "challenge")
	}
	return echoMember(body, "challenge")
}
