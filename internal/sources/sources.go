// Package sources lists what starts workflows. If a package has code for each source, a
// test there compares it with this list by
// [github.com/expressway-dev/expressway/internal/sources/sourcetest.Hold]: after a source
// is added here, failing tests name each place that needs it.
package sources

import (
	"slices"
	"strings"
)

// A Source is a kind of trigger.
type Source struct {
	// Key is the key of a route, and the source's name in metrics and options.
	Key string
	// Function is the function that takes its events: the Handler of the layer, and the
	// folder of its main below functions.
	Function string
	// Variables are the names that a delivery has in expressions; the first is the usual one.
	Variables []string
}

// The keys of the sources.
const (
	HTTP        = "http"
	SQS         = "sqs"
	EventBridge = "eventbridge"
)

// The functions of the sources.
const (
	Webhook = "webhook"
	Queue   = "queue"
	Event   = "event"
)

var all = []Source{
	{Key: HTTP, Function: Webhook, Variables: []string{"request"}},
	{Key: SQS, Function: Queue, Variables: []string{"message", "messages"}},
	{Key: EventBridge, Function: Event, Variables: []string{"event"}},
}

// All returns the sources in the order in which messages list them.
func All() []Source { return slices.Clone(all) }

// ByKey returns the source of a route's key.
func ByKey(key string) (Source, bool) {
	return find(func(s Source) bool { return s.Key == key })
}

// ByVariable returns the source whose deliveries have this name in expressions.
func ByVariable(name string) (Source, bool) {
	return find(func(s Source) bool { return slices.Contains(s.Variables, name) })
}

func find(is func(Source) bool) (Source, bool) {
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], true
	}
	return Source{}, false
}

// Keys returns the keys of all sources.
func Keys() []string { return slices.Clone(keys) }

var keys = texts(func(s Source) string { return s.Key })

// Functions returns the functions of all sources.
func Functions() []string { return texts(func(s Source) string { return s.Function }) }

func texts(of func(Source) string) []string {
	list := make([]string, len(all))
	for i, s := range all {
		list[i] = of(s)
	}
	return list
}

// List writes names as in a sentence: "a, b and c".
func List(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
