// Package asltest runs state machines in the tests of pkg/asl and pkg/asl/tasks.
package asltest

import (
	"context"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// Parse parses a definition.
func Parse(t testing.TB, definition string) *asl.Machine {
	t.Helper()
	m, err := asl.Parse([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Run runs a definition with an input, which is JSON text.
func Run(t testing.TB, definition, input string, env asl.Environment) asl.Result {
	t.Helper()
	return Parse(t, definition).Run(t.Context(), env, asl.Execution{Input: []byte(input)})
}

// NoWait is a clock on which waits take no time.
func NoWait(context.Context, time.Duration) error { return nil }
