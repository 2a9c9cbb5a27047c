package sqsbatch_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
)

// A message completes a waiting task. One whose task is gone is settled, with a warning;
// one with a bad token is not.
func TestResume(t *testing.T) {
	t.Parallel()
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte(`version: 1
routes:
  - {name: r, sqs: q, resume: {token: '{% $message.body.token %}', fail: '{% $message.body.ok = false %}', error: Refused, output: '{% $message.body %}'}}
`))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	var mu sync.Mutex // records of a batch are resumed at the same time
	sent := map[string]bridge.Resumption{}
	resumer := bridgetest.ResumerFunc(func(r bridge.Resumption) error {
		gone := bridge.NewFailure(bridge.TaskGone, "gone", nil)
		gone.Settles = true
		lost := bridge.NewFailure(bridge.Unknown, "an attempt got no answer, and then the task was gone", nil)
		lost.Settles = true
		switch r.Token {
		case "gone":
			return gone
		case "lost":
			return lost
		case "guess":
			return bridge.NewFailure(bridge.BadToken, "no", nil)
		case "unknown":
			return bridge.NewFailure(bridge.Unknown, "no answer", nil)
		}
		mu.Lock()
		defer mu.Unlock()
		sent[r.Token] = r
		return nil
	})
	starter := starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
		t.Error("something was started")
		return bridge.Outcome{}, nil
	})
	b := sqsbatch.New(cfg.Routes, bridge.New(starter, bridge.Options{Log: logger, Resumer: resumer}), sqsbatch.Options{Log: logger})
	got := invoke(t.Context(), t, b, event(
		message{id: "ok", body: `{"token":"tok-1","ok":true}`, queue: "q"},
		message{id: "failed", body: `{"token":"tok-2","ok":false}`, queue: "q"},
		message{id: "gone", body: `{"token":"gone","ok":true}`, queue: "q"},
		message{id: "lost", body: `{"token":"lost","ok":true}`, queue: "q"},
		message{id: "guess", body: `{"token":"guess","ok":true}`, queue: "q"},
		message{id: "unknown", body: `{"token":"unknown","ok":true}`, queue: "q"},
		message{id: "none", body: `{"ok":true}`, queue: "q"},
	))
	if diff := cmp.Diff([]string{"guess", "unknown", "none"}, got); diff != "" {
		t.Errorf("to retry (-want +got):\n%s", diff)
	}
	want := map[string]bridge.Resumption{
		"tok-1": {Token: "tok-1", Action: bridge.TaskSucceeds, Output: []byte(`{"token":"tok-1","ok":true}`)},
		"tok-2": {Token: "tok-2", Action: bridge.TaskFails, Error: "Refused"},
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if strings.Contains(log.String(), "tok-") || strings.Count(log.String(), `"then":"discard"`) != 2 || strings.Count(log.String(), `"level":"WARN"`) < 2 {
		t.Errorf("log:\n%s", log.String())
	}
}
