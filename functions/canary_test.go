package functions_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// A canary is a text in place of payload and secrets: it must not occur anywhere else.
const canary = "C4N4RY"

// canaryRoutes process payload in every way that a route can.
const canaryRoutes = `
  - name: hook
    http: POST /hook
    verify: {token: {header: X-Key}, secrets: [env:HOOK_SECRET]}
    start: m
    catch: [{errors: [Shown], status: 422, headers: {X-Cause: '{% $failure.cause %}'}, body: {cause: '{% $failure.cause %}'}}]
  - name: hook-input
    http: POST /input
    verify: {token: {header: X-Key}, secrets: [env:HOOK_SECRET]}
    start: m
    input: '{% $number($request.body.text) %}'
  - name: hook-deduped
    http: POST /deduped
    verify: {token: {header: X-Key}, secrets: [env:HOOK_SECRET]}
    dedupe: {key: '{% $request.body.text %}', for: 1h}
    start: m
  - name: hook-respond
    http: POST /respond
    verify: {token: {header: X-Key}, secrets: [env:HOOK_SECRET]}
    start: m
    respond: {status: 200, headers: {X-Result: '{% $execution.output.missing.more %}'}}
  - name: hook-resume
    http: POST /resume
    verify: {token: {header: X-Key}, secrets: [env:HOOK_SECRET]}
    resume: {token: '{% $request.body.text %}'}
  - name: hook-link
    http: POST /link
    verify: link
    resume: {token: '{% $request.query.q %}', page: {title: Sure?}}
  - name: queue-resume
    sqs: resumed
    resume: {token: '{% $message.body.text %}'}
  - name: event-resume
    eventbridge: {source: resumed}
    resume: {token: '{% $event.detail.text %}', fail: '{% $exists($event.detail.more) %}', error: '{% $event.detail.text %}', cause: '{% $event.detail.text %}'}
  - name: queue
    sqs: orders
    start: m
    deadLetterQueue: https://sqs.us-east-1.amazonaws.com/123456789012/dead
    retry: {delay: 1s}
    catch: [{errors: [Shown], then: dead-letter}]
  - name: queue-batch
    sqs: batched
    start: m
    batch: true
    input: '{% $messages.body.$number(text) %}'
  - name: queue-unwrap
    sqs: wrapped
    start: m
    unwrap: sns
  - name: queue-deduped
    sqs: deduped
    start: m
    dedupe: {key: '{% $message.body.text %}', for: 1h}
  - name: event
    eventbridge: {source: shop}
    start: m
  - name: event-input
    eventbridge: {source: input}
    start: m
    input: '{% $number($event.detail.text) %}'
  - name: event-deduped
    eventbridge: {source: deduped}
    start: m
    dedupe: {key: '{% $event.detail.text %}', for: 1h}
`

// canaryAnswers are all answers of Step Functions, with a canary wherever there may be
// payload.
var canaryAnswers = map[string]func() (int, any){
	"succeeded":                   func() (int, any) { return 200, succeeded(`{"text":"` + canary + `"}`) },
	"proxy response":              func() (int, any) { return 200, succeeded(`{"statusCode":"` + canary + `"}`) },
	"output that is not JSON":     func() (int, any) { return 200, succeeded(canary) },
	"failed":                      func() (int, any) { return 200, failed("Shown", canary) },
	"an error name of the bridge": func() (int, any) { return 200, failed("Expressway.BadRequest", canary) },
	"no name":                     func() (int, any) { return 200, failed("", canary) },
	"no status":                   func() (int, any) { return 200, map[string]any{"output": canary} },
	"not an object":               func() (int, any) { return 200, canary },
	"bad input":                   func() (int, any) { return refusedWith(400, "InvalidExecutionInput") },
	"invalid":                     func() (int, any) { return refusedWith(400, "ValidationException") },
	"unknown code":                func() (int, any) { return refusedWith(400, "BrandNewException") },
	"throttled":                   func() (int, any) { return refusedWith(400, "ThrottlingException") },
	"server error":                func() (int, any) { return refusedWith(500, "InternalFailure") },
	"proxy's error":               func() (int, any) { return 502, canary },
}

func failed(name, cause string) map[string]any {
	answer := succeeded("")
	delete(answer, "output")
	answer["status"], answer["error"], answer["cause"] = "FAILED", name, cause
	return answer
}

func refusedWith(status int, code string) (int, any) {
	return status, map[string]any{"__type": code, "message": "Value '" + canary + "' is not fine"}
}

// Payloads, signatures and secrets do not occur in logs, metrics, traces, execution names
// and errors of the functions, whatever the requests and the answers are.
func TestNothingOfPayloadGetsOut(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	mode := "succeeded"
	seen := map[string][]string{} // what got out, by where
	see := func(where, text string) {
		mu.Lock()
		defer mu.Unlock()
		seen[where] = append(seen[where], text)
	}
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{Respond: func(call lambdatest.StartSyncExecution) (int, any) {
		see("execution name", call.Name)
		see("trace header", call.TraceHeader+call.HTTPTraceHeader)
		mu.Lock()
		defer mu.Unlock()
		return canaryAnswers[mode]()
	}})
	t.Cleanup(states.Close)
	// SQS and DynamoDB refuse everything, in words that quote it.
	others := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"InvalidParameterValue","message":"Value `+canary+` is not fine"}`)
	}))
	t.Cleanup(others.Close)
	daemon, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = daemon.Close() })
	routes := routesFile(t, canaryRoutes)
	for function, events := range canaryEvents() {
		env := environment(t, function, states.URL)
		for name, value := range map[string]string{
			"EXPRESSWAY_CONFIG": routes, "HOOK_SECRET": canary + "-secret", "AWS_XRAY_DAEMON_ADDRESS": daemon.LocalAddr().String(),
			"AWS_ENDPOINT_URL_SQS": others.URL, "AWS_ENDPOINT_URL_DYNAMODB": others.URL, "EXPRESSWAY_DEDUPE_TABLE": "dedupe",
		} {
			env[name] = value
		}
		fn := start(t, function, lambdatest.Options{Env: env, Timeout: 1500 * time.Millisecond})
		for answer := range canaryAnswers {
			mu.Lock()
			mode = answer
			mu.Unlock()
			for i, event := range events {
				if answer == "throttled" && i > 0 {
					break // each is tried until its time is up
				}
				_, err := fn.Invoke(t.Context(), []byte(event), lambdatest.InvokeOptions{
					TraceID: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
				})
				failure := (*lambdatest.Error)(nil)
				switch {
				case errors.As(err, &failure):
					see("error of "+function, string(failure.Payload))
				case err != nil:
					t.Fatal(err)
				}
			}
		}
		if n := strings.Count(fn.Logs(), "\n"); n < len(events)*len(canaryAnswers)/2 {
			t.Errorf("%s wrote %d lines: too few to prove anything", function, n)
		}
		see("log of "+function, fn.Logs())
	}
	see("X-Ray", datagrams(daemon))
	for where, texts := range seen {
		for _, text := range texts {
			for line := range strings.Lines(text) {
				if strings.Contains(line, canary) && !(where == "error of event" && causeOfWorkflow(line)) {
					t.Errorf("%s: %s", where, line)
				}
			}
		}
	}
	if len(seen["X-Ray"][0]) == 0 || len(seen["error of event"]) == 0 {
		t.Error("no segment or no function error was seen: they would prove nothing")
	}
}

// causeOfWorkflow reports whether the error document of a failed event has the canary as
// the cause of a workflow and nowhere else, because only the account's owner sees it.
func causeOfWorkflow(line string) bool {
	var document struct{ ErrorMessage, ErrorType string }
	if json.Unmarshal([]byte(line), &document) != nil || strings.Contains(document.ErrorType, canary) {
		return false
	}
	name, _, _ := strings.Cut(document.ErrorType, ", ")
	return strings.HasPrefix(document.ErrorMessage, name+": "+canary) && strings.Count(document.ErrorMessage, canary) == 1
}

// datagrams are those that have arrived.
func datagrams(conn net.PacketConn) string {
	var all strings.Builder
	buffer := make([]byte, 64<<10)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		n, _, err := conn.ReadFrom(buffer)
		if err != nil {
			return all.String()
		}
		all.Write(buffer[:n])
		all.WriteByte('\n')
	}
}

// canaryEvents are valid and malformed events of each function with canaries in them.
func canaryEvents() map[string][]string {
	marshal := func(v any) string {
		text, _ := json.Marshal(v) // maps and texts
		return string(text)
	}
	const body = `{"text":"` + canary + `"}`
	request := func(path, key, kind, body string) string {
		return marshal(map[string]any{
			"version": "2.0", "rawPath": path, "rawQueryString": "q=" + canary, "cookies": []string{"session=" + canary}, "body": body,
			"headers": map[string]string{"content-type": kind, "x-key": key, "authorization": "Bearer " + canary, "host": "x"},
			"requestContext": map[string]any{
				"requestId": "r-1", "stage": "$default", "domainName": "x.execute-api.us-east-1.amazonaws.com",
				"http": map[string]any{"method": "POST", "path": path, "sourceIp": "203.0.113.1"},
			},
		})
	}
	const key = canary + "-secret"
	record := func(queue, body string) map[string]any {
		return map[string]any{
			"messageId": "m-1", "receiptHandle": "handle-" + canary, "body": body, "eventSource": "aws:sqs",
			"eventSourceARN":    "arn:aws:sqs:us-east-1:123456789012:" + queue,
			"attributes":        map[string]any{"ApproximateReceiveCount": "1", "SenderId": canary},
			"messageAttributes": map[string]any{"a": map[string]any{"stringValue": canary, "dataType": "String"}},
		}
	}
	batch := func(records ...any) string { return marshal(map[string]any{"Records": records}) }
	event := func(source, detail string) string {
		return `{"id":"e-1","source":"` + source + `","detail-type":"Test","detail":` + detail + `}`
	}
	broken := []string{canary, `{"` + canary + `":`, `["` + canary + `"`, `{"Records":["` + canary + `"]}`, `{"Records":[{"messageId":"m","body":"` + canary + "\xff" + `"}]}`, `"` + canary + `"`}
	return map[string][]string{
		"webhook": append([]string{
			request("/hook", key, "application/json", body), request("/hook", canary+"-wrong", "application/json", body),
			request("/hook", key, "application/json", canary), request("/hook", key, "application/x-www-form-urlencoded", "%zz="+canary),
			request("/hook", key, "text/plain", canary), request("/input", key, "application/json", body), request("/input", key, "application/json", "{"+canary),
			request("/deduped", key, "application/json", body), request("/respond", key, "application/json", body), request("/nowhere", key, "application/json", body),
			request("/resume", key, "application/json", body), request("/resume", key, "application/json", `{"text":"`+strings.Repeat(canary, 400)+`"}`),
			request("/link", key, "application/x-www-form-urlencoded", "decision=approve"), request("/link", key, "application/x-www-form-urlencoded", "decision="+canary),
		}, broken...),
		"queue": append([]string{
			batch(record("orders", body), record("batched", body), record("batched", "{}"), record("wrapped", body), record("deduped", body), record("nowhere", body)),
			batch(record("resumed", body), record("resumed", "{}")),
			batch(record("orders", canary+"\x00"), record("wrapped", `{"Type":"Notification","Message":"`+canary+`"}`)),
			batch(map[string]any{"messageId": "m-2", "body": map[string]string{"text": canary}}),
			batch(map[string]any{"messageId": "m-3", "body": body, "eventSource": "aws:sqs", "attributes": canary}),
		}, broken...),
		"event": append([]string{
			event("shop", body), event("input", body), event("deduped", body), event("nowhere", body), event("resumed", body), event("resumed", `{"more":1,"text":"`+canary+`"}`), "[" + event("shop", body) + "," + event("input", body) + "]",
			`{"id":"e-2","detail":` + body + `}`, event("shop", canary),
		}, broken...),
	}
}
