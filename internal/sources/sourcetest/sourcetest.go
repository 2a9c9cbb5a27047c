// Package sourcetest compares the places that distinguish sources with the list of
// internal/sources.
package sourcetest

import (
	"fmt"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
)

// unknown is a source that no place knows.
var unknown = sources.Source{Key: "pigeon", Function: "pigeonhole", Variables: []string{"pigeon"}}

// Hold tests that a place knows every source, and that it would complain about one more:
// knows returns an error for a source that the place does not handle. The place begins
// with the file that has the code, from the root of the module, as in
// "pkg/metrics/metrics.go: the dimension Source".
func Hold(t *testing.T, place string, knows func(sources.Source) error) {
	t.Helper()
	for _, s := range sources.All() {
		if err := knows(s); err != nil {
			t.Errorf("%s does not know the source %s: %v", place, s.Key, err)
		}
	}
	err := knows(unknown)
	if err == nil {
		t.Fatalf("%s does not report a source that it does not know, so a new one would be forgotten there", place)
	}
	if !t.Failed() { // what a new source lacks would hide what one on the list lacks
		t.Logf("%s misses a new source: %v", place, err)
	}
}

// routes are a small route of each source, without the name and what it starts.
var routes = map[string]string{
	sources.HTTP:        "http: POST /a\n    verify: none",
	sources.SQS:         "sqs: orders",
	sources.EventBridge: "eventbridge: {source: shop, detail-type: Paid}",
}

// Config returns a configuration with one route, r, of the source, which starts m. For a
// new source, the route only has the key, so that the place that reads it says what is
// missing.
func Config(s sources.Source) string {
	route, ok := routes[s.Key]
	if !ok {
		route = s.Key + ": x"
	}
	return fmt.Sprintf("version: 1\nroutes:\n  - name: r\n    start: m\n    %s\n", route)
}
