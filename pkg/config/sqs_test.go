package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
)

const queueHead = "version: 1\nroutes:\n  - name: q\n    sqs: orders\n    start: m\n"

func TestQueueKeys(t *testing.T) {
	t.Parallel()
	const dead = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders-dead.fifo"
	tests := map[string]struct {
		yaml string
		want config.SQS
	}{
		"defaults": {"", config.SQS{Queue: "orders", Concurrency: 10, Trace: config.TraceRecord}},
		"all": {
			"    deadLetterQueue: ${DLQ}\n    retry: {delay: 5s, rate: 1.5, max: 1h, jitter: none}\n    unwrap: sns\n",
			config.SQS{
				Queue: "orders", Concurrency: 10, Trace: config.TraceRecord, DeadLetterQueue: dead, Unwrap: config.UnwrapSNS,
				Retry: &config.Retry{Delay: 5 * time.Second, Rate: 1.5, Max: time.Hour, NoJitter: true},
			},
		},
		"retry's defaults": {
			"    retry: {delay: 20m}\n    deadLetterQueue: ${NONE:-}\n",
			config.SQS{
				Queue: "orders", Concurrency: 10, Trace: config.TraceRecord,
				Retry: &config.Retry{Delay: 20 * time.Minute, Rate: 2, Max: 20 * time.Minute},
			},
		},
		"batch": {
			"    batch: true\n    input: '{% $messages.body %}'\n",
			config.SQS{Queue: "orders", Concurrency: 10, Trace: config.TraceInvocation, Batch: true},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.Options{Getenv: env(map[string]string{"DLQ": dead})}.Parse("x.yaml", []byte(queueHead+test.yaml))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, cfg.Routes[0].SQS); diff != "" {
				t.Errorf("SQS (-want +got):\n%s", diff)
			}
		})
	}
}

func TestQueueProblems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ yaml, want string }{
		"no URL":                      {"    deadLetterQueue: orders-dead\n", "6:22: deadLetterQueue must be the queue's URL"},
		"a topic's ARN":               {"    deadLetterQueue: arn:aws:sns:us-east-1:123456789012:dead\n", "must be the queue's URL"},
		"its own queue":               {"    deadLetterQueue: https://sqs.us-east-1.amazonaws.com/123456789012/orders\n", "6:22: deadLetterQueue is the route's own queue"},
		"no delay":                    {"    retry: {rate: 2}\n", "retry has no delay: add one, such as delay: 30s"},
		"rate below one":              {"    retry: {delay: 1s, rate: 0.5}\n", "retry.rate must be a number from 1 to 10"},
		"rate is not a number":        {"    retry: {delay: 1s, rate: NaN}\n", "retry.rate must be a number from 1 to 10"},
		"delay too short":             {"    retry: {delay: 10ms}\n", "retry.delay must be from 1s to 12h"},
		"max too long":                {"    retry: {delay: 1s, max: 13h}\n", "retry.max must be from 1s to 12h"},
		"max below delay":             {"    retry: {delay: 9s, max: 5s}\n", "retry.max must not be less than retry.delay"},
		"jitter":                      {"    retry: {delay: 9s, jitter: some}\n", "retry.jitter must be full or none"},
		"batch":                       {"    batch: 10\n", "6:12: batch must be true or false"},
		"batch's variable":            {"    batch: true\n    input: '{% $message.body %}'\n", "there is no variable $message here: the variables are $context, $messages"},
		"batch and dedupe":            {"    batch: true\n    dedupe: {key: '{% $messages[0].messageId %}'}\n", "dedupe and batch cannot be combined"},
		"batch and its traces":        {"    batch: true\n    trace: record\n", "trace: record and batch cannot be combined"},
		"unwrap":                      {"    unwrap: kinesis\n", "unwrap must be sns, eventbridge or s3"},
		"dead-letter without a queue": {"    catch: [{errors: [A], then: dead-letter}]\n", "6:14: then: dead-letter needs a queue"},
		"then":                        {"    catch: [{errors: [A], then: stop}]\n", "then must be retry, discard or dead-letter"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(queueHead+test.yaml))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want it to contain %q", err, test.want)
			}
		})
	}
}

func TestEventProblems(t *testing.T) {
	t.Parallel()
	const head = "version: 1\nroutes:\n  - name: e\n    eventbridge: {source: shop}\n    start: m\n"
	for yaml, want := range map[string]string{
		"    catch: [{errors: [A], then: dead-letter}]\n": "then: dead-letter is only valid on sqs routes",
		"    catch: [{errors: [A], then: stop}]\n":        "then must be retry or discard",
		"    deadLetterQueue: https://x/y\n":              "deadLetterQueue is only valid on sqs routes",
	} {
		_, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(head+yaml))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want it to contain %q", err, want)
		}
	}
}

func TestThen(t *testing.T) {
	t.Parallel()
	const dead = "    deadLetterQueue: https://sqs.us-east-1.amazonaws.com/123456789012/dead\n"
	const caught = "    catch:\n      - {errors: [Bad, Expressway.BadRequest], then: discard}\n      - {errors: [Dead], then: dead-letter}\n"
	tests := []struct {
		yaml, name string
		want       config.Then
	}{
		{"", bridge.InputTooLarge, config.ThenRetry},
		{dead, bridge.InputTooLarge, config.ThenDeadLetter},
		{dead, bridge.ExpressionFailed, config.ThenDeadLetter},
		{dead, bridge.BadRequest, config.ThenDeadLetter},
		{dead, bridge.Throttled, config.ThenRetry},
		{dead, "Other", config.ThenRetry},
		{dead + caught, bridge.BadRequest, config.ThenDiscard},
		{dead + caught, "Dead", config.ThenDeadLetter},
		{dead + "    catch: [{errors: States.ALL, then: retry}]\n", bridge.InputTooLarge, config.ThenRetry},
	}
	for _, test := range tests {
		cfg, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(queueHead+test.yaml))
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.Routes[0].Then(&bridge.Failure{Name: test.name}); got != test.want {
			t.Errorf("%s of %q: then = %q, want %q", test.name, test.yaml, got, test.want)
		}
	}
	cfg, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(queueHead+dead))
	if err != nil {
		t.Fatal(err)
	}
	own := &bridge.Failure{Name: bridge.InputTooLarge, Outcome: &bridge.Outcome{Status: bridge.Failed, Error: bridge.InputTooLarge}}
	if got := cfg.Routes[0].Then(own); got != config.ThenRetry {
		t.Errorf("a workflow that says InputTooLarge itself: then = %q, want retry", got)
	}
}

// A discard lets nothing go that says nothing of the delivery, also where States.ALL or a
// later entry covers it.
func TestDiscard(t *testing.T) {
	t.Parallel()
	const all = "    catch: [{errors: States.ALL, then: discard}]\n"
	const both = "    deadLetterQueue: https://sqs.us-east-1.amazonaws.com/123456789012/dead\n" +
		"    catch: [{errors: States.ALL, then: discard}, {errors: States.ALL, then: dead-letter}]\n"
	const named = "    catch: [{errors: [Expressway.Unknown, Expressway.Deadline, Expressway.BadRequest], then: discard}]\n"
	for name, want := range map[string]struct{ all, both, named config.Then }{
		bridge.Throttled:        {config.ThenRetry, config.ThenDeadLetter, config.ThenRetry},
		bridge.Unavailable:      {config.ThenRetry, config.ThenDeadLetter, config.ThenRetry},
		bridge.Misconfigured:    {config.ThenRetry, config.ThenDeadLetter, config.ThenRetry},
		bridge.InProgress:       {config.ThenRetry, config.ThenDeadLetter, config.ThenRetry},
		bridge.Internal:         {config.ThenRetry, config.ThenDeadLetter, config.ThenRetry},
		bridge.NoRoute:          {config.ThenRetry, config.ThenDeadLetter, config.ThenRetry},
		bridge.Unknown:          {config.ThenRetry, config.ThenDeadLetter, config.ThenDiscard},
		bridge.Deadline:         {config.ThenRetry, config.ThenDeadLetter, config.ThenDiscard},
		bridge.BadRequest:       {config.ThenDiscard, config.ThenDiscard, config.ThenDiscard},
		bridge.ExpressionFailed: {config.ThenDiscard, config.ThenDiscard, config.ThenRetry},
		bridge.DedupeMismatch:   {config.ThenDiscard, config.ThenDiscard, config.ThenRetry},
		"OrderNotFound":         {config.ThenDiscard, config.ThenDiscard, config.ThenRetry},
		bridge.StatesTimeout:    {config.ThenDiscard, config.ThenDiscard, config.ThenRetry},
	} {
		for yaml, want := range map[string]config.Then{all: want.all, both: want.both, named: want.named} {
			cfg, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(queueHead+yaml))
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.Routes[0].Then(&bridge.Failure{Name: name}); got != want {
				t.Errorf("%s of %q: then = %q, want %q", name, yaml, got, want)
			}
		}
	}
	cfg, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(queueHead+all))
	if err != nil {
		t.Fatal(err)
	}
	own := &bridge.Failure{Name: bridge.Throttled, Outcome: &bridge.Outcome{Status: bridge.Failed, Error: bridge.Throttled}}
	if got := cfg.Routes[0].Then(own); got != config.ThenDiscard {
		t.Errorf("a workflow that says Throttled itself: then = %q, want discard: the workflow has spoken", got)
	}
	for _, name := range []string{"Throttled", "Unavailable", "Misconfigured", "InProgress", "Internal", "NoRoute"} {
		_, err := config.Options{Getenv: env(nil)}.Parse("x.yaml", []byte(queueHead+"    catch: [{errors: [Bad, Expressway."+name+"], then: discard}]\n"))
		if want := "then: discard cannot be used for Expressway." + name; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want it to contain %q", err, want)
		}
	}
}
