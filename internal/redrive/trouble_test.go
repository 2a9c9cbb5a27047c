package redrive

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A fullStore is a disk with room for a number of bytes.
type fullStore struct {
	*world
	room int
}

var errFull = errors.New("no space left on device")

func (s *fullStore) Append(line []byte, _ bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.room <= 0 {
		return errFull
	}
	n := min(len(line), s.room)
	s.disk = append(s.disk, line[:n]...)
	if s.room -= n; n < len(line) {
		s.room = 0
		return errFull
	}
	return nil
}

// If the journal cannot be written, nothing more is sent; once there is room, the next run
// continues, and nothing is lost or sent twice without being listed.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, room := range []int{0, 50, 300, 2_000, 10_000} {
		w := newWorld(t, uint64(room))
		populate(w, 120)
		o := w.options()
		o.Store, o.Workers, o.InDoubt = &fullStore{w, room}, 4, Send
		if _, err := Run(t.Context(), o); !errors.Is(err, errFull) {
			t.Fatalf("room for %d bytes: %v", room, err)
		}
		tries := strings.Count(string(w.disk), `"stage":"try"`)
		sent := 0
		for _, s := range w.letters {
			sent += w.times(s.ID)
		}
		if sent > tries {
			t.Errorf("room for %d bytes: %d letters were sent, but the journal lists %d", room, sent, tries)
		}
		o.Store = w
		w.now = w.now.Add(time.Minute)
		report, err := Run(t.Context(), o)
		if err != nil || len(w.left()) != 0 {
			t.Fatalf("room for %d bytes, and then enough: %v, %d left", room, err, len(w.left()))
		}
		twice := map[string]bool{}
		for _, l := range report.Lines {
			twice[l.ID] = l.Twice
		}
		for _, s := range w.letters {
			if n := w.times(s.ID); n == 0 || n > 1 && !strings.Contains(s.Body, "key=") && !twice[s.ID] {
				t.Errorf("room for %d bytes: %s was sent %d times, listed: %v", room, s.ID, n, twice[s.ID])
			}
		}
	}
}

// After a failed write, nothing is written after what it may have left.
func TestFileStoreAfterAFailure(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	s, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Append([]byte("1\n"), true); err != nil {
		t.Fatal(err)
	}
	whole := s.file
	if s.file, err = os.Open(path); err != nil { // which cannot be written
		t.Fatal(err)
	}
	if err := s.Append([]byte("2\n"), true); err == nil {
		t.Error("writing to an unwritable file succeeded")
	}
	_ = s.file.Close()
	s.file = whole
	if err := s.Append([]byte("3\n"), true); err == nil {
		t.Error("a line was written after one that may be cut off")
	}
	if text, err := s.Load(); string(text) != "1\n" {
		t.Errorf("the journal has %q, %v", text, err)
	}
}

// Others who read the queue take some of the letters: those are theirs, and the rest is put
// back.
func TestOthersReadTheQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	populate(w, 120)
	theirs := map[string]bool{}
	o := w.options()
	o.Workers = 1
	o.Queue = &sharedQueue{w, theirs}
	report, err := Run(t.Context(), o)
	if err != nil || report.Open() {
		t.Fatal(err, report)
	}
	if len(w.left()) != 0 || len(theirs) < 10 {
		t.Fatalf("%d are left, and the targets have %d", len(w.left()), len(theirs))
	}
	for _, s := range w.letters {
		if n := w.times(s.ID); n > 1 || n == 0 && !theirs[s.ID] {
			t.Errorf("%s was sent %d times, other targets have it: %v", s.ID, n, theirs[s.ID])
		}
	}
}

// A sharedQueue gives every tenth letter to another reader, who removes it.
type sharedQueue struct {
	*world
	theirs map[string]bool
}

func (q *sharedQueue) Receive(ctx context.Context, most int, wait time.Duration) ([]Letter, error) {
	q.mu.Lock()
	for i, s := range q.letters {
		if i%10 == 3 && !s.deleted && !q.took(s.ID) {
			s.deleted, q.theirs[s.ID] = true, true
			break
		}
	}
	q.mu.Unlock()
	return q.world.Receive(ctx, most, wait)
}
