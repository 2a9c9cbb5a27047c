package verify_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestPlacesOnRealDeliveries reads ids and events from recorded bodies.
func TestPlacesOnRealDeliveries(t *testing.T) {
	t.Parallel()
	const form, jsonType = "application/x-www-form-urlencoded", "application/json"
	tests := map[string]struct {
		provider  string
		header    []string
		id, event string
	}{
		"github/push.json":                         {"github", []string{"X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958", "X-GitHub-Event", "push"}, "72d3162e-cc78-11e3-81ab-4c9367dc0958", "push"},
		"stripe/payment_intent.succeeded.json":     {"stripe", nil, "evt_00000000000000", "payment_intent.succeeded"},
		"slack/event_callback.app_mention.json":    {"slack", nil, "", "app_mention"}, // this one was cut down before it was published
		"slack/slash_command.form":                 {"slack", []string{"Content-Type", form}, "", "/command"},
		"shopify/orders-create.json":               {"shopify", []string{"X-Shopify-Event-Id", "98880550-7158-44d4-b7cd-2c97c8a091b5", "X-Shopify-Topic", "orders/create"}, "98880550-7158-44d4-b7cd-2c97c8a091b5", "orders/create"},
		"sns/notification.json":                    {"sns", []string{"Content-Type", "text/plain; charset=UTF-8"}, "c0e5a280-53c9-5a98-93bb-c0a560b3d192", "Notification"},
		"pagerduty/incident.priority_updated.json": {"pagerduty", []string{"Content-Type", jsonType}, "", ""},
		"gitlab/push-event.json":                   {"gitlab", []string{"Idempotency-Key", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f", "X-Gitlab-Event", "Push Hook"}, "f5e5f430-f57b-4e6e-9fac-d9128cd7232f", "Push Hook"},
	}
	for file, test := range tests {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			body := shared.Read(t, "payloads/"+file)
			p, _ := verify.Lookup(test.provider)
			h := headers(test.header...)
			// If no literal is given, the standard library reads the value from the body.
			id, event := test.id, test.event
			var b map[string]any
			if h.Get("Content-Type") == form {
				values, err := url.ParseQuery(string(body))
				if err != nil {
					t.Fatal(err)
				}
				id, event = values.Get("trigger_id"), values.Get("command")
			} else if err := json.Unmarshal(body, &b); err != nil {
				t.Fatal(err)
			}
			switch test.provider {
			case "slack":
				if b != nil {
					id, _ = b["event_id"].(string)
				}
			case "pagerduty":
				inner, _ := b["event"].(map[string]any)
				id, _ = inner["id"].(string)
				event, _ = inner["event_type"].(string)
			case "stripe":
				id, _ = b["id"].(string)
			}
			if diff := cmp.Diff([]string{id, event}, []string{p.DeliveryID.Of(h, body), p.EventName.Of(h, body)}); diff != "" {
				t.Errorf("id and event (-want +got):\n%s", diff)
			}
			if event == "" {
				t.Error("no event: the test checks nothing")
			}
		})
	}
}

func TestPlaceOf(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	tests := map[string]struct {
		place       verify.Place
		contentType string
		body        string
		want        string
	}{
		"top":                {verify.Place{Body: "id"}, "", `{"a":{"id":"no"},"b":["id","no"],"id":"yes"}`, "yes"},
		"nested":             {verify.Place{Body: "event-data.id"}, "", `{"event-data":{"x":[{"id":1}],"id":"yes"}}`, "yes"},
		"number":             {verify.Place{Body: "n"}, "", `{"n":9007199254740993}`, "9007199254740993"},
		"true":               {verify.Place{Body: "n"}, "", `{"n":true}`, "true"},
		"null":               {verify.Place{Body: "n"}, "", `{"n":null}`, ""},
		"object":             {verify.Place{Body: "n"}, "", `{"n":{}}`, ""},
		"missing":            {verify.Place{Body: "n.m"}, "", `{"n":{},"m":1}`, ""},
		"through a text":     {verify.Place{Body: "n.m"}, "", `{"n":"m"}`, ""},
		"a list":             {verify.Place{Body: "n"}, "", `[{"n":1}]`, ""},
		"cut off":            {verify.Place{Body: "n"}, "", `{"n":"yes","m":`, "yes"},
		"cut before":         {verify.Place{Body: "n"}, "", `{"m":[1,`, ""},
		"deep":               {verify.Place{Body: "n"}, "", `{"m":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `,"n":"x"}`, ""},
		"empty":              {verify.Place{Body: "n"}, "", ``, ""},
		"control characters": {verify.Place{Body: "n"}, "", `{"n":"a\nb"}`, ""},
		"long":               {verify.Place{Body: "n"}, "", `{"n":"` + strings.Repeat("a", 257) + `"}`, ""},
		"form":               {verify.Place{Body: "n", Form: "f g"}, form, `n=no&f+g=a%20b&f+g=no`, "a b"},
		"form, bad escape":   {verify.Place{Form: "f"}, form, `%zz=1&f=%zz`, ""},
		"form, missing":      {verify.Place{Form: "f"}, form, `g=1`, ""},
		"form, no place":     {verify.Place{Body: "n"}, form, `n=1`, ""},
		"nowhere":            {verify.Place{}, "", `{"":"x"}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.place.Of(headers("Content-Type", test.contentType), []byte(test.body)); got != test.want {
				t.Errorf("Of = %q, want %q", got, test.want)
			}
		})
	}
	either := verify.Place{Header: "Svix-Id", OtherHeader: "Webhook-Id"}
	for want, h := range map[string]http.Header{"a": headers("Svix-Id", "a", "Webhook-Id", "b"), "b": headers("Webhook-Id", "b"), "": headers()} {
		if got := either.Of(h, nil); got != want {
			t.Errorf("Of %v = %q, want %q", h, got, want)
		}
	}
	twice := headers("X-Id", "a", "X-Id", "b")
	if got := (verify.Place{Header: "X-Id"}).Of(twice, nil); got != "" {
		t.Errorf("Of a header that comes twice = %q, want none", got)
	}
}

func FuzzPlace(f *testing.F) {
	f.Add([]byte(`{"a":{"b":1}}`), "a.b", false)
	f.Add([]byte(`{"a":[{"b":[]}],"b":"x"}`), "b", false)
	f.Add([]byte(`a=b&c=%20`), "c", true)
	f.Fuzz(func(t *testing.T, body []byte, path string, form bool) {
		h := headers()
		if form {
			h.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		got := verify.Place{Body: path, Form: path}.Of(h, body)
		if len(got) > 256 {
			t.Fatalf("%d bytes", len(got))
		}
		var parsed any
		if form || got == "" || json.Unmarshal(body, &parsed) != nil {
			return
		}
		names := strings.Split(path, ".")
		if strings.Count(string(body), `"`+names[0]+`"`) > 1 || strings.ContainsAny(string(body), `\`) {
			return // a name that comes twice
		}
		for _, name := range names {
			o, ok := parsed.(map[string]any)
			if !ok {
				t.Fatalf("%q at %q of %q", got, path, body)
			}
			parsed = o[name]
		}
		if s, ok := parsed.(string); ok && s != got {
			t.Errorf("%q at %q of %q, want %q", got, path, body, s)
		}
	})
}

// A row out of order is not found, nor are some of its neighbours, and a scheme without
// tools stops all tests that sign. No other test says why, so none runs.
func TestMain(m *testing.M) {
	names := verify.Providers()
	for i := range names[1:] {
		if names[i] >= names[i+1] {
			fmt.Printf("presets_*.go: the row of %s precedes that of %s: each name must occur once, in alphabetical order\n", names[i], names[i+1])
			os.Exit(1)
		}
	}
	if missing := verify.WithoutTools(); len(missing) > 0 {
		fmt.Printf("tools.go has no case for the scheme of %s\n", strings.Join(missing, ", "))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestPresetRows checks what every row of the table must have.
func TestPresetRows(t *testing.T) {
	t.Parallel()
	names := verify.Providers()
	if !slices.IsSorted(names) {
		t.Errorf("the providers are not in alphabetical order: %q", names)
	}
	for _, name := range names {
		p, _ := verify.Lookup(name)
		if p.Name != name || p.Deadline < time.Second/2 || p.Deadline > 30*time.Second || len(p.ContentTypes) == 0 {
			t.Errorf("%s: name %q, deadline %v, content types %v", name, p.Name, p.Deadline, p.ContentTypes)
		}
		if p.Tolerance > 0 && p.Retries.Signed != verify.ResendAnew && p.Tolerance < p.Retries.Span {
			t.Errorf("%s: a tolerance of %v refuses retries, which continue for %v (%s)", name, p.Tolerance, p.Retries.Span, p.Retries.Schedule)
		}
		if p.Retries.Signed != verify.ResendUnknown && p.Retries.Schedule == "" {
			t.Errorf("%s: says how retries are signed, but not when they arrive", name)
		}
		// A header is signed only where the template names it.
		for _, place := range []verify.Place{p.DeliveryID, p.EventName} {
			if h := place.Header; h != "" && !place.Unsigned &&
				!strings.Contains(p.Signature().Signed, "{header:"+h+"}") && !strings.Contains(p.Signature().Signed, "{header:"+place.OtherHeader+"}") {
				t.Errorf("%s: the signature does not cover %s", name, h)
			}
		}
	}
}

// TestSignatures compares the descriptions with what the verifiers read.
func TestSignatures(t *testing.T) {
	t.Parallel()
	for _, name := range verify.Providers() {
		p, _ := verify.Lookup(name)
		got := p.Signature()
		if got.Algorithm == "" || got.Signed == "" || got.Keys == "" || got.Encoding == "" && got.Algorithm != "equality" && !strings.HasPrefix(got.Algorithm, "jwt ") {
			t.Errorf("%s: %+v is not complete", name, got)
		}
		c, err := providertest.Complete(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := verify.New(c.Spec, secrets.NewEnv(func(string) string { return c.Secret }), verify.Options{Now: clockAt(epoch), Fetch: (&web{}).fetch})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		read := v.Headers()
		for _, h := range got.Headers {
			if !slices.Contains(read, strings.ToLower(h)) {
				t.Errorf("%s: the verifier does not read %s", name, h)
			}
		}
		if name != "gitlab" && len(read) != len(got.Headers) && p.Numbered == 0 {
			t.Errorf("%s: the verifier reads %q, and described are %q", name, read, got.Headers)
		}
	}
}

// TestLinear is made from the provider's description; there are no published vectors.
func TestLinear(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, verify.Spec{Provider: "linear"}, epoch, "k")
	for body, want := range map[string]verify.Reason{
		`{"type":"Issue","webhookTimestamp":1700000000000}`:             "",
		`{"type":"Issue","webhookTimestamp":1699973000000}`:             "",
		`{"type":"Issue","webhookTimestamp":1699972999999}`:             verify.Stale,
		`{"type":"Issue","webhookTimestamp":1700027000001}`:             verify.Stale,
		`{"type":"Issue","webhookTimestamp":"soon"}`:                    verify.Malformed,
		`{"type":"Issue","data":{"webhookTimestamp":1}}`:                "",
		`{"type":"Issue","data":{"x":[1]},"webhookTimestamp":17000000}`: verify.Stale,
	} {
		checkReason(t, v, post(body, "Linear-Signature", hexMAC("k", body)), want)
	}
	checkReason(t, v, post(`{"webhookTimestamp":1700000000000}`, "Linear-Signature", hexMAC("k", `{}`)), verify.Mismatch)
	long := newVerifier(t, verify.Spec{Provider: "linear", Tolerance: "10h"}, epoch, "k")
	body := `{"webhookTimestamp":1699965000000}`
	checkReason(t, long, post(body, "Linear-Signature", hexMAC("k", body)), "")
}
