package functions_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// samples are the responses to the files of events/. In them, EXECUTION replaces the id,
// which is new for each execution, and a JSON body is decoded.
var samples = map[string]string{
	"webhook-order-accepted.json": `{
		"statusCode": 201, "isBase64Encoded": false,
		"headers": {"Content-Type": "application/json", "Location": "/orders/o-1001"},
		"body": {"orderId": "o-1001", "status": "accepted", "count": 2,
			"items": [{"sku": "tea-250", "picked": true}, {"sku": "cup-1", "picked": true}]}
	}`,
	"webhook-order-rejected.json": `{
		"statusCode": 422, "isBase64Encoded": false,
		"headers": {"Content-Type": "application/json"},
		"body": {"error": "OrderRejected", "message": "The order has no items."}
	}`,
	"webhook-order-times-out.json": `{
		"statusCode": 504, "isBase64Encoded": false,
		"headers": {"Content-Type": "application/problem+json"},
		"body": {"title": "The workflow timed out", "status": 504, "error": "States.Timeout",
			"requestId": "JKJeXmPLvHcESHE=",
			"executionArn": "arn:aws:states:us-east-1:123456789012:express:orders:orders-http-JKJeXmPLvHcESHE-:EXECUTION"}
	}`,
	"webhook-github-push.json": `{
		"statusCode": 200, "isBase64Encoded": false,
		"headers": {"Content-Type": "application/json"},
		"body": {"deployed": "example-org/storefront", "commits": 1}
	}`,
	"webhook-github-forged.json": `{
		"statusCode": 401, "isBase64Encoded": false,
		"headers": {"Content-Type": "application/problem+json"},
		"body": {"title": "The request could not be verified", "status": 401,
			"error": "Expressway.Unverified", "requestId": "JKJbXmPLvHcESHB="}
	}`,
	"webhook-stripe-replayed.json": `{
		"statusCode": 401, "isBase64Encoded": false,
		"headers": {"Content-Type": "application/problem+json"},
		"body": {"title": "The request could not be verified", "status": 401,
			"error": "Expressway.Unverified", "requestId": "JKJgXmPLvHcESHG="}
	}`,
	"webhook-refund-asked.json": `{
		"statusCode": 202, "isBase64Encoded": false,
		"headers": {"Content-Type": "application/json"},
		"body": {"executionArn": "arn:aws:states:us-east-1:123456789012:execution:approval:refunds-JKJhXmPLvHcESHH-"}
	}`,
	"webhook-approval-page.json":    page(200, "Approve the refund? | Pay the refund | Reject"),
	"webhook-approval-guessed.json": page(400, "Approve the refund? | This link is not valid."),
	"queue-orders.json": `{
		"batchItemFailures": [{"itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da"}]
	}`,
	"event-payment.json": `{
		"route": "payments", "status": "SUCCEEDED", "output": [{"ledger": 1250}, {"receipt": "p-3001"}],
		"executionArn": "arn:aws:states:us-east-1:123456789012:express:payments:payments-17793124-05d4-b198-2fde-7ededc63b103:EXECUTION"
	}`,
	"event-payment-already-booked.json": `{
		"route": "payments", "status": "FAILED", "error": "AlreadyPaid", "discarded": true,
		"executionArn": "arn:aws:states:us-east-1:123456789012:express:payments:payments-9b1c8a52-6c53-4e53-a0c9-1f6a4b2d7c11:EXECUTION"
	}`,
}

// page is what a link answers; its style is the test's of pkg/httpfront.
func page(status int, words string) string {
	return fmt.Sprintf(`{
		"statusCode": %d, "isBase64Encoded": false, "body": %q,
		"headers": {
			"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; …", "Content-Type": "text/html; charset=utf-8",
			"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "X-Robots-Tag": "noindex"
		}
	}`, status, words)
}

// words are those of a page: its heading, its text and its buttons.
var words = regexp.MustCompile(`(?:<h1|<p role="\w+"|value="\w+")>(.*?)</`)

// shortPage shortens the answer of an approval link to the words of its page.
func shortPage(fields map[string]any) {
	body, _ := fields["body"].(string)
	headers, _ := fields["headers"].(map[string]any)
	if !strings.HasPrefix(body, "<!doctype html>") || headers == nil {
		return
	}
	var text []string
	for _, m := range words.FindAllStringSubmatch(body, -1) {
		text = append(text, m[1])
	}
	fields["body"] = strings.Join(text, " | ")
	policy, _ := headers["Content-Security-Policy"].(string)
	if first, _, ok := strings.Cut(policy, " style-src"); ok {
		headers["Content-Security-Policy"] = first + " …"
	}
}

// executionID is the last part of an execution's ARN.
var executionID = regexp.MustCompile(`(:express:[^:"]+:[^:"]+):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// response decodes a payload into the form of samples.
func response(t *testing.T, payload []byte) any {
	t.Helper()
	var doc any
	if err := json.Unmarshal(executionID.ReplaceAll(payload, []byte("$1:EXECUTION")), &doc); err != nil {
		t.Fatalf("response is not JSON: %v: %s", err, payload)
	}
	if fields, ok := doc.(map[string]any); ok {
		if body, ok := fields["body"].(string); ok {
			var decoded any
			if json.Unmarshal([]byte(body), &decoded) == nil {
				fields["body"] = decoded
			}
		}
		shortPage(fields)
	}
	return doc
}

// Every file of events/ gets the same answer from its function, whether the process has
// just started or is warm.
func TestSamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(samples) {
		t.Errorf("events/ has %d files, this test %d", len(files), len(samples))
	}
	endpoint := stepFunctions(t)
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			function, _, _ := strings.Cut(name, "-")
			var want any
			if err := json.Unmarshal([]byte(samples[name]), &want); err != nil {
				t.Fatalf("no usable expectation for this file: %v", err)
			}
			fn := start(t, function, lambdatest.Options{Env: environment(t, function, endpoint)})
			for _, process := range []string{"cold", "warm"} {
				result, err := fn.Invoke(t.Context(), sample(t, name), lambdatest.InvokeOptions{})
				if err != nil {
					t.Fatalf("%s: %v", process, err)
				}
				if diff := cmp.Diff(want, response(t, result.Payload), replayed(process)); diff != "" {
					t.Errorf("%s: response (-want +got):\n%s", process, diff)
				}
			}
			if got := fn.Starts(); got != 1 {
				t.Errorf("processes: got %d, want 1", got)
			}
		})
	}
}

// replayed removes the mark of a repeated answer from the answer of a warm process, which
// gets the same delivery again.
func replayed(process string) cmp.Option {
	return cmpopts.IgnoreMapEntries(func(name string, _ any) bool {
		return process == "warm" && name == "Idempotent-Replayed"
	})
}

// The event function fails with the name of the workflow's failure, which Lambda passes to
// its retries and destinations, and survives.
func TestEventFailure(t *testing.T) {
	t.Parallel()
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{
		// The input says how the execution ends: the fields to lay over a success.
		Respond: func(call lambdatest.StartSyncExecution) (int, any) {
			answer := succeeded("{}")
			if err := json.Unmarshal([]byte(call.Input), &answer); err != nil {
				return http.StatusBadRequest, map[string]any{"__type": "InvalidExecutionInput"}
			}
			return http.StatusOK, answer
		},
	})
	t.Cleanup(states.Close)
	fn := start(t, "event", lambdatest.Options{Env: environment(t, "event", states.URL)})
	for _, test := range []struct{ name, source, detail, errorType string }{
		{"a failure with a name", "shop.checkout", `{"status": "FAILED", "error": "LedgerClosed", "cause": "It is Sunday."}`, "LedgerClosed"},
		{"a timeout", "shop.checkout", `{"status": "TIMED_OUT", "error": "States.Timeout"}`, "States.Timeout"},
		{"no route", "stock.count", `{}`, "Expressway.NoRoute"},
		{"a success after them", "shop.checkout", `{}`, ""},
	} {
		event := fmt.Sprintf(`{"id": "e-1", "source": %q, "detail-type": "Payment Received", "detail": %s}`, test.source, test.detail)
		_, err := fn.Invoke(t.Context(), []byte(event), lambdatest.InvokeOptions{})
		got := ""
		if failure := (*lambdatest.Error)(nil); errors.As(err, &failure) {
			got = failure.Type
		} else if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got != test.errorType {
			t.Errorf("%s: errorType: got %q, want %q", test.name, got, test.errorType)
		}
	}
	if got := fn.Starts(); got != 1 {
		t.Errorf("processes: got %d, want 1: a function error must not end one", got)
	}
}

// order is the accepted sample with another order id and request id.
func order(t *testing.T, id string) []byte {
	t.Helper()
	event := strings.ReplaceAll(string(sample(t, "webhook-order-accepted.json")), "o-1001", id)
	return []byte(strings.ReplaceAll(event, "JKJcXmPLvHcESHC=", "request-"+id))
}

// location checks that the response is the one to the order.
func location(t *testing.T, payload []byte, id string) {
	t.Helper()
	var got struct {
		StatusCode int
		Headers    map[string]string
	}
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Errorf("order %s: %v: %s", id, err, payload)
		return
	}
	if want := "/orders/" + id; got.StatusCode != http.StatusCreated || got.Headers["Location"] != want {
		t.Errorf("order %s: got %s, want 201 and Location %s", id, payload, want)
	}
}

func TestManyInvocations(t *testing.T) {
	t.Parallel()
	const invocations = 300
	fn := start(t, "webhook", lambdatest.Options{Env: environment(t, "webhook", stepFunctions(t))})
	for n := range invocations {
		id := fmt.Sprintf("o-%d", 5000+n)
		result, err := fn.Invoke(t.Context(), order(t, id), lambdatest.InvokeOptions{})
		if err != nil {
			t.Fatalf("invocation %d: %v", n, err)
		}
		location(t, result.Payload, id)
	}
	if got := fn.Starts(); got != 1 {
		t.Errorf("processes: got %d, want 1", got)
	}
	fn.Stop()
	if got := strings.Count(fn.Logs(), `"message":"delivery settled"`); got != invocations {
		t.Errorf("log lines about deliveries: got %d, want one for each of %d", got, invocations)
	}
}

// With AWS_LAMBDA_MAX_CONCURRENCY one process takes several events at a time: no
// execution ends before all have begun, and each response has its own order.
func TestConcurrentInvocations(t *testing.T) {
	t.Parallel()
	const concurrency = 4
	var begun atomic.Int32
	all := make(chan struct{})
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{
		Respond: func(call lambdatest.StartSyncExecution) (int, any) {
			if begun.Add(1) == concurrency {
				close(all)
			}
			select {
			case <-all:
			case <-time.After(8 * time.Second): // under the route's timeout
				return http.StatusBadRequest, map[string]any{"__type": "AccessDeniedException", "message": "alone"}
			}
			return http.StatusOK, succeeded(call.Input)
		},
	})
	t.Cleanup(states.Close)
	fn := start(t, "webhook", lambdatest.Options{
		Concurrency: concurrency, Env: environment(t, "webhook", states.URL),
	})
	var wait sync.WaitGroup
	for n := range concurrency {
		id := fmt.Sprintf("o-%d", 6000+n)
		event := order(t, id)
		wait.Go(func() {
			result, err := fn.Invoke(t.Context(), event, lambdatest.InvokeOptions{})
			if err != nil {
				t.Errorf("order %s: %v", id, err)
				return
			}
			location(t, result.Payload, id)
		})
	}
	wait.Wait()
	if got := fn.Starts(); got != 1 {
		t.Errorf("processes: got %d, want 1", got)
	}
}

func succeeded(output string) map[string]any {
	return map[string]any{
		"executionArn": "arn:aws:states:us-east-1:123456789012:express:orders:x:00000000-0000-4000-8000-000000000000",
		"startDate":    1.7e9, "stopDate": 1.7e9, "status": "SUCCEEDED", "output": output,
	}
}

// The execution belongs to the trace of its own invocation, on a warm process too.
func TestTrace(t *testing.T) {
	t.Parallel()
	calls := make(chan lambdatest.StartSyncExecution, 1)
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{
		Respond: func(call lambdatest.StartSyncExecution) (int, any) {
			calls <- call
			return http.StatusOK, succeeded(call.Input)
		},
	})
	t.Cleanup(states.Close)
	fn := start(t, "webhook", lambdatest.Options{Env: environment(t, "webhook", states.URL)})
	for n := range 2 {
		root := fmt.Sprintf("Root=1-67890abc-%024x", n)
		id := fmt.Sprintf("o-%d", 7000+n)
		result, err := fn.Invoke(t.Context(), order(t, id), lambdatest.InvokeOptions{
			TraceID: root + ";Parent=53995c3f42cd8ad8;Sampled=1",
		})
		if err != nil {
			t.Fatal(err)
		}
		location(t, result.Payload, id)
		call := <-calls
		if !strings.HasPrefix(call.TraceHeader, root+";") || call.HTTPTraceHeader != call.TraceHeader {
			t.Errorf("invocation %d: got traceHeader %q, HTTP header %q, want both of %s",
				n, call.TraceHeader, call.HTTPTraceHeader, root)
		}
	}
}

// failedInit starts a function that must exit, and returns what it wrote.
func failedInit(t *testing.T, function string, o lambdatest.Options) string {
	t.Helper()
	o.Bootstrap = bootstrap(function)
	fn, err := lambdatest.Start(t.Context(), o)
	if err == nil {
		fn.Stop()
		t.Fatalf("%s starts, want it to exit", function)
	}
	var failure *lambdatest.Error
	if !errors.As(err, &failure) {
		t.Fatalf("start %s: %v", function, err)
	}
	if failure.Type != lambdatest.ErrorTypeExit || !failure.Init {
		t.Errorf("%s: got %v, want %s during init", function, err, lambdatest.ErrorTypeExit)
	}
	return failure.Logs
}

// An invalid configuration stops every function before its first event, with the place of
// each problem.
func TestBrokenConfiguration(t *testing.T) {
	t.Parallel()
	const broken = `version: 1
routes:
  - name: orders
    http: POST /orders
    verify: none
    strat: arn:aws:states:us-east-1:123456789012:stateMachine:orders
    timeout: soon
`
	root := t.TempDir()
	path := filepath.Join(root, "expressway.yaml")
	if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	for function := range templateNames {
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			logs := failedInit(t, function, lambdatest.Options{
				TaskRoot: root, Env: environment(t, function, "http://127.0.0.1:1"),
			})
			for _, want := range []string{
				path + `:6:5: a route has no key "strat"`,
				path + `:7:14: timeout must be a duration`,
			} {
				if !strings.Contains(logs, want) {
					t.Errorf("got logs %q, want %q in them", logs, want)
				}
			}
		})
	}
}

func TestMissingConfiguration(t *testing.T) {
	t.Parallel()
	logs := failedInit(t, "webhook", lambdatest.Options{
		TaskRoot: t.TempDir(), Env: environment(t, "webhook", "http://127.0.0.1:1"),
	})
	for _, want := range []string{"expressway.yaml", "EXPRESSWAY_CONFIG"} {
		if !strings.Contains(logs, want) {
			t.Errorf("got logs %q, want %q in them", logs, want)
		}
	}
}

// A missing or empty secret never turns verification off.
func TestMissingSecret(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ secret, route, other string }{
		"of a signature": {"GITHUB_WEBHOOK_SECRET", "github", "ORDERS_API_KEY"},
		"of a token":     {"ORDERS_API_KEY", "orders-http", "GITHUB_WEBHOOK_SECRET"},
	} {
		for _, how := range []string{"missing", "empty"} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				env := environment(t, "webhook", "http://127.0.0.1:1")
				delete(env, test.secret)
				if how == "empty" {
					env[test.secret] = ""
				}
				logs := failedInit(t, "webhook", lambdatest.Options{Env: env})
				for _, want := range []string{"route " + test.route, "env:" + test.secret} {
					if !strings.Contains(logs, want) {
						t.Errorf("got logs %q, want %q in them", logs, want)
					}
				}
				if strings.Contains(logs, env[test.other]) {
					t.Errorf("logs show the secret %s: %q", test.other, logs)
				}
			})
		}
	}
}

// Without --env-vars, `sam local invoke` resolves the ARN of a state machine to that of
// a Lambda function. The message says which route and what it got.
func TestForeignARN(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:OrderMachine"
	env := environment(t, "queue", "http://127.0.0.1:1")
	env["ORDERS_STATE_MACHINE_ARN"] = arn
	logs := failedInit(t, "queue", lambdatest.Options{Env: env})
	if !strings.Contains(logs, "expressway.yaml:") || !strings.Contains(logs, arn) {
		t.Errorf("got logs %q, want the place and %s in them", logs, arn)
	}
}
