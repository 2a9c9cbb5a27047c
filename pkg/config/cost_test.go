package config_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/expressway-dev/expressway/pkg/config"
)

// perRoute returns what each further route of a configuration makes.
func perRoute(t *testing.T, change func([]byte) []byte) (allocs, size float64) {
	t.Helper()
	made := func(n int) (allocs, size float64) {
		source := change(richRoutes(n))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := (config.Options{Getenv: env(map[string]string{"SECRET": "s"}), Only: config.SourceHTTP}).Parse("x.yaml", source); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return float64(after.Mallocs - before.Mallocs), float64(after.TotalAlloc - before.TotalAlloc)
	}
	made(10) // what is only made once
	const few, many = 100, 400
	fewAllocs, fewSize := made(few)
	manyAllocs, manySize := made(many)
	return (manyAllocs - fewAllocs) / (many - few), (manySize - fewSize) / (many - few)
}

// A start reads hundreds of routes with thousands of expressions, and a quarter of its time is
// the first use of the memory that they take.
//
//nolint:paralleltest // it measures memory
func TestCostOfARoute(t *testing.T) {
	same := func(b []byte) []byte { return b }
	ownKey := func(b []byte) []byte {
		return bytes.ReplaceAll(b, []byte(`key: '{% $request.headers."x-github-delivery" %}', `), nil)
	}
	for name, change := range map[string]func([]byte) []byte{"with each key": same, "with the provider's dedupe key": ownKey} {
		allocs, size := perRoute(t, change)
		t.Logf("%s: %.0f allocations, %.1f KB", name, allocs, size/1000)
		if allocs > 80 || size > 9000 {
			t.Errorf("%s, a route makes %.0f allocations and %.1f KB; want at most 80 and 9 KB", name, allocs, size/1000)
		}
	}
}
