package verify

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// snsHandshake is
// https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html.
// Only subscriptions to a topic that Verify allows are confirmed. The unsubscribe
// confirmation also carries a URL, which would re-subscribe; it is ignored.
var snsHandshake = Handshake{newAfter: newSNSHandshake}

func newSNSHandshake(b *builder) (exchange, error) {
	if b.fetch == nil {
		return nil, errNoFetch
	}
	return func(ctx context.Context, r *Request) (*Reply, error) {
		// Both confirmations have this member, and sign it; notifications are not read.
		if !bytes.Contains(r.Body, []byte(`"SubscribeURL"`)) {
			return nil, nil //nolint:nilnil // a notification
		}
		m, err := readSNS(r.Body)
		if err != nil {
			return nil, err
		}
		done := &Reply{Status: http.StatusOK, Header: http.Header{}}
		switch m.text("Type") {
		case "UnsubscribeConfirmation":
			return done, nil
		case "SubscriptionConfirmation":
		default:
			return nil, nil //nolint:nilnil // a notification
		}
		address, ok := confirmation(m)
		if !ok {
			return nil, refuse(Malformed, "SubscribeURL")
		}
		if _, err := b.fetch(ctx, address); err != nil {
			return nil, fmt.Errorf("%w: confirm subscription: %w", ErrHandshake, err)
		}
		return done, nil
	}, nil
}

// confirmation returns the address that confirms a subscription, if it belongs to SNS in
// the topic's region and confirms this topic with this token.
func confirmation(m snsMessage) (string, bool) {
	text, topic, token := m.text("SubscribeURL"), m.text("TopicArn"), m.text("Token")
	region, ok := topicRegion(topic)
	u, err := url.Parse(text)
	if !ok || err != nil || len(text) > 2048 || token == "" {
		return "", false
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || len(query) != 3 || !slices.Equal(query["Action"], []string{"ConfirmSubscription"}) ||
		!slices.Equal(query["TopicArn"], []string{topic}) || !slices.Equal(query["Token"], []string{token}) {
		return "", false
	}
	address := "https://" + snsHost(region) + "/?" + u.RawQuery
	return address, text == address
}
