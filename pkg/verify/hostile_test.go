package verify_test

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A delivery is a signed request of a provider, made with a fixed secret.
type delivery struct {
	spec    verify.Spec
	secret  string
	request *verify.Request
	made    []string // the headers that the signer made, in order
}

const itemsBody = `{"a":"b","webhookTimestamp":1,"value":[{}],"notificationItems":[{"NotificationRequestItem":{"eventCode":"X"}}]}`

// deliveries are one of each provider whose secret can sign, and of the generic
// blocks.
func deliveries(t testing.TB) map[string]*delivery {
	t.Helper()
	out := map[string]*delivery{}
	for name, s := range signables() {
		d := &delivery{spec: s.spec, secret: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}
		if name == d.spec.Provider {
			c, err := providertest.Complete(name)
			if err != nil {
				t.Fatal(err)
			}
			d.spec, d.secret = c.Spec, c.Secret
		}
		if d.spec.URL == "" {
			d.spec.URL = "https://h.example"
		}
		if name == "gitlab" {
			d.secret = "a-token-of-gitlab"
		}
		d.request = d.signedAt(t, epoch, d.secret)
		out[name] = d
	}
	return out
}

func (d *delivery) signedAt(t testing.TB, at time.Time, secret string) *verify.Request {
	t.Helper()
	d.spec.Secrets = []string{"env:S0"}
	r := &verify.Request{Method: "POST", Path: "/p", Header: headers(), Body: []byte(itemsBody)}
	if p, ok := verify.Lookup(d.spec.Provider); ok && p.ContentTypes[0] == "application/x-www-form-urlencoded" {
		r.Header, r.Body = headers("Content-Type", p.ContentTypes[0]), []byte("a=1&b=2")
	}
	signed, err := verify.SignRequest(d.spec, secret, r, at)
	if err != nil {
		t.Fatalf("SignRequest: %v", err)
	}
	maps.Copy(r.Header, signed.Header)
	d.made = slices.Sorted(maps.Keys(signed.Header))
	r.RawQuery, r.Body = signed.RawQuery, signed.Body
	return r
}

func (d *delivery) verifier(t testing.TB, at time.Time, texts ...string) verify.Verifier {
	t.Helper()
	return newVerifier(t, d.spec, at, texts...)
}

// isToken says whether the delivery carries a token, which is any text.
func (d *delivery) isToken() bool {
	p, ok := verify.Lookup(d.spec.Provider)
	return ok && p.Token != nil
}

// with is the request with one header changed.
func (d *delivery) with(name string, values ...string) *verify.Request {
	r := *d.request
	r.Header = r.Header.Clone()
	if r.Header.Del(name); len(values) > 0 {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	return &r
}

// TestHostileHeaders removes every header that a scheme reads, or changes it as a malicious
// sender would.
func TestHostileHeaders(t *testing.T) {
	t.Parallel()
	for name, d := range deliveries(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := d.verifier(t, epoch, d.secret)
			checkReason(t, v, d.request, "")
			for _, header := range d.made {
				if header == "Content-Type" {
					continue // TestContentTypeCannotBeChosen has it
				}
				value := d.request.Header.Get(header)
				// Tokens and ids may be any text, so none is malformed.
				anyText := d.spec.Token != nil || name == "gitlab" || d.isToken() || strings.HasSuffix(header, "-Nonce") || strings.HasSuffix(header, "-Id")
				otherText := map[bool]verify.Reason{true: verify.Mismatch, false: verify.Malformed}[anyText]
				for what, test := range map[string]struct {
					values []string
					want   verify.Reason
				}{
					"missing":        {nil, verify.Missing},
					"empty":          {[]string{""}, verify.Missing},
					"twice":          {[]string{value, value}, verify.Malformed},
					"thousandfold":   {slices.Repeat([]string{value}, 1000), verify.Malformed},
					"huge":           {[]string{strings.Repeat(value, 1+(1<<20)/len(value))}, verify.Malformed},
					"without a form": {[]string{"!!!"}, otherText},
					"zero bytes":     {[]string{"\x00\x00"}, otherText},
					"many commas":    {[]string{strings.Repeat(",", 8000)}, otherText},
					"many pairs":     {[]string{strings.Repeat("v1=", 2600)}, otherText},
					"many spaces":    {[]string{strings.Repeat(" ", 8000)}, otherText},
					"invalid UTF-8":  {[]string{"\xff\xfe"}, otherText},
				} {
					got := verify.ReasonOf(v.Verify(t.Context(), d.with(header, test.values...)))
					if got != test.want {
						t.Errorf("%s %s: reason %q, want %q", header, what, got, test.want)
					}
				}
			}
		})
	}
}

// TestFreshness moves the clock over both edges of each tolerance.
func TestFreshness(t *testing.T) {
	t.Parallel()
	seen := 0
	for name, d := range deliveries(t) {
		preset, _ := verify.Lookup(d.spec.Provider)
		tolerance := preset.Tolerance
		if d.spec.HMAC != nil && (d.spec.HMAC.Timestamp != nil || d.spec.HMAC.TimestampKey != "") {
			tolerance = verify.DefaultTolerance
		}
		if tolerance == 0 || name == "gitlab" { // no time in this delivery
			continue
		}
		seen++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for after, want := range map[time.Duration]verify.Reason{
				tolerance: "", -tolerance: "", tolerance + time.Second: verify.Stale, -tolerance - time.Second: verify.Stale,
				100 * 365 * 24 * time.Hour: verify.Stale, -50 * 365 * 24 * time.Hour: verify.Stale,
			} {
				if got := verify.ReasonOf(d.verifier(t, epoch.Add(after), d.secret).Verify(t.Context(), d.request)); got != want {
					t.Errorf("%v after: reason %q, want %q", after, got, want)
				}
			}
		})
	}
	if seen < 12 {
		t.Errorf("%d schemes sign a time, want at least 12", seen)
	}
}

// TestRetiredSecrets signs with a secret that the route no longer lists, and with
// the second of three.
func TestRetiredSecrets(t *testing.T) {
	t.Parallel()
	for name, d := range deliveries(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other, third := "whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh", "whsec_YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJi"
			switch {
			case name == "gitlab":
				other, third = "another-token", "a-third-token"
			case !strings.HasPrefix(d.secret, "whsec_"):
				other, third = strings.Repeat("cd", 32), strings.Repeat("ef", 32)
			}
			checkReason(t, d.verifier(t, epoch, other, d.secret, third), d.request, "")
			checkReason(t, d.verifier(t, epoch, other, third), d.request, verify.Mismatch)
		})
	}
}

// TestSeveralSignatures sends the right signature among wrong ones, for the schemes whose
// senders list several during a rotation.
func TestSeveralSignatures(t *testing.T) {
	t.Parallel()
	at := fmt.Sprint(epoch.Unix())
	const body, key = `{"id":"1"}`, "k"
	good, bad := hexMAC(key, at+"."+body), hexMAC("retired", at+"."+body)
	paddle := func(k string) string { return "h1=" + hexMAC(k, at+":"+body) }
	plain := func(k string) string { return "v1=" + hexMAC(k, body) }
	for name, test := range map[string]struct {
		provider, header, value string
		want                    verify.Reason
	}{
		"stripe, last":           {"stripe", "Stripe-Signature", "t=" + at + ",v1=" + bad + ",v0=x,v1=" + good, ""},
		"stripe, none":           {"stripe", "Stripe-Signature", "t=" + at + ",v1=" + bad + ",v1=" + bad, verify.Mismatch},
		"stripe, other":          {"stripe", "Stripe-Signature", "t=" + at + ",v0=" + good, verify.Malformed},
		"stripe, two times":      {"stripe", "Stripe-Signature", "t=1,t=" + at + ",v1=" + good, verify.Malformed},
		"stripe, 32":             {"stripe", "Stripe-Signature", "t=" + at + strings.Repeat(",v1="+bad, 31) + ",v1=" + good, ""},
		"stripe, 33":             {"stripe", "Stripe-Signature", "t=" + at + strings.Repeat(",v1="+bad, 32) + ",v1=" + good, verify.Malformed},
		"paddle, last":           {"paddle", "Paddle-Signature", "ts=" + at + ";" + paddle("retired") + ";" + paddle(key), ""},
		"paddle, none":           {"paddle", "Paddle-Signature", "ts=" + at + ";" + paddle("retired"), verify.Mismatch},
		"pagerduty, last":        {"pagerduty", "X-PagerDuty-Signature", plain("retired") + "," + plain(key), ""},
		"pagerduty, none":        {"pagerduty", "X-PagerDuty-Signature", plain("retired") + "," + plain("x"), verify.Mismatch},
		"circleci, space":        {"circleci", "Circleci-Signature", plain("retired") + ", " + plain(key), ""},
		"github, two signatures": {"github", "X-Hub-Signature-256", "sha256=" + hexMAC(key, body) + ",sha256=" + hexMAC(key, body), verify.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkReason(t, newVerifier(t, verify.Spec{Provider: test.provider}, epoch, key), post(body, test.header, test.value), test.want)
		})
	}
}

// TestDescribedProviders are deliveries of providers that publish no vectors. They
// are made from the providers' descriptions, and the signatures with another
// implementation of HMAC (Python's).
func TestDescribedProviders(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		provider, secret string
		request          *verify.Request
	}{
		"zoom": {"zoom", "OkF0UZxaTkuZkgSEtuzBOg", post(`{"event":"meeting.started","payload":{"object":{"id":"1"}}}`,
			"x-zm-request-timestamp", "1700000000", "x-zm-signature", "v0=5dff246d4118b4f419b658e692372b86be8d89698d0c801f654a7bce734524f4")},
		"intercom": {"intercom", "app-client-secret", post(`{"type":"notification_event","topic":"conversation.user.created","id":"notif_1"}`,
			"X-Hub-Signature", "sha1=b317bada2ac7c1763c4fe79b038d3ef09a36c77c")},
		"meta, escaped": {"meta", "app-secret", post(`{"object":"page","entry":[{"id":"1","changes":[{"value":"\u00e4\u00f6 \/"}]}]}`,
			"X-Hub-Signature-256", "sha256=1218b86b3477eb3e726a3a2cf0c1cd646605f88019d88fc749eb5e1c60e687e3")},
		"dropbox": {"dropbox", "app-secret", post(`{"list_folder":{"accounts":["dbid:AAH4f99"]},"delta":{"users":[12345678]}}`,
			"X-Dropbox-Signature", "54570496bf0e56c82f2c6785d8e623366fde9a5c0f65f0c5c67cbc482b79fe80")},
		"linear": {"linear", "lin_wh_secret", post(`{"action":"create","type":"Issue","webhookTimestamp":1700000000000}`,
			"Linear-Signature", "91e919dc0fd99df1cae12efef1ca08b082cfa523f101b572ec14ed98863fdf35")},
		"mailgun": {"mailgun", "key-1", post(`{"signature":{"token":"a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0","timestamp":"1700000000","signature":"20a8a5ad3dfbab30cb8037983526c7a9bfacf623af0b40939c0c686675015aa6"},"event-data":{"event":"opened"}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkReason(t, newVerifier(t, verify.Spec{Provider: test.provider}, epoch, test.secret), test.request, "")
			checkReason(t, newVerifier(t, verify.Spec{Provider: test.provider}, epoch, test.secret+"x"), test.request, verify.Mismatch)
			if test.provider != "mailgun" {
				changed := *test.request
				changed.Body = append([]byte(" "), changed.Body...)
				checkReason(t, newVerifier(t, verify.Spec{Provider: test.provider}, epoch, test.secret), &changed, verify.Mismatch)
			}
		})
	}
}

// TestBoxTwoKeys changes the primary key while the secondary is good, and the other
// way round.
func TestBoxTwoKeys(t *testing.T) {
	t.Parallel()
	spec := verify.Spec{Provider: "box", Secrets: []string{"env:S0"}}
	made := func(key string) string {
		h, err := verify.Sign(spec, key, post("{}"), epoch)
		if err != nil {
			t.Fatal(err)
		}
		return h.Get("Box-Signature-Primary")
	}
	h, err := verify.Sign(spec, "new", post("{}"), epoch)
	if err != nil {
		t.Fatal(err)
	}
	request := func(primary, secondary string) *verify.Request {
		r := post("{}")
		r.Header = h.Clone()
		r.Header.Del("Box-Signature-Primary")
		for name, value := range map[string]string{"Box-Signature-Primary": primary, "Box-Signature-Secondary": secondary} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		return r
	}
	both := newVerifier(t, spec, epoch, "new", "old")
	one := newVerifier(t, spec, epoch, "old")
	checkReason(t, both, request(made("new"), made("old")), "")
	checkReason(t, one, request(made("new"), made("old")), "")
	checkReason(t, both, request("", made("old")), "")
	checkReason(t, both, request(made("old"), ""), "")
	checkReason(t, one, request(made("new"), made("third")), verify.Mismatch)
	checkReason(t, one, request("", ""), verify.Missing)
	wrong := request(made("old"), "")
	wrong.Header.Set("Box-Signature-Algorithm", "HmacSHA1")
	checkReason(t, one, wrong, verify.Malformed)
}

// TestEverySecretIsTried checks that the cost of a refusal does not reveal how many secrets
// precede one that is nearly right.
func TestEverySecretIsTried(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	source := &rotating{func(ref secrets.Reference) (secrets.Secret, error) {
		asked[ref.Name]++
		return secrets.New("secret-" + ref.Name), nil
	}}
	v, err := verify.New(verify.Spec{Provider: "github", Secrets: []string{"env:A", "env:B", "env:C"}}, source, verify.Options{Now: clockAt(epoch)})
	if err != nil {
		t.Fatal(err)
	}
	clear(asked)
	checkReason(t, v, post("{}", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(make([]byte, 32))), verify.Mismatch)
	if asked["A"] != 1 || asked["B"] != 1 || asked["C"] != 1 {
		t.Errorf("secrets asked for: %v, want each once", asked)
	}
}
