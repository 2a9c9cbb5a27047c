package httpfront_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/dedupe"
)

// A taskTable is a resumer that completes each token once, and a table of tokens by key.
type taskTable struct {
	mu     sync.Mutex
	waits  map[string]bool              // tokens
	items  map[string]map[string]string // by key
	after  int                          // reads of a key before it is there
	fail   error
	sent   []bridge.Resumption
	reads  int
	reader error
}

func (t *taskTable) Resume(_ context.Context, r bridge.Resumption) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	waiting, known := t.waits[r.Token]
	switch {
	case t.fail != nil:
		return t.fail
	case !known:
		return bridge.NewFailure(bridge.BadToken, "no such token", nil)
	case !waiting:
		f := bridge.NewFailure(bridge.TaskGone, "gone", nil)
		f.Settles = true
		return f
	}
	t.waits[r.Token] = r.Action == bridge.TaskHeartbeat
	t.sent = append(t.sent, r)
	return nil
}

func (t *taskTable) Item(_ context.Context, table, keyAttribute string, key any) (map[string]string, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reads++
	if t.reader != nil {
		return nil, false, t.reader
	}
	if table != "waits" || keyAttribute != "id" || t.reads <= t.after {
		return nil, false, nil
	}
	k, _ := key.(string)
	item, ok := t.items[k]
	return item, ok, nil
}

func newTasks() *taskTable {
	return &taskTable{
		waits: map[string]bool{"tok/+=1": true, "tok-2": true, "done": false},
		items: map[string]map[string]string{"o-1": {"token": "tok-2", "secret": "s3cr3t"}, "o-2": {"other": "x", "secret": "s3cr3t"}},
	}
}

const resumeRoutes = `  - {name: body, http: POST /body, verify: none, resume: {token: '{% $request.body.token %}', fail: '{% $request.body.status = "failed" %}', error: PaymentFailed, cause: '{% $request.body.reason %}', heartbeat: '{% $request.body.status = "processing" %}', output: '{% $request.body.paid %}'}}
  - {name: whole, http: POST /whole, verify: none, resume: {token: '{% $request.query.t %}'}}
  - {name: header, http: POST /header, verify: none, resume: {token: '{% $request.headers."x-task" %}'}, respond: {status: 202, body: taken}}
  - {name: lookup, http: POST /lookup, verify: {token: {header: X-Token}, secrets: ["env:TOKEN"]}, resume: {lookup: {table: waits, key: '{% $request.body.id %}', grace: 3s}}, catch: [{errors: [Expressway.TaskUnknown], status: 503}]}
  - {name: once, http: POST /once, verify: none, dedupe: {key: '{% $request.body.id %}'}, resume: {token: '{% $request.body.token %}'}}
  - {name: link, http: POST /link, verify: link, resume: {page: {title: 'Refund <b>5 €</b>?', approve: Yes, reject: 'No & never'}}}
  - {name: plain, http: POST /plain, verify: link, resume: {}}
  - {name: secret, http: POST /secret, verify: link, resume: {lookup: {table: waits, key: '{% $request.query.id %}', secretAttribute: secret, grace: 100ms}, page: {title: Sure?}}}
`

func resumeFront(t *testing.T, tasks *taskTable, log *bytes.Buffer) func(method, path, query, contentType, body string, headers ...string) response {
	t.Helper()
	f := logged(t, resumeRoutes, starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
		t.Error("something was started")
		return bridge.Outcome{}, nil
	}), log, bridge.Options{Resumer: tasks, WaitTable: tasks, Dedupe: dedupe.NewMemory(dedupe.MemoryOptions{})})
	return func(method, path, query, contentType, body string, headers ...string) response {
		payload := strings.Replace(string(event(method, path, contentType, body, headers...)), `"rawQueryString":""`, `"rawQueryString":"`+query+`"`, 1)
		return invoke(t, f, []byte(payload))
	}
}

// A webhook completes the task whose token it carries, or whose key it has.
func TestResume(t *testing.T) {
	t.Parallel()
	const jsonType, form = "application/json", "application/x-www-form-urlencoded"
	escaped := url.QueryEscape("tok/+=1")
	tests := map[string]struct {
		path, query, contentType, body string
		headers                        []string
		tasks                          func(*taskTable)
		status                         int
		text                           string // in the answer's body
		sent                           []bridge.Resumption
	}{
		"success": {
			path: "/body", body: `{"token":"tok/+=1","paid":{"n":9007199254740993}}`, status: 200,
			sent: []bridge.Resumption{{Token: "tok/+=1", Action: bridge.TaskSucceeds, Output: []byte(`{"n":9007199254740993}`)}},
		},
		"failure": {
			path: "/body", body: `{"token":"tok/+=1","status":"failed","reason":{"code":5}}`, status: 200,
			sent: []bridge.Resumption{{Token: "tok/+=1", Action: bridge.TaskFails, Error: "PaymentFailed", Cause: `{"code":5}`}},
		},
		"a failure without a reason": {
			path: "/body", body: `{"token":"tok/+=1","status":"failed"}`, status: 200,
			sent: []bridge.Resumption{{Token: "tok/+=1", Action: bridge.TaskFails, Error: "PaymentFailed"}},
		},
		"a failure with the reason null": {
			path: "/body", body: `{"token":"tok/+=1","status":"failed","reason":null}`, status: 200,
			sent: []bridge.Resumption{{Token: "tok/+=1", Action: bridge.TaskFails, Error: "PaymentFailed"}},
		},
		"heartbeat": {
			path: "/body", body: `{"token":"tok/+=1","status":"processing"}`, status: 200,
			sent: []bridge.Resumption{{Token: "tok/+=1", Action: bridge.TaskHeartbeat}},
		},
		"its own respond": {
			path: "/header", body: `{}`, headers: []string{"x-task", "tok-2"}, status: 202, text: "taken",
			sent: []bridge.Resumption{{Token: "tok-2", Action: bridge.TaskSucceeds}},
		},
		"no token":                 {path: "/body", body: `{"paid":1}`, status: 400, text: bridge.BadToken},
		"a token that is not text": {path: "/body", body: `{"token":5,"paid":1}`, status: 400, text: bridge.BadToken},
		"a foreign token":          {path: "/body", body: `{"token":"guess","paid":1}`, status: 400, text: bridge.BadToken},
		"an oversized token":       {path: "/body", body: `{"token":"` + strings.Repeat("x", 2049) + `","paid":1}`, status: 400, text: bridge.BadToken},
		"a task that is gone":      {path: "/body", body: `{"token":"done","paid":1}`, status: 410, text: bridge.TaskGone},
		"neither true nor false":   {path: "/body", body: `{"token":"tok-2"}`, status: 500, text: bridge.ExpressionFailed},
		"an output too large":      {path: "/body", body: `{"token":"tok-2","paid":"` + strings.Repeat("x", bridge.MaxInput) + `"}`, status: 413, text: bridge.InputTooLarge},
		"unknown outcome": {
			path: "/body", body: `{"token":"tok-2","paid":1}`, status: 502, text: bridge.Unknown,
			tasks: func(t *taskTable) { t.fail = bridge.NewFailure(bridge.Unknown, "x", nil) },
		},
		"by a key": {
			path: "/lookup", body: `{"id":"o-1"}`, headers: []string{"x-token", "t0ken"}, status: 200,
			sent: []bridge.Resumption{{Token: "tok-2", Action: bridge.TaskSucceeds}},
		},
		"before the workflow wrote": {
			path: "/lookup", body: `{"id":"o-1"}`, headers: []string{"x-token", "t0ken"}, status: 200, tasks: func(t *taskTable) { t.after = 2 },
			sent: []bridge.Resumption{{Token: "tok-2", Action: bridge.TaskSucceeds}},
		},
		"an unknown key":               {path: "/lookup", body: `{"id":"o-9"}`, headers: []string{"x-token", "t0ken"}, status: 503, text: bridge.TaskUnknown},
		"no key":                       {path: "/lookup", body: `{}`, headers: []string{"x-token", "t0ken"}, status: 400, text: bridge.BadRequest},
		"an item without token":        {path: "/lookup", body: `{"id":"o-2"}`, headers: []string{"x-token", "t0ken"}, status: 500, text: bridge.Misconfigured},
		"a table that does not answer": {path: "/lookup", body: `{"id":"o-1"}`, headers: []string{"x-token", "t0ken"}, status: 503, text: bridge.Unavailable, tasks: func(t *taskTable) { t.reader = errors.New("no answer") }},
		"a forged webhook":             {path: "/lookup", body: `{"id":"o-1"}`, status: 401, text: bridge.Unverified},
		"a link, plainly": {
			path: "/plain", query: "token=" + escaped, contentType: form, body: "decision=approve", status: 200,
			sent: []bridge.Resumption{{Token: "tok/+=1", Action: bridge.TaskSucceeds}},
		},
		"a link, rejected": {
			path: "/plain", query: "token=" + escaped, contentType: form, body: "decision=reject", status: 200,
			sent: []bridge.Resumption{{Token: "tok/+=1", Action: bridge.TaskFails, Error: "Rejected"}},
		},
		"a link without a decision": {path: "/plain", query: "token=" + escaped, contentType: form, body: "", status: 400, text: bridge.BadRequest},
		"a link, other decision":    {path: "/plain", query: "token=" + escaped, contentType: form, body: "decision=maybe", status: 400, text: bridge.BadRequest},
		"a link without a token":    {path: "/plain", contentType: form, body: "decision=approve", status: 400, text: bridge.BadToken},
		"a link with its secret": {
			path: "/secret", query: "id=o-1&secret=s3cr3t", contentType: form, body: "decision=approve", status: 200,
			sent: []bridge.Resumption{{Token: "tok-2", Action: bridge.TaskSucceeds}},
		},
		"a link with another secret": {path: "/secret", query: "id=o-1&secret=s3cr3", contentType: form, body: "decision=approve", status: 401, text: "not valid"},
		"a link without its secret":  {path: "/secret", query: "id=o-1", contentType: form, body: "decision=approve", status: 401, text: "not valid"},
		"a link to nothing":          {path: "/secret", query: "id=o-9&secret=s3cr3t", contentType: form, body: "decision=approve", status: 404, text: "Nothing is waiting"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tasks, log := newTasks(), &bytes.Buffer{}
			if test.tasks != nil {
				test.tasks(tasks)
			}
			got := resumeFront(t, tasks, log)("POST", test.path, test.query, or(test.contentType, jsonType), test.body, test.headers...)
			if got.StatusCode != test.status || !strings.Contains(got.Body, test.text) {
				t.Errorf("got %d %s, want %d %s", got.StatusCode, got.Body, test.status, test.text)
			}
			for i := range tasks.sent {
				if test.sent != nil && test.sent[i].Output == nil {
					tasks.sent[i].Output = nil // the default is another test's
				}
			}
			if diff := cmp.Diff(test.sent, tasks.sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			for _, secret := range []string{"tok/+=1", escaped, "tok-2", "s3cr3t", "o-1"} {
				if strings.Contains(log.String(), secret) || strings.Contains(got.Body, secret) {
					t.Errorf("log or answer has %q: %s\n%s", secret, log.String(), got.Body)
				}
			}
		})
	}
}

// The default output is the delivery, without the token that came with it.
func TestResumeDefaultOutput(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/whole", "/header", "/plain"} {
		tasks := newTasks()
		query, headers := map[string]string{"/whole": "t=tok-2&x=1", "/header": "x=1", "/plain": "token=tok-2&x=1"}[path], []string{}
		if path == "/header" {
			headers = []string{"x-task", "tok-2"}
		}
		resumeFront(t, tasks, &bytes.Buffer{})("POST", path, query, "application/json", `{"decision":"approve"}`, headers...)
		if len(tasks.sent) != 1 {
			t.Fatalf("%s: nothing was sent", path)
		}
		output := string(tasks.sent[0].Output)
		if strings.Contains(output, "tok-2") || !strings.Contains(output, `"query":{"x":"1"}`) || !strings.Contains(output, `"decision":"approve"`) {
			t.Errorf("%s: output = %s, want the delivery without its token", path, output)
		}
	}
}

// A duplicate has the first answer; what did not end does not.
func TestResumeDuplicates(t *testing.T) {
	t.Parallel()
	tasks := newTasks()
	post := resumeFront(t, tasks, &bytes.Buffer{})
	send := func(body string) response { return post("POST", "/once", "", "application/json", body) }
	first, second := send(`{"id":"a","token":"tok-2"}`), send(`{"id":"a","token":"tok-2"}`)
	if first.StatusCode != 200 || second.StatusCode != 200 || second.Headers["Idempotent-Replayed"] != "true" || len(tasks.sent) != 1 {
		t.Errorf("got %d, then %d %v, and %d resumptions; want 200 twice and one", first.StatusCode, second.StatusCode, second.Headers, len(tasks.sent))
	}
	for range 2 {
		if got := send(`{"id":"b","token":"guess"}`); got.StatusCode != 400 || got.Headers["Idempotent-Replayed"] != "" {
			t.Errorf("a bad token: %d %v, want 400, never kept", got.StatusCode, got.Headers)
		}
	}
	tasks.fail = bridge.NewFailure(bridge.Unknown, "x", nil)
	unknown := send(`{"id":"c","token":"tok/+=1"}`)
	tasks.fail = nil
	if again := send(`{"id":"c","token":"tok/+=1"}`); unknown.StatusCode != 502 || again.StatusCode != 200 {
		t.Errorf("after an unknown end: %d, then %d, want 502 and 200: the claim is released", unknown.StatusCode, again.StatusCode)
	}
}

// GET shows the page and changes nothing; every answer of the route is a page that
// is not cached or framed and sends no referrer.
func TestApprovalPage(t *testing.T) {
	t.Parallel()
	tasks, log := newTasks(), &bytes.Buffer{}
	ask := resumeFront(t, tasks, log)
	const form = "application/x-www-form-urlencoded"
	pages := map[string]response{
		"GET":       ask("GET", "/link", "token=tok-2", "", ""),
		"no token":  ask("POST", "/link", "", form, "decision=approve"),
		"undecided": ask("POST", "/link", "token=tok-2", form, ""),
	}
	if len(tasks.sent) != 0 {
		t.Fatalf("%d tasks were resumed before anybody decided", len(tasks.sent))
	}
	pages["POST"] = ask("POST", "/link", "token=tok-2", form, "decision=reject")
	pages["again"] = ask("POST", "/link", "token=tok-2", form, "decision=approve")
	for name, want := range map[string]struct {
		status int
		text   string
	}{
		"GET":       {200, `<form method="post"><button name="decision" value="approve">Yes</button><button name="decision" value="reject">No &amp; never</button></form>`},
		"POST":      {200, "No &amp; never"},
		"again":     {410, "no longer valid"},
		"no token":  {400, "not valid"},
		"undecided": {400, "was not understood"},
	} {
		got := pages[name]
		if got.StatusCode != want.status || !strings.Contains(got.Body, want.text) || !strings.Contains(got.Body, "<h1>Refund &lt;b&gt;5 €&lt;/b&gt;?</h1>") {
			t.Errorf("%s: %d %s, want %d %s", name, got.StatusCode, got.Body, want.status, want.text)
		}
		if strings.Contains(got.Body, "tok-2") || strings.Contains(got.Body, "<script") {
			t.Errorf("%s: the page has the token or a script", name)
		}
		for header, value := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		} {
			if got.Headers[header] != value {
				t.Errorf("%s: %s = %q, want %q", name, header, got.Headers[header], value)
			}
		}
		for _, directive := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
			if !strings.Contains(got.Headers["Content-Security-Policy"], directive) {
				t.Errorf("%s: the policy lacks %s", name, directive)
			}
		}
	}
	if head := ask("HEAD", "/link", "token=tok-2", "", ""); head.StatusCode != 200 || head.Body != "" {
		t.Errorf("HEAD: %d %q", head.StatusCode, head.Body)
	}
	if put := ask("PUT", "/link", "token=tok-2", "", ""); put.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", put.StatusCode)
	}
	if strings.Contains(log.String(), "tok-2") || !strings.Contains(log.String(), `"resumed":"failure"`) || !strings.Contains(log.String(), "page shown") {
		t.Errorf("log:\n%s", log.String())
	}
}

// Of two webhooks at once, one completes the task.
func TestResumeTogether(t *testing.T) {
	t.Parallel()
	tasks := newTasks()
	f := frontWith(t, resumeRoutes, starterFunc(echo), bridge.Options{Resumer: tasks, WaitTable: tasks, Dedupe: dedupe.NewMemory(dedupe.MemoryOptions{})})
	statuses := make(chan int, 8)
	var all sync.WaitGroup
	for range cap(statuses) {
		all.Go(func() {
			statuses <- invoke(t, f, event("POST", "/body", "application/json", `{"token":"tok-2","paid":1}`)).StatusCode
		})
	}
	all.Wait()
	close(statuses)
	count := map[int]int{}
	for s := range statuses {
		count[s]++
	}
	if diff := cmp.Diff(map[int]int{200: 1, 410: 7}, count); diff != "" || len(tasks.sent) != 1 {
		t.Errorf("%d resumptions; statuses (-want +got):\n%s", len(tasks.sent), diff)
	}
}

// The grace stays inside the provider's deadline.
func TestGraceInsideTheDeadline(t *testing.T) {
	t.Parallel()
	tasks := newTasks()
	const routes = `  - {name: l, http: POST /l, verify: {token: {header: X-Token}, secrets: ["env:TOKEN"]}, timeout: 1s, resume: {lookup: {table: waits, key: '{% $request.body.id %}', grace: 1m}}}
`
	f := frontWith(t, routes, starterFunc(echo), bridge.Options{Resumer: tasks, WaitTable: tasks})
	began := time.Now()
	got := invoke(t, f, event("POST", "/l", "application/json", `{"id":"o-9"}`, "x-token", "t0ken"))
	if took := time.Since(began); got.StatusCode != 404 || took > 3*time.Second {
		t.Errorf("got %d after %v, want 404 within a second", got.StatusCode, took)
	}
}
