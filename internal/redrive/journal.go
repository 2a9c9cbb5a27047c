package redrive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// A Store keeps the lines of the journal.
type Store interface {
	// Load returns the lines, without a last one that was cut off.
	Load() ([]byte, error)
	// Append adds a line. With sync, it returns when the line is safe from a crash of the
	// machine; without, from a crash of the program.
	Append(line []byte, sync bool) error
	// Remove deletes the journal.
	Remove() error
}

// A stage is how far a letter got.
type stage string

// The stages. A letter with a try but no result is in doubt: the target may have it.
const (
	taken     stage = "taken"     // received; nothing was sent
	tried     stage = "try"       // it may be sent from now on
	withdrawn stage = "not taken" // certainly not sent after all
	sent      stage = "sent"      // the target has it; it may be deleted
	gone      stage = "deleted"
)

// An entry is a line about one letter.
type entry struct {
	ID     string    `json:"id,omitempty"`
	Stage  stage     `json:"stage,omitempty"`
	Handle string    `json:"handle,omitempty"`
	Target *Target   `json:"target,omitempty"`
	At     time.Time `json:"at,omitzero"`
	// Twice marks a letter that was sent a second time without deduplication.
	Twice bool `json:"twice,omitempty"`
}

// A line of the journal: about a letter, or about the run.
type line struct {
	Queue string    `json:"queue,omitempty"`
	Began time.Time `json:"began,omitzero"`
	// Ended means that the run saw all letters; its letters in doubt stay in doubt.
	Ended bool `json:"ended,omitempty"`
	entry
}

// A journal records how far each letter got, in this run and in earlier killed ones.
type journal struct {
	store Store

	mu      sync.Mutex
	began   time.Time
	letters map[string]entry
}

// openJournal reads the journal of an earlier run, or begins a new one.
func openJournal(store Store, queue string, now time.Time) (j *journal, resumed bool, err error) {
	j = &journal{store: store, letters: map[string]entry{}}
	text, err := store.Load()
	if err != nil {
		return nil, false, err
	}
	for i, row := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		if len(row) == 0 {
			continue
		}
		var l line
		if err := json.Unmarshal(row, &l); err != nil {
			return nil, false, fmt.Errorf("line %d of the journal cannot be read (%w): move the journal away; letters may then be sent twice", i+1, err)
		}
		if l.Queue != "" {
			if l.Queue != queue {
				return nil, false, fmt.Errorf("the journal belongs to another queue, %s", l.Queue)
			}
			if j.began = l.Began; l.Ended {
				j.began = time.Time{}
			}
			continue
		}
		j.note(l.entry)
	}
	if !j.began.IsZero() {
		return j, true, nil
	}
	j.began = now
	return j, false, j.write(line{Queue: queue, Began: now}, true)
}

// end closes the run. The journal is kept only while there are unfinished letters.
func (j *journal) end(queue string) error {
	if doubtful, undeleted := j.open(); len(doubtful)+len(undeleted) == 0 {
		return j.store.Remove()
	}
	return j.write(line{Queue: queue, Ended: true}, true)
}

// note applies a line; the target and the time of a try are kept.
func (j *journal) note(e entry) {
	old := j.letters[e.ID]
	if e.Stage == taken && (old.Stage == tried || old.Stage == sent || old.Stage == gone) {
		old.Handle = e.Handle
		j.letters[e.ID] = old
		return
	}
	if e.Handle == "" {
		e.Handle = old.Handle
	}
	if e.Target == nil {
		e.Target, e.At = old.Target, old.At
	}
	e.Twice = e.Twice || old.Twice
	j.letters[e.ID] = e
}

func (j *journal) write(l line, sync bool) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := j.store.Append(append(text, '\n'), sync); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// add writes a line about a letter, and applies it after that.
func (j *journal) add(e entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	// A try that the machine forgets would allow an unlisted second send.
	if err := j.write(line{entry: e}, e.Stage == tried); err != nil {
		return err
	}
	j.note(e)
	return nil
}

func (j *journal) of(id string) entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.letters[id]
}

// open returns the unfinished letters: those in doubt, and those that were sent but not
// deleted.
func (j *journal) open() (doubtful, undeleted []entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.letters {
		switch e.Stage {
		case tried:
			doubtful = append(doubtful, e)
		case sent:
			undeleted = append(undeleted, e)
		}
	}
	return doubtful, undeleted
}

// twice returns the letters that were sent twice, by this run or an earlier one.
func (j *journal) twice() (ids []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for id, e := range j.letters {
		if e.Twice {
			ids = append(ids, id)
		}
	}
	return ids
}

// held returns the handles of letters that a killed run may still hide.
func (j *journal) held() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []string
	for _, e := range j.letters {
		if e.Stage != gone && e.Handle != "" {
			out = append(out, e.Handle)
		}
	}
	return out
}
