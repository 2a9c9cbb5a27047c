package verify_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // what the provider signs with
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A signing holds what a sender signs with.
type signing struct {
	key, body string
	at        time.Time
	to        string // the URL
	header    http.Header
}

func (s signing) mac(h func() hash.Hash, text string) []byte {
	m := hmac.New(h, []byte(s.key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func (s signing) hex(text string) string { return hex.EncodeToString(s.mac(sha256.New, text)) }
func (s signing) base64(text string) string {
	return base64.StdEncoding.EncodeToString(s.mac(sha256.New, text))
}
func (s signing) sha1(text string) []byte { return s.mac(sha1.New, text) }
func (s signing) seconds() string         { return strconv.FormatInt(s.at.Unix(), 10) }
func (s signing) millis() string          { return strconv.FormatInt(s.at.UnixMilli(), 10) }
func (s signing) set(name, value string)  { s.header.Set(name, value) }
func (s signing) pair(t, v, sep, at string) string {
	return t + "=" + at + sep + v + "=" + s.hex(at+"."+s.body)
}

// ofBody reads a document that says: the header is the signature of the body.
func ofBody(header, prefix string, encode func(signing) string) func(signing) {
	return func(s signing) { s.set(header, prefix+encode(s)) }
}

func hexBody(s signing) string    { return s.hex(s.body) }
func base64Body(s signing) string { return s.base64(s.body) }
func sha1Body(s signing) string   { return hex.EncodeToString(s.sha1(s.body)) }

// readings are naive readings of the providers' documents, with none of the code that
// they are compared with.
var readings = map[string]func(signing){
	"airtable":        ofBody("X-Airtable-Content-MAC", "hmac-sha256=", hexBody),
	"asana":           ofBody("X-Hook-Signature", "", hexBody),
	"bitbucket":       ofBody("X-Hub-Signature", "sha256=", hexBody),
	"cal-com":         ofBody("X-Cal-Signature-256", "", hexBody),
	"checkout-com":    ofBody("Cko-Signature", "", hexBody),
	"circleci":        ofBody("circleci-signature", "v1=", hexBody),
	"clickup":         ofBody("X-Signature", "", hexBody),
	"coinbase":        ofBody("X-CC-Webhook-Signature", "", hexBody),
	"confluence":      ofBody("X-Hub-Signature", "sha256=", hexBody),
	"docusign":        ofBody("X-DocuSign-Signature-1", "", base64Body),
	"dropbox":         ofBody("X-Dropbox-Signature", "", hexBody),
	"dwolla":          ofBody("X-Request-Signature-SHA-256", "", hexBody),
	"easypost":        ofBody("X-Hmac-Signature", "hmac-sha256-hex=", hexBody),
	"flutterwave":     ofBody("flutterwave-signature", "", base64Body),
	"gitea":           ofBody("X-Gitea-Signature", "", hexBody),
	"github":          ofBody("X-Hub-Signature-256", "sha256=", hexBody),
	"gocardless":      ofBody("Webhook-Signature", "", hexBody),
	"instagram":       ofBody("X-Hub-Signature-256", "sha256=", hexBody),
	"intercom":        ofBody("X-Hub-Signature", "sha1=", sha1Body),
	"jira":            ofBody("X-Hub-Signature", "sha256=", hexBody),
	"lemonsqueezy":    ofBody("X-Signature", "", hexBody),
	"line":            ofBody("x-line-signature", "", base64Body),
	"linear":          ofBody("Linear-Signature", "", hexBody),
	"meta":            ofBody("X-Hub-Signature-256", "sha256=", hexBody),
	"microsoft-teams": ofBody("Authorization", "HMAC ", base64Body),
	"notion":          ofBody("X-Notion-Signature", "sha256=", hexBody),
	"nylas":           ofBody("X-Nylas-Signature", "", hexBody),
	"pagerduty":       ofBody("X-PagerDuty-Signature", "v1=", hexBody),
	"razorpay":        ofBody("X-Razorpay-Signature", "", hexBody),
	"segment":         ofBody("X-Signature", "", sha1Body),
	"sentry":          ofBody("Sentry-Hook-Signature", "", hexBody),
	"shopify":         ofBody("X-Shopify-Hmac-Sha256", "", base64Body),
	"typeform":        ofBody("Typeform-Signature", "sha256=", base64Body),
	"vercel":          ofBody("x-vercel-signature", "", sha1Body),
	"whatsapp":        ofBody("X-Hub-Signature-256", "sha256=", hexBody),
	"woocommerce":     ofBody("X-WC-Webhook-Signature", "", base64Body),
	"x":               ofBody("x-twitter-webhooks-signature", "sha256=", base64Body),
	"xero":            ofBody("x-xero-signature", "", base64Body),
	"linkedin":        ofBody("X-LI-Signature", "", func(s signing) string { return s.hex("hmacsha256=" + s.body) }),
	"patreon":         ofBody("X-Patreon-Signature", "", func(s signing) string { return hex.EncodeToString(s.mac(md5.New, s.body)) }),
	"paystack":        ofBody("x-paystack-signature", "", func(s signing) string { return hex.EncodeToString(s.mac(sha512.New, s.body)) }),

	"calendly":   func(s signing) { s.set("Calendly-Webhook-Signature", s.pair("t", "v1", ",", s.seconds())) },
	"elevenlabs": func(s signing) { s.set("ElevenLabs-Signature", s.pair("t", "v0", ",", s.seconds())) },
	"mux":        func(s signing) { s.set("Mux-Signature", s.pair("t", "v1", ",", s.seconds())) },
	"persona":    func(s signing) { s.set("Persona-Signature", s.pair("t", "v1", ",", s.seconds())) },
	"shippo":     func(s signing) { s.set("Shippo-Auth-Signature", s.pair("t", "v1", ",", s.seconds())) },
	"stripe":     func(s signing) { s.set("Stripe-Signature", s.pair("t", "v1", ",", s.seconds())) },
	"tiktok":     func(s signing) { s.set("TikTok-Signature", s.pair("t", "s", ",", s.seconds())) },
	"workos":     func(s signing) { s.set("WorkOS-Signature", s.pair("t", "v1", ", ", s.millis())) },
	"paddle":     func(s signing) { s.set("Paddle-Signature", "ts="+s.seconds()+";h1="+s.hex(s.seconds()+":"+s.body)) },
	"recurly":    func(s signing) { s.set("recurly-signature", s.millis()+","+s.hex(s.millis()+"."+s.body)) },
	"sanity": func(s signing) {
		s.set("sanity-webhook-signature", "t="+s.millis()+",v1="+base64.RawURLEncoding.EncodeToString(s.mac(sha256.New, s.millis()+"."+s.body)))
	},
	"airwallex": func(s signing) {
		s.set("x-timestamp", s.millis())
		s.set("x-signature", s.hex(s.millis()+s.body))
	},
	"customer-io": func(s signing) {
		s.set("X-CIO-Timestamp", s.seconds())
		s.set("X-CIO-Signature", s.hex("v0:"+s.seconds()+":"+s.body))
	},
	"slack": func(s signing) {
		s.set("X-Slack-Request-Timestamp", s.seconds())
		s.set("X-Slack-Signature", "v0="+s.hex("v0:"+s.seconds()+":"+s.body))
	},
	"zoom": func(s signing) {
		s.set("x-zm-request-timestamp", s.seconds())
		s.set("x-zm-signature", "v0="+s.hex("v0:"+s.seconds()+":"+s.body))
	},
	"webflow": func(s signing) {
		s.set("X-Webflow-Timestamp", s.millis())
		s.set("X-Webflow-Signature", s.hex(s.millis()+":"+s.body))
	},
	"zendesk": func(s signing) {
		s.set("X-Zendesk-Webhook-Signature-Timestamp", s.at.Format(time.RFC3339))
		s.set("X-Zendesk-Webhook-Signature", s.base64(s.at.Format(time.RFC3339)+s.body))
	},
	"twitch": func(s signing) {
		s.set("Twitch-Eventsub-Message-Id", "m-1")
		s.set("Twitch-Eventsub-Message-Timestamp", s.at.Format(time.RFC3339))
		s.set("Twitch-Eventsub-Message-Signature", "sha256="+s.hex("m-1"+s.at.Format(time.RFC3339)+s.body))
	},
	"klaviyo": func(s signing) {
		s.set("Klaviyo-Timestamp", s.at.Format(http.TimeFormat))
		s.set("Klaviyo-Signature", s.hex(s.body+s.at.Format(http.TimeFormat)))
	},
	"feishu": func(s signing) {
		s.set("X-Lark-Request-Timestamp", s.seconds())
		s.set("X-Lark-Request-Nonce", "n-1")
		sum := sha256.Sum256([]byte(s.seconds() + "n-1" + s.key + s.body))
		s.set("X-Lark-Signature", hex.EncodeToString(sum[:]))
	},
	"square": func(s signing) { s.set("x-square-hmacsha256-signature", s.base64(s.to+s.body)) },
	"trello": func(s signing) {
		s.set("X-Trello-Webhook", base64.StdEncoding.EncodeToString(s.sha1(s.body+s.to)))
	},
	"mandrill": func(s signing) {
		form, _ := url.ParseQuery(s.body) // of one field
		s.set("X-Mandrill-Signature", base64.StdEncoding.EncodeToString(s.sha1(s.to+"mandrill_events"+form.Get("mandrill_events"))))
	},
}

// decodedKeys are of providers that show the key in base64.
var decodedKeys = map[string]bool{"airtable": true, "microsoft-teams": true}

// sent is the request that a naive sender makes of a body.
func sent(provider, key, body string, at time.Time) *verify.Request {
	s := signing{key: key, body: body, at: at, to: "https://hooks.example.com/hook", header: http.Header{"Content-Type": {"application/json"}}}
	switch provider {
	case "feishu", "x": // a plain hash of JSON; challenges, which are not objects, are signed for anyone
		s.body = `{"text":"` + base64.StdEncoding.EncodeToString([]byte(body)) + `"}`
	case "mandrill":
		s.body = "mandrill_events=" + url.QueryEscape(body)
		s.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	readings[provider](s)
	return &verify.Request{Method: "POST", Path: "/hook", Header: s.header, Body: []byte(s.body)}
}

// FuzzReadings compares every preset that is parameters of an HMAC with a naive reading of
// its provider's document: what that signs is accepted, and nothing else is.
func FuzzReadings(f *testing.F) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var key string
	source := secrets.NewEnv(func(string) string { return key })
	verifiers := map[string]verify.Verifier{}
	for _, name := range verify.Providers() {
		p, _ := verify.Lookup(name)
		if p.HMAC == nil {
			continue
		}
		if readings[name] == nil {
			f.Errorf("%s: there is no reading of its document", name)
			continue
		}
		c, err := providertest.Complete(name)
		if err != nil {
			f.Fatal(err)
		}
		key = c.Secret
		if verifiers[name], err = verify.New(c.Spec, source, verify.Options{Now: func() time.Time { return now }}); err != nil {
			f.Fatal(err)
		}
	}
	if len(verifiers) != len(readings) {
		f.Errorf("%d presets, and %d readings", len(verifiers), len(readings))
	}
	f.Add([]byte(`{"id":"evt_1","type":"payment","amount":1250}`), []byte("a secret"), uint16(7))
	f.Add([]byte{}, []byte{1}, uint16(0))
	f.Add([]byte("a=b&c=%20d\r\n\x00\xff"), []byte("\x80 key"), uint16(65535))
	f.Fuzz(func(t *testing.T, body, secret []byte, at uint16) {
		if bytes.Contains(body, []byte("webhookTimestamp")) {
			return // Linear's, which is judged
		}
		text := "k" + hex.EncodeToString(secret)
		for name, v := range verifiers {
			key = text
			signedWith := text
			if decodedKeys[name] {
				key = base64.StdEncoding.EncodeToString([]byte(text))
			}
			r := sent(name, signedWith, string(body), now)
			if err := v.Verify(t.Context(), r); err != nil {
				t.Fatalf("%s refuses what its document says: %v\n%v\n%q", name, err, r.Header, r.Body)
			}
			if forged := sent(name, signedWith+"x", string(body), now); !errors.Is(v.Verify(t.Context(), forged), verify.ErrUnverified) {
				t.Fatalf("%s accepts another key's signature", name)
			}
			if len(r.Body) > 0 {
				changed := bytes.Clone(r.Body)
				changed[int(at)%len(changed)] ^= 1
				if name == "mandrill" {
					changed = append(r.Body, 'x')
				}
				r.Body = changed
				if err := v.Verify(t.Context(), r); !errors.Is(err, verify.ErrUnverified) {
					t.Fatalf("%s: %v for a changed body, want unverified", name, err)
				}
			}
		}
	})
}
