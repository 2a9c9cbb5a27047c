package sqsbatch

import (
	"slices"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A fate is what happened to a record in this batch. The zero fate belongs to a record
// that was never begun.
type fate struct {
	// settled means that the record need not be delivered again.
	settled bool
	// name is the name of the failure, if there is one.
	name string
	// held means that an execution may still be running for the record, so it should not
	// be received again earlier than the queue's own settings allow.
	held bool
	// least is the minimum time before the record is received again.
	least time.Duration
	// claimed is the time until which another attempt holds the record's dedupe key; the
	// record should be received again exactly then.
	claimed time.Time
	// behind is the record of the same group, by index, that failed before this one could
	// begin; both are received again together. Otherwise, it is this record's own index.
	behind int
}

// A tally collects what happened to records. Records that are still running when the
// batch is reported may settle later; the report no longer changes.
type tally struct {
	mu    sync.Mutex
	fates []fate
}

func newTally(n int) *tally {
	t := &tally{fates: make([]fate, n)}
	for i := range t.fates {
		t.fates[i].behind = i
	}
	return t
}

// begin records that an execution of the unit may now be running, and that the rest of its
// lane waits for it.
func (t *tally) begin(u unit, rest []unit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, rec := range u {
		t.fates[rec.index].held = true
		t.fates[rec.index].behind = rec.index
	}
	t.wait(u[0].index, rest)
}

// end records what happened to the unit's records.
func (t *tally) end(u unit, fates []fate) (allSettled bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	allSettled = true
	for i, rec := range u {
		fates[i].behind = rec.index
		t.fates[rec.index] = fates[i]
		allSettled = allSettled && fates[i].settled
	}
	return allSettled
}

// handBack records that the unit had no turn, and will not get one for a while.
func (t *tally) handBack(u unit, pause time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, rec := range u {
		t.fates[rec.index].least = max(pause, 0)
	}
}

// follow records that records wait behind one of their group, which holds them up.
func (t *tally) follow(head unit, rest []unit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := head[0].index
	for _, rec := range head {
		if !t.fates[rec.index].settled {
			first = rec.index
			break
		}
	}
	t.wait(first, rest)
}

func (t *tally) wait(head int, rest []unit) {
	for _, u := range rest {
		for _, rec := range u {
			t.fates[rec.index].behind = head
		}
	}
}

// report returns the current fates.
func (t *tally) report() []fate {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]fate(nil), t.fates...)
}

// failedWhole returns the names of the failures of a batch in which nothing was settled,
// in the order in which they first occur; nil for any other batch.
func failedWhole(fates []fate) []string {
	var names []string
	for _, f := range fates {
		name := f.name
		switch {
		case f.settled:
			return nil
		case name == "" && f.held:
			name = bridge.Deadline
		case name == "":
			name = bridge.Unavailable // never begun
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// response lists the records that the queue must deliver again.
func response(records []*record, fates []fate) ([]byte, error) {
	failures := []any{}
	for i, rec := range records {
		if !fates[i].settled {
			item := jsonata.NewObject(1)
			item.Set("itemIdentifier", rec.id)
			failures = append(failures, item)
		}
	}
	o := jsonata.NewObject(1)
	o.Set("batchItemFailures", failures)
	return jsonata.AppendJSON(nil, o)
}
