package tasks_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t testing.TB, definition string) *asl.Machine {
	t.Helper()
	m, err := asl.Parse([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func run(t testing.TB, definition, input string, env asl.Environment) asl.Result {
	t.Helper()
	return parse(t, definition).Run(t.Context(), env, asl.Execution{Input: []byte(input)})
}

func decode(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonata.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// noWait is a clock on which waits take no time.
func noWait(context.Context, time.Duration) error { return nil }
