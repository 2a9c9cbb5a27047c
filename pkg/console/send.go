package console

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/internal/sources"
)

// A sample is an event for a function.
type sample struct {
	Title, Function, Event string
	Last                   int
	Note                   string
}

// A form sends a sample to an http route.
type form struct {
	Route
	Sample
	// Last is the delivery that the body is from; 0 if it is the provider's sample.
	Last int
}

// maxPrefilled is the maximum size of a delivery that is put into a form.
const maxPrefilled = 64 << 10

// lastStarted returns the latest delivery that started what a route starts, and succeeded:
// the workflow accepts it, which a sample that knows only the provider cannot guarantee.
// Deliveries with secrets are left out, because they could not be sent as they are shown.
func (c *Console) lastStarted(r Route) (d Delivery, e anyEvent, ok bool) {
	latest := c.o.Recorder.Deliveries(func(d *Delivery) bool {
		return d.Route == r.Name && d.OK && d.Decision == "started" && d.Error == "" && len(d.payload) <= maxPrefilled
	}, 1)
	if len(latest) == 0 || json.Unmarshal(latest[0].payload, &e) != nil {
		return d, e, false
	}
	d = latest[0]
	sent := d.payload
	if e.method() != "" {
		sent = e.rawBody()
	}
	blanked := c.o.Secrets.blank(c.o.Recorder.broughtTokens().blank(sent))
	return d, e, utf8.Valid(sent) && bytes.Equal(sent, blanked)
}

func (c *Console) apiSample(r *http.Request) (any, error) {
	s, ok := c.o.Engine.Sample(r.PathValue("name"))
	if !ok {
		return nil, notFound("http route")
	}
	return s, nil
}

// The samples that the page for sending begins with, one of each source.
const (
	sampleMessage = `{
  "Records": [{
    "messageId": "m-1",
    "body": BODY,
    "attributes": {"ApproximateReceiveCount": "1"},
    "messageAttributes": {},
    "eventSource": "aws:sqs",
    "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:QUEUE",
    "awsRegion": "us-east-1"
  }]
}`
	sampleEvent = `{
  "version": "0",
  "id": "e-1",
  "source": "SOURCE",
  "detail-type": "DETAIL",
  "account": "123456789012",
  "region": "us-east-1",
  "time": "2026-01-01T00:00:00Z",
  "resources": [],
  "detail": BODY
}`
	sampleBody    = `{"orderId": "o-1", "items": [{"sku": "tea-250"}]}`
	sampleRequest = `{
  "version": "2.0",
  "rawPath": "/PATH",
  "rawQueryString": "",
  "headers": {"content-type": "application/json"},
  "requestContext": {"requestId": "r-1", "http": {"method": "POST", "path": "/PATH", "sourceIp": "127.0.0.1"}},
  "body": "{}",
  "isBase64Encoded": false
}`
)

// maxForms is how many routes the page for sending has forms for; a search finds others.
const maxForms = 30

func (c *Console) sendPage(request *http.Request) (string, any, error) {
	b := c.base("Send", "send", "send")
	routes := c.o.Engine.Routes()
	b.Filtered = len(routes) > maxForms
	b.Query = request.URL.Query()
	if search := strings.ToLower(b.Query.Get("q")); search != "" {
		routes = slices.DeleteFunc(slices.Clone(routes), func(r Route) bool { // the list is the engine's
			return !strings.Contains(strings.ToLower(r.Name+" "+r.Takes+" "+r.Provider), search)
		})
	}
	b.More, b.Routes = max(len(routes)-maxForms, 0), routes
	for _, r := range routes[:len(routes)-b.More] {
		takes := strings.ReplaceAll(r.Takes, "*", "x")
		switch r.Source {
		case sources.HTTP:
			if s, ok := c.o.Engine.Sample(r.Name); ok {
				b.Requests = append(b.Requests, c.prefill(form{Route: r, Sample: s}))
			}
		case sources.SQS:
			queue := takes[strings.LastIndexAny(takes, ":/")+1:]
			body, _ := json.Marshal(c.body(r, sampleBody)) // text cannot fail
			text := strings.NewReplacer("QUEUE", queue, "BODY", string(body)).Replace(sampleMessage)
			b.Samples = append(b.Samples, c.prefilled(r, sample{"A message for " + r.Name, sources.Queue, text, 0, ""}))
		case sources.EventBridge:
			source, detail, _ := strings.Cut(takes, " ")
			event := strings.NewReplacer("SOURCE", source, "DETAIL", detail, "BODY", strings.ReplaceAll(c.body(r, "{}"), "\n", "\n  ")).Replace(sampleEvent)
			b.Samples = append(b.Samples, c.prefilled(r, sample{"An event for " + r.Name, sources.Event, event, 0, ""}))
		}
	}
	b.Samples = append(b.Samples, rawRequest(routes))
	return "send", b, nil
}

// body returns the content of a message or an event of a route.
func (c *Console) body(r Route, otherwise string) string {
	if s, ok := c.o.Engine.Sample(r.Name); ok && json.Valid([]byte(s.Body)) {
		return s.Body
	}
	return otherwise
}

// rawRequest returns an unsigned request to the first http route.
func rawRequest(routes []Route) sample {
	s := sample{Title: "A request, as a Function URL delivers it", Function: sources.Webhook}
	path := "/"
	for _, r := range routes {
		if at := strings.IndexByte(r.Takes, '/'); r.Source == sources.HTTP && at >= 0 {
			path = strings.NewReplacer("{", "", "...}", "", "}", "").Replace(r.Takes[at:])
			s.Note = "It is not signed: a route that verifies a signature answers 401."
			break
		}
	}
	s.Event = strings.ReplaceAll(sampleRequest, "/PATH", path)
	return s
}

// prefill puts the last delivery of a route into its form.
func (c *Console) prefill(f form) form {
	d, e, ok := c.lastStarted(f.Route)
	if !ok || e.method() != f.Method {
		return f
	}
	f.Body, f.Last = pretty(e.rawBody()), d.ID
	for _, h := range requestOf(&e).Headers {
		if f.EventHeader != "" && strings.EqualFold(h.Name, f.EventHeader) && !h.Blanked {
			f.Event = h.Value
		}
	}
	return f
}

func (c *Console) prefilled(r Route, s sample) sample {
	if d, _, ok := c.lastStarted(r); ok && d.Function == s.Function {
		s.Event, s.Last = pretty(d.payload), d.ID
	}
	return s
}
