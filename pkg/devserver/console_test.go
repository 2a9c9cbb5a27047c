package devserver_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// The canaries are secrets: of a token, of a signature, and one that a sender sends in the
// wrong place.
const (
	canaryToken  = "canary-token-5d41402abc4b+a/76="
	canarySecret = `canary-"secret"-<7d793037a076>`
)

const consoleRoutes = `version: 1
routes:
  - {name: token, http: POST /token, verify: {token: {header: X-Api-Key}, secrets: ["env:TOKEN"]}, start: m, dedupe: {key: '{% $request.body.id %}'}}
  - {name: signed, http: POST /signed, verify: {provider: github, secrets: ["env:SECRET"]}, start: m}
  - {name: foreign, http: POST /foreign, verify: {provider: discord, secrets: ["env:DISCORD"]}, start: m}
  - {name: open, http: "POST /open/{rest...}", verify: none, start: fails}
  - {name: queue, sqs: "*", start: m}
  - {name: event, eventbridge: {source: "*"}, start: m}
`

// evil is markup wherever it is not escaped.
const evil = `<script>alert("x")</script><img src=x onerror=alert(1)>`

type consoleTest struct {
	t     *testing.T
	base  string
	token string
	dir   string
	local *devserver.Local

	recorder *console.Recorder
}

func newConsole(t *testing.T, more ...string) *consoleTest {
	t.Helper()
	return newConsoleWith(t, nil, more...)
}

func newConsoleWith(t *testing.T, variables map[string]string, more ...string) *consoleTest {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"expressway.yaml": consoleRoutes + strings.Join(more, ""),
		"m.asl.json":      `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`,
		"fails.asl.json": `{"StartAt":"` + strings.ReplaceAll(evil[:50], `"`, `'`) + `","States":{"` + strings.ReplaceAll(evil[:50], `"`, `'`) +
			`":{"Type":"Fail","ErrorPath":"$.path","CausePath":"States.JsonToString($.body)"}}}`,
		"waits.asl.json": `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":200,"End":true}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{
		"TOKEN": canaryToken, "SECRET": canarySecret, "DISCORD": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
	}
	maps.Copy(env, variables)
	recorder := console.NewRecorder(console.Options{})
	log := slog.New(recorder.Log(slog.DiscardHandler))
	local, err := devserver.NewLocal(devserver.Options{
		Config: filepath.Join(dir, "expressway.yaml"), StateMachines: dir, Log: log, Recorder: recorder,
		Getenv: func(name string) string { return env[name] },
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := devserver.Listen(local, devserver.ListenOptions{
		HTTP: "127.0.0.1:0", States: "127.0.0.1:0", Log: log,
		Console: func(webhooks, states string) http.Handler {
			return console.New(console.ServeOptions{
				Recorder: recorder, Engine: local.Engine(filepath.Join(dir, "events"), webhooks), Secrets: local.Blanked(),
				Version: "test", Webhooks: webhooks, States: states, Log: log,
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	c := &consoleTest{t: t, recorder: recorder, base: "http://" + server.Webhooks(), dir: dir, local: local}
	t.Cleanup(func() {
		for _, arn := range local.States.Running() {
			local.States.EndExecution(arn, "", "")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	var token struct{ Token string }
	c.get("api/token", &token)
	c.token = token.Token
	return c
}

// get reads a page or an answer of the API.
func (c *consoleTest) get(path string, to any) string {
	c.t.Helper()
	response, body := send(c.t, "GET", c.base+"/_expressway/"+path, "", nil)
	if response.StatusCode != 200 {
		c.t.Errorf("GET %s: %d %s", path, response.StatusCode, body)
	}
	if to != nil {
		if err := json.Unmarshal(body, to); err != nil {
			c.t.Fatalf("GET %s: %v: %s", path, err, body)
		}
	}
	return string(body)
}

func (c *consoleTest) post(path, body string, to any) int {
	c.t.Helper()
	response, text := send(c.t, "POST", c.base+"/_expressway/"+path, "application/json", []byte(body), "X-Expressway-Token", c.token)
	if to != nil {
		if err := json.Unmarshal(text, to); err != nil {
			c.t.Fatalf("POST %s: %v: %s", path, err, text)
		}
	}
	return response.StatusCode
}

// latest is the newest delivery.
func (c *consoleTest) latest() console.Delivery {
	var out struct{ Deliveries []console.Delivery }
	c.get("api/deliveries?limit=1", &out)
	if len(out.Deliveries) == 0 {
		c.t.Fatal("there is no delivery")
	}
	return out.Deliveries[0]
}

// deliver sends one of each: accepted, forged, unrouted, failed; secrets where they
// belong and where they do not; markup in every place that a sender controls.
func (c *consoleTest) deliver() {
	quoted, _ := json.Marshal(map[string]string{"id": "1", "echo": canaryToken + canarySecret, "evil": evil})
	send(c.t, "POST", c.base+"/token", "application/json", quoted, "X-Api-Key", canaryToken, "X-Evil", evil)
	send(c.t, "POST", c.base+"/token", "application/json", quoted, "Authorization", "Bearer "+canaryToken, "Cookie", "a="+canaryToken)
	send(c.t, "POST", c.base+"/signed?token="+canaryToken, "application/json", quoted, "X-Hub-Signature-256", "sha256=00")
	send(c.t, "POST", c.base+"/open/%3Cscript%3Ealert(1)%3C/script%3E?q=%3Cscript%3E", "application/json", quoted)
	send(c.t, "POST", c.base+"/<script>", "text/html", []byte(evil+canaryToken))
	event := `{"event":{"source":"` + strings.ReplaceAll(evil, `"`, `'`) + `","detail-type":"` + canaryToken + `","id":"e","detail":{}}}`
	c.post("api/send/event", event, nil)
	foreign, _ := json.Marshal(map[string]any{"event": map[string]any{
		"version": "2.0", "rawPath": "/open/" + evil, "rawQueryString": evil + canaryToken, "body": evil, "isBase64Encoded": false,
		"headers":        map[string]string{evil: evil, canaryToken: canarySecret, "x-" + evil: canaryToken, "content-type": evil},
		"requestContext": map[string]any{"requestId": evil, "http": map[string]string{"method": "POST", "path": "/open/" + evil, "sourceIp": evil}},
	}})
	if status := c.post("api/send/webhook", string(foreign), nil); status != 200 {
		c.t.Fatalf("an event with markup: %d", status)
	}
	c.post("api/send/queue", `{"event":{"Records":[{"messageId":"m","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:q<script>","body":"`+canaryToken+`","attributes":{"ApproximateReceiveCount":"1"}}]}}`, nil)
}

// everything is all that the console serves.
func (c *consoleTest) everything() map[string]string {
	c.t.Helper()
	all := map[string]string{}
	for _, path := range []string{"", "executions", "machines", "machines/m", "machines/fails", "send", "health", "api/", "api/deliveries", "api/executions", "api/machines", "api/machines/fails", "api/machines/fails/graph", "api/machines/m/graph?format=mermaid", "api/machines/m/graph?format=dot", "api/routes", "api/problems", "api/routes/token/sample", "executions?q=" + url.QueryEscape(evil+canaryToken), "send?q=" + url.QueryEscape(evil), "?q=" + canaryToken} {
		all[path] = c.get(path, nil)
	}
	var deliveries struct{ Deliveries []console.Delivery }
	c.get("api/deliveries", &deliveries)
	for _, d := range deliveries.Deliveries {
		for _, path := range []string{"deliveries/%d", "api/deliveries/%d"} {
			all[fmt.Sprintf(path, d.ID)] = c.get(fmt.Sprintf(path, d.ID), nil)
		}
	}
	var executions struct{ Executions []console.Execution }
	c.get("api/executions", &executions)
	for _, e := range executions.Executions {
		for _, path := range []string{"executions/%d", "api/executions/%d", "api/executions/%d/graph", "api/executions/%d/waits", "executions/%d?state=A", "executions/%d?item=%%3Cscript%%3E&state=%%3Cscript%%3E"} {
			all[fmt.Sprintf(path, e.ID)] = c.get(fmt.Sprintf(path, e.ID), nil)
		}
	}
	return all
}

// No secret of a route is in anything that the console serves, wherever it was put.
func TestConsoleBlanksSecrets(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.deliver()
	for path, text := range c.everything() {
		for _, secret := range []string{canaryToken, "canary-token-5d41402abc4b&#43;a/76=", canarySecret, `canary-\"secret\"`, "canary-&#34;secret", `canary-\\\"secret`} {
			if strings.Contains(text, secret) && !strings.HasPrefix(path, "?q=") {
				at := strings.Index(text, secret)
				t.Errorf("%s has %q: …%s…", path, secret, text[max(0, at-80):min(len(text), at+80)])
			}
		}
	}
}

// What a sender or a definition writes is never markup.
func TestConsoleIsNoMarkup(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.deliver()
	for path, text := range c.everything() {
		for _, markup := range []string{"<script>", "<img", "onerror=alert(1)>"} {
			if i := strings.Index(text, markup); i >= 0 && !strings.Contains(path, "format=") {
				t.Errorf("%s: %q in …%s…", path, markup, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
	// The search is in the page, too.
	if page := c.get("?q=%22%3E%3Cscript%3E", nil); strings.Contains(page, `"><script>`) {
		t.Error("the search is markup")
	}
}

// A form that sends does nothing before the page's module runs, or without it: submitted by
// the browser itself, it would put payloads and task tokens into the URL.
func TestConsoleFormsNeedTheModule(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.deliver()
	forms := 0
	for path, text := range c.everything() {
		for _, form := range regexp.MustCompile(`<form[^>]*data-post[^>]*>`).FindAllString(text, -1) {
			if forms++; !strings.Contains(form, ` method="dialog"`) {
				t.Errorf("%s: %s", path, form)
			}
		}
	}
	if forms == 0 {
		t.Error("no page has a form")
	}
}

// Every answer has a policy that lets no foreign code run, and every POST needs the token;
// a foreign host and a foreign page get nothing.
func TestConsoleIsGuarded(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	for _, path := range []string{"", "health", "api/deliveries", "assets/console.mjs", "nope"} {
		response, _ := send(t, "GET", c.base+"/_expressway/"+path, "", nil)
		policy := response.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, response.Header)
		}
	}
	for _, path := range []string{"api/deliveries/1/replay", "api/deliveries/1/save", "api/executions/1/end", "api/machines/m/run", "api/send/event"} {
		for _, token := range []string{"", "wrong"} {
			response, body := send(t, "POST", c.base+"/_expressway/"+path, "application/json", []byte("{}"), "X-Expressway-Token", token)
			if response.StatusCode != http.StatusForbidden {
				t.Errorf("POST %s with the token %q: %d %s", path, token, response.StatusCode, body)
			}
		}
	}
	for name, headers := range map[string][2]string{"origin": {"Origin", "https://evil.example"}, "site": {"Sec-Fetch-Site", "cross-site"}} {
		if response, _ := send(t, "GET", c.base+"/_expressway/api/token", "", nil, headers[0], headers[1]); response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", name, response.StatusCode)
		}
	}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", c.base+"/_expressway/api/token", nil)
	r.Host = "evil.example"
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("another host: %d", response.StatusCode)
	}
	if response, _ := send(t, "GET", c.base+"/_expresswayz", "", nil); response.StatusCode != 404 || response.Header.Get("Content-Security-Policy") != "" {
		t.Errorf("a path with only the same prefix: %d", response.StatusCode)
	}
}

// From a delivery to the state that failed, and again after it was corrected.
func TestConsoleReplay(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	send(t, "POST", c.base+"/open/x", "application/json", []byte(`{"a":1}`))
	d := c.latest()
	if d.OK || d.State == "" || d.Records[0].Execution == 0 {
		t.Fatalf("%+v", d)
	}
	if page := c.get(fmt.Sprintf("executions/%d?state=%s", d.Records[0].Execution, "x"), nil); !strings.Contains(page, "did not reach") {
		t.Error("a state that was not reached")
	}
	mended := `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":"mended","End":true}}}`
	if err := os.WriteFile(filepath.Join(c.dir, "fails.asl.json"), []byte(mended), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.local.States.LoadDir(c.dir); err != nil {
		t.Fatal(err)
	}
	var out struct{ ID int }
	if status := c.post(fmt.Sprintf("api/deliveries/%d/replay", d.ID), "", &out); status != 200 {
		t.Fatalf("replay: %d", status)
	}
	if again := c.latest(); !again.OK || again.Origin != fmt.Sprintf("replay of %d", d.ID) || again.ID != out.ID {
		t.Errorf("%+v", again)
	}
}

// A delivery that is remembered runs when it is sent again on purpose, and an edited one is
// signed again, or skips the check and says so.
func TestConsoleResend(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	body := []byte(`{"id":"d1","n":1}`)
	send(t, "POST", c.base+"/token", "application/json", body, "X-Api-Key", canaryToken)
	first := c.latest()
	send(t, "POST", c.base+"/token", "application/json", body, "X-Api-Key", canaryToken)
	if d := c.latest(); d.Decision != "replayed" {
		t.Fatalf("a duplicate was %s", d.Decision)
	}
	c.post(fmt.Sprintf("api/deliveries/%d/replay", first.ID), "", nil)
	if d := c.latest(); d.Decision != "started" || !d.OK {
		t.Errorf("sent again: %+v", d)
	}
	send(t, "POST", c.base+"/signed", "application/json", body, "X-Hub-Signature-256", "sha256=00", "X-GitHub-Event", "push")
	if d := c.latest(); d.Status != "401" {
		t.Fatalf("%+v", d)
	}
	var out struct{ Unverified bool }
	c.post(fmt.Sprintf("api/deliveries/%d/replay", c.latest().ID), `{"body":"{\"id\":\"d2\"}"}`, &out)
	if d := c.latest(); d.Status != "200" || out.Unverified || strings.Contains(d.Origin, "unverified") {
		t.Errorf("signed again: %+v", d)
	}
	send(t, "POST", c.base+"/foreign", "application/json", body, "X-Signature-Ed25519", "00", "X-Signature-Timestamp", "1")
	c.post(fmt.Sprintf("api/deliveries/%d/replay", c.latest().ID), `{"body":"{\"type\":2,\"id\":\"d3\"}"}`, &out)
	if d := c.latest(); d.Status != "200" || !out.Unverified || !strings.Contains(d.Origin, "unverified") {
		t.Errorf("a key that is not ours: %+v", d)
	}
}

// A fixture is a file that invoke takes, with nothing secret, and is never overwritten.
func TestConsoleSave(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	send(t, "POST", c.base+"/token", "application/json", []byte(`{}`), "X-Api-Key", canaryToken)
	path := fmt.Sprintf("api/deliveries/%d/save", c.latest().ID)
	var out struct{ Path, Command, Error string }
	if status := c.post(path, `{"name":"paid"}`, &out); status != 200 || !strings.HasSuffix(out.Path, "webhook-paid.json") || !strings.Contains(out.Command, "expressway invoke webhook -e ") {
		t.Errorf("%d %+v", status, out)
	}
	text, err := os.ReadFile(out.Path)
	if err != nil || strings.Contains(string(text), canaryToken) || !strings.Contains(string(text), `"rawPath": "/token"`) {
		t.Errorf("%v %s", err, text)
	}
	for name, status := range map[string]int{"paid": 422, "../evil": 400, "A": 400, "": 400} {
		if got := c.post(path, `{"name":"`+name+`"}`, &out); got != status || out.Error == "" {
			t.Errorf("%q: %d %+v, want %d", name, got, out, status)
		}
	}
}

// State machines are run from the console, and executions without a caller can be ended there.
func TestConsoleRunAndEnd(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	var run struct {
		ID    int
		Error string
	}
	if status := c.post("api/machines/waits/run", `{"input":{"a":1}}`, &run); status != 200 || run.ID == 0 {
		t.Fatalf("%d %+v", status, run)
	}
	end := fmt.Sprintf("api/executions/%d/end", run.ID)
	if status := c.post(end, "", nil); status != 200 {
		t.Errorf("end: %d", status)
	}
	var e console.ExecutionView
	for deadline := time.Now().Add(10 * time.Second); e.Status != "ABORTED"; time.Sleep(10 * time.Millisecond) {
		c.get(fmt.Sprintf("api/executions/%d", run.ID), &e)
		if time.Now().After(deadline) {
			t.Fatalf("the execution does not end: %+v", e)
		}
	}
	if status := c.post(end, "", &run); status != 409 || run.Error == "" {
		t.Errorf("stopping an ended execution: %d %+v", status, run)
	}
	for path, want := range map[string]int{"api/machines/gone/run": 404, "api/send/worker": 422, "api/executions/9999/end": 404} {
		if got := c.post(path, `{}`, &run); got != want && path != "api/send/worker" || got < 400 {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

// Lists are filtered by their query, and pages follow what happens by events.
func TestConsoleListsAndEvents(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	r, err := http.NewRequestWithContext(t.Context(), "GET", c.base+"/_expressway/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	lines.Scan()
	c.deliver()
	seen := map[string]bool{}
	for len(seen) < 2 && lines.Scan() {
		var change console.Change
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &change) == nil {
			seen[change.Kind] = true
		}
	}
	if !seen["delivery"] || !seen["execution"] {
		t.Errorf("saw %v", seen)
	}
	for query, want := range map[string]int{
		"": 8, "?limit=2": 2, "?source=queue": 1, "?source=event": 1, "?route=token": 2, "?result=refused": 3, "?result=failed": 5, "?result=ok": 3, "?q=noroute": 1, "?q=nothing-like-it": 0,
	} {
		var out struct{ Deliveries []console.Delivery }
		if c.get("api/deliveries"+query, &out); len(out.Deliveries) != want {
			t.Errorf("%q: %d deliveries, want %d", query, len(out.Deliveries), want)
		}
	}
	var out struct{ Executions []console.Execution }
	if c.get("api/executions?machine=m&status=SUCCEEDED", &out); len(out.Executions) == 0 {
		t.Error("no executions of m")
	}
	for _, path := range []string{"deliveries/x", "deliveries/99999", "executions/99999", "machines/gone", "api/deliveries/99999", "api/nothing", "assets/../console.go"} {
		if response, _ := send(t, "GET", c.base+"/_expressway/"+path, "", nil); response.StatusCode != 404 && response.StatusCode != 301 && response.StatusCode != 307 {
			t.Errorf("%s: %d, want 404", path, response.StatusCode)
		}
	}
}

// A page with all that it loads stays small.
func TestConsoleWeight(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	total := 0
	for _, path := range []string{"", "assets/console.css", "assets/graph.css", "assets/console.mjs", "assets/icon.svg"} {
		total += len(c.get(path, nil))
	}
	t.Logf("%d bytes", total)
	if total > 150_000 {
		t.Errorf("a page takes %d bytes", total)
	}
}
