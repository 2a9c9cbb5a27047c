package sqsbatch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// The log leads from the id that a dead-letter queue gave to the delivery, for a record of
// its own and for each record of a batch.
func TestDeadLetterIsLogged(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		keys string
		want []string
	}{
		"one execution for each record": {
			"concurrency: 1, input: '{% $message.body %}'",
			[]string{"delivery settled  dead-m-1", "delivery settled  dead-m-2"},
		},
		"a batch": {
			"batch: true, input: '{% $messages.body %}'",
			[]string{"dead letter sent m-1 dead-m-1", "dead letter sent m-2 dead-m-2", "delivery settled  "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte("version: 1\nroutes:\n  - {name: o, sqs: 'orders*', start: m, "+test.keys+
				", deadLetterQueue: '"+deadURL+"', catch: [{errors: [Invalid], then: dead-letter}]}\n"))
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			logger := slog.New(slog.NewJSONHandler(&log, nil))
			q := &fakeQueues{SendFn: func(_ context.Context, m *sqsbatch.Message) error {
				m.ID = "dead-" + m.Body
				return nil
			}}
			b := sqsbatch.New(cfg.Routes, bridge.New(invalid(""), bridge.Options{Log: logger}), sqsbatch.Options{Log: logger, Queues: q})
			got := invoke(t.Context(), t, b, records(map[string]any{"messageId": "m-1", "body": "m-1"}, map[string]any{"messageId": "m-2", "body": "m-2"}))
			if len(got) != 0 {
				t.Errorf("batchItemFailures = %v, want none", got)
			}
			var lines []string
			for line := range strings.Lines(log.String()) {
				var in struct{ Msg, MessageID, DeadLetter, Error string }
				if err := json.Unmarshal([]byte(line), &in); err != nil {
					t.Fatal(err)
				}
				if in.Error == "Invalid" {
					lines = append(lines, in.Msg+" "+in.MessageID+" "+in.DeadLetter)
				}
			}
			if diff := cmp.Diff(test.want, lines); diff != "" {
				t.Errorf("log (-want +got):\n%s%s", diff, &log)
			}
		})
	}
}
