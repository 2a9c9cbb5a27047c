package memlimit_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

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

// percent is GOGC as it is now.
func percent() int {
	now := debug.SetGCPercent(-1)
	debug.SetGCPercent(now)
	return now
}

// settled collects garbage until GOGC is as wanted, because a cleanup runs in its own time,
// and returns it.
func settled(want int) int {
	for range 1000 {
		if percent() == want {
			break
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	return percent()
}

// The collector is off during a start, unless the user has set it, and then as it was.
func TestQuiet(t *testing.T) {
	before := debug.SetGCPercent(150)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	small, large := filepath.Join(t.TempDir(), "small"), filepath.Join(t.TempDir(), "large")
	if err := errors.Join(os.WriteFile(small, nil, 0o600), os.WriteFile(large, make([]byte, 200<<10), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		file, gogc string
		during     int
	}{{large, "", -1}, {large, "50", 150}, {small, "", 150}, {small + " is not there", "", 150}} {
		done := memlimit.Quiet(func(name string) string { return map[string]string{"GOGC": test.gogc}[name] }, test.file)
		if got := percent(); got != test.during {
			t.Errorf("%+v: %d during the start, want %d", test, got, test.during)
		}
		done()
		if got := percent(); got < 150 {
			t.Errorf("%+v: %d after it, want 150 or more until the first collection", test, got)
		}
		if got := settled(150); got != 150 {
			t.Errorf("%+v: %d after a collection, want 150", test, got)
		}
	}
}

// A heap that is larger than the smallest one that is collected may double first.
func TestFirstCollection(t *testing.T) {
	before := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	file := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(file, make([]byte, 200<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	done := memlimit.Quiet(func(string) string { return "" }, file)
	held := make([]byte, 64<<20)
	done()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.NextGC < 120<<20 {
		t.Errorf("with %d MiB the next collection is at %d MiB, want about twice as many", len(held)>>20, m.NextGC>>20)
	}
	runtime.KeepAlive(held)
	if got := settled(100); got != 100 { // or it would change in the midst of another test
		t.Errorf("%d after a collection, want 100", got)
	}
}
