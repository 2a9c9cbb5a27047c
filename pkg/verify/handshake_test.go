package verify_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A route is what a front door makes of a Spec: the three steps in their order.
type route struct {
	verifier  verify.Verifier
	handshake *verify.Handshaker
}

func newRoute(t testing.TB, s verify.Spec, now func() time.Time, texts environment, options verify.Options) *route {
	t.Helper()
	options.Now = now
	if len(texts) > 0 && len(s.Secrets) == 0 {
		s.Secrets = texts.references()[:1]
	}
	v, err := verify.New(s, texts.source(), options)
	if err != nil {
		t.Fatal(err)
	}
	h, err := verify.NewHandshaker(s, texts.source(), options)
	if err != nil {
		t.Fatal(err)
	}
	return &route{v, h}
}

// receive returns nil without an error if the delivery would start a workflow.
func (r *route) receive(t testing.TB, q *verify.Request) (*verify.Reply, error) {
	t.Helper()
	reply, err := r.handshake.Before(t.Context(), q)
	if reply != nil || err != nil {
		return reply, err
	}
	if q.Method != http.MethodPost && slices.Contains(r.handshake.Methods(), q.Method) {
		return &verify.Reply{Status: http.StatusMethodNotAllowed}, nil
	}
	if err := r.verifier.Verify(t.Context(), q); err != nil {
		return nil, err
	}
	return r.handshake.After(t.Context(), q)
}

func text(challenge string) *verify.Reply {
	return &verify.Reply{
		Status: 200, Body: []byte(challenge),
		Header: headers("Content-Type", "text/plain; charset=utf-8", "X-Content-Type-Options", "nosniff"),
	}
}

func jsonReply(body string) *verify.Reply {
	return &verify.Reply{
		Status: 200, Body: []byte(body), Header: headers("Content-Type", "application/json", "X-Content-Type-Options", "nosniff"),
	}
}

func post(body string, pairs ...string) *verify.Request {
	return &verify.Request{Method: "POST", Path: "/hook", Header: headers(pairs...), Body: []byte(body)}
}

func get(query url.Values) *verify.Request {
	return &verify.Request{Method: "GET", Path: "/hook", RawQuery: query.Encode(), Header: headers()}
}

func slackPost(key, body string) *verify.Request {
	at := fmt.Sprint(epoch.Unix())
	return post(body, "X-Slack-Signature", "v0="+hexMAC(key, "v0:"+at+":"+body), "X-Slack-Request-Timestamp", at)
}

func zoomPost(key, body string) *verify.Request {
	at := fmt.Sprint(epoch.Unix())
	return post(body, "x-zm-signature", "v0="+hexMAC(key, "v0:"+at+":"+body), "x-zm-request-timestamp", at)
}

func twitchPost(kind, body string) *verify.Request {
	const id = "e76c6bd4-55c9-4987-8304-da1588d8988b"
	at := epoch.UTC().Format(time.RFC3339Nano)
	return post(body, "Twitch-Eventsub-Message-Id", id, "Twitch-Eventsub-Message-Timestamp", at, "Twitch-Eventsub-Message-Type", kind,
		"Twitch-Eventsub-Message-Signature", "sha256="+hexMAC("s3cRe7", id+at+body))
}

var discordKey = ed25519.NewKeyFromSeed([]byte(strings.Repeat("d", ed25519.SeedSize)))

func discordPost(body string) *verify.Request {
	at := fmt.Sprint(epoch.Unix())
	return post(body, "X-Signature-Timestamp", at, "X-Signature-Ed25519", hex.EncodeToString(ed25519.Sign(discordKey, []byte(at+body))))
}

// TestHandshakes has each provider's exchange as its documentation shows it.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	const (
		slackBody  = `{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}`
		zoomBody   = `{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}`
		twitchBody = `{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","status":"webhook_callback_verification_pending","type":"channel.follow"}}`
		pingBody   = `{"app_permissions":"0","application_id":"1","entitlements":[],"id":"2","token":"aW50","type":1,"user":{"id":"3"},"version":1}`
		metaURL    = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock"
		graphToken = "Validation: Testing client application reachability for subscription Request-Id: 522a8e7e-096a-494c-aaf1-ac0dcfca45b7"
	)
	zoomAnswer := func(key string) *verify.Reply {
		return jsonReply(`{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"` + hexMAC(key, "qgg8vlvZRS6UYooatFL8Aw") + `"}`)
	}
	meta := verify.Spec{Provider: "meta", Token: &verify.Token{Reference: "env:S1"}}
	metaGet := func(query string) *verify.Request {
		return &verify.Request{Method: "GET", Path: "/hook", RawQuery: query, Header: headers()}
	}
	graphGet := func(token string) *verify.Request {
		r := post("", "Content-Type", "text/plain; charset=utf-8")
		r.RawQuery = url.Values{"validationToken": {token}}.Encode()
		return r
	}
	discord := environment{hex.EncodeToString(discordKey.Public().(ed25519.PublicKey))}
	badDiscord := discordPost(pingBody)
	badDiscord.Body = []byte(`{"type":1}`)
	notAllowed := &verify.Reply{Status: http.StatusMethodNotAllowed}

	tests := map[string]struct {
		spec    verify.Spec
		secrets environment
		request *verify.Request
		want    *verify.Reply // nil starts a workflow
		reason  verify.Reason
	}{
		"slack":                            {verify.Spec{Provider: "slack"}, environment{"k"}, slackPost("k", slackBody), text("3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"), ""},
		"slack, unsigned":                  {verify.Spec{Provider: "slack"}, environment{"k"}, slackPost("other", slackBody), nil, verify.Mismatch},
		"slack, event":                     {verify.Spec{Provider: "slack"}, environment{"k"}, slackPost("k", `{"type":"event_callback","event":{"text":"url_verification"}}`), nil, ""},
		"slack, command":                   {verify.Spec{Provider: "slack"}, environment{"k"}, slackPost("k", "command=%2Fx&text=url_verification"), nil, ""},
		"slack, markup":                    {verify.Spec{Provider: "slack"}, environment{"k"}, slackPost("k", `{"type":"url_verification","challenge":"<script>"}`), nil, verify.Malformed},
		"slack, long":                      {verify.Spec{Provider: "slack"}, environment{"k"}, slackPost("k", `{"type":"url_verification","challenge":"`+strings.Repeat("a", 513)+`"}`), nil, verify.Malformed},
		"slack, no text":                   {verify.Spec{Provider: "slack"}, environment{"k"}, slackPost("k", `{"type":"url_verification","challenge":1}`), nil, verify.Malformed},
		"zoom":                             {verify.Spec{Provider: "zoom"}, environment{"k"}, zoomPost("k", zoomBody), zoomAnswer("k"), ""},
		"zoom, unsigned":                   {verify.Spec{Provider: "zoom"}, environment{"k"}, zoomPost("other", zoomBody), nil, verify.Mismatch},
		"zoom, second secret":              {verify.Spec{Provider: "zoom", Secrets: []string{"env:S0", "env:S1"}}, environment{"k", "second"}, zoomPost("second", zoomBody), zoomAnswer("second"), ""},
		"zoom, event":                      {verify.Spec{Provider: "zoom"}, environment{"k"}, zoomPost("k", `{"event":"meeting.started","payload":{"topic":"endpoint.url_validation"}}`), nil, ""},
		"zoom, a signed text":              {verify.Spec{Provider: "zoom"}, environment{"k"}, zoomPost("k", `{"event":"endpoint.url_validation","payload":{"plainToken":"v0:1700000000:{}"}}`), nil, verify.Malformed},
		"discord":                          {verify.Spec{Provider: "discord"}, discord, discordPost(pingBody), jsonReply(`{"type":1}`), ""},
		"discord, bad signature":           {verify.Spec{Provider: "discord"}, discord, badDiscord, nil, verify.Mismatch},
		"discord, webhook events":          {verify.Spec{Provider: "discord"}, discord, discordPost(`{"version":1,"application_id":"1","type":0}`), &verify.Reply{Status: 204, Header: headers()}, ""},
		"discord, webhook event":           {verify.Spec{Provider: "discord"}, discord, discordPost(`{"version":1,"application_id":"1","type":1,"event":{"type":"ENTITLEMENT_CREATE"}}`), nil, ""},
		"discord, command":                 {verify.Spec{Provider: "discord"}, discord, discordPost(`{"type":2,"data":{"type":1}}`), nil, ""},
		"twitch":                           {verify.Spec{Provider: "twitch"}, environment{"s3cRe7"}, twitchPost("webhook_callback_verification", twitchBody), text("pogchamp-kappa-360noscope-vohiyo"), ""},
		"twitch, notification":             {verify.Spec{Provider: "twitch"}, environment{"s3cRe7"}, twitchPost("notification", `{"event":{"challenge":"x"}}`), nil, ""},
		"twitch, header changed":           {verify.Spec{Provider: "twitch"}, environment{"s3cRe7"}, twitchPost("webhook_callback_verification", `{"event":{"challenge":"x"}}`), nil, verify.Malformed},
		"twitch, unsigned":                 {verify.Spec{Provider: "twitch"}, environment{"other"}, twitchPost("webhook_callback_verification", twitchBody), nil, verify.Mismatch},
		"meta":                             {meta, environment{"k", "meatyhamhock"}, metaGet(metaURL), text("1158201444"), ""},
		"meta, other token":                {meta, environment{"k", "other"}, metaGet(metaURL), nil, verify.Mismatch},
		"meta, app secret as token":        {meta, environment{"meatyhamhock", "other"}, metaGet(metaURL), nil, verify.Mismatch},
		"meta, no token":                   {meta, environment{"k", "meatyhamhock"}, metaGet("hub.mode=subscribe&hub.challenge=1"), nil, verify.Missing},
		"meta, two tokens":                 {meta, environment{"k", "meatyhamhock"}, metaGet(metaURL + "&hub.verify_token=x"), nil, verify.Malformed},
		"meta, markup":                     {meta, environment{"k", "meatyhamhock"}, metaGet("hub.mode=subscribe&hub.challenge=%3Cb%3E&hub.verify_token=meatyhamhock"), nil, verify.Malformed},
		"meta, other mode":                 {meta, environment{"k", "meatyhamhock"}, metaGet("hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=meatyhamhock"), notAllowed, ""},
		"meta, bad query":                  {meta, environment{"k", "meatyhamhock"}, metaGet(metaURL + "&%zz"), notAllowed, ""},
		"x, a body":                        {verify.Spec{Provider: "x"}, environment{"k"}, get(url.Values{"crc_token": {`{"for_user_id":"1"}`}}), nil, verify.Malformed},
		"x, empty":                         {verify.Spec{Provider: "x"}, environment{"k"}, get(url.Values{"crc_token": {""}}), nil, verify.Malformed},
		"x, long":                          {verify.Spec{Provider: "x"}, environment{"k"}, get(url.Values{"crc_token": {strings.Repeat("a", 513)}}), nil, verify.Malformed},
		"x, twice":                         {verify.Spec{Provider: "x"}, environment{"k"}, get(url.Values{"crc_token": {"a", "b"}}), nil, verify.Malformed},
		"x, none":                          {verify.Spec{Provider: "x"}, environment{"k"}, get(nil), notAllowed, ""},
		"graph":                            {verify.Spec{Provider: "microsoft-graph"}, environment{"s"}, graphGet(graphToken), text(graphToken), ""},
		"graph, markup":                    {verify.Spec{Provider: "microsoft-graph"}, environment{"s"}, graphGet("<img src=x>"), nil, verify.Malformed},
		"graph, line break":                {verify.Spec{Provider: "microsoft-graph"}, environment{"s"}, graphGet("a\nb"), nil, verify.Malformed},
		"graph, notification":              {verify.Spec{Provider: "microsoft-graph"}, environment{"s"}, post(`{"value":[{"clientState":"s"}]}`), nil, ""},
		"dropbox":                          {verify.Spec{Provider: "dropbox"}, environment{"k"}, get(url.Values{"challenge": {"abc123_-"}}), text("abc123_-"), ""},
		"dropbox, markup":                  {verify.Spec{Provider: "dropbox"}, environment{"k"}, get(url.Values{"challenge": {"<b>"}}), nil, verify.Malformed},
		"dropbox, none":                    {verify.Spec{Provider: "dropbox"}, environment{"k"}, get(nil), notAllowed, ""},
		"dropbox, posted":                  {verify.Spec{Provider: "dropbox"}, environment{"k"}, &verify.Request{Method: "POST", RawQuery: "challenge=a", Header: headers()}, nil, verify.Missing},
		"github's ping is not an exchange": {verify.Spec{Provider: "github"}, environment{"k"}, post(`{"zen":"x"}`, "X-GitHub-Event", "ping", "X-Hub-Signature-256", "sha256="+hexMAC("k", `{"zen":"x"}`)), nil, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := newRoute(t, test.spec, clockAt(epoch), test.secrets, verify.Options{}).receive(t, test.request)
			if verify.ReasonOf(err) != test.reason || (err == nil) != (test.reason == "") {
				t.Errorf("error = %v, want reason %q", err, test.reason)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
		})
	}
}

// TestXSignsNoDelivery asks for the signature of a body, and delivers that body.
func TestXSignsNoDelivery(t *testing.T) {
	t.Parallel()
	r := newRoute(t, verify.Spec{Provider: "x"}, clockAt(epoch), environment{"k"}, verify.Options{})
	for _, body := range []string{"12345", "true", "abc", strings.Repeat("1", 512), strings.Repeat("1", 513)} {
		reply, err := r.receive(t, get(url.Values{"crc_token": {body}}))
		if err != nil {
			continue // it signs none, and so there is nothing to deliver
		}
		var answer map[string]string
		if err := json.Unmarshal(reply.Body, &answer); err != nil {
			t.Fatal(err)
		}
		_, err = r.receive(t, post(body, "X-Twitter-Webhooks-Signature", answer["response_token"]))
		if verify.ReasonOf(err) != verify.Malformed {
			t.Errorf("a body that anyone can have signed: %v, want malformed", err)
		}
	}
}

func TestHandshakeMethods(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec    verify.Spec
		options verify.Options
		want    []string
	}{
		"github":             {verify.Spec{Provider: "github"}, verify.Options{}, nil},
		"meta":               {verify.Spec{Provider: "meta", Token: &verify.Token{Reference: "env:S0"}}, verify.Options{}, []string{"GET"}},
		"meta without token": {verify.Spec{Provider: "meta"}, verify.Options{}, nil},
		"x and cloudevents":  {verify.Spec{Provider: "x"}, verify.Options{CloudEvents: &verify.CloudEvents{Origins: []string{"*"}}}, []string{"OPTIONS", "GET"}},
		"dropbox":            {verify.Spec{Provider: "dropbox"}, verify.Options{}, []string{"GET"}},
		"graph":              {verify.Spec{Provider: "microsoft-graph"}, verify.Options{}, nil},
	} {
		if diff := cmp.Diff(test.want, newRoute(t, test.spec, clockAt(epoch), environment{"k"}, test.options).handshake.Methods()); diff != "" {
			t.Errorf("%s: Methods (-want +got):\n%s", name, diff)
		}
	}
}

// TestCloudEventsHandshake is section 4 of CloudEvents' HTTP webhooks.
func TestCloudEventsHandshake(t *testing.T) {
	t.Parallel()
	granted := func(origin string) *verify.Reply {
		return &verify.Reply{Status: 200, Header: headers("Allow", "POST", "WebHook-Allowed-Origin", origin, "WebHook-Allowed-Rate", "*")}
	}
	refused := &verify.Reply{Status: 405, Header: headers("Allow", "POST")}
	for name, test := range map[string]struct {
		origins []string
		header  http.Header
		want    *verify.Reply
	}{
		"listed":          {[]string{"a.example", "eventgrid.azure.net"}, headers("WebHook-Request-Origin", "EventGrid.azure.net", "WebHook-Request-Rate", "120"), granted("eventgrid.azure.net")},
		"any":             {[]string{"*"}, headers("WebHook-Request-Origin", "<script>"), granted("*")},
		"not listed":      {[]string{"a.example"}, headers("WebHook-Request-Origin", "a.example.evil.example"), refused},
		"without origin":  {[]string{"*"}, headers("Origin", "a.example"), refused},
		"several origins": {[]string{"a.example"}, headers("WebHook-Request-Origin", "a.example", "WebHook-Request-Origin", "b.example"), refused},
		"never called":    {[]string{"a.example"}, headers("WebHook-Request-Origin", "a.example", "WebHook-Request-Callback", "http://169.254.169.254/"), granted("a.example")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &web{}
			r := newRoute(t, verify.Spec{None: true}, clockAt(epoch), nil, verify.Options{Fetch: w.fetch, CloudEvents: &verify.CloudEvents{Origins: test.origins}})
			got, err := r.receive(t, &verify.Request{Method: "OPTIONS", Path: "/hook", Header: test.header})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
			if len(w.asked) > 0 {
				t.Errorf("called %q", w.asked)
			}
		})
	}
	granting := newRoute(t, verify.Spec{None: true}, clockAt(epoch), nil, verify.Options{CloudEvents: &verify.CloudEvents{Origins: []string{"*"}}})
	if reply, err := granting.receive(t, post("{}", "WebHook-Request-Origin", "a.example")); reply != nil || err != nil {
		t.Errorf("a delivery = %v, %v, want neither: it starts a workflow", reply, err)
	}
	for _, origins := range [][]string{nil, {""}, {"https://a.example"}, {"a b"}, {"*.example"}} {
		if _, err := verify.NewHandshaker(verify.Spec{None: true}, nil, verify.Options{CloudEvents: &verify.CloudEvents{Origins: origins}}); err == nil {
			t.Errorf("origins %q are accepted", origins)
		}
	}
}

func TestSNSSubscription(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	const token = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92768dd60a747ba6f3beb71854e285d6ad02428b09ceece29417f1f02d609c582afbacc99c583a916b9981dd2728f4ae6fdb82efd087cc3b7849e05798d2d2785c03b0879594eeac82c01f235d0e717736"
	const address = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + snsTopic + "&Token=" + token
	message := func(changes map[string]string) map[string]string {
		m := map[string]string{"Type": "SubscriptionConfirmation", "Token": token, "SubscribeURL": address}
		for k, v := range changes {
			m[k] = v
		}
		return m
	}
	visit := func(url string) map[string]string { return message(map[string]string{"SubscribeURL": url}) }
	tests := map[string]struct {
		message map[string]string
		topics  verify.Topics
		reason  verify.Reason
		visited string
		failed  error
	}{
		"confirmed":       {message(nil), verify.Topics{snsTopic}, "", address, nil},
		"any topic":       {message(nil), verify.Topics{"any"}, "", address, nil},
		"other topic":     {message(nil), verify.Topics{snsTopic + "2"}, verify.Mismatch, "", nil},
		"unsubscribed":    {message(map[string]string{"Type": "UnsubscribeConfirmation"}), verify.Topics{snsTopic}, "", "", nil},
		"SNS is down":     {message(map[string]string{"Token": "b", "SubscribeURL": strings.Replace(address, token, "b", 1)}), verify.Topics{snsTopic}, "", strings.Replace(address, token, "b", 1), verify.ErrHandshake},
		"http":            {visit("http" + address[5:]), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"other host":      {visit(strings.Replace(address, ".com/", ".com.evil.example/", 1)), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"user":            {visit(strings.Replace(address, ".com/", ".com@evil.example/", 1)), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"port":            {visit(strings.Replace(address, ".com/", ".com:444/", 1)), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"other region":    {visit(strings.Replace(address, "sns.eu", "sns.us", 1)), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"path":            {visit(strings.Replace(address, "/?", "/a?", 1)), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"other action":    {visit(strings.Replace(address, "ConfirmSubscription", "Publish", 1)), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"two actions":     {visit(address + "&Action=Publish"), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"another's topic": {visit(strings.Replace(address, ":orders", ":other", 1)), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"another token":   {visit(address + "0"), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"more parameters": {visit(address + "&AuthenticateOnUnsubscribe=true"), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"fragment":        {visit(address + "#x"), verify.Topics{snsTopic}, verify.Malformed, "", nil},
		"no URL":          {visit("\x00"), verify.Topics{snsTopic}, verify.Malformed, "", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &web{pages: map[string][]byte{snsCertURL: pemOf(a.leaf(t, "sns.amazonaws.com")), address: []byte("<ConfirmSubscriptionResponse/>")}}
			r := newRoute(t, verify.Spec{Provider: "sns", Topics: test.topics}, clockAt(epoch), nil, verify.Options{Fetch: w.fetch})
			reply, err := r.receive(t, &verify.Request{Method: "POST", Header: headers(), Body: snsMessage(t, "2", test.message)})
			switch {
			case test.failed != nil:
				if !errors.Is(err, test.failed) || errors.Is(err, verify.ErrUnverified) {
					t.Errorf("error = %v, want %v", err, test.failed)
				}
			case verify.ReasonOf(err) != test.reason || (err == nil) != (test.reason == ""):
				t.Errorf("error = %v, want reason %q", err, test.reason)
			case err == nil && (reply == nil || reply.Status != 200 || len(reply.Body) > 0):
				t.Errorf("reply = %+v, want 200 and empty", reply)
			}
			visited := slices.DeleteFunc(w.asked, func(s string) bool { return s == snsCertURL })
			if strings.Join(visited, " ") != test.visited {
				t.Errorf("visited %q, want %q", visited, test.visited)
			}
		})
	}
	// A notification starts a workflow.
	w := &web{pages: map[string][]byte{snsCertURL: pemOf(a.leaf(t, "sns.amazonaws.com"))}}
	r := newRoute(t, verify.Spec{Provider: "sns", Topics: verify.Topics{snsTopic}}, clockAt(epoch), nil, verify.Options{Fetch: w.fetch})
	if reply, err := r.receive(t, &verify.Request{Method: "POST", Body: snsMessage(t, "2", nil)}); reply != nil || err != nil {
		t.Errorf("a notification = %v, %v, want neither", reply, err)
	}
}

// TestRecordedHandshakes answers real messages.
func TestRecordedHandshakes(t *testing.T) {
	t.Parallel()
	body := string(shared.Read(t, "payloads/slack/url_verification.json"))
	var sent struct{ Challenge string }
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	reply, err := newRoute(t, verify.Spec{Provider: "slack"}, clockAt(epoch), environment{"k"}, verify.Options{}).receive(t, slackPost("k", body))
	if err != nil || reply == nil || sent.Challenge == "" || string(reply.Body) != sent.Challenge {
		t.Errorf("Slack: reply = %+v, %v, want the challenge %q", reply, err, sent.Challenge)
	}
	for _, v := range loadVectors(t) {
		if v.ID != "sns-subscription-confirmation" {
			continue
		}
		q := v.request(t)
		q.Method = "POST"
		var message struct{ SubscribeURL, SigningCertURL, TopicArn string }
		if err := json.Unmarshal(q.Body, &message); err != nil {
			t.Fatal(err)
		}
		w := &web{pages: map[string][]byte{message.SigningCertURL: []byte(v.Certificate), message.SubscribeURL: nil}}
		r := newRoute(t, verify.Spec{Provider: "sns", Topics: verify.Topics{message.TopicArn}}, v.clock(q), nil, verify.Options{Fetch: w.fetch})
		if reply, err := r.receive(t, q); err != nil || reply == nil || reply.Status != 200 {
			t.Errorf("SNS: reply = %+v, %v, want 200", reply, err)
		}
		if !slices.Equal(w.asked, []string{message.SigningCertURL, message.SubscribeURL}) {
			t.Errorf("SNS: visited %q", w.asked)
		}
	}
}

func TestNewHandshakerFailsClosed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec    verify.Spec
		secrets environment
	}{
		"unknown provider": {verify.Spec{Provider: "gihub", Secrets: []string{"env:S0"}}, environment{"k"}},
		"x, empty secret":  {verify.Spec{Provider: "x", Secrets: []string{"env:S0"}}, environment{""}},
		"zoom, no secret":  {verify.Spec{Provider: "zoom", Secrets: []string{"env:S0", "env:S1"}}, environment{"k"}},
		"meta, no token":   {verify.Spec{Provider: "meta", Secrets: []string{"env:S0"}, Token: &verify.Token{Reference: "env:S1"}}, environment{"k"}},
		"meta, bare token": {verify.Spec{Provider: "meta", Secrets: []string{"env:S0"}, Token: &verify.Token{Reference: "hunter2"}}, environment{"k"}},
		"sns, no fetch":    {verify.Spec{Provider: "sns", Topics: verify.Topics{"any"}}, nil},
	} {
		h, err := verify.NewHandshaker(test.spec, test.secrets.source(), verify.Options{Now: clockAt(epoch)})
		if err == nil || h != nil {
			t.Errorf("%s: NewHandshaker = %v, %v, want an error", name, h, err)
		}
	}
}

// FuzzHandshake sends anything, unsigned, and signed by the provider: what is
// answered is short, is not markup, and reveals no signature.
func FuzzHandshake(f *testing.F) {
	f.Add("GET", "crc_token=a&challenge=b&hub.mode=subscribe&hub.challenge=1&hub.verify_token=t&validationToken=c", `{"type":"url_verification","challenge":"a"}`, "o")
	f.Add("POST", "validationToken=%3Cb%3E", `{"event":"endpoint.url_validation","payload":{"plainToken":"a"}}`, "*")
	f.Add("OPTIONS", "%zz", `{"type":1}`, "")
	origins := verify.Options{CloudEvents: &verify.CloudEvents{Origins: []string{"a.example"}}}
	routes := map[string]*route{
		"slack": newRoute(f, verify.Spec{Provider: "slack"}, clockAt(epoch), environment{"k"}, origins),
		"zoom":  newRoute(f, verify.Spec{Provider: "zoom"}, clockAt(epoch), environment{"k"}, verify.Options{}),
		"x":     newRoute(f, verify.Spec{Provider: "x"}, clockAt(epoch), environment{"k"}, verify.Options{}),
		"meta":  newRoute(f, verify.Spec{Provider: "meta", Token: &verify.Token{Reference: "env:S1"}}, clockAt(epoch), environment{"k", "t"}, verify.Options{}),
		"graph": newRoute(f, verify.Spec{Provider: "microsoft-graph"}, clockAt(epoch), environment{"k"}, verify.Options{}),
		"box":   newRoute(f, verify.Spec{Provider: "dropbox"}, clockAt(epoch), environment{"k"}, verify.Options{}),
	}
	f.Fuzz(func(t *testing.T, method, query, body, origin string) {
		for name, r := range routes {
			q := &verify.Request{Method: method, Path: "/", RawQuery: query, Header: headers("WebHook-Request-Origin", origin), Body: []byte(body)}
			switch name {
			case "slack":
				q.Header = slackPost("k", body).Header
			case "zoom":
				q.Header = zoomPost("k", body).Header
			}
			reply, err := r.receive(t, q)
			if err != nil && reply != nil {
				t.Errorf("%s: both a reply and %v", name, err)
			}
			if reply != nil && (len(reply.Body) > 1024 || strings.ContainsAny(string(reply.Body), "<>\x00\n") ||
				len(reply.Body) > 0 && reply.Header.Get("X-Content-Type-Options") != "nosniff") {
				t.Errorf("%s: reply = %+v", name, reply)
			}
		}
	})
}
