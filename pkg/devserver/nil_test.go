package devserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/devserver"
)

// Without a log, a dead letter is accepted as with one.
func TestNilLog(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "expressway.yaml")
	text := "version: 1\nroutes:\n  - {name: r, sqs: q, start: m, input: '{% $error() %}', deadLetterQueue: 'https://sqs.eu-west-1.amazonaws.com/123456789012/dead'}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	local, err := devserver.NewLocal(devserver.Options{Config: file, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = local.Close(t.Context()) }()
	handler, err := local.Handler("queue")
	if err != nil {
		t.Fatal(err)
	}
	out, err := handler.Invoke(t.Context(), []byte(`{"Records": [{"messageId": "m-1", "body": "{}", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:q"}]}`))
	if err != nil || strings.Contains(string(out), "m-1") {
		t.Errorf("%s, %v; want the record in the dead-letter queue", out, err)
	}
}
