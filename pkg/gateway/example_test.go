package gateway_test

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/gateway"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A function with an expressway.yaml of its own, a logger, and a JSONata function that the
// file's expressions may call. Without a Starter it would start executions on AWS.
func ExampleWebhook() {
	file := inFile(`version: 1
routes:
  - name: orders
    http: POST /orders/{shop}
    verify: none
    start: orders
    input: '{% $shout($request.params.shop) %}'
`)
	defer os.Remove(file)
	shout := jsonata.MustFunction("shout", "<s:s>", func(_ context.Context, args []any) (any, error) {
		return strings.ToUpper(args[0].(string)), nil
	})
	handler, err := gateway.Webhook(gateway.Options{
		Config:  file,
		Starter: bridgetest.StarterFunc(echo),
		Log:     slog.New(slog.DiscardHandler), // on Lambda lambdacontext.NewLogger()
		JSONata: jsonata.Options{Functions: []*jsonata.Function{shout}},
	})
	if err != nil {
		panic(err)
	}
	answer, err := handler.Invoke(context.Background(), []byte(`{
		"version": "2.0", "rawPath": "/orders/hats", "body": "{}",
		"requestContext": {"requestId": "r-1", "http": {"method": "POST", "path": "/orders/hats"}}}`)) // then lambda.Start(handler)
	fmt.Println(strings.Contains(string(answer), `"body":"\"HATS\""`), err)
	// Output: true <nil>
}

// A route that names the program's own verification scheme, because its sender has no
// preset: the request carries the secret itself, in a header.
func ExampleOptions_schemes() {
	acme := &verify.Custom{
		Name:    "acme",
		Headers: []string{"X-Acme-Key"},
		Verify: func(r *verify.Request, secret string, _ time.Time) bool {
			return subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Acme-Key")), []byte(secret)) == 1
		},
	}
	file := inFile(`version: 1
routes:
  - name: acme
    http: POST /acme
    verify: {provider: acme, secrets: ["env:ACME_KEY"]}
    start: orders
`)
	defer os.Remove(file)
	handler, err := gateway.Webhook(gateway.Options{
		Config:  file,
		Schemes: []*verify.Custom{acme},
		Starter: bridgetest.StarterFunc(echo),
		Getenv:  func(name string) string { return map[string]string{"ACME_KEY": "let-me-in"}[name] },
	})
	if err != nil {
		panic(err)
	}
	for _, key := range []string{"let-me-in", "open sesame"} {
		answer, err := handler.Invoke(context.Background(), fmt.Appendf(nil, `{
			"version": "2.0", "rawPath": "/acme", "body": "{}", "headers": {"x-acme-key": %q},
			"requestContext": {"requestId": "r-1", "http": {"method": "POST", "path": "/acme"}}}`, key))
		fmt.Println(string(answer[:17]), err)
	}
	// Output:
	// {"statusCode":200 <nil>
	// {"statusCode":401 <nil>
}

// Two handlers of one program, with routes that are made in Go and the same dedupe store.
func ExampleNew() {
	g, err := gateway.New(gateway.Options{
		Routes: []*config.Route{
			{Route: bridge.Route{Name: "hook", StateMachine: "orders"}, HTTP: &config.HTTP{Pattern: "POST /hook", Verify: verify.Spec{None: true}}},
			{Route: bridge.Route{Name: "orders", StateMachine: "orders"}, SQS: &config.SQS{Queue: "orders"}},
		},
		Starter: bridgetest.StarterFunc(echo),
	})
	if err != nil {
		panic(err)
	}
	answer, err := g.Queue().Invoke(context.Background(), []byte(`{"Records": [{"messageId": "m-1", "receiptHandle": "h", "body": "{}",
		"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders"}]}`))
	fmt.Println(string(answer), err)
	// Output: {"batchItemFailures":[]} <nil>
}

// echo ends each execution with its own input.
func echo(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{ExecutionARN: "arn:echo:" + s.Name, Name: s.Name, Status: bridge.Succeeded, Output: s.Input}, nil
}

// inFile writes a configuration for an example and returns its path.
func inFile(text string) string {
	file, err := os.CreateTemp("", "expressway-*.yaml")
	if err == nil {
		_, err = file.WriteString(text)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		panic(err)
	}
	return file.Name()
}
