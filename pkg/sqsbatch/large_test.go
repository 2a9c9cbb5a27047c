package sqsbatch_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A batch of ten thousand has as many goroutines as executions run at once, and of its
// records little more than their text: what a record was decoded to is released when it
// is settled. It runs alone, since it counts what the process has.
func TestMemoryOfLargeBatches(t *testing.T) { //nolint:paralleltest // see above
	const n, concurrency = 10_000, 4
	for _, group := range []string{"", "g"} { // of a standard queue, and in 2,500 groups
		messages := make([]message, n)
		for i := range messages {
			messages[i] = message{id: fmt.Sprint(i), body: `{"a":"` + strings.Repeat("x", 200) + `"}`}
			if group != "" {
				messages[i].group, messages[i].queue = fmt.Sprint(group, i%2500), "orders.fifo"
			}
		}
		payload := event(messages...)
		messages = nil
		var calls, goroutines, heap, most atomic.Int64
		var running sync.WaitGroup
		var now atomic.Int64
		b := batch(t, `  - {name: o, sqs: "orders*", start: m, concurrency: 4, input: "{% $message.body %}"}`+"\n", func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
			running.Add(1)
			defer running.Done()
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			switch calls.Add(1) {
			case n / 2:
				goroutines.Store(int64(runtime.NumGoroutine()))
			case n - concurrency:
				heap.Store(heapInUse())
			}
			return succeed(ctx, s)
		})
		before, beforeHeap := runtime.NumGoroutine(), heapInUse()
		if got := invoke(t.Context(), t, b, payload); len(got) != 0 || calls.Load() != n {
			t.Fatalf("%d records failed, %d started", len(got), calls.Load())
		}
		running.Wait()
		if most.Load() > concurrency {
			t.Errorf("%d ran at once, want at most %d", most.Load(), concurrency)
		}
		const own = 8 // of the batch, and of the runtime
		if got := int(goroutines.Load()) - before; got > concurrency+own {
			t.Errorf("%q: %d goroutines more, want at most %d", group, got, concurrency+own)
		}
		if grown := heap.Load() - beforeHeap; grown > int64(len(payload)) {
			t.Errorf("%q: the heap has grown by %d bytes, want at most the event's %d", group, grown, len(payload))
		}
		runtime.KeepAlive(payload)
	}
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
