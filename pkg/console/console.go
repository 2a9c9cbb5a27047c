package console

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Path is where a [Console] is served.
const Path = "/_expressway/"

// An Engine provides what the console shows and controls in addition to recordings.
// Errors are shown to the user.
type Engine interface {
	// Routes returns the routes in use.
	Routes() []Route
	// Machines returns the state machines, and Machine one of them.
	Machines() []Machine
	Machine(name string) (Machine, bool)
	// Start runs a state machine and returns at once, with the ARN of the execution.
	Start(machine string, input []byte) (executionARN string, err error)
	// End ends a running execution.
	End(executionARN string) bool
	// Waits returns the tasks of an execution that wait for their tokens, and Answer
	// answers one of them.
	Waits(executionARN string) []Wait
	Answer(a Answer) error
	// Send passes an event to a function (webhook, queue or event). The origin says who
	// sent it.
	Send(ctx context.Context, function string, event []byte, origin string) error
	// Resend sends a webhook delivery again, with the given body and headers and a new
	// signature. It reports whether it had to bypass verification.
	Resend(ctx context.Context, route string, event, body []byte, origin string) (unverified bool, err error)
	// Sample returns what the sender of an http route would send. For other routes, it only
	// has the body of a message or the detail of an event. ok is false if there is no
	// sample.
	Sample(route string) (s Sample, ok bool)
	// SendSample sends the sample of an http route, newly signed, with another body or
	// event name if they are given. It reports whether it had to bypass verification.
	SendSample(ctx context.Context, route string, body *string, event, origin string) (unverified bool, err error)
	// TestState runs one state of a state machine by itself. The result is that of the API
	// operation TestState, as JSON.
	TestState(ctx context.Context, machine string, t StateTest) (any, error)
	// Save writes an event to a file for invoke, and returns its path.
	Save(name string, event []byte) (string, error)
}

// A Route is what the console shows of a route.
type Route struct {
	Name string `json:"name"`
	// Source is http, sqs or eventbridge.
	Source string `json:"source"`
	// Takes is the pattern, the queue, or source and detail-type.
	Takes string `json:"takes"`
	// Starts is the state machine that the route starts.
	Starts string `json:"starts"`
	// Provider is the sender's preset or scheme, for http routes.
	Provider string `json:"provider,omitempty"`
	// Try is a command that sends something to the route.
	Try string `json:"try"`
}

// A Sample is a request as the sender of a route makes it.
type Sample struct {
	Method      string `json:"method,omitempty"`
	Path        string `json:"path,omitempty"`
	ContentType string `json:"contentType"`
	Body        string `json:"body"`
	// Event is the event's name, and EventHeader the header that it is sent in; empty if
	// the name is in the body.
	Event       string `json:"event,omitempty"`
	EventHeader string `json:"eventHeader,omitempty"`
	// Note says what the answer depends on, and Cannot why no sample can be made for the
	// route; each may be empty.
	Note   string `json:"note,omitempty"`
	Cannot string `json:"cannot,omitempty"`
}

// A StateTest holds the inputs of a test of one state.
type StateTest struct {
	State string `json:"state"`
	// Input is JSON; empty means {}. Variables and Mock are optional: Mock is the result of
	// the state's task.
	Input     json.RawMessage `json:"input"`
	Variables json.RawMessage `json:"variables"`
	Mock      json.RawMessage `json:"mock"`
}

// A Machine is a state machine.
type Machine struct {
	Name       string `json:"name"`
	ARN        string `json:"stateMachineArn"`
	Type       string `json:"type"`
	Definition string `json:"definition"`
	// Diagnostics are the diagnostics of the definition.
	Diagnostics []string `json:"diagnostics"`
}

// ServeOptions configure a [Console].
type ServeOptions struct {
	// Recorder has the deliveries and executions that are shown; nil shows none.
	Recorder *Recorder
	// Engine has the state machines. It is required.
	Engine Engine
	// Secrets are blanked in everything that is served; nil blanks no values.
	Secrets *Secrets
	// Version is shown, as are the addresses of the webhook routes and of the Step
	// Functions API.
	Version, Webhooks, States string
	// Log receives what clients must not see.
	Log *slog.Logger
}

// A Console serves pages and the JSON API below [Path]. It is safe for concurrent use.
// Its server must check the Host header.
type Console struct {
	o     ServeOptions
	token string
	begun sync.Once
	mux   *http.ServeMux
	files map[string]asset
	// endpoints are the requests of the JSON API, as "GET api/deliveries/{id}".
	endpoints []string
}

//go:embed assets
var assets embed.FS

// templates are parsed once: they are the same for every Console.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(functions).ParseFS(assets, "assets/*.html"))
})

type asset struct {
	content []byte
	kind    string
}

// New returns a Console.
func New(o ServeOptions) *Console {
	if o.Secrets == nil {
		o.Secrets = &Secrets{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Recorder == nil {
		o.Recorder = NewRecorder(Options{})
	}
	return &Console{o: o, token: rand.Text()}
}

// begin reads the files and makes the routes at the first request, as the templates are
// parsed for the first page: the garbage collector would visit their thousands of objects
// with each few deliveries, even if nobody opens a page.
func (c *Console) begin() {
	c.mux, c.files = http.NewServeMux(), map[string]asset{}
	list, _ := fs.ReadDir(assets, "assets") // it is embedded
	for _, file := range list {
		content, _ := assets.ReadFile("assets/" + file.Name())
		switch {
		case strings.HasSuffix(file.Name(), ".css"):
			c.files[file.Name()] = asset{content, "text/css; charset=utf-8"}
		case strings.HasSuffix(file.Name(), ".mjs"):
			c.files[file.Name()] = asset{content, "text/javascript; charset=utf-8"}
		case strings.HasSuffix(file.Name(), ".svg"):
			c.files[file.Name()] = asset{content, "image/svg+xml"}
		}
	}
	c.routes()
}

func (c *Console) routes() {
	page := func(pattern string, h func(*http.Request) (string, any, error)) {
		c.mux.HandleFunc("GET "+Path+pattern, func(w http.ResponseWriter, r *http.Request) { c.page(w, r, h) })
	}
	get := func(pattern string, h func(*http.Request) (any, error)) {
		c.endpoint(http.MethodGet, pattern, func(w http.ResponseWriter, r *http.Request) { c.answer(w, r, h) })
	}
	post := func(pattern string, h func(*http.Request) (any, error)) {
		c.endpoint(http.MethodPost, pattern, func(w http.ResponseWriter, r *http.Request) {
			if subtle.ConstantTimeCompare([]byte(r.Header.Get(tokenHeader)), []byte(c.token)) != 1 {
				c.problem(w, refusal{http.StatusForbidden, "this request needs the token of /_expressway/api/token in the header " + tokenHeader})
				return
			}
			c.answer(w, r, h)
		})
	}
	page("{$}", c.deliveriesPage)
	page("deliveries/{id}", c.deliveryPage)
	page("executions", c.executionsPage)
	page("executions/{id}", c.executionPage)
	page("machines", c.machinesPage)
	page("machines/{name}", c.machinePage)
	page("send", c.sendPage)
	c.mux.HandleFunc("GET "+Path+"assets/{file}", c.file)
	get("health", c.health)
	get("api/{$}", c.apiIndex)
	get("api/token", func(*http.Request) (any, error) { return map[string]string{"token": c.token}, nil })
	get("api/deliveries", c.apiDeliveries)
	get("api/deliveries/{id}", c.apiDelivery)
	post("api/deliveries/{id}/replay", c.apiReplay)
	post("api/deliveries/{id}/save", c.apiSave)
	get("api/executions", c.apiExecutions)
	get("api/executions/{id}", c.apiExecution)
	post("api/executions/{id}/end", c.apiEnd)
	get("api/executions/{id}/waits", c.apiWaits)
	post("api/executions/{id}/waits", c.apiAnswer)
	get("api/machines", func(*http.Request) (any, error) { return map[string]any{"machines": c.o.Engine.Machines()}, nil })
	get("api/machines/{name}", c.apiMachine)
	post("api/machines/{name}/run", c.apiRun)
	post("api/machines/{name}/test", c.apiTest)
	post("api/routes/{name}/send", c.apiSendRoute)
	get("api/routes/{name}/sample", c.apiSample)
	get("api/routes", func(*http.Request) (any, error) { return map[string]any{"routes": c.o.Engine.Routes()}, nil })
	post("api/send/{function}", c.apiSend)
	get("api/problems", func(*http.Request) (any, error) { return map[string]any{"problems": c.o.Recorder.Problems()}, nil })
	c.endpoint(http.MethodGet, "api/events", c.stream)
	c.graphRoutes()
}

// endpoint serves a request of the JSON API.
func (c *Console) endpoint(method, pattern string, h http.HandlerFunc) {
	c.mux.HandleFunc(method+" "+Path+pattern, h)
	c.endpoints = append(c.endpoints, method+" "+strings.TrimSuffix(pattern, "{$}"))
}

// tokenHeader carries the token that every POST needs: a page on another site can make a
// browser send a form, but can neither read the token nor set the header.
const tokenHeader = "X-Expressway-Token"

// ServeHTTP implements [http.Handler].
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			c.o.Log.Error("panic in the console", "path", r.URL.Path, "reason", fmt.Sprint(p))
			c.problem(w, refusal{http.StatusInternalServerError, "the console failed; the log in the terminal has the reason"})
		}
	}()
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if r.URL.Path+"/" == Path {
		http.Redirect(w, r, Path, http.StatusFound)
		return
	}
	c.begun.Do(c.begin)
	if missing, pattern := c.mux.Handler(r); pattern == "" && c.missing(w, r, missing) {
		return
	}
	c.mux.ServeHTTP(w, r)
}

// missing answers a request that h would answer with 404 or 405 with a page, or with JSON
// below the API's path. It reports whether it did.
func (c *Console) missing(w http.ResponseWriter, r *http.Request, h http.Handler) bool {
	answer := &statusOf{header: http.Header{}}
	h.ServeHTTP(answer, r)
	err := notFound("page")
	asJSON := r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, Path+"api/")
	switch answer.status {
	case http.StatusNotFound:
		if asJSON {
			err = notFound("endpoint")
		}
	case http.StatusMethodNotAllowed:
		w.Header()["Allow"] = answer.header["Allow"]
		err = refusal{answer.status, "this address takes " + answer.header.Get("Allow")}
	default:
		return false
	}
	if asJSON {
		c.problem(w, err)
	} else {
		c.page(w, r, func(*http.Request) (string, any, error) { return "", nil, err })
	}
	return true
}

// A statusOf records the status and the headers of an answer, and discards its body.
type statusOf struct {
	header http.Header
	status int
}

func (s *statusOf) Header() http.Header            { return s.header }
func (s *statusOf) Write(text []byte) (int, error) { return len(text), nil }
func (s *statusOf) WriteHeader(status int)         { s.status = status }

// A refusal is an error with its HTTP status.
type refusal struct {
	status int
	text   string
}

func (e refusal) Error() string { return e.text }

func notFound(what string) error { return refusal{http.StatusNotFound, "there is no such " + what} }

// maxPost bounds the body of a POST.
const maxPost = 8 << 20

func (c *Console) answer(w http.ResponseWriter, r *http.Request, h func(*http.Request) (any, error)) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPost)
	out, err := h(r)
	if err != nil {
		c.problem(w, err)
		return
	}
	c.write(w, http.StatusOK, out)
}

func (c *Console) problem(w http.ResponseWriter, err error) {
	status := http.StatusUnprocessableEntity
	var refused refusal
	if errors.As(err, &refused) {
		status = refused.status
	}
	c.write(w, status, map[string]any{"error": err.Error()})
}

func (c *Console) write(w http.ResponseWriter, status int, out any) {
	body, err := json.Marshal(out) // which escapes < and >
	if err != nil {
		c.o.Log.Error("the console cannot write its answer", "reason", err.Error())
		status, body = http.StatusInternalServerError, []byte(`{"error":"the console failed; the log in the terminal has the reason"}`)
	}
	switch out.(type) {
	case deliveryView, deliveryList:
		body = c.o.Recorder.broughtTokens().blank(body)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(c.o.Secrets.blank(body))
}

func (c *Console) file(w http.ResponseWriter, r *http.Request) {
	f, ok := c.files[r.PathValue("file")]
	if !ok {
		c.problem(w, notFound("file"))
		return
	}
	w.Header().Set("Content-Type", f.kind)
	_, _ = w.Write(f.content)
}

func (c *Console) health(*http.Request) (any, error) {
	return map[string]any{
		"status": "ok", "version": c.o.Version, "routes": len(c.o.Engine.Routes()), "stateMachines": len(c.o.Engine.Machines()),
		"problems": len(c.o.Recorder.Problems()),
	}, nil
}

// stream sends changes as server-sent events, until the client disconnects.
func (c *Console) stream(w http.ResponseWriter, r *http.Request) {
	// net/http only notices that the client is gone once the body has been read.
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxPost)); err != nil {
		c.problem(w, refusal{http.StatusBadRequest, "the stream takes no body"})
		return
	}
	control := http.NewResponseController(w)
	changes, stop := c.o.Recorder.Watch()
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	_ = control.SetWriteDeadline(time.Time{})
	beat := time.NewTicker(15 * time.Second)
	defer beat.Stop()
	text := "retry: 1000\n\n"
	for {
		if _, err := io.WriteString(w, text); err != nil || control.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			text = ": beat\n\n"
		case change := <-changes:
			data, _ := json.Marshal(change) // a text and a number cannot fail
			text = "data: " + string(data) + "\n\n"
		}
	}
}
