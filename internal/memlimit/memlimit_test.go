package memlimit_test

import (
	"runtime/debug"
	"testing"

	"github.com/expressway-dev/expressway/internal/memlimit"
)

// The limit is the process's: these cases run one after the other.
func TestSet(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	const unchanged = 1 << 40
	for name, test := range map[string]struct {
		size, own string
		want      int64
	}{
		"a function":     {"256", "", 214748320},
		"a large one":    {"10240", "", 8589934560},
		"the user's own": {"256", "200MiB", unchanged},
		"switched off":   {"256", "off", unchanged},
		"not in Lambda":  {"", "", unchanged},
		"not a number":   {"lots", "", unchanged},
		"nothing":        {"0", "", unchanged},
		"negative":       {"-256", "", unchanged},
	} {
		debug.SetMemoryLimit(unchanged)
		memlimit.Set(func(name string) string {
			return map[string]string{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": test.size, "GOMEMLIMIT": test.own}[name]
		})
		if got := debug.SetMemoryLimit(-1); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

// The collector is off during a start, unless the user has set it, and then as it was.
func TestQuiet(t *testing.T) {
	before := debug.SetGCPercent(150)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	percent := func() int {
		now := debug.SetGCPercent(-1)
		debug.SetGCPercent(now)
		return now
	}
	for gogc, during := range map[string]int{"": -1, "50": 150} {
		done := memlimit.Quiet(func(name string) string { return map[string]string{"GOGC": gogc}[name] })
		if got := percent(); got != during {
			t.Errorf("GOGC=%s: %d during the start, want %d", gogc, got, during)
		}
		done()
		if got := percent(); got != 150 {
			t.Errorf("GOGC=%s: %d after it, want 150", gogc, got)
		}
	}
}
