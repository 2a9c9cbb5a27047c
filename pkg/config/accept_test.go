package config_test

import (
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/config"
)

const acceptRoute = `version: 1
routes:
  - name: github
    http: POST /github
    verify: {provider: github, secrets: ["env:SECRET"]}
    filter: '{% $request.headers."x-github-event" = "push" %}'
    dedupe: true
    start: ${MACHINE_ARN}
    queue: ${QUEUE_URL}
    timeout: 40s
    concurrency: 3
    deadLetterQueue: ${DLQ_URL}
    retry: {delay: 5s}
    catch: [{errors: [Invalid], then: dead-letter}]
`

// The variables of a route with a queue are those of two functions, and each needs its own
// alone.
func TestQueueOfTwoFunctions(t *testing.T) {
	t.Parallel()
	const queue, machine, dlq = "https://sqs.eu-west-1.amazonaws.com/123456789012/github", "arn:aws:states:eu-west-1:123456789012:stateMachine:m", "https://sqs.eu-west-1.amazonaws.com/123456789012/dead"
	for source, env := range map[config.Source]map[string]string{
		config.SourceHTTP: {"QUEUE_URL": queue, "SECRET": "s"},
		config.SourceSQS:  {"QUEUE_URL": queue, "MACHINE_ARN": machine, "DLQ_URL": dlq},
		"":                {"QUEUE_URL": queue, "MACHINE_ARN": machine, "DLQ_URL": dlq, "SECRET": "s"},
	} {
		cfg, err := config.Options{Getenv: func(name string) string { return env[name] }, Only: source, RequireSecrets: true}.Parse("f", []byte(acceptRoute))
		if err != nil || len(cfg.Routes) != 1 {
			t.Fatalf("for %q: %v", source, err)
		}
		r := cfg.Routes[0]
		if r.Queue == nil || r.Queue.Address != queue || r.Source() != config.SourceHTTP {
			t.Errorf("for %q the queue is %+v", source, r.Queue)
		}
		if source == config.SourceHTTP {
			if r.Queue.Within <= 0 || r.Queue.Within.Seconds() > 10 { // GitHub waits for ten
				t.Errorf("the acceptance may take %v", r.Queue.Within)
			}
			continue
		}
		work := r.Work()
		if work.StateMachine != machine || work.Timeout.Seconds() != 40 || work.Filter != nil || work.Queue != nil || work.HTTP != nil ||
			work.SQS.DeadLetterQueue != dlq || work.SQS.Concurrency != 3 || work.SQS.Retry == nil || work.Catch[0].Then != config.ThenDeadLetter {
			t.Errorf("for %q the queue function runs %+v with %+v", source, work, work.SQS)
		}
	}
	_, err := config.Options{Getenv: func(string) string { return "" }, Only: config.SourceEventBridge}.Parse("f", []byte(acceptRoute))
	if err != nil {
		t.Errorf("the event function needs %v", err)
	}
}

// What a route with a queue cannot have is refused, with its place.
func TestQueueRefused(t *testing.T) {
	t.Parallel()
	const head = "version: 1\nroutes:\n  - name: a\n    http: POST /a\n    verify: none\n    start: m\n    queue: https://sqs.eu-west-1.amazonaws.com/123456789012/q\n"
	for text, want := range map[string]string{
		head + "    respond: {status: 200}\n":                                                    "f:8:15: queue and respond cannot be combined",
		head + "    mode: async\n    accepted: {status: 200}\n":                                  "queue and accepted cannot be combined:",
		head + "    onDeadline: acknowledge\n":                                                   "queue and onDeadline cannot be combined:",
		head + "    catch: [{errors: [E], status: 400}]\n":                                       `a catch has no key "status"`,
		head + "    catch: [{errors: [E], then: dead-letter}]\n":                                 "then: dead-letter needs a queue",
		head + "    batch: true\n":                                                               "batch is only valid on sqs routes",
		head + "  - {name: b, sqs: q, start: m}\n":                                               "f:8:20: sqs: this queue holds the deliveries that route a accepts",
		strings.Replace(head, "/q\n", "/q.fifo\n", 1):                                            "queue must be a standard queue",
		strings.Replace(head, "https://sqs.eu-west-1.amazonaws.com/123456789012/q", "orders", 1): "queue must be the queue's URL",
		strings.Replace(head, "https://sqs.eu-west-1.amazonaws.com/123456789012/q", "${Q:-}", 1): "queue is empty",
		"version: 1\nroutes:\n  - {name: a, sqs: a, start: m, queue: \"arn:aws:sqs:r:1:q\"}\n":   "queue is only valid on http routes",
		strings.Replace(head, "start: m", "resume: {token: '{% $request.body.t %}'}", 1):         "queue and resume cannot be combined:",
		strings.Replace(head, "    queue: https://sqs.eu-west-1.amazonaws.com/123456789012/q\n", "    deadLetterQueue: arn:aws:sqs:r:1:q\n", 1): "deadLetterQueue is only valid on sqs routes",
	} {
		_, err := config.Options{Getenv: func(string) string { return "" }}.Parse("f", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
	if _, err := (config.Options{Getenv: func(string) string { return "" }}).Parse("f", []byte(head+"  - {name: b, sqs: '*', start: m}\n")); err != nil {
		t.Errorf("a wildcard next to it: %v", err)
	}
}
