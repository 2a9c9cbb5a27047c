package devserver_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// The sample of each provider is accepted: signed as the provider signs or, if its key is
// not available, without the check, which the delivery says.
func TestSamplesOfProviders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{"VERIFY_TOKEN": "a-verify-token"}
	var routes strings.Builder
	routes.WriteString("version: 1\nroutes:\n")
	cannot := map[string]bool{}
	for i, p := range verify.Providers() {
		c, err := providertest.Complete(p)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("SECRET_%d", i)
		env[name] = c.Secret
		block := strings.ReplaceAll(c.YAML(), providertest.Reference, "env:"+name)
		spec := c.Spec
		spec.Token = &verify.Token{Reference: "env:VERIFY_TOKEN"}
		if len(spec.Validate()) == 0 {
			block = strings.TrimSuffix(block, "}") + ", token: 'env:VERIFY_TOKEN'}"
		}
		fmt.Fprintf(&routes, "  - name: %s\n    http: POST /%s/{id}\n    verify: %s\n    input: '{%% $request.body %%}'\n    start: m\n    %s\n", p, p, block, c.Dedupe())
		_, err = verify.SignRequest(c.Spec, c.Secret, &verify.Request{Method: "POST", Body: []byte(`{"id":"1"}`)}, time.Now())
		cannot[p] = errors.Is(err, verify.ErrCannotSign)
	}
	for name, text := range map[string]string{"expressway.yaml": routes.String(), "m.asl.json": `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	recorder := console.NewRecorder(console.Options{})
	local, err := devserver.NewLocal(devserver.Options{
		Config: filepath.Join(dir, "expressway.yaml"), StateMachines: dir, Log: slog.New(recorder.Log(slog.DiscardHandler)), Recorder: recorder,
		Getenv: func(name string) string { return env[name] },
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := local.Engine(dir, "http://127.0.0.1:8080")
	for _, p := range verify.Providers() {
		sample, ok := engine.Sample(p)
		if !ok || sample.Body == "" || sample.Path != "/"+p+"/id" {
			t.Errorf("%s: %+v", p, sample)
		}
		unverified, err := engine.SendSample(t.Context(), p, nil, "", "console")
		if err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		d := recorder.Deliveries(nil, 1)[0]
		if !d.OK || d.Decision != "started" || unverified != cannot[p] || strings.Contains(d.Origin, "unverified") != unverified {
			t.Errorf("%s: %s %s, unverified %t: %s %s (%s)", p, d.Decision, d.Status, unverified, d.Error, d.Cause, d.Origin)
		}
	}
	body := `{"id":"mine"}`
	if _, err := engine.SendSample(t.Context(), "github", &body, "issues", "console"); err != nil {
		t.Fatal(err)
	}
	d := recorder.Deliveries(nil, 1)[0]
	if e, _ := recorder.Execution(d.Records[0].Execution); string(e.Input()) != body || !strings.Contains(string(d.Event()), `"x-github-event":"issues"`) {
		t.Errorf("input %s of %s", e.Input(), d.Event())
	}
	if _, err := engine.SendSample(t.Context(), "nobody", nil, "", "console"); err == nil {
		t.Error("a route that does not exist takes a sample")
	}
}

// One state runs alone, with a result in place of its task, and with variables.
func TestConsoleTestsOneState(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	const definition = `{"QueryLanguage":"JSONata","StartAt":"Call","States":{"Call":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Arguments":{"FunctionName":"f","Payload":"{% $states.input %}"},` +
		`"Output":"{% $states.result.Payload.n + $add %}","Next":"Done"},"Done":{"Type":"Succeed"}}}`
	if err := c.local.States.Put("calls", []byte(definition)); err != nil {
		t.Fatal(err)
	}
	var out struct {
		Status, Output, Error, NextState string
		InspectionData                   map[string]any
	}
	if code := c.post("api/machines/calls/test", `{"state":"Call","input":{"a":1},"variables":{"add":2},"mock":{"Payload":{"n":40}}}`, &out); code != 200 || out.Status != "SUCCEEDED" || out.Output != "42" || out.NextState != "Done" || out.InspectionData["afterArguments"] == nil {
		t.Errorf("%d %+v", code, out)
	}
	for body, want := range map[string]int{
		`{"state":"Nowhere","input":{}}`: 422, `{"state":"Done","input":{"a":1}}`: 200, `{"state":"Done","what":1}`: 400,
	} {
		if code := c.post("api/machines/calls/test", body, nil); code != want {
			t.Errorf("%s: %d, want %d", body, code, want)
		}
	}
	if page := c.get("machines/calls?state=Done", nil); !strings.Contains(page, `<option selected>Done</option>`) {
		t.Error("the page does not offer the state")
	}
}

// What starts nothing says why: a filter that yields nothing, a handshake, a page, a task
// that continues.
func TestConsoleSaysWhatStartsNothing(t *testing.T) {
	t.Parallel()
	c := newConsole(t, `  - {name: filtered, http: POST /filtered, verify: none, filter: '{% $request.body.there = 1 %}', start: m}
  - {name: undefined, http: POST /undefined, verify: none, filter: '{% $request.body.gone %}', start: m}
  - {name: challenge, http: POST /challenge, verify: {provider: meta, secrets: ["env:SECRET"], token: "env:TOKEN"}, start: m}
  - {name: healthy, http: GET /healthy, verify: none, answer: {status: 204}}
  - {name: approve, http: POST /approve, verify: link, resume: {token: '{% $request.query.token %}', page: {title: Continue?}}}
`)
	for _, test := range []struct{ method, path, body, decision, reason, route, shown string }{
		{"POST", "/filtered", `{"there":2}`, "filtered", "", "filtered", "stopped"},
		{"POST", "/undefined", `{"a":1}`, "filtered", "FilterUndefined", "undefined", "FilterUndefined: the filter yields nothing"},
		{"GET", "/challenge?hub.mode=subscribe&hub.challenge=123&hub.verify_token=" + url.QueryEscape(canaryToken), "", "handshake", "", "challenge", "nothing starts"},
		{"GET", "/healthy", "", "answered", "", "healthy", "answered"},
		{"GET", "/approve?token=t", "", "page", "", "approve", "asks for a decision"},
		{"POST", "/approve?token=t", "decision=approve", "refused", "", "approve", "Expressway."},
	} {
		send(t, test.method, c.base+test.path, "application/json", []byte(test.body))
		d := c.latest()
		if d.Decision != test.decision || d.Reason != test.reason || d.Route != test.route {
			t.Errorf("%s %s: %s %q of %q; %s %s", test.method, test.path, d.Decision, d.Reason, d.Route, d.Error, d.Cause)
		}
		if page := c.get(fmt.Sprintf("deliveries/%d", d.ID), nil); !strings.Contains(page, test.shown) {
			t.Errorf("%s: the page does not say %q", test.path, test.shown)
		}
	}
	var out struct{ Deliveries []json.RawMessage }
	if c.get("api/deliveries?result=answered", &out); len(out.Deliveries) != 3 {
		t.Errorf("%d were answered, want 3", len(out.Deliveries))
	}
}
