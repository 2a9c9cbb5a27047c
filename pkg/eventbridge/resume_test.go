package eventbridge_test

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/bridge/bridgetest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/eventbridge"
)

// An event completes a waiting task; of one that is gone, the event is settled.
func TestResume(t *testing.T) {
	t.Parallel()
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("test.yaml", []byte(`version: 1
routes:
  - {name: shipped, eventbridge: {source: shop}, resume: {token: '{% $event.detail.token %}', output: '{% $event.detail %}'}}
`))
	if err != nil {
		t.Fatal(err)
	}
	resumer := bridgetest.ResumerFunc(func(r bridge.Resumption) error {
		f := bridge.NewFailure(map[string]string{"gone": bridge.TaskGone, "guess": bridge.BadToken}[r.Token], "x", nil)
		f.Settles = f.Name == bridge.TaskGone
		if f.Name == "" {
			return nil
		}
		return f
	})
	log := slog.New(slog.DiscardHandler)
	e := eventbridge.New(cfg.Routes, bridge.New(starterFunc(byInput), bridge.Options{Log: log, Resumer: resumer}), eventbridge.Options{Log: log})
	for token, want := range map[string]string{
		"tok":  `{"route":"shipped","resumed":"success"}`,
		"gone": `{"route":"shipped","error":"Expressway.TaskGone","discarded":true}`,
	} {
		out, err := e.Invoke(t.Context(), []byte(`{"id":"e","source":"shop","detail-type":"shipped","detail":{"token":"`+token+`"}}`))
		if err != nil || string(out) != want {
			t.Errorf("%s: %s, %v, want %s", token, out, err, want)
		}
	}
	var reported messages.InvokeResponse_Error
	_, err = e.Invoke(t.Context(), []byte(`{"id":"e","source":"shop","detail-type":"shipped","detail":{"token":"guess"}}`))
	if !errors.As(err, &reported) || reported.Type != bridge.BadToken {
		t.Errorf("a bad token: %v, want the function error %s", err, bridge.BadToken)
	}
}
