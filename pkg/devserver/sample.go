package devserver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/statesapi"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// bodies are what some senders send, cut down to what people's routes look at. Of the
// others a sample has the members that their preset knows, such as the delivery's id.
var bodies = map[string]struct{ event, body string }{
	"github":          {"push", `{"ref":"refs/heads/main","after":"4d2ab4e76d0d405d17d1a0f2b8a6071394e3ab40","repository":{"full_name":"octo-org/octo-repo"},"pusher":{"name":"octocat"},"commits":[{"id":"4d2ab4e7","message":"A change","added":["README.md"],"removed":[],"modified":[]}]}`},
	"gitlab":          {"Push Hook", `{"object_kind":"push","ref":"refs/heads/main","project":{"path_with_namespace":"group/project"},"commits":[{"id":"b6568db1","message":"A change"}]}`},
	"stripe":          {"", `{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","object":"event","api_version":"2024-06-20","created":1767225600,"type":"checkout.session.completed","livemode":false,"data":{"object":{"id":"cs_test_a1","object":"checkout.session","amount_total":2990,"currency":"eur","payment_status":"paid","client_reference_id":"o-1"}}}`},
	"shopify":         {"orders/create", `{"id":820982911946154508,"name":"#1001","email":"jon@example.com","currency":"EUR","total_price":"29.90","line_items":[{"sku":"tea-250","quantity":1,"price":"29.90"}]}`},
	"slack":           {"", `{"type":"event_callback","event_id":"Ev08MFMKH6","event_time":1767225600,"team_id":"T061EG9R6","event":{"type":"app_mention","user":"U061F7AUR","text":"<@U0LAN0Z89> hello","channel":"C123ABC456","ts":"1767225600.000100"}}`},
	"adyen":           {"", `{"live":"false","notificationItems":[{"NotificationRequestItem":{"pspReference":"7914073381342284","merchantAccountCode":"YourMerchant","merchantReference":"o-1","eventCode":"AUTHORISATION","success":"true","amount":{"value":2990,"currency":"EUR"},"eventDate":"2026-01-01T00:00:00+00:00"}}]}`},
	"microsoft-graph": {"", `{"value":[{"id":"lsgTZMr9KwAAA","subscriptionId":"7f105c7d-2dc5-4530-97cd-4e7ae6534c07","clientState":"","changeType":"created","resource":"Users/u/Messages/m"}]}`},
	"sharepoint":      {"", `{"value":[{"subscriptionId":"91779246-afe9-4525-b122-6c199ae89211","clientState":"","resource":"b9f6f714-9df8-470b-b22e-653855e1c181","siteUrl":"/","webId":"dbb5a806-e7ce-4ead-bb06-c0ab93b0fea6"}]}`},
	"twilio":          {"", `MessageSid=SM0123456789abcdef0123456789abcdef&AccountSid=AC0123456789abcdef0123456789abcdef&From=%2B14155550100&To=%2B14155550101&Body=Hello&NumMedia=0`},
}

const form = "application/x-www-form-urlencoded"

// Sample implements [console.Engine].
func (e *engine) Sample(route string) (console.Sample, bool) {
	r := routeNamed(e.local.current.Load().routes, route)
	if r == nil || r.HTTP == nil {
		return console.Sample{}, false
	}
	return sampleOf(r), true
}

func sampleOf(r *config.Route) console.Sample {
	preset, _ := r.HTTP.Verify.Preset()
	s := console.Sample{
		Method: cmp.Or(r.HTTP.Method(), http.MethodPost), Path: samplePath(r.HTTP.Path()), ContentType: "application/json",
		EventHeader: preset.EventName.Header,
	}
	known := bodies[r.HTTP.Verify.Provider]
	if s.EventHeader != "" {
		s.Event = cmp.Or(known.event, "sample")
	}
	// A preset that takes no JSON takes forms.
	if types := preset.ContentTypes; len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return strings.Contains(t, "json") }) {
		s.ContentType = types[0]
	}
	switch {
	case known.body != "" && strings.HasPrefix(known.body, "{"):
		s.Body = indent(known.body)
	case known.body != "":
		s.Body, s.ContentType = known.body, form
	case s.ContentType == form:
		s.Body = sampleForm(preset)
	default:
		s.Body = sampleJSON(preset)
	}
	return s
}

func indent(text string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	return out.String()
}

// sampleJSON has the places of a preset that are in the body.
func sampleJSON(p verify.Preset) string {
	root := map[string]any{}
	set := func(path, value string) {
		if path == "" {
			return
		}
		o, names := root, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			inner, ok := o[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				o[name] = inner
			}
			o = inner
		}
		o[names[len(names)-1]] = value
	}
	set(cmp.Or(p.DeliveryID.Body, "id"), "sample-1")
	set(cmp.Or(p.EventName.Body, "type"), "sample")
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return "{}"
	}
	return string(text)
}

func sampleForm(p verify.Preset) string {
	return url.Values{cmp.Or(p.DeliveryID.Form, "id"): {"sample-1"}, cmp.Or(p.EventName.Form, "type"): {"sample"}}.Encode()
}

var parameter = regexp.MustCompile(`\{([^{}]*)\}`)

// samplePath gives each parameter of a pattern its own name.
func samplePath(pattern string) string {
	_, path, _ := strings.Cut(pattern, "/")
	return "/" + parameter.ReplaceAllStringFunc(path, func(p string) string {
		name := strings.TrimSuffix(p[1:len(p)-1], "...")
		if name == "$" {
			return ""
		}
		return url.PathEscape(name)
	})
}

// SendSample implements [console.Engine].
func (e *engine) SendSample(ctx context.Context, route string, body *string, event, origin string) (unverified bool, err error) {
	r := routeNamed(e.local.current.Load().routes, route)
	if r == nil || r.HTTP == nil {
		return false, fmt.Errorf("there is no http route %q", route)
	}
	s := sampleOf(r)
	text := s.Body
	if body != nil {
		text = *body
	}
	host, _, _ := strings.Cut(r.HTTP.Path(), "/")
	request, err := http.NewRequestWithContext(ctx, s.Method, "http://"+cmp.Or(host, "localhost")+s.Path, nil)
	if err != nil {
		return false, err
	}
	request.RemoteAddr = "127.0.0.1:0"
	request.Header.Set("User-Agent", "expressway-console")
	if text != "" {
		request.Header.Set("Content-Type", s.ContentType)
		if s.ContentType == "application/json" && !json.Valid([]byte(text)) && strings.Contains(text, "=") {
			request.Header.Set("Content-Type", form)
		}
	}
	if s.EventHeader != "" {
		request.Header.Set(s.EventHeader, cmp.Or(event, s.Event))
	}
	if id := r.HTTP.DeliveryID; id.Header != "" && id.Unsigned {
		request.Header.Set(id.Header, rand.Text())
	}
	u := functionURL{region: e.local.Region, now: time.Now}
	payload, err := json.Marshal(u.event(request, []byte(text), rand.Text()))
	if err != nil {
		return false, err
	}
	return e.Resend(ctx, route, payload, []byte(text), origin)
}

// TestState implements [console.Engine].
func (e *engine) TestState(ctx context.Context, machine string, t console.StateTest) (any, error) {
	return e.local.States.Try(ctx, e.local.States.Resolve(machine), statesapi.Trial{State: t.State, Input: t.Input, Variables: t.Variables, Result: t.Mock})
}
