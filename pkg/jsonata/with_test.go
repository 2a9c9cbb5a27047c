package jsonata_test

import (
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func TestWith(t *testing.T) {
	t.Parallel()
	base := jsonata.Options{StepFunctions: true}.MustCompile(`$millis() & "/" & $random()`)
	other := base.With(jsonata.Options{
		Clock:  func() time.Time { return time.UnixMilli(7) },
		Random: func() uint64 { return 1 << 63 },
	})
	for range 2 {
		v, err := other.Eval(t.Context(), jsonata.Undefined, nil)
		if v != "7/0.5" || err != nil {
			t.Errorf("value = %v, %v, want 7/0.5", v, err)
		}
	}
	if v, err := base.Eval(t.Context(), jsonata.Undefined, nil); v == "7/0.5" || err != nil {
		t.Errorf("the expression itself has changed: %v, %v", v, err)
	}
	if other.String() != base.String() {
		t.Errorf("source = %s, want %s", other, base)
	}
}

// The language is that of the compilation, whatever the options of an evaluation say.
func TestWithKeepsTheLanguage(t *testing.T) {
	t.Parallel()
	v, err := jsonata.MustCompile(`a`).With(jsonata.Options{StepFunctions: true}).Eval(t.Context(), jsonata.FromGo(map[string]any{"a": true}), nil)
	if v != true || err != nil {
		t.Errorf("value = %v, %v, want true", v, err)
	}
}
