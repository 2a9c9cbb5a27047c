package config_test

import (
	"errors"
	"testing"

	"github.com/expressway-dev/expressway/pkg/config"
)

// A variable that is not set is one mistake, whatever the key would make of an empty text.
func TestUnsetVariableIsOneProblem(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{
		"start: '${GONE}'", "start: m, offload: '${GONE}'", "start: m, offload: {to: '${GONE}'}", "start: m, timeout: '${GONE}'", "start: m, mode: '${GONE}'", "start: m, includedData: '${GONE}'",
		"start: m, dedupe: {key: '{% $request.body.id %}', for: '${GONE}'}",
	} {
		_, err := (config.Options{Getenv: func(string) string { return "" }}).Parse("t.yaml", []byte("version: 1\nroutes:\n  - {name: a, http: POST /a, verify: none, "+keys+"}\n"))
		var wrong *config.Error
		if !errors.As(err, &wrong) || len(wrong.Problems) != 1 || wrong.Problems[0].Message != "environment variable GONE is not set: set it, or write ${GONE:-default}" {
			t.Errorf("%s: got %v, want one problem, about the variable", keys, err)
		}
	}
}
