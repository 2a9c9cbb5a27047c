package verify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/verify"
)

func sha1MAC(key, content string) string {
	m := hmac.New(sha1.New, []byte(key))
	m.Write([]byte(content))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func TestTwilio(t *testing.T) {
	t.Parallel()
	const form, signature = "application/x-www-form-urlencoded", "X-Twilio-Signature"
	sum := sha256.Sum256([]byte(`{"a":1}`))
	digest := hex.EncodeToString(sum[:])
	tests := map[string]struct {
		query, contentType, body, signed string
		want                             verify.Reason
	}{
		"repeated names":         {"", form, "b=2&a=y&a=x&a=x", "https://h.example/p" + "axay" + "b2", ""},
		"case sorts":             {"", form + "; charset=utf-8", "b=1&B=2", "https://h.example/pB2b1", ""},
		"query, plus and escape": {"q=%2F", form, "a=1+2%2B", "https://h.example/p?q=%2Fa1 2+", ""},
		"with port":              {"", form, "a=1", "https://h.example:443/pa1", ""},
		"other host":             {"", form, "a=1", "https://evil.example/pa1", verify.Mismatch},
		"first value only":       {"", form, "a=y&a=x", "https://h.example/pay", verify.Mismatch},
		"bad escape":             {"", form, "a=%zz", "https://h.example/pa%zz", verify.Malformed},
		"too many fields":        {"", form, strings.Repeat("a&", 20_000), "https://h.example/p", verify.Malformed},
		"json":                   {"bodySHA256=" + digest, "application/json", `{"a":1}`, "https://h.example/p?bodySHA256=" + digest, ""},
		"json, other body":       {"bodySHA256=" + digest, "application/json", `{"a":2}`, "https://h.example/p?bodySHA256=" + digest, verify.Mismatch},
		"json without digest":    {"", "application/json", `{"a":1}`, "https://h.example/p", verify.Missing},
		"json, two digests":      {"bodySHA256=" + digest + "&bodySHA256=00", "application/json", `{"a":1}`, "https://h.example/p?bodySHA256=" + digest + "&bodySHA256=00", verify.Mismatch},
		"form sent as json":      {"", "application/json", "a=1", "https://h.example/pa1", verify.Missing},
		"get":                    {"a=1", "", "", "https://h.example/p?a=1", ""},
	}
	v := newVerifier(t, verify.Spec{Provider: "twilio", URL: "https://h.example"}, epoch, "k")
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := headers(signature, sha1MAC("k", test.signed), "Host", "evil.example", "X-Forwarded-Host", "evil.example")
			if test.contentType != "" {
				h.Set("Content-Type", test.contentType)
			}
			checkReason(t, v, &verify.Request{Method: "POST", Path: "/p", RawQuery: test.query, Header: h, Body: []byte(test.body)}, test.want)
		})
	}
	// A URL with the port in it is signed without by some products.
	ported := newVerifier(t, verify.Spec{Provider: "twilio", URL: "https://h.example:443"}, epoch, "k")
	checkReason(t, ported, &verify.Request{Path: "/p", Header: headers(signature, sha1MAC("k", "https://h.example/p"))}, "")
}

func TestHubSpot(t *testing.T) {
	t.Parallel()
	const body = "{}"
	all := verify.Spec{Provider: "hubspot", URL: "https://h.example", Versions: []string{"v3", "v2", "v1"}}
	v := newVerifier(t, all, epoch, "k")
	v3 := base64.StdEncoding.EncodeToString(mac("k", "POSThttps://h.example/p?a=/b%20c"+body+"1700000000000"))
	plain := func(content string) string { s := sha256.Sum256([]byte(content)); return hex.EncodeToString(s[:]) }
	request := func(pairs ...string) *verify.Request {
		return &verify.Request{Method: "POST", Path: "/p", RawQuery: "a=%2Fb%20c", Header: headers(pairs...), Body: []byte(body)}
	}
	checkReason(t, v, request("X-HubSpot-Signature-v3", v3, "X-HubSpot-Request-Timestamp", "1700000000000"), "")
	// A bad v3 signature is not rescued by a good one of an older version.
	v1 := []string{"X-HubSpot-Signature", plain("k" + body), "X-HubSpot-Signature-Version", "v1"}
	checkReason(t, v, request(v1...), "")
	checkReason(t, v, request(append(v1, "X-HubSpot-Signature-v3", strings.Repeat("A", 43)+"=", "X-HubSpot-Request-Timestamp", "1700000000000")...), verify.Mismatch)
	checkReason(t, v, request("X-HubSpot-Signature", plain("kPOSThttps://h.example/p?a=%2Fb%20c"+body), "X-HubSpot-Signature-Version", "v2"), "")
	checkReason(t, v, request("X-HubSpot-Signature", plain("k"+body), "X-HubSpot-Signature-Version", "v2"), verify.Mismatch)
	checkReason(t, v, request("X-HubSpot-Signature", plain("k"+body)), verify.Missing)
	checkReason(t, v, request("X-HubSpot-Signature", plain("k"+body), "X-HubSpot-Signature-Version", "v4"), verify.Malformed)
}

func TestAdyen(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef")
	v := newVerifier(t, verify.Spec{Provider: "adyen"}, epoch, hex.EncodeToString(key))
	item := func(psp, signedPSP string) string {
		sum := base64.StdEncoding.EncodeToString(mac(string(key), signedPSP+"::M:R:10:EUR:AUTHORISATION:true"))
		return `{"NotificationRequestItem":{"additionalData":{"hmacSignature":"` + sum + `"},"pspReference":"` + psp +
			`","merchantAccountCode":"M","merchantReference":"R","amount":{"value":10,"currency":"EUR"},"eventCode":"AUTHORISATION","success":"true"}}`
	}
	for body, want := range map[string]verify.Reason{
		`{"notificationItems":[` + item("1", "1") + `]}`:                                                    "",
		`{"notificationItems":[` + item("1", "1") + `,` + item("2", "2") + `]}`:                             "",
		`{"notificationItems":[` + item("1", "1") + `,` + item("2", "1") + `]}`:                             verify.Mismatch,
		`{"notificationItems":[]}`:                                                                          verify.Malformed,
		`{"notificationItems":[{}]}`:                                                                        verify.Missing,
		`{"notificationItems":[` + strings.TrimSuffix(strings.Repeat(item("1", "1")+",", 1001), ",") + `]}`: verify.Malformed,
		`{}`:                         verify.Malformed,
		`[]`:                         verify.Malformed,
		`{"notificationItems":`:      verify.Malformed,
		strings.Repeat("[", 100_000): verify.Malformed,
	} {
		checkReason(t, v, &verify.Request{Body: []byte(body)}, want)
	}
}

func TestMailgunAndGraph(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, verify.Spec{Provider: "mailgun"}, epoch, "k")
	block := func(ts, token, signed string) string {
		return `{"signature":{"timestamp":"` + ts + `","token":"` + token + `","signature":"` + hexMAC("k", signed) + `"}}`
	}
	for body, want := range map[string]verify.Reason{
		block("1700000000", "abc", "1700000000abc"): "",
		block("1699967601", "abc", "1699967601abc"): "", // the last retry, eight hours later
		block("1699967599", "abc", "1699967599abc"): verify.Stale,
		block("17000000001", "bc", "17000000001bc"): verify.Malformed, // a digit from the token
		block("1700000000", "abd", "1700000000abc"): verify.Mismatch,
		`{"signature":{"timestamp":1700000000}}`:    verify.Missing,
		`{"signature":"x"}`:                         verify.Missing,
	} {
		checkReason(t, v, &verify.Request{Body: []byte(body)}, want)
	}
	graph := newVerifier(t, verify.Spec{Provider: "microsoft-graph"}, epoch, "s1", "s2")
	for body, want := range map[string]verify.Reason{
		`{"value":[{"clientState":"s1"},{"clientState":"s2"}]}`: "",
		`{"value":[{"clientState":"s1"},{"clientState":"s3"}]}`: verify.Mismatch,
		`{"value":[{"clientState":"s1"},{}]}`:                   verify.Missing,
		`{"value":[]}`:                                          verify.Malformed,
	} {
		checkReason(t, graph, &verify.Request{Body: []byte(body)}, want)
	}
}

// TestSNS changes a real notification before it is verified.
func TestSNS(t *testing.T) {
	t.Parallel()
	var original vector
	for _, v := range loadVectors(t) {
		if v.ID == "sns-notification-v2" {
			original = v
		}
	}
	if original.ID == "" {
		t.Fatal("the vector sns-notification-v2 is gone")
	}
	const topic = "arn:aws:sns:us-west-2:131990247566:dongie-standard-topic"
	at := original.clock(original.request(t))()
	tests := map[string]struct {
		change map[string]any
		topics verify.Topics
		after  time.Duration
		want   verify.Reason
	}{
		"as sent":              {nil, verify.Topics{topic}, 0, ""},
		"any topic":            {nil, verify.Topics{"any"}, 0, ""},
		"other topic":          {nil, verify.Topics{topic + "2"}, 0, verify.Mismatch},
		"message changed":      {map[string]any{"Message": "x"}, verify.Topics{topic}, 0, verify.Mismatch},
		"subject added":        {map[string]any{"Subject": "x"}, verify.Topics{topic}, 0, verify.Mismatch},
		"type changed":         {map[string]any{"Type": "SubscriptionConfirmation"}, verify.Topics{topic}, 0, verify.Missing},
		"unknown type":         {map[string]any{"Type": "X"}, verify.Topics{topic}, 0, verify.Malformed},
		"version 3":            {map[string]any{"SignatureVersion": "3"}, verify.Topics{topic}, 0, verify.Malformed},
		"version 1":            {map[string]any{"SignatureVersion": "1"}, verify.Topics{topic}, 0, verify.Mismatch},
		"stale":                {nil, verify.Topics{topic}, 3 * time.Hour, verify.Stale},
		"certificate expired":  {nil, verify.Topics{topic}, 400 * 24 * time.Hour, verify.Stale},
		"no signature":         {map[string]any{"Signature": nil}, verify.Topics{topic}, 0, verify.Malformed},
		"other host":           {map[string]any{"SigningCertURL": "https://sns.us-west-2.amazonaws.com.evil.example/SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem"}, verify.Topics{topic}, 0, verify.Malformed},
		"user in the host":     {map[string]any{"SigningCertURL": "https://sns.us-west-2.amazonaws.com@evil.example/SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem"}, verify.Topics{topic}, 0, verify.Malformed},
		"other region":         {map[string]any{"SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem"}, verify.Topics{topic}, 0, verify.Malformed},
		"http":                 {map[string]any{"SigningCertURL": "http://sns.us-west-2.amazonaws.com/SimpleNotificationService-7506a1e35b36ef5a444dd1a8e7cc3ed8.pem"}, verify.Topics{topic}, 0, verify.Malformed},
		"query":                {map[string]any{"SigningCertURL": "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-75.pem?x=1"}, verify.Topics{topic}, 0, verify.Malformed},
		"other path":           {map[string]any{"SigningCertURL": "https://sns.us-west-2.amazonaws.com/a/SimpleNotificationService-75.pem"}, verify.Topics{topic}, 0, verify.Malformed},
		"topic is not a topic": {map[string]any{"TopicArn": "arn:aws:s3:::x"}, verify.Topics{"any"}, 0, verify.Malformed},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var message map[string]any
			if err := json.Unmarshal([]byte(original.Request.Body), &message); err != nil {
				t.Fatal(err)
			}
			for k, v := range test.change {
				message[k] = v
			}
			body, err := json.Marshal(message)
			if err != nil {
				t.Fatal(err)
			}
			fetched := 0
			v, err := verify.New(verify.Spec{Provider: "sns", Topics: test.topics}, environment{}.source(), verify.Options{Now: clockAt(at.Add(test.after)), Fetch: func(_ context.Context, text string) ([]byte, error) {
				fetched++
				if u, err := url.Parse(text); err != nil || u.Host != "sns.us-west-2.amazonaws.com" || u.Scheme != "https" {
					t.Errorf("fetched %q", text)
				}
				return []byte(original.Certificate), nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			checkReason(t, v, &verify.Request{Body: body}, test.want)
			checkReason(t, v, &verify.Request{Body: body}, test.want)
			if fetched > 1 {
				t.Errorf("fetched the certificate %d times, want once", fetched)
			}
			if test.want == verify.Malformed && fetched > 0 {
				t.Errorf("fetched for a malformed message")
			}
		})
	}
}

func TestSNSCertificateOutage(t *testing.T) {
	t.Parallel()
	var original vector
	for _, v := range loadVectors(t) {
		if v.ID == "sns-notification-v1" {
			original = v
		}
	}
	r := original.request(t)
	for name, fetch := range map[string]verify.Fetch{
		"no answer": func(context.Context, string) ([]byte, error) { return nil, errors.New("no answer") },
		"not PEM":   func(context.Context, string) ([]byte, error) { return []byte("<html>"), nil },
		"not DER": func(context.Context, string) ([]byte, error) {
			return []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), nil
		},
	} {
		v, err := verify.New(verify.Spec{Provider: "sns", Topics: verify.Topics{"any"}}, environment{}.source(), verify.Options{Now: original.clock(r), Fetch: fetch})
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Verify(t.Context(), r); !errors.Is(err, verify.ErrSecrets) || errors.Is(err, verify.ErrUnverified) {
			t.Errorf("%s: Verify = %v, want ErrSecrets", name, err)
		}
	}
}
