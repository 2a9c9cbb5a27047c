package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// maxList bounds the length of lists, and usualList is the default.
const (
	maxList   = 1000
	usualList = 100
)

func (c *Console) apiIndex(*http.Request) (any, error) {
	return map[string]any{
		"version": c.o.Version, "webhooks": c.o.Webhooks, "stepFunctions": c.o.States,
		"documentation": "docs/console.md", "endpoints": c.endpoints,
	}, nil
}

func limit(r *http.Request) int {
	if n, err := strconv.Atoi(r.URL.Query().Get("limit")); err == nil && n > 0 {
		return min(n, maxList)
	}
	return usualList
}

// A deliveryFilter holds the query of a list.
type deliveryFilter struct {
	Search, Route, Source, Result string
}

func filterOf(r *http.Request) deliveryFilter {
	q := r.URL.Query()
	return deliveryFilter{q.Get("q"), q.Get("route"), q.Get("source"), q.Get("result")}
}

func (f deliveryFilter) match(d *Delivery) bool {
	if f.Route != "" && f.Route != d.Route || f.Source != "" && f.Source != d.Function {
		return false
	}
	switch f.Result {
	case "failed":
		if d.OK || d.Running {
			return false
		}
	case "ok":
		if !d.OK {
			return false
		}
	case "answered":
		if d.Decision != "answered" && d.Decision != "handshake" && d.Decision != "page" {
			return false
		}
	case "refused", "filtered", "replayed", "started", "resumed":
		if d.Decision != f.Result {
			return false
		}
	}
	if f.Search == "" {
		return true
	}
	search := strings.ToLower(f.Search)
	for _, text := range []string{d.Title, d.Route, d.Decision, d.Reason, d.Status, d.Error, d.Cause, d.State, d.Origin} {
		if strings.Contains(strings.ToLower(text), search) {
			return true
		}
	}
	for _, rec := range d.Records {
		if strings.Contains(strings.ToLower(rec.ID+" "+rec.ExecutionARN+" "+rec.Error), search) {
			return true
		}
	}
	return false
}

type deliveryList struct {
	Deliveries []Delivery `json:"deliveries"`
}

func (c *Console) apiDeliveries(r *http.Request) (any, error) {
	return deliveryList{c.o.Recorder.Deliveries(filterOf(r).match, limit(r))}, nil
}

// A deliveryView holds everything that is shown of one delivery.
type deliveryView struct {
	Delivery
	Request *Request `json:"request,omitempty"`
	// Messages are the records of a batch, as they arrived.
	Messages []messageRecord `json:"messages,omitempty"`
	// Event is an EventBridge event, or anything that is neither an HTTP request nor a
	// batch.
	Event json.RawMessage `json:"event,omitempty"`
	// Answer is what the function returned, and Response the HTTP response in it.
	Answer   json.RawMessage `json:"answer,omitempty"`
	Response *httpResponse   `json:"response,omitempty"`
	// Commands repeat the delivery from a shell.
	Commands map[string]string `json:"commands"`
}

// A messageRecord is one record of a batch.
type messageRecord struct {
	ID           string `json:"id"`
	ReceiveCount string `json:"receiveCount,omitempty"`
	Group        string `json:"group,omitempty"`
	Body         Body   `json:"body"`
}

// An httpResponse is the HTTP response that a function returned.
type httpResponse struct {
	Status  int      `json:"status"`
	Headers []Header `json:"headers"`
	Body    Body     `json:"body"`
}

func (c *Console) view(d Delivery) deliveryView {
	v := deliveryView{Delivery: d, Commands: map[string]string{}}
	var e anyEvent
	if json.Unmarshal(d.payload, &e) == nil && e.method() != "" {
		v.Request = requestOf(&e)
		v.Response = responseOf(d.answer)
		v.Commands["curl"] = c.curl(v.Request)
	} else if len(e.Records) > 0 {
		for _, m := range e.Records[:min(len(e.Records), maxRecords)] {
			v.Messages = append(v.Messages, messageRecord{m.MessageID, m.Attributes["ApproximateReceiveCount"], m.Attributes["MessageGroupId"], bodyOf([]byte(m.Body))})
		}
	} else {
		v.Event = asJSON(d.payload)
	}
	v.Answer = asJSON(d.answer)
	for _, rec := range d.Records {
		if rec.ExecutionARN != "" {
			v.Commands["aws"] = "aws stepfunctions describe-execution --endpoint-url " + c.o.States + " --execution-arn " + rec.ExecutionARN
			break
		}
	}
	return v
}

// asJSON returns text that is JSON as it is, and quotes any other.
func asJSON(b []byte) json.RawMessage {
	switch {
	case len(b) == 0:
		return nil
	case len(b) > maxShown:
		return text("(" + size(len(b)) + ": too large to show)")
	case jsonata.Valid(b) != nil:
		return text(string(b))
	}
	return b
}

func responseOf(answer []byte) *httpResponse {
	var a struct {
		anyEvent
		StatusCode int `json:"statusCode"`
	}
	if json.Unmarshal(answer, &a) != nil || a.StatusCode == 0 {
		return nil
	}
	shown := requestOf(&a.anyEvent)
	return &httpResponse{a.StatusCode, shown.Headers, shown.Body}
}

// curl returns a command that sends a request again, as it was. A signature with a time
// will have expired by then, and blanked values must be filled in.
func (c *Console) curl(r *Request) string {
	var b strings.Builder
	target := c.o.Webhooks + r.Path
	if r.Query != "" {
		target += "?" + r.Query
	}
	fmt.Fprintf(&b, "curl -i -X %s %s", quoteShell(r.Method), quoteShell(target))
	for _, h := range r.Headers {
		switch h.Name {
		case "Host", "Content-Length", "Connection", "Accept-Encoding":
			continue
		}
		value := h.Value
		if h.Blanked {
			value = blank
		}
		fmt.Fprintf(&b, " \\\n  -H %s", quoteShell(h.Name+": "+value))
	}
	if r.Body.Text != "" {
		fmt.Fprintf(&b, " \\\n  --data-binary %s", quoteShell(r.Body.Text))
	}
	return b.String()
}

func quoteShell(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func (c *Console) delivery(r *http.Request) (Delivery, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return Delivery{}, notFound("delivery")
	}
	d, ok := c.o.Recorder.Delivery(id)
	if !ok {
		return d, notFound("delivery: it never existed, or is too old to be kept")
	}
	return d, nil
}

func (c *Console) apiDelivery(r *http.Request) (any, error) {
	d, err := c.delivery(r)
	if err != nil {
		return nil, err
	}
	return c.view(d), nil
}

// readJSON reads the body of a POST; an empty one is an empty object.
func readJSON(r *http.Request, to any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(to); err != nil && r.ContentLength != 0 {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is larger than %s", size(maxPost))}
		}
		return refusal{http.StatusBadRequest, "the body must be a JSON object: " + err.Error()}
	}
	return nil
}

// apiReplay repeats a delivery, with the same bytes, or with another body and a new
// signature.
func (c *Console) apiReplay(r *http.Request) (any, error) {
	d, err := c.delivery(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Body *string `json:"body"`
	}
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	if in.Body != nil && len(d.tokens) == 1 { // what was not shown is filled in again
		filled := strings.ReplaceAll(*in.Body, blank, d.tokens[0])
		in.Body = &filled
	}
	before := c.lastDelivery()
	origin := fmt.Sprintf("replay of %d", d.ID)
	unverified := false
	ctx := r.Context()
	switch {
	case d.Function == "webhook" && d.Route != "":
		var body []byte
		if in.Body != nil {
			body, origin = []byte(*in.Body), fmt.Sprintf("edit of %d", d.ID)
		}
		unverified, err = c.o.Engine.Resend(ctx, d.Route, d.payload, body, origin)
	case in.Body != nil:
		err = c.o.Engine.Send(ctx, d.Function, []byte(*in.Body), fmt.Sprintf("edit of %d", d.ID))
	default:
		err = c.o.Engine.Send(ctx, d.Function, d.payload, origin)
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": c.deliveryAfter(before, d), "unverified": unverified}, nil
}

func (c *Console) lastDelivery() int {
	for _, d := range c.o.Recorder.Deliveries(nil, 1) {
		return d.ID
	}
	return 0
}

// deliveryAfter returns the number of the latest delivery that the console has sent since
// another one.
func (c *Console) deliveryAfter(before int, like Delivery) int {
	for _, d := range c.o.Recorder.Deliveries(func(d *Delivery) bool {
		return d.ID > before && d.Function == like.Function && d.Origin != ""
	}, 1) {
		return d.ID
	}
	return 0
}

var fixtureName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,60}$`)

func (c *Console) apiSave(r *http.Request) (any, error) {
	d, err := c.delivery(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Name string `json:"name"`
	}
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	if !fixtureName.MatchString(in.Name) {
		return nil, refusal{http.StatusBadRequest, "the name must consist of 1 to 61 lowercase letters, digits and hyphens, and must not begin with a hyphen"}
	}
	// A file is often committed, so it must not contain secrets.
	path, err := c.o.Engine.Save(d.Function+"-"+in.Name+".json", c.o.Secrets.blank(c.o.Recorder.broughtTokens().blank(d.payload)))
	if err != nil {
		return nil, err
	}
	return map[string]any{"path": path, "command": "expressway invoke " + d.Function + " -e " + path}, nil
}

// apiSendRoute sends a request to a route, signed as its sender would.
func (c *Console) apiSendRoute(r *http.Request) (any, error) {
	var in struct {
		Body  *string `json:"body"`
		Event string  `json:"event"`
	}
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	before := c.lastDelivery()
	unverified, err := c.o.Engine.SendSample(r.Context(), r.PathValue("name"), in.Body, in.Event, sentHere)
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": c.deliveryAfter(before, Delivery{Function: sources.Webhook}), "unverified": unverified}, nil
}

func (c *Console) apiSend(r *http.Request) (any, error) {
	function := r.PathValue("function")
	var in struct {
		Event json.RawMessage `json:"event"`
	}
	if err := readJSON(r, &in); err != nil {
		return nil, err
	}
	if len(in.Event) == 0 {
		return nil, refusal{http.StatusBadRequest, `the body must be {"event": …}`}
	}
	before := c.lastDelivery()
	if err := c.o.Engine.Send(r.Context(), function, in.Event, sentHere); err != nil {
		return nil, err
	}
	return map[string]any{"id": c.deliveryAfter(before, Delivery{Function: function})}, nil
}
