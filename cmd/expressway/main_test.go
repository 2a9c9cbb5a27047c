package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// inProject runs the tool in the module's root, as the README does.
func inProject(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	var out, errs strings.Builder
	code = run(t.Context(), args, strings.NewReader(stdin), &out, &errs, func(string) string { return "" })
	return code, out.String(), errs.String()
}

// Every sample has its answer; a new file in events needs a line here.
func TestSamples(t *testing.T) {
	want := map[string]string{
		"webhook-github-push.json":          `{"statusCode":200,"headers":{"Content-Type":"application/json"},"body":"{\"deployed\":\"example-org/storefront\",\"commits\":1}","isBase64Encoded":false}`,
		"webhook-github-forged.json":        `{"statusCode":401,"headers":{"Content-Type":"application/problem+json"},"body":"{\"title\":\"The request could not be verified\",\"status\":401,\"error\":\"Expressway.Unverified\",\"requestId\":\"JKJbXmPLvHcESHB=\"}","isBase64Encoded":false}`,
		"webhook-order-accepted.json":       `{"statusCode":201,"headers":{"Content-Type":"application/json","Location":"/orders/o-1001"},"body":"{\"orderId\":\"o-1001\",\"status\":\"accepted\",\"items\":[{\"sku\":\"tea-250\",\"picked\":true},{\"sku\":\"cup-1\",\"picked\":true}],\"count\":2}","isBase64Encoded":false}`,
		"webhook-order-rejected.json":       `{"statusCode":422,"headers":{"Content-Type":"application/json"},"body":"{\"error\":\"OrderRejected\",\"message\":\"The order has no items.\"}","isBase64Encoded":false}`,
		"webhook-order-times-out.json":      `{"statusCode":504,"headers":{"Content-Type":"application/problem+json"},"body":"{\"title\":\"The workflow timed out\",\"status\":504,\"error\":\"States.Timeout\",\"requestId\":\"JKJeXmPLvHcESHE=\",\"executionArn\":\"ARN\"}","isBase64Encoded":false}`,
		"webhook-stripe-replayed.json":      `{"statusCode":401,"headers":{"Content-Type":"application/problem+json"},"body":"{\"title\":\"The request could not be verified\",\"status\":401,\"error\":\"Expressway.Unverified\",\"requestId\":\"JKJgXmPLvHcESHG=\"}","isBase64Encoded":false}`,
		"webhook-refund-asked.json":         `{"statusCode":202,"headers":{"Content-Type":"application/json"},"body":"{\"executionArn\":\"ARN\"}","isBase64Encoded":false}`,
		"webhook-approval-page.json":        `{"statusCode":200,"headers":{PAGE},"body":"Approve the refund? | Pay the refund | Reject"}`,
		"webhook-approval-guessed.json":     `{"statusCode":400,"headers":{PAGE},"body":"Approve the refund? | This link is not valid."}`,
		"queue-orders.json":                 `{"batchItemFailures":[{"itemIdentifier":"2e1424d4-f796-459a-8184-9c92662be6da"}]}`,
		"event-payment.json":                `{"route":"payments","executionArn":"ARN","status":"SUCCEEDED","output":[{"ledger":1250},{"receipt":"p-3001"}]}`,
		"event-payment-already-booked.json": `{"route":"payments","executionArn":"ARN","status":"FAILED","error":"AlreadyPaid","discarded":true}`,
	}
	files, err := filepath.Glob("../../events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(want) {
		t.Errorf("%d samples, want %d", len(files), len(want))
	}
	arn := regexp.MustCompile(`arn:aws:states:[^"\\]+`)
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "webhook-order-times-out.json" {
				t.Skip("TestDev waits for this timeout")
			}
			function, _, _ := strings.Cut(name, "-")
			code, out, errs := inProject(t, "", "invoke", function, "-e", "events/"+name)
			if got := shortPage(strings.TrimSpace(arn.ReplaceAllString(out, "ARN"))); code != 0 || got != want[name] {
				t.Errorf("exit %d\n got %s\nwant %s\n%s", code, got, want[name], errs)
			}
		})
	}
}

// pageTexts matches the texts of a page: its heading, its text and its buttons.
var pageTexts = regexp.MustCompile(`(?:<h1|<p role=\\"\w+\\"|value=\\"\w+\\")>(.*?)</`)

// shortPage shortens the answer of an approval link to the words of its page.
func shortPage(answer string) string {
	headers, body, isPage := strings.Cut(answer, `"body":"<!doctype html>`)
	if !isPage || !strings.Contains(headers, `"Content-Security-Policy":"default-src 'none'`) {
		return answer
	}
	status, _, _ := strings.Cut(answer, `"headers"`)
	var text []string
	for _, m := range pageTexts.FindAllStringSubmatch(body, -1) {
		text = append(text, m[1])
	}
	return status + `"headers":{PAGE},"body":"` + strings.Join(text, " | ") + `"}`
}

func TestInvoke(t *testing.T) {
	payment, err := os.ReadFile("../../events/event-payment.json")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		stdin string
		args  []string
		code  int
		out   string
		err   string
	}{
		"standard input":      {string(payment), []string{"invoke", "event", "-e", "-"}, 0, `"status":"SUCCEEDED"`, ""},
		"function error":      {`{"source":"x","detail-type":"y"}`, []string{"invoke", "event", "-e", "-"}, 1, `{"errorMessage":"Expressway.NoRoute: no route takes events of this source and detail-type","errorType":"Expressway.NoRoute"}`, ""},
		"no batch":            {`{}`, []string{"invoke", "queue", "-e", "-"}, 1, `"errorMessage":"the event is of a kind that Expressway does not know`, ""},
		"negative waits":      {"", []string{"dev", "--wait-scale=-1"}, 1, "", "--wait-scale must be 0 or a positive number, such as 0.01, not -1"},
		"a wait scale of NaN": {"", []string{"dev", "--wait-scale=nan"}, 1, "", "not NaN"},
		"endless waits":       {"", []string{"dev", "--wait-scale=inf"}, 1, "", "not +Inf"},
		"no file":             {"", []string{"invoke", "webhook", "-e", "nope.json"}, 1, "", "nope.json"},
		"unknown function":    {"", []string{"invoke", "nope", "-e", "-"}, 2, "", "webhook"},
		"unknown command":     {"", []string{"nope"}, 2, "", "--help"},
		"no config":           {"{}", []string{"invoke", "event", "-e", "-", "--config", "nope.yaml"}, 1, "", "nope.yaml"},
		"help":                {"", []string{"--help"}, 0, "invoke", ""},
		"validate":            {"", []string{"validate"}, 0, "are valid", ""},
		"missing secret":      {"", []string{"validate", "--env-vars", "samconfig.toml"}, 1, "", "not in the form"},
		"refused endpoint":    {string(payment), []string{"invoke", "event", "-e", "-", "--endpoint", "http://127.0.0.1:1", "--timeout", "1500ms"}, 1, `"errorType":"Expressway.Unavailable"`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			code, out, errs := inProject(t, test.stdin, test.args...)
			if code != test.code || !strings.Contains(out, test.out) || !strings.Contains(errs, test.err) {
				t.Errorf("exit %d (want %d)\nout: %s\nerr: %s", code, test.code, out, errs)
			}
		})
	}
}

// A bad configuration is reported with its places.
func TestBrokenConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nroutes:\n  - name: a\n    sqs: q\n    start: m\n    input: '{% $message. %}'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := inProject(t, "", "validate", "--config", path)
	if code != 1 || !strings.Contains(errs, "broken.yaml:6:") {
		t.Errorf("exit %d, want 1 and the place in broken.yaml: %s", code, errs)
	}
}

// Broken state machines are reported with their positions, all of them, and together with a broken
// configuration.
func TestBrokenStateMachines(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.asl.json": "{\"StartAt\": \"A\",\n \"States\": {\"A\": {\"Type\": \"Pass\", \"Next\": \"B\"},\n  \"B\": {\"Type\": \"Nap\"}}}",
		"b.asl.json": "{\"StartAt\": \"A\",\n \"States\": {}",
		"c.asl.json": "{\"StartAt\": \"A\", \"States\": {\"A\": {\"Type\": \"Pass\", \"Result\": \"$.a\", \"End\": true}}}",
		"config":     "version: 1\nroutes: 1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := inProject(t, "", "validate", "--statemachines", dir, "--config", filepath.Join(dir, "config"))
	for _, want := range []string{
		"a.asl.json:3:9: SCHEMA_VALIDATION_FAILED: The field 'Type' should",
		"b.asl.json:2:14: INVALID_JSON_DESCRIPTION: Unexpected end-of-input",
		"c.asl.json:1:51: warning: PASS_RESULT_IS_STATIC: ",
		"config:2:",
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("want %q in standard error, got: %s", want, errs)
		}
	}
	if code != 1 || out != "" {
		t.Errorf("exit %d, want 1 and no output: %s", code, out)
	}
}

// dev sends the samples, answers, and stops on request.
func TestDev(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	var errs strings.Builder
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"dev", "--http", "127.0.0.1:0", "--states", "127.0.0.1:0", "--events", "events"}, nil, write, &errs, func(string) string { return "" })
		_ = write.Close()
	}()
	var out strings.Builder
	buffer := make([]byte, 4096)
	address := regexp.MustCompile(`webhooks +(http://\S+)`)
	for !strings.Contains(out.String(), "Press Ctrl-C to stop") {
		n, err := read.Read(buffer)
		if err != nil {
			t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
		}
		out.Write(buffer[:n])
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	// One line a sample, and what is meant to fail says so.
	for _, want := range []string{
		`ok    webhook-order-accepted +201`, `meant webhook-order-rejected +422`, `meant webhook-order-times-out +504`,
		`meant webhook-github-forged +401`, `meant queue-orders +1 of 3 to retry`,
		`ok    webhook-refund-asked +202`, `ok    webhook-approval-page +200`, `meant webhook-approval-guessed +400`, `ok    event-payment +SUCCEEDED`,
		`(?m)^  POST /orders +orders-http$`, `(?m)^  .*, approval,\n  github, orders, payments$`,
		`sign stripe -d events/bodies/stripe-payment.json --url http://127\.0\.0\.1:\d+ \| sh`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "FAIL") || errs.Len() > 0 {
		t.Errorf("something fails that should not:\n%s%s", out.String(), errs.String())
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > 80 && !strings.Contains(line, "sign stripe") { // with the test's own path
			t.Errorf("a line has %d columns, want at most 80: %s", n, line)
		}
	}
	base := address.FindStringSubmatch(out.String())[1]
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/orders", strings.NewReader(`{"orderId":"o-1","items":[{"sku":"tea-250"}]}`))
	request.Header.Set("X-Api-Key", "development-only-api-key")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if got, want := string(body), `{"orderId":"o-1","status":"accepted","items":[{"sku":"tea-250","picked":true}],"count":1}`; response.StatusCode != 201 || got != want {
		t.Errorf("%d %s, want 201 %s", response.StatusCode, got, want)
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	select {
	case code := <-done:
		if code != 0 {
			t.Errorf("exit %d, want 0: %s", code, errs.String())
		}
	case <-time.After(10 * time.Second):
		t.Error("it does not stop")
	}
}
