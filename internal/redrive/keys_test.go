package redrive

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
)

// A stable key makes two sends one; a key that depends on what SQS or a bus adds does not.
// A FIFO letter's key is the one of its first delivery.
func TestKnown(t *testing.T) {
	t.Parallel()
	const address = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
	for name, test := range map[string]struct {
		trigger, key string
		letter       Letter
		options      Options
		want         Known
	}{
		"body":       {"sqs: orders", "$message.body.id", Letter{Body: `{"id":"a"}`}, Options{To: address}, Known{"r", bridge.DedupeRecord("r", []byte("a")), true}},
		"an object":  {"sqs: orders", "$message.body", Letter{Body: `{"id":"<a>"}`}, Options{To: address}, Known{"r", bridge.DedupeRecord("r", []byte(`{"id":"<a>"}`)), true}},
		"attribute":  {"sqs: orders", "$message.messageAttributes.x.stringValue", Letter{Body: `1`, Attributes: attributes("x", "y")}, Options{To: address}, Known{"r", bridge.DedupeRecord("r", []byte("y")), true}},
		"message id": {"sqs: orders", "$message.messageId", Letter{Body: `{}`}, Options{To: address}, Known{Route: "r"}},
		"the time":   {"sqs: orders", "$context.receivedAt", Letter{Body: `{}`}, Options{To: address}, Known{Route: "r"}},
		"receives":   {"sqs: orders", "$message.receiveCount", Letter{Body: `{}`}, Options{To: address}, Known{Route: "r"}},
		"no key":     {"sqs: orders", "$message.body.id", Letter{Body: `{}`}, Options{To: address}, Known{Route: "r", Stable: true}},
		"it fails":   {"sqs: orders", "$number('x')", Letter{Body: `{}`}, Options{To: address}, Known{Route: "r"}},
		"no route":   {"sqs: others", "$message.body.id", Letter{Body: `{"id":"a"}`}, Options{To: address}, Known{Stable: true}},
		"fifo": {
			"sqs: orders.fifo", "$message.attributes.MessageDeduplicationId",
			Letter{ID: "l", Body: `{}`, Attributes: attributes("ErrorName", "e", "Route", "r", "DeduplicationId", "sender")},
			Options{To: address + ".fifo"},
			Known{"r", bridge.DedupeRecord("r", []byte("sender")), true},
		},
		"accepted": {
			"http: POST /a\n    verify: none\n    queue: " + address, "$request.body.id",
			Letter{Body: bridge.Envelope{Version: bridge.EnvelopeVersion, Route: "r", DeliveryID: "d", Dedupe: &bridge.EnvelopeKey{Record: "r#1"}, Input: []byte("1")}.Encode()},
			Options{To: address},
			Known{"r", "r#1", true},
		},
		"function": {
			"eventbridge: {source: shop}", "$event.id",
			Letter{Body: `{"id":"e","source":"shop","detail-type":"Paid"}`},
			Options{EventFunction: "f"},
			Known{"r", bridge.DedupeRecord("r", []byte("e")), true},
		},
		"bus, its id": {
			"eventbridge: {source: shop}", "$event.id",
			Letter{Body: `{"id":"e","source":"shop","detail-type":"Paid"}`},
			Options{ToBus: true},
			Known{Route: "r"},
		},
		"bus, its detail": {
			"eventbridge: {source: shop}", "$event.detail.n",
			Letter{Body: `{"id":"e","source":"shop","detail-type":"Paid","detail":{"n":7}}`},
			Options{ToBus: true},
			Known{"r", bridge.DedupeRecord("r", []byte("7")), true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "expressway.yaml")
			text := "version: 1\nroutes:\n  - name: r\n    " + test.trigger + "\n    start: m\n    dedupe: {key: \"{% " + test.key + " %}\"}\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg, err := config.Options{Getenv: func(string) string { return "" }}.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			c := read(&test.letter)
			p, err := test.options.pack(&test.letter, &c)
			if err != nil {
				t.Fatal(err)
			}
			got, err := NewRoutes(cfg.Routes, "us-east-1", "123456789012").Known(t.Context(), p)
			if err != nil || got != test.want {
				t.Errorf("Known = %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

// One process has the journal at a time, and a line that was cut off is not a line.
func TestFileStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "journal")
	s, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(path); err == nil || !strings.Contains(err.Error(), "another redrive of this queue is running (process ") {
		t.Errorf("a second one: %v", err)
	}
	for _, text := range []string{"one\n", "two\n", "cut o"} {
		if err := s.Append([]byte(text), true); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = OpenFile(path); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if got, err := s.Load(); err != nil || string(got) != "one\ntwo\n" {
		t.Errorf("Load = %q, %v", got, err)
	}
	if err := s.Append([]byte("three\n"), false); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(); err != nil || string(got) != "one\ntwo\nthree\n" {
		t.Errorf("Load = %q, %v", got, err)
	}
	if err := s.Remove(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Load(); err != nil || len(got) != 0 {
		t.Errorf("after Remove, Load = %q, %v", got, err)
	}
}

// A journal that cannot be read stops the run: what it knew would be sent twice.
func TestJournalUnreadable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{}\nnot JSON\n":                  "line 2 of the journal cannot be read",
		"{\"queue\":\"https://other\"}\n": "belongs to another queue, https://other",
	} {
		w := newWorld(t, 1)
		populate(w, 6)
		w.disk = []byte(text)
		if _, err := Run(t.Context(), w.options()); err == nil || !strings.Contains(err.Error(), want) || len(w.left()) != 6 {
			t.Errorf("%q: %v, %d left", text, err, len(w.left()))
		}
	}
}
