package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/console"
)

// invoke says which state failed and why, which the function's log must not.
func TestInvokeSaysWhy(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"expressway.yaml": "version: 1\nroutes:\n  - {name: q, sqs: '*', start: nested}\n  - {name: w, http: POST /w, verify: none, start: gone}\n",
		"nested.asl.json": `{"StartAt":"List","States":{"List":{"Type":"Pass","Result":[1],"ResultPath":"$.list","Next":"Each"},"Each":{"Type":"Map","ItemsPath":"$.list","ItemProcessor":{"StartAt":"Check","States":{"Check":{"Type":"Fail","Error":"NoStock","Cause":"There is no tea."}}},"End":true}}}`,
		"queue.json":      `{"Records":[{"messageId":"m1","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:q","body":"{}","attributes":{"ApproximateReceiveCount":"1"}}]}`,
		"web.json":        `{"version":"2.0","rawPath":"/w","headers":{"content-type":"application/json"},"requestContext":{"http":{"method":"POST","path":"/w"},"requestId":"r1"},"body":"{}"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for function, want := range map[string]string{
		"queue": `q: NoStock in state "Check": There is no tea.`,
		"web":   "w: Expressway.Misconfigured: StateMachineDoesNotExist: State Machine Does Not Exist: 'arn:",
	} {
		var out, errs strings.Builder
		kind := strings.Replace(function, "web", "webhook", 1)
		run(t.Context(), []string{
			"invoke", kind, "-e", filepath.Join(dir, function+".json"), "--config", filepath.Join(dir, "expressway.yaml"), "--statemachines", dir,
		}, nil, &out, &errs, func(string) string { return "" })
		if !strings.Contains(errs.String(), want) {
			t.Errorf("%s: no %q in\n%s%s", function, want, out.String(), errs.String())
		}
	}
}

// What a sender writes cannot change the terminal.
func TestPlain(t *testing.T) {
	t.Parallel()
	d := console.Delivery{Error: "\x1b[2JE", Cause: "a\nb\x07\u202e" + strings.Repeat("é", 2000)}
	got := why(d)
	if strings.ContainsAny(got, "\x1b\n\x07\u202e") || !strings.HasPrefix(got, "[2JE: a b") || len(got) > 1100 {
		t.Errorf("got %q, want one short line without control characters", got)
	}
}
