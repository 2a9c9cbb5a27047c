package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxVisits is how many visits of states a page shows; the API returns all of them.
const maxVisits = 300

// maxRoutes is how many routes a page offers.
const maxRoutes = 200

// A base holds what every page has.
type base struct {
	Title, Page, Nav string
	ID               int
	Token, Version   string
	Webhooks, States string
	Problems         []Problem
	Routes           []Route
	Machines         []Machine
	Message          string
	Filtered         bool
	Filter           deliveryFilter
	Query            url.Values
	List             any
	Delivery         *deliveryView
	Execution        *Execution
	Machine          *Machine
	Input, Output    json.RawMessage
	State, Item      string
	Maps             []mapView
	Shown            []Visit
	More, LeftOut    int
	Events           int
	History          []pastEvent
	Drawing          template.HTML
	Alone            string
	Timeline         []bar
	Total            string
	Samples          []sample
	Waits            []Wait
	Requests         []form
	Names            []string
}

func (c *Console) base(title, page, nav string) base {
	return base{
		Title: title, Page: page, Nav: nav, Token: c.token, Version: c.o.Version, Webhooks: c.o.Webhooks, States: c.o.States,
		Problems: c.o.Recorder.Problems(),
	}
}

// page writes a whole page, or an error page.
func (c *Console) page(w http.ResponseWriter, r *http.Request, h func(*http.Request) (string, any, error)) {
	name, data, err := h(r)
	status := http.StatusOK
	if err != nil {
		var refused refusal
		if status = http.StatusInternalServerError; errors.As(err, &refused) {
			status = refused.status
		}
		title := "This did not work"
		if status == http.StatusNotFound {
			title = "Not found"
		}
		b := c.base(title, "error", "")
		b.Message = sentence(err.Error())
		name, data = "error", b
	}
	var out bytes.Buffer
	if err := templates().ExecuteTemplate(&out, name, data); err != nil {
		c.o.Log.Error("the console cannot write a page", "page", name, "reason", err.Error())
		http.Error(w, "the console failed; the log in the terminal has the reason", http.StatusInternalServerError)
		return
	}
	text := out.Bytes()
	switch name {
	case "delivery", "deliveries", "send":
		text = c.o.Recorder.broughtTokens().blank(text)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(c.o.Secrets.blank(text))
}

// sentence writes the text of an error as a sentence.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(text[size:], ".") + "."
}

func (c *Console) deliveriesPage(r *http.Request) (string, any, error) {
	b := c.base("Deliveries", "deliveries", "deliveries")
	b.Filter, b.Routes = filterOf(r), c.o.Engine.Routes()
	b.More = max(len(b.Routes)-maxRoutes, 0)
	b.Routes = b.Routes[:len(b.Routes)-b.More]
	b.Filtered = b.Filter != deliveryFilter{}
	if list := c.o.Recorder.Deliveries(b.Filter.match, limit(r)); len(list) > 0 {
		b.List = list
	}
	return "deliveries", b, nil
}

func (c *Console) deliveryPage(r *http.Request) (string, any, error) {
	d, err := c.delivery(r)
	if err != nil {
		return "", nil, err
	}
	b := c.base(d.Title, "delivery", "deliveries")
	v := c.view(d)
	b.ID, b.Delivery = d.ID, &v
	return "delivery", b, nil
}

func (c *Console) executionsPage(r *http.Request) (string, any, error) {
	b := c.base("Executions", "executions", "executions")
	b.Query, b.Machines = r.URL.Query(), c.o.Engine.Machines()
	if list := c.o.Recorder.Executions(executionFilter(r), limit(r)); len(list) > 0 {
		b.List = list
	}
	return "executions", b, nil
}

func (c *Console) executionPage(r *http.Request) (string, any, error) {
	e, err := c.execution(r)
	if err != nil {
		return "", nil, err
	}
	b := c.base(e.Machine, "execution", "executions")
	b.ID, b.Execution, b.Input, b.Output = e.ID, &e, asJSON(e.input), asJSON(e.output)
	b.Waits = c.waits(e)
	visits := e.Visits()
	b.State = r.URL.Query().Get("state")
	if c, ok := parseChoice(r.URL.Query().Get("item")); ok {
		b.Item = r.URL.Query().Get("item")
		b.Maps = mapViews(visits, b.Item)
		visits = within(visits, c)
	} else {
		b.Maps = mapViews(visits, "")
	}
	for _, v := range visits {
		if v.State == b.State {
			b.Shown = append(b.Shown, v)
		}
	}
	b.Shown = b.Shown[:min(len(b.Shown), maxVisits)]
	b.More = max(len(visits)-maxVisits, 0)
	b.Drawing = drawing(e.definition, overlay(visits))
	b.Timeline, b.Total = timeline(e, visits[:len(visits)-b.More], time.Now())
	b.Alone = fmt.Sprintf("%sapi/executions/%d/graph", Path, e.ID)
	events, left := e.History()
	b.Events, b.LeftOut, b.History = len(events), left, pastEvents(events[:min(len(events), maxVisits)])
	return "execution", b, nil
}

func (c *Console) machinesPage(*http.Request) (string, any, error) {
	b := c.base("State machines", "machines", "machines")
	b.Machines = c.o.Engine.Machines()
	return "machines", b, nil
}

func (c *Console) machinePage(r *http.Request) (string, any, error) {
	m, err := c.machine(r)
	if err != nil {
		return "", nil, err
	}
	b := c.base(m.Name, "machine", "machines")
	b.Machine, b.Drawing, b.Names = &m, drawing(m.Definition, nil), stateNames(m.Definition)
	b.State, b.Alone = r.URL.Query().Get("state"), Path+"api/machines/"+url.PathEscape(m.Name)+"/graph"
	return "machine", b, nil
}

// functions are the functions of the templates.
var functions = template.FuncMap{
	"pretty":     pretty,
	"prettyText": func(text string) string { return pretty([]byte(text)) },
	"editable":   editable,
	"parts":      parts,
	"bytes":      size,
	"lower":      func(text string) string { return strings.ToLower(strings.ReplaceAll(text, "_", " ")) },
	"add":        func(a, b int) int { return a + b },
	"ms": func(milliseconds float64) string {
		return duration(time.Duration(milliseconds * float64(time.Millisecond)))
	},
	"tone":       tone,
	"statusTone": statusTone,
	"lasted": func(e any) string {
		x, ok := e.(Execution)
		if p, is := e.(*Execution); is {
			x, ok = *p, true
		}
		if !ok || x.Stopped == nil {
			return ""
		}
		return duration(x.Stopped.Sub(x.Started))
	},
	"visitTook": func(v Visit) string {
		if v.Left == nil {
			return ""
		}
		return duration(v.Left.Sub(v.Entered))
	},
	"options": options,
	"link":    link,
}

func duration(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", max(d.Microseconds(), 1))
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// options writes the choices of a select; pairs holds values and texts alternately.
func options(chosen string, pairs ...string) template.HTML {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		selected := ""
		if pairs[i] == chosen {
			selected = " selected"
		}
		fmt.Fprintf(&b, `<option value="%s"%s>%s</option>`, template.HTMLEscapeString(pairs[i]), selected, template.HTMLEscapeString(pairs[i+1]))
	}
	return template.HTML(b.String()) //nolint:gosec // of texts of this file
}

func pretty(text []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, text, "", "  ") != nil {
		return string(text)
	}
	return out.String()
}

// A part is a message of a batch with what was decided on it. For other deliveries, it is
// only what was decided.
type part struct {
	Message *messageRecord
	Record  *Record
}

func parts(v *deliveryView) []part {
	var list []part
	of := make(map[string][]*Record)
	for i := range v.Records {
		r := &v.Records[i]
		of[r.ID] = append(of[r.ID], r)
	}
	for i := range v.Messages {
		p := part{Message: &v.Messages[i]}
		if records := of[p.Message.ID]; len(records) > 0 {
			p.Record, of[p.Message.ID] = records[0], records[1:]
		}
		list = append(list, p)
	}
	for i := range v.Records {
		if r := &v.Records[i]; slices.Contains(of[r.ID], r) {
			list = append(list, part{Record: r})
		}
	}
	return list
}

// editable returns the text that a user edits: the body of a request, or the whole event.
func editable(v *deliveryView) string {
	if v.Request != nil {
		return v.Request.Body.Text
	}
	return pretty(v.payload)
}

func tone(d Delivery) string {
	switch {
	case d.Running:
		return "run"
	case !d.OK:
		return "bad"
	case d.Decision == "filtered" || d.Decision == "replayed":
		return "warn"
	}
	return "good"
}

func statusTone(status string) string {
	switch strings.ToLower(status) {
	case "succeeded":
		return "good"
	case "failed", "timed_out":
		return "bad"
	case "caught", "aborted":
		return "warn"
	case "running":
		return "run"
	}
	return ""
}
