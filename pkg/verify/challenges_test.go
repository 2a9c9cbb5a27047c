package verify_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestUnsignedHandshakesAreOptIn: unsigned handshakes are answered only if the route says
// so, echoes nothing but a plain short text, and starts nothing.
func TestUnsignedHandshakesAreOptIn(t *testing.T) {
	t.Parallel()
	monday := verify.Spec{Provider: "monday", Audience: "https://h.example/a"}
	feishu := verify.Spec{Provider: "feishu"}
	grid := verify.Spec{Provider: "azure-event-grid"}
	gridBody := `[{"data":{"validationCode":"512d38b6-c7b8","validationUrl":"https://x.example"}}]`
	for name, test := range map[string]struct {
		spec    verify.Spec
		request *verify.Request
		echoed  string
	}{
		"monday":               {monday, post(`{"challenge":"abc_-9"}`), `{"challenge":"abc_-9"}`},
		"monday, markup":       {monday, post(`{"challenge":"<script>"}`), ""},
		"monday, long":         {monday, post(`{"challenge":"` + strings.Repeat("a", 257) + `"}`), ""},
		"monday, no challenge": {monday, post(`{"event":{"type":"x"}}`), ""},
		"monday, GET":          {monday, get(url.Values{"challenge": {"abc"}}), ""},
		"feishu":               {feishu, post(`{"type":"url_verification","challenge":"abc","token":"t"}`), `{"challenge":"abc"}`},
		"feishu, delivery":     {feishu, post(`{"type":"event","challenge":"abc"}`), ""},
		"grid":                 {grid, post(gridBody, "Aeg-Event-Type", "SubscriptionValidation"), `{"validationResponse":"512d38b6-c7b8"}`},
		"grid, no header":      {grid, post(gridBody), ""},
		"grid, two events":     {grid, post(strings.Replace(gridBody, "[", "[{},", 1), "Aeg-Event-Type", "SubscriptionValidation"), ""},
		"grid, not a code":     {grid, post(strings.Replace(gridBody, "512d", "<b>", 1), "Aeg-Event-Type", "SubscriptionValidation"), ""},
		"grid, not a list":     {grid, post(`{"data":{}}`, "Aeg-Event-Type", "SubscriptionValidation"), ""},
		"grid, trailing text":  {grid, post(gridBody+"x", "Aeg-Event-Type", "SubscriptionValidation"), ""},
	} {
		off := newRoute(t, test.spec, clockAt(epoch), environment{"secret"}, verify.Options{})
		if reply, err := off.receive(t, test.request); reply != nil || verify.ReasonOf(err) == "" {
			t.Errorf("%s, off: %+v, %v, want a refusal", name, reply, err)
		}
		test.spec.Handshake = "echo"
		reply, err := newRoute(t, test.spec, clockAt(epoch), environment{"secret"}, verify.Options{}).receive(t, test.request)
		switch {
		case test.echoed == "" && (reply != nil || verify.ReasonOf(err) == ""):
			t.Errorf("%s: %+v, %v, want a refusal", name, reply, err)
		case test.echoed != "" && (reply == nil || reply.Status != 200 || string(reply.Body) != test.echoed):
			t.Errorf("%s: %+v, %v, want %s", name, reply, err, test.echoed)
		}
	}
}

// TestFurtherHandshakes checks the handshakes with requests of their own, which reveal no
// secret.
func TestFurtherHandshakes(t *testing.T) {
	t.Parallel()
	const secret = "not-to-be-shown"
	woo := post("webhook_id=12", "Content-Type", "application/x-www-form-urlencoded")
	okta := get(nil)
	okta.Header.Set("X-Okta-Verification-Challenge", "abc-1")
	trusted := get(nil)
	trusted.Header = okta.Header.Clone()
	trusted.Header.Set("Authorization", secret)
	bearer := get(nil)
	bearer.Header = okta.Header.Clone()
	bearer.Header.Set("Authorization", "Bearer "+secret)
	head := &verify.Request{Method: http.MethodHead, Header: headers()}
	for name, test := range map[string]struct {
		spec    verify.Spec
		request *verify.Request
		status  int // 0 for a refusal
		body    string
	}{
		"okta":                    {verify.Spec{Provider: "okta"}, trusted, 200, `{"verification":"abc-1"}`},
		"okta, unproven":          {verify.Spec{Provider: "okta"}, okta, 0, ""},
		"okta, with Bearer":       {verify.Spec{Provider: "okta"}, bearer, 0, ""},
		"okta, another GET":       {verify.Spec{Provider: "okta"}, get(nil), 405, ""},
		"trello":                  {verify.Spec{Provider: "trello", URL: "https://h.example"}, head, 200, ""},
		"mandrill":                {verify.Spec{Provider: "mandrill", URL: "https://h.example"}, head, 200, ""},
		"intercom":                {verify.Spec{Provider: "intercom"}, head, 200, ""},
		"github, no handshake":    {verify.Spec{Provider: "github"}, head, 0, ""},
		"woocommerce":             {verify.Spec{Provider: "woocommerce"}, woo, 200, ""},
		"woocommerce, JSON":       {verify.Spec{Provider: "woocommerce"}, post("webhook_id=12", "Content-Type", "application/json"), 0, ""},
		"woocommerce, more":       {verify.Spec{Provider: "woocommerce"}, post("webhook_id=12&a=1", "Content-Type", "application/x-www-form-urlencoded"), 0, ""},
		"braintree":               {verify.Spec{Provider: "braintree", PublicKey: "p"}, get(url.Values{"bt_challenge": {strings.Repeat("ab", 10)}}), 200, ""},
		"braintree, not hex":      {verify.Spec{Provider: "braintree", PublicKey: "p"}, get(url.Values{"bt_challenge": {strings.Repeat("xy", 10)}}), 0, ""},
		"braintree, short":        {verify.Spec{Provider: "braintree", PublicKey: "p"}, get(url.Values{"bt_challenge": {"ab"}}), 0, ""},
		"linkedin, not plain":     {verify.Spec{Provider: "linkedin"}, get(url.Values{"challengeCode": {"hmacsha256={}"}}), 0, ""},
		"nylas, markup":           {verify.Spec{Provider: "nylas"}, get(url.Values{"challenge": {"<b>"}}), 0, ""},
		"slack, certificate":      {verify.Spec{Provider: "slack"}, post("token=X&ssl_check=1", "Content-Type", "application/x-www-form-urlencoded"), 200, ""},
		"slack, other value":      {verify.Spec{Provider: "slack"}, post("token=X&ssl_check=2", "Content-Type", "application/x-www-form-urlencoded"), 0, ""},
		"slack, in the text":      {verify.Spec{Provider: "slack"}, post("text=ssl_check%3D1", "Content-Type", "application/x-www-form-urlencoded"), 0, ""},
		"slack, with a signature": {verify.Spec{Provider: "slack"}, post("ssl_check=1", "Content-Type", "application/x-www-form-urlencoded", "X-Slack-Signature", "v0=00"), 0, ""},
	} {
		reply, err := newRoute(t, test.spec, clockAt(epoch), environment{secret}, verify.Options{}).receive(t, test.request)
		if test.status == 0 {
			if reply != nil || verify.ReasonOf(err) == "" {
				t.Errorf("%s: %+v, %v, want a refusal", name, reply, err)
			}
			continue
		}
		if reply == nil || reply.Status != test.status || strings.Contains(string(reply.Body), secret) || name != "braintree" && string(reply.Body) != test.body || name == "braintree" && len(reply.Body) != len("p|")+40 {
			t.Errorf("%s: %+v, %v, want %d %s", name, reply, err, test.status, test.body)
		}
	}
}
