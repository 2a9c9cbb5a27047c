package httpfront_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A dedupe store for one test, without time.
type mapStore map[string]*bridge.Record

func (m mapStore) Claim(_ context.Context, c bridge.Claim) (bridge.Record, error) {
	if have := m[c.Key]; have != nil {
		return *have, nil
	}
	m[c.Key] = &bridge.Record{State: bridge.Held, Fingerprint: c.Fingerprint, Until: c.Until}
	return bridge.Record{State: bridge.Claimed}, nil
}

func (m mapStore) Complete(_ context.Context, c bridge.Claim, answer []byte) error {
	m[c.Key].State, m[c.Key].Answer = bridge.Completed, answer
	return nil
}

func (m mapStore) Release(_ context.Context, c bridge.Claim) error {
	delete(m, c.Key)
	return nil
}

func TestDedupe(t *testing.T) {
	t.Parallel()
	const keys = open + "    dedupe: {key: '{% $request.headers.\"idempotency-key\" %}'}\n" +
		"    catch: [{errors: [Gone], status: 410, headers: {X-Why: gone}}, {errors: [Busy], status: 429}]\n"
	png := base64.StdEncoding.EncodeToString([]byte{0xff, 0xd8, 0})
	tests := map[string]struct {
		starter starterFunc
		starts  int // of two deliveries
		status  int
		body    string
	}{
		"success":                   {succeedWith(`{"id":1}`), 1, 200, `{"id":1}`},
		"binary":                    {succeedWith(`{"statusCode":201,"headers":{"Content-Type":"image/png"},"cookies":["a=b","c=d"],"body":"` + png + `","isBase64Encoded":true}`), 1, 201, png},
		"a refusal that is final":   {end(bridge.Failed, "Gone", ""), 1, 410, ""},
		"a retry is asked for":      {end(bridge.Failed, "Busy", ""), 2, 429, ""},
		"failed":                    {end(bridge.Failed, "Other", ""), 2, 500, ""},
		"success without an answer": {succeedWith(`{"statusCode":"no"}`), 1, 502, ""},
		"nothing was started":       {refuseWith(bridge.Throttled), 2, 503, ""},
		"unknown outcome":           {refuseWith(bridge.Unknown), 1, 502, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			starts := 0
			f := frontWith(t, route(keys), starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
				starts++
				return test.starter(ctx, s)
			}), bridge.Options{Dedupe: mapStore{}})
			first := invoke(t, f, post(`{}`, "idempotency-key", "k"))
			second := invoke(t, f, post(`{}`, "idempotency-key", "k"))
			if first.StatusCode != test.status || test.body != "" && first.Body != test.body {
				t.Errorf("first = %d %s, want %d %s", first.StatusCode, first.Body, test.status, test.body)
			}
			if starts != test.starts {
				t.Errorf("%d starts, want %d", starts, test.starts)
			}
			switch {
			case test.starts == 2:
			case name == "unknown outcome":
				if second.StatusCode != 409 || second.Headers["Retry-After"] == "" || !strings.Contains(second.Body, bridge.InProgress) {
					t.Errorf("second = %+v, want 409 and Retry-After", second)
				}
			default:
				first.Headers["Idempotent-Replayed"] = "true"
				if diff := cmp.Diff(first, second); diff != "" {
					t.Errorf("second (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestDedupeMismatch(t *testing.T) {
	t.Parallel()
	f := frontWith(t, route(open+"    dedupe: {key: '{% $request.body.id %}'}\n"), starterFunc(echo), bridge.Options{Dedupe: mapStore{}})
	_ = invoke(t, f, post(`{"id":"1"}`))
	if got := invoke(t, f, post(`{"id":"1","more":true}`)); got.StatusCode != 422 || !strings.Contains(got.Body, bridge.DedupeMismatch) {
		t.Errorf("same key, other body = %d %s, want 422", got.StatusCode, got.Body)
	}
	store := mapStore{}
	f = frontWith(t, route(open+"    dedupe: {key: '{% $request.body.id %}'}\n"), starterFunc(echo), bridge.Options{Dedupe: store})
	_ = invoke(t, f, post(`{"id":"1"}`))
	for answer, status := range map[string]int{`null`: 200, `{"status":1}`: 500, `{"status":200,"base64":"*"}`: 500, `{`: 500} {
		for _, rec := range store {
			rec.Answer = []byte(answer)
		}
		if got := invoke(t, f, post(`{"id":"1"}`)); got.StatusCode != status || status == 500 != strings.Contains(got.Body, bridge.Internal) {
			t.Errorf("stored %s: got %d %s, want %d", answer, got.StatusCode, got.Body, status)
		}
	}
}

// An answer that is too large for a store is kept without its body.
func TestLargeAnswerIsKeptInPart(t *testing.T) {
	t.Parallel()
	output, _ := json.Marshal(map[string]any{"statusCode": 201, "headers": map[string]string{"X-A": "b"}, "body": strings.Repeat("x", 400<<10)})
	f := frontWith(t, route(open+"    dedupe: {key: '{% $request.body.id %}'}\n"), succeedWith(string(output)), bridge.Options{Dedupe: mapStore{}})
	first, second := invoke(t, f, post(`{"id":"1"}`)), invoke(t, f, post(`{"id":"1"}`))
	if len(first.Body) != 400<<10 || second.StatusCode != 201 || second.Headers["X-A"] != "b" || second.Body != "" {
		t.Errorf("first %d bytes, second %d %v %d bytes", len(first.Body), second.StatusCode, second.Headers, len(second.Body))
	}
}

// A provider's own delivery id is the key, and part of the execution's name, once it is
// verified.
func TestProvidersDeliveryID(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ provider, body, other, id string }{
		"in the body":        {"stripe", `{"object":"event","id":"evt_1","type":"invoice.paid"}`, `{"object":"event","id":"evt_2","type":"invoice.paid"}`, "evt_1"},
		"in a nested object": {"pagerduty", `{"event":{"agent":[{"id":"no"}],"id":"01D"}}`, `{"event":{"id":"01E"}}`, "01D"},
		"nowhere":            {"slack", `{"type":"event_callback"}`, `{"type":"event_callback","a":1}`, "req-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var names []string
			f := frontWith(t, "  - {name: a, http: POST /a, verify: {provider: "+test.provider+", secrets: ['env:SECRET']}, start: m, dedupe: true}\n",
				starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
					names = append(names, s.Name)
					return echo(ctx, s)
				}), bridge.Options{Dedupe: mapStore{}})
			for _, body := range []string{test.body, test.body, test.other} {
				if got := invoke(t, f, signedEvent(t, test.provider, "/a", body)); got.StatusCode != 200 {
					t.Fatalf("%d %s", got.StatusCode, got.Body)
				}
			}
			want := 2
			if test.id == "req-1" {
				want = 3 // without an id there is no key
			}
			if len(names) != want || names[0] != "a-"+test.id {
				t.Errorf("executions = %q, want %d, the first named after %s", names, want, test.id)
			}
		})
	}
	// Nobody signs GitHub's id: with another body it is another delivery, and no mismatch.
	starts := 0
	f := frontWith(t, "  - {name: a, http: POST /a, verify: {provider: github, secrets: ['env:SECRET']}, start: m, dedupe: true}\n",
		starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			starts++
			return echo(ctx, s)
		}), bridge.Options{Dedupe: mapStore{}})
	for _, body := range []string{`{"a":1}`, `{"a":2}`, `{"a":1}`} {
		if got := invoke(t, f, signedEvent(t, "github", "/a", body, "x-github-delivery", "d")); got.StatusCode != 200 {
			t.Errorf("%s: %d %s", body, got.StatusCode, got.Body)
		}
	}
	if starts != 2 {
		t.Errorf("%d starts, want 2", starts)
	}
}

// Standard Webhooks come under two families of headers, and either has the id.
func TestStandardWebhooksID(t *testing.T) {
	t.Parallel()
	starts := 0
	vars := map[string]string{"S": "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))}
	cfg := "  - {name: a, http: POST /a, verify: {provider: standard-webhooks, secrets: ['env:S']}, start: m, dedupe: true}\n"
	f := newFront(t, cfg, starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		starts++
		if s.Name != "a-msg_1" {
			t.Errorf("name = %q, want the message's id in it", s.Name)
		}
		return echo(ctx, s)
	}), func(name string) string { return vars[name] }, bridge.Options{Dedupe: mapStore{}}, httpfront.Options{})
	r := &verify.Request{Method: "POST", Path: "/a", Header: http.Header{"Webhook-Id": {"msg_1"}}, Body: []byte(`{}`)}
	h, err := verify.Sign(verify.Spec{Provider: "standard-webhooks", Secrets: []string{"env:S"}}, vars["S"], r, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range []string{"webhook", "svix"} {
		got := invoke(t, f, post(`{}`, family+"-id", "msg_1", family+"-timestamp", h.Get("Webhook-Timestamp"), family+"-signature", h.Get("Webhook-Signature")))
		if got.StatusCode != 200 {
			t.Errorf("%s: %d %s", family, got.StatusCode, got.Body)
		}
	}
	if starts != 1 {
		t.Errorf("%d starts, want 1", starts)
	}
}

// A faultyStore fails to keep an answer, after a while.
type faultyStore struct {
	mapStore
	takes time.Duration
	err   error
}

func (s faultyStore) Complete(ctx context.Context, c bridge.Claim, answer []byte) error {
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.err != nil {
		return s.err
	}
	return s.mapStore.Complete(ctx, c, answer)
}

// The answer is the same whatever becomes of the record, and is sent once the record is
// written or given up: nothing continues while the function is frozen.
func TestAnswerBesideTheRecord(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		store     faultyStore
		left      time.Duration // until Lambda's deadline
		answers   time.Duration
		duplicate int
	}{
		"kept":                  {faultyStore{}, time.Minute, 0, 200},
		"kept late":             {faultyStore{takes: time.Second}, time.Minute, time.Second, 200},
		"not kept":              {faultyStore{takes: time.Second, err: errors.New("down")}, time.Minute, time.Second, 409},
		"never":                 {faultyStore{takes: time.Hour}, time.Minute, 2 * time.Second, 409},
		"never, and it is late": {faultyStore{takes: time.Hour}, 1100 * time.Millisecond, 800 * time.Millisecond, 409},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				test.store.mapStore = mapStore{}
				f := frontWith(t, route(open+"    dedupe: {key: '{% $request.body.id %}'}\n"), succeedWith(`{"n":1}`), bridge.Options{Dedupe: test.store})
				ctx, cancel := context.WithTimeout(t.Context(), test.left)
				defer cancel()
				began := time.Now()
				out, err := f.Invoke(ctx, post(`{"id":"1"}`))
				if took := time.Since(began); took != test.answers || err != nil || !strings.Contains(string(out), `{\"n\":1}`) {
					t.Errorf("answered after %v: %s, %v; want the execution's output after %v", took, out, err, test.answers)
				}
				if got := invoke(t, f, post(`{"id":"1"}`)); got.StatusCode != test.duplicate {
					t.Errorf("the duplicate is answered %d %s, want %d", got.StatusCode, got.Body, test.duplicate)
				}
			})
		})
	}
}
