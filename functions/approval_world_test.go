package functions_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// An approvals is the sample of refunds, whole: compiled webhook functions, the local
// Step Functions behind its real endpoint, a topic and a table.
type approvals struct {
	t      *testing.T
	states string // the endpoint that tests look at executions by

	mu       sync.Mutex
	links    map[string]chan string // by refund: what the topic got
	items    map[string]map[string]map[string]string
	reads    map[string]int
	late     map[string]int                         // by refund: reads that come before the item is written
	sends    int                                    // SendTask calls that went through
	trouble  func(http.ResponseWriter, func()) bool // of SendTask calls; true has answered
	written  map[string]chan struct{}
	function map[string]string // environment of functions
	root     string
	xray     net.PacketConn
}

// newApprovals starts it. Each change is an old and a new text in the state machine or in
// expressway.yaml.
func newApprovals(t *testing.T, changes ...string) *approvals {
	t.Helper()
	a := &approvals{
		t: t, links: map[string]chan string{}, items: map[string]map[string]map[string]string{}, reads: map[string]int{},
		late: map[string]int{}, written: map[string]chan struct{}{}, root: t.TempDir(),
	}
	services := httptest.NewServer(http.HandlerFunc(a.service))
	t.Cleanup(services.Close)
	for _, file := range []string{"expressway.yaml", "statemachines/approval.asl.json"} {
		text, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.NewReplacer(changes...).Replace(string(text)))
		if err := os.WriteFile(filepath.Join(a.root, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a.states = statesEndpoint(t, a.root, map[string]string{"AWS_ENDPOINT_URL": services.URL})
	target, err := url.Parse(a.states)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(a.between(httputil.NewSingleHostReverseProxy(target)))
	t.Cleanup(proxy.Close)
	a.function = environment(t, "webhook", proxy.URL)
	a.function["APPROVAL_STATE_MACHINE_ARN"] = strings.TrimSuffix(a.function["APPROVAL_STATE_MACHINE_ARN"], "#local")
	a.function["AWS_ENDPOINT_URL_DYNAMODB"] = services.URL
	if a.xray, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.xray.Close() })
	a.function["AWS_XRAY_DAEMON_ADDRESS"] = a.xray.LocalAddr().String()
	return a
}

// webhook starts one more execution environment of the webhook function.
func (a *approvals) webhook() *lambdatest.Function {
	return start(a.t, "webhook", lambdatest.Options{TaskRoot: a.root, Env: a.function})
}

// between describes the faults of SendTask calls between a function and Step Functions.
func (a *approvals) between(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("X-Amz-Target"), ".SendTask") {
			next.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		forward := func(w http.ResponseWriter) {
			again := r.Clone(context.WithoutCancel(r.Context()))
			again.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, again)
		}
		a.mu.Lock()
		trouble := a.trouble
		a.mu.Unlock()
		if trouble != nil && trouble(w, func() { forward(httptest.NewRecorder()) }) {
			return
		}
		a.mu.Lock()
		a.sends++
		a.mu.Unlock()
		forward(w)
	})
}

// troubled makes SendTask calls fail until the test ends that.
func (a *approvals) troubled(trouble func(w http.ResponseWriter, forward func()) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trouble = trouble
}

var refundOf = regexp.MustCompile(`refund (\S+)\?`)

// service is the topic and the table.
func (a *approvals) service(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") == "Publish" {
		refund := refundOf.FindStringSubmatch(form.Get("Subject"))
		_, link, _ := strings.Cut(form.Get("Message"), "reject: ")
		if refund != nil {
			a.link(refund[1]) <- link
		}
		_, _ = io.WriteString(w, `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>`)
		return
	}
	var in struct {
		TableName string
		Key, Item map[string]map[string]string
	}
	if err := json.Unmarshal(body, &in); err != nil || in.TableName != "waits" {
		http.Error(w, "not waits", http.StatusBadRequest)
		return
	}
	if in.Item != nil {
		id := in.Item["id"]["S"]
		a.mu.Lock()
		written := a.written[id]
		a.mu.Unlock()
		if written != nil {
			<-written
		}
		a.mu.Lock()
		a.items[id] = in.Item
		a.mu.Unlock()
		_, _ = io.WriteString(w, `{}`)
		return
	}
	id := in.Key["id"]["S"]
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reads[id]++
	if written := a.written[id]; written != nil && a.reads[id] == a.late[id] {
		close(written)
	}
	answer, _ := json.Marshal(map[string]any{"Item": a.items[id]})
	if a.items[id] == nil {
		answer = []byte(`{}`)
	}
	_, _ = w.Write(answer)
}

func (a *approvals) link(refund string) chan string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.links[refund] == nil {
		a.links[refund] = make(chan string, 1)
	}
	return a.links[refund]
}

// ask sends a request to a function, and returns status, headers and body.
func (a *approvals) ask(fn *lambdatest.Function, method, target, contentType, body string, headers map[string]string) (int, map[string]string, string) {
	a.t.Helper()
	path, query, _ := strings.Cut(target, "?")
	all := map[string]string{"content-type": contentType}
	for name, value := range headers {
		all[name] = value
	}
	payload, _ := json.Marshal(map[string]any{
		"version": "2.0", "rawPath": path, "rawQueryString": query, "headers": all, "body": body,
		"requestContext": map[string]any{"domainName": "api.example.com", "stage": "$default", "requestId": fmt.Sprintf("r-%d", time.Now().UnixNano()), "http": map[string]string{"method": method, "path": path}},
	})
	result, err := fn.Invoke(a.t.Context(), payload, lambdatest.InvokeOptions{TraceID: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"})
	if err != nil {
		a.t.Errorf("%s %s: %v", method, path, err)
		return 0, nil, ""
	}
	var answer struct {
		StatusCode int
		Headers    map[string]string
		Body       string
	}
	if err := json.Unmarshal(result.Payload, &answer); err != nil {
		a.t.Errorf("%s %s: %v", method, path, err)
	}
	return answer.StatusCode, answer.Headers, answer.Body
}

// refund asks for one, and returns its execution and the path of the link that was sent.
func (a *approvals) refund(fn *lambdatest.Function, id string) (execution, link string) {
	a.t.Helper()
	status, _, body := a.ask(fn, "POST", "/refunds", "application/json", `{"refundId":"`+id+`","amount":1250}`, map[string]string{"x-api-key": a.function["ORDERS_API_KEY"]})
	var started struct{ ExecutionARN string }
	if err := json.Unmarshal([]byte(body), &started); err != nil || status != http.StatusAccepted || started.ExecutionARN == "" {
		a.t.Fatalf("refund %s: %d %s", id, status, body)
	}
	select {
	case link = <-a.link(id):
	case <-time.After(30 * time.Second):
		a.t.Fatalf("refund %s: no link was sent", id)
	}
	path, ok := strings.CutPrefix(link, a.function["PUBLIC_URL"])
	if !ok {
		a.t.Fatalf("the link %q does not begin with PUBLIC_URL", link)
	}
	return started.ExecutionARN, path
}

// decide presses a button of the page.
func (a *approvals) decide(fn *lambdatest.Function, link, decision string) int {
	a.t.Helper()
	status, headers, body := a.ask(fn, "POST", link, "application/x-www-form-urlencoded", "decision="+decision, nil)
	if headers["Referrer-Policy"] != "no-referrer" || headers["Location"] != "" {
		a.t.Errorf("the answer has the headers %v, want no referrer and no redirect", headers)
	}
	a.hidden("the page", body, link)
	return status
}

// hidden checks that a text contains no part of the token in a link.
func (a *approvals) hidden(where, text, link string) {
	a.t.Helper()
	_, escaped, _ := strings.Cut(link, "token=")
	token, err := url.QueryUnescape(escaped)
	if err != nil || len(token) < 40 {
		a.t.Fatalf("%q has no token: %v", link, err)
	}
	// A part of it is a leak too.
	for _, part := range []string{escaped[:40], token[:40], token[len(token)-40:]} {
		if strings.Contains(text, part) {
			a.t.Errorf("%s has the token", where)
		}
	}
}

// payout is the bank's webhook.
func (a *approvals) payout(fn *lambdatest.Function, event, refund, outcome, secret string) (int, map[string]string) {
	a.t.Helper()
	body := fmt.Sprintf(`{"id":%q,"refund":%q,"status":%q,"reason":"account closed"}`, event, refund, outcome)
	at := unix(time.Now())
	status, headers, _ := a.ask(fn, "POST", "/payouts", "application/json", body, map[string]string{
		"x-timestamp": at, "x-signature": hexMAC(secret, at+"."+body),
	})
	return status, headers
}

// describe returns the status of an execution, and its output or error.
func (a *approvals) describe(execution string) (status, end string) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.states, strings.NewReader(`{"executionArn":"`+execution+`"}`))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AWSStepFunctions.DescribeExecution")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	var x struct{ Status, Output, Error, Cause string }
	if err := json.NewDecoder(response.Body).Decode(&x); err != nil {
		a.t.Fatal(err)
	}
	return x.Status, strings.TrimSpace(x.Output + x.Error + " " + x.Cause)
}

// ended waits for the end of an execution.
func (a *approvals) ended(execution string) string {
	a.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if status, end := a.describe(execution); status != "RUNNING" {
			return status + " " + end
		}
	}
	return "RUNNING still"
}

// readings returns how often a refund was read from the table.
func (a *approvals) readings(refund string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.reads[refund]
}

// waitsForBank waits until the workflow has written its token.
func (a *approvals) waitsForBank(refund string) {
	a.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		a.mu.Lock()
		item := a.items[refund]
		a.mu.Unlock()
		if item != nil {
			return
		}
	}
	a.t.Fatalf("refund %s: no token was written", refund)
}
