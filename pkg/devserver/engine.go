package devserver

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/statesapi"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// Engine returns the engine that the console controls. Fixtures are saved in the folder.
func (l *Local) Engine(fixtures, webhooks string) console.Engine {
	return &engine{local: l, fixtures: fixtures, webhooks: webhooks}
}

// Blanked returns the secrets of the routes, as far as they have been read.
func (l *Local) Blanked() *console.Secrets { return l.blanked }

type engine struct {
	local              *Local
	fixtures, webhooks string
	checked            sync.Map // of checked, by ARN
}

// checked holds the diagnostics of a definition, because they take long to find in a large
// one.
type checked struct {
	definition  string
	diagnostics []string
}

var _ console.Engine = (*engine)(nil)

// Routes implements [console.Engine].
func (e *engine) Routes() []console.Route {
	var list []console.Route
	for _, r := range e.local.Routes() {
		c := console.Route{Name: r.Name, Source: string(r.Source()), Starts: r.StateMachine}
		switch {
		case r.HTTP != nil:
			c.Takes, c.Provider = r.HTTP.Pattern, r.HTTP.Verify.Provider
			c.Try = Attempt("expressway", r, "", " --url "+e.webhooks)
			if r.HTTP.Verify.None {
				c.Try = "curl -i " + e.webhooks + r.HTTP.Path() + " -d '{}'"
			}
		case r.SQS != nil:
			c.Takes = r.SQS.Queue
			c.Try = "expressway invoke queue -e FILE"
		case r.EventBridge != nil:
			c.Takes = first(r.EventBridge.Source) + " " + first(r.EventBridge.DetailType)
			c.Try = "expressway invoke event -e FILE"
		}
		list = append(list, c)
	}
	return list
}

func first(list []string) string {
	if len(list) == 0 {
		return "*"
	}
	return list[0]
}

// Machines implements [console.Engine].
func (e *engine) Machines() []console.Machine {
	list := []console.Machine{}
	var token *string
	for {
		out, err := e.local.States.List(statesapi.ListInput{NextToken: token})
		if err != nil {
			return list
		}
		for _, item := range out.StateMachines {
			if m, ok := e.describe(item.StateMachineARN); ok {
				list = append(list, m)
			}
		}
		if out.NextToken == "" {
			return list
		}
		token = &out.NextToken
	}
}

// Machine implements [console.Engine].
func (e *engine) Machine(name string) (console.Machine, bool) {
	return e.describe(e.local.States.Resolve(name))
}

func (e *engine) describe(arn string) (console.Machine, bool) {
	out, err := e.local.States.Describe(statesapi.DescribeInput{StateMachineARN: &arn})
	if err != nil {
		return console.Machine{}, false
	}
	m := console.Machine{Name: out.Name, ARN: out.StateMachineARN, Type: out.Type, Definition: out.Definition, Diagnostics: []string{}}
	if before, ok := e.checked.Load(arn); ok && before.(checked).definition == out.Definition {
		m.Diagnostics = before.(checked).diagnostics
		return m, true
	}
	for _, d := range e.local.States.Check([]byte(out.Definition), out.Type) {
		m.Diagnostics = append(m.Diagnostics, fmt.Sprintf("%d:%d: %s", d.Line, d.Column, d.Message))
	}
	e.checked.Store(arn, checked{out.Definition, m.Diagnostics})
	return m, true
}

// Start implements [console.Engine].
func (e *engine) Start(machine string, input []byte) (string, error) {
	arn := e.local.States.Resolve(machine)
	record, err := e.local.States.Start(statesapi.StartInput{StateMachineARN: &arn, Input: input})
	return record.ExecutionARN, err
}

// End implements [console.Engine].
func (e *engine) End(executionARN string) bool {
	return e.local.States.EndExecution(executionARN, "Console.Ended", "The execution was ended in the console.")
}

// Waits implements [console.Engine].
func (e *engine) Waits(executionARN string) []console.Wait {
	var list []console.Wait
	for _, w := range e.local.States.Waits(executionARN) {
		list = append(list, console.Wait{State: w.State, Token: w.Token, Since: w.Since, HeartbeatSeconds: w.Heartbeat.Seconds()})
	}
	return list
}

// Answer implements [console.Engine].
func (e *engine) Answer(a console.Answer) error {
	answer := statesapi.TaskAnswer{Token: &a.Token}
	switch a.Action {
	case console.AnswerSuccess:
		answer.Output = &a.Output
		return e.local.States.SendTaskSuccess(answer)
	case console.AnswerFailure:
		answer.Error, answer.Cause = &a.Error, &a.Cause
		return e.local.States.SendTaskFailure(answer)
	}
	return e.local.States.SendTaskHeartbeat(answer)
}

// Send implements [console.Engine].
func (e *engine) Send(ctx context.Context, function string, event []byte, origin string) error {
	handler, err := e.local.Handler(function)
	if err != nil {
		return err
	}
	// The user may leave the page: the delivery continues.
	ctx, cancel := Invocation(context.WithoutCancel(ctx), e.local.Region, e.local.Account, rand.Text(), invocationTime)
	defer cancel()
	_, _ = handler.Invoke(console.WithOrigin(ctx, origin), event) // what happened to it is recorded
	return nil
}

// Resend implements [console.Engine].
func (e *engine) Resend(ctx context.Context, route string, event, body []byte, origin string) (unverified bool, err error) {
	h := e.local.current.Load()
	r := routeNamed(h.routes, route)
	if r == nil || r.HTTP == nil {
		return false, fmt.Errorf("the http route %q no longer exists", route)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(event, &members); err != nil {
		return false, fmt.Errorf("the event is not a request: %w", err)
	}
	if body != nil {
		setBody(members, body)
	}
	signed, err := signEvent(ctx, r, secretSource(h.getenv, nil, e.local.blanked), h.getenv, members, time.Now())
	switch {
	case err == nil:
		return false, e.Send(ctx, "webhook", signed, origin)
	case body == nil:
		return false, e.Send(ctx, "webhook", event, origin) // exactly the same bytes
	case !errors.Is(err, verify.ErrCannotSign):
		return false, err
	}
	edited, err := json.Marshal(members)
	if err != nil {
		return false, err
	}
	behind, err := h.unverified()
	if err != nil {
		return false, err
	}
	ctx, cancel := Invocation(context.WithoutCancel(ctx), e.local.Region, e.local.Account, rand.Text(), invocationTime)
	defer cancel()
	_, _ = behind.Invoke(console.WithOrigin(ctx, origin+", unverified"), edited)
	return true, nil
}

func routeNamed(routes []*config.Route, name string) *config.Route {
	for _, r := range routes {
		if r.Name == name {
			return r
		}
	}
	return nil
}

func setBody(members map[string]json.RawMessage, body []byte) {
	members["body"], _ = json.Marshal(base64.StdEncoding.EncodeToString(body)) // texts and booleans cannot fail
	members["isBase64Encoded"] = json.RawMessage("true")
}

// signEvent gives the request in an event a new signature.
func signEvent(ctx context.Context, r *config.Route, source secrets.Source, getenv func(string) string, members map[string]json.RawMessage, now time.Time) ([]byte, error) {
	var in struct {
		RawPath, Path, RawQueryString, HTTPMethod string
		RequestContext                            struct{ HTTP struct{ Method string } }
		Headers                                   map[string]string
		Body                                      string
		IsBase64Encoded                           bool
	}
	whole, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(whole, &in); err != nil {
		return nil, err
	}
	if in.RawPath == "" {
		return nil, &verify.CannotSignError{Scheme: r.Name, Why: "the event is not from a Function URL or an HTTP API"}
	}
	body := []byte(in.Body)
	if in.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(in.Body); err != nil {
			return nil, err
		}
	}
	request := &verify.Request{Method: in.RequestContext.HTTP.Method, Path: in.RawPath, RawQuery: in.RawQueryString, Header: http.Header{}, Body: body}
	for name, value := range in.Headers {
		request.Header.Set(name, value)
	}
	secret := ""
	if refs := r.HTTP.Verify.References(); len(refs) > 0 {
		ref, err := secrets.Parse(refs[0])
		if err != nil {
			return nil, err
		}
		value, err := source.Get(ctx, ref)
		if err != nil {
			return nil, err
		}
		secret = value.Reveal()
	}
	signed, err := verify.SignRequest(r.HTTP.Verify, secret, request, now)
	if keys := signingKeys(err, r.HTTP.Verify, secret, getenv); keys != "" {
		signed, err = verify.SignRequest(r.HTTP.Verify, keys, request, now)
	}
	if err != nil {
		return nil, err
	}
	headers := maps.Clone(in.Headers)
	if headers == nil {
		headers = map[string]string{}
	}
	for name := range signed.Header {
		headers[strings.ToLower(name)] = signed.Header.Get(name)
	}
	if members["headers"], err = json.Marshal(headers); err != nil {
		return nil, err
	}
	if members["rawQueryString"], err = json.Marshal(signed.RawQuery); err != nil {
		return nil, err
	}
	setBody(members, signed.Body)
	return json.Marshal(members)
}

// signingKeys returns the user's own keys, if a sender's private key is needed and the
// route's secret is their public half.
func signingKeys(err error, spec verify.Spec, secret string, getenv func(string) string) string {
	var cannot *verify.CannotSignError
	file := getenv("EXPRESSWAY_SIGNING_KEYS")
	if file == "" || !errors.As(err, &cannot) || !cannot.Keys {
		return ""
	}
	keys, err := os.ReadFile(file) //nolint:gosec // the user's own
	if err != nil {
		return ""
	}
	public, err := verify.PublicHalf(spec, string(keys))
	if err != nil || strings.TrimSpace(public) != strings.TrimSpace(secret) {
		return ""
	}
	return string(keys)
}

// Save implements [console.Engine].
func (e *engine) Save(name string, event []byte) (string, error) {
	if err := os.MkdirAll(e.fixtures, 0o750); err != nil {
		return "", err
	}
	path := filepath.Join(e.fixtures, name)
	var v any
	if err := json.Unmarshal(event, &v); err != nil {
		return "", err
	}
	pretty, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640) //nolint:gosec // a fixture for the project
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s exists: choose another name", path)
	}
	if err != nil {
		return "", err
	}
	_, err = f.Write(append(pretty, '\n'))
	return path, errors.Join(err, f.Close())
}

// A replayable store remembers deliveries, except those that are sent again from the
// console: they are meant to run.
type replayable struct{ bridge.DedupeStore }

// Claim implements [bridge.DedupeStore].
func (s replayable) Claim(ctx context.Context, c bridge.Claim) (bridge.Record, error) {
	if console.Again(ctx) {
		return bridge.Record{State: bridge.Claimed}, nil
	}
	return s.DedupeStore.Claim(ctx, c)
}
