package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
)

// A sample is an event for a function.
type sample struct{ Title, Function, Event string }

// A form sends a sample to an http route.
type form struct {
	Route
	Sample
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
    "body": "{\"orderId\": \"o-1\", \"items\": [{\"sku\": \"tea-250\"}]}",
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
  "detail": {}
}`
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
	b.More = max(len(routes)-maxForms, 0)
	for _, r := range routes[:len(routes)-b.More] {
		takes := strings.ReplaceAll(r.Takes, "*", "x")
		switch r.Source {
		case sources.HTTP:
			if s, ok := c.o.Engine.Sample(r.Name); ok {
				b.Requests = append(b.Requests, form{r, s})
			}
		case sources.SQS:
			queue := takes[strings.LastIndexAny(takes, ":/")+1:]
			b.Samples = append(b.Samples, sample{"A message for " + r.Name, sources.Queue, strings.Replace(sampleMessage, "QUEUE", queue, 1)})
		case sources.EventBridge:
			source, detail, _ := strings.Cut(takes, " ")
			b.Samples = append(b.Samples, sample{"An event for " + r.Name, sources.Event, strings.NewReplacer("SOURCE", source, "DETAIL", detail).Replace(sampleEvent)})
		}
	}
	b.Samples = append(b.Samples, sample{"A request, as a Function URL delivers it", sources.Webhook, sampleRequest})
	return "send", b, nil
}
