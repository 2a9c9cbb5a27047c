package dedupe

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Bounds of a [Memory], unless its options say otherwise. The bytes are those of the
// answers.
const (
	defaultEntries = 10_000
	defaultBytes   = 32 << 20
)

// MemoryOptions bound what a [Memory] keeps; the zero value has the defaults.
type MemoryOptions struct {
	// Entries is the largest number of records; zero is 10,000. Bytes bounds the sum of
	// their answers; zero is 32 MiB.
	Entries, Bytes int
	// Now is the clock; nil is the real one.
	Now func() time.Time
}

// A Memory keeps records in the process: enough for a development server, and, on Lambda,
// for duplicates that happen to reach the same environment. When it is full, the records
// completed longest ago are forgotten first; those in progress are never forgotten before
// their time. It is safe for concurrent use.
type Memory struct {
	entries, bytes int
	now            func() time.Time

	mu        sync.Mutex
	records   map[string]*memoryRecord
	completed list.List // of *memoryRecord, oldest first
	held      int       // bytes of answers
}

type memoryRecord struct {
	claim  bridge.Claim
	done   *list.Element // in completed; nil while in progress
	answer []byte
}

// NewMemory returns an empty Memory.
func NewMemory(o MemoryOptions) *Memory {
	m := &Memory{entries: o.Entries, bytes: o.Bytes, now: o.Now, records: map[string]*memoryRecord{}}
	if m.entries <= 0 {
		m.entries = defaultEntries
	}
	if m.bytes <= 0 {
		m.bytes = defaultBytes
	}
	if m.now == nil {
		m.now = time.Now
	}
	return m
}

// Claim implements [bridge.DedupeStore]. In a store that is full of records in progress, the
// error is [ErrFull].
func (m *Memory) Claim(_ context.Context, c bridge.Claim) (bridge.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if r := m.records[c.Key]; r != nil {
		if !r.free(now) {
			return r.record(), nil
		}
		m.drop(r)
	}
	if !m.makeRoom(now) {
		return bridge.Record{}, ErrFull
	}
	m.records[c.Key] = &memoryRecord{claim: c}
	return bridge.Record{State: bridge.Claimed, Fingerprint: c.Fingerprint, Until: c.Until}, nil
}

func (r *memoryRecord) free(now time.Time) bool {
	return forgotten(r.claim.Expires, now) || r.done == nil && lapsed(r.claim.Until, now)
}

func (r *memoryRecord) record() bridge.Record {
	state := bridge.Held
	if r.done != nil {
		state = bridge.Completed
	}
	return bridge.Record{State: state, Fingerprint: r.claim.Fingerprint, Until: r.claim.Until, Answer: r.answer}
}

// Complete implements [bridge.DedupeStore]. An answer that is larger than the whole store
// is [ErrAnswerTooLarge].
func (m *Memory) Complete(_ context.Context, c bridge.Claim, answer []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.holding(c)
	if r == nil {
		return nil
	}
	var err error
	if len(answer) > m.bytes {
		answer, err = null, ErrAnswerTooLarge
	}
	for m.held+len(answer) > m.bytes && m.dropOldest() {
	}
	r.claim.Expires = c.Expires
	r.answer = append([]byte{}, answer...)
	m.held += len(answer)
	r.done = m.completed.PushBack(r)
	return err
}

// Release implements [bridge.DedupeStore].
func (m *Memory) Release(_ context.Context, c bridge.Claim) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.holding(c); r != nil {
		m.drop(r)
	}
	return nil
}

// holding returns the record that c claimed, if it has not been claimed again since, or nil.
func (m *Memory) holding(c bridge.Claim) *memoryRecord {
	r := m.records[c.Key]
	if r == nil || r.done != nil || r.claim.Until.UnixMilli() != c.Until.UnixMilli() {
		return nil
	}
	return r
}

// makeRoom reports whether another record fits.
func (m *Memory) makeRoom(now time.Time) bool {
	// Records with the same time to live are forgotten in the order in which they were
	// completed; others stay until they are the oldest.
	for e := m.completed.Front(); e != nil && forgotten(e.Value.(*memoryRecord).claim.Expires, now); e = m.completed.Front() {
		m.dropOldest()
	}
	if len(m.records) < m.entries || m.dropOldest() {
		return true
	}
	for _, r := range m.records {
		if r.free(now) {
			m.drop(r)
		}
	}
	return len(m.records) < m.entries
}

func (m *Memory) dropOldest() bool {
	e := m.completed.Front()
	if e == nil {
		return false
	}
	m.drop(e.Value.(*memoryRecord))
	return true
}

func (m *Memory) drop(r *memoryRecord) {
	delete(m.records, r.claim.Key)
	if r.done != nil {
		m.completed.Remove(r.done)
		m.held -= len(r.answer)
	}
}
