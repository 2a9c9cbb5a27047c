package config_test

import (
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An expression that fails at run time is named with its text and its place in the file.
func TestWhereAnExpressionFails(t *testing.T) {
	t.Parallel()
	cfg, err := config.Options{Getenv: func(string) string { return "" }}.Parse("expressway.yaml", []byte(`version: 1
routes:
  - name: a
    sqs: q
    start: m
    input: {n: '{% $number($message.body) %}'}
`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = cfg.Routes[0].Input.Eval(t.Context(), message{})
	text := bridge.AsFailure(err).Error()
	if !strings.Contains(text, "route a: input.n: D3030: Unable to cast value to a number (expressway.yaml:6:16, at position") || strings.Contains(text, "secret") {
		t.Errorf("failure = %s, want JSONata's words and the place in the file, without the value", text)
	}
}

// message is a record whose body is not a number.
type message struct{}

func (message) Lookup(name string) (any, bool) {
	o := jsonata.NewObject(1)
	o.Set("body", "secret")
	return o, name == "message"
}
