package otlp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// patience is how long an invocation waits for the collector, which is on the same
	// machine. A document that takes longer continues without the invocation.
	patience = 1500 * time.Microsecond
	// sendLimit is how old a document on its way must be to be given up, by the next
	// invocation: no timer runs while the function is frozen.
	sendLimit = 50 * time.Millisecond
	// leastSkipped is how many sends are skipped after a failed one. Each further failure
	// doubles the number, up to mostSkipped.
	leastSkipped, mostSkipped = 127, 4095
	// maxAnswer bounds the bytes that are read from an answer.
	maxAnswer = 64 << 10
)

// A sender posts documents, one at a time, and pauses while a collector does not accept
// them.
type sender struct {
	post  func(ctx context.Context, document []byte) error
	after func(time.Duration) <-chan time.Time
	now   func() time.Time
	slot  chan struct{} // full while a document is on its way

	mu      sync.Mutex
	flight  *flight
	skip    int // sends to come that are skipped
	penalty int // how many were skipped after the last failure; 0 after a success
}

// A flight is a document on its way.
type flight struct {
	cancel  context.CancelFunc
	since   time.Time
	givenUp bool
}

// send posts a document unless the collector is being skipped, and waits for no longer
// than patience. A lost document is not reported.
func (s *sender) send(ctx context.Context, document func() []byte) {
	s.mu.Lock()
	if s.skip > 0 {
		s.skip--
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	enough := s.after(patience)
	select {
	case s.slot <- struct{}{}:
	default:
		select {
		case s.slot <- struct{}{}:
		case <-enough:
			s.giveUp()
			return
		}
	}
	// The invocation may be past its deadline, or be over, but its spans are still sent.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{cancel: cancel, since: s.now()}
	s.mu.Lock()
	s.flight = f
	s.mu.Unlock()
	body, done := document(), make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		s.settle(f, s.post(ctx, body))
		<-s.slot
	}()
	select {
	case <-done:
	case <-enough:
	}
}

// giveUp ends what is on its way for so long that the collector hangs.
func (s *sender) giveUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch f := s.flight; {
	case f == nil || s.now().Sub(f.since) < sendLimit:
	case f.givenUp: // and does not end yet
		s.skip = s.penalty
	default:
		f.givenUp = true
		f.cancel()
		s.failed()
	}
}

// settle notes how a document's way ended.
func (s *sender) settle(f *flight, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	switch {
	case f.givenUp: // the failure is counted
	case err != nil:
		s.failed()
	default:
		s.skip, s.penalty = 0, 0
	}
}

// failed pauses the sends. The caller holds the lock.
func (s *sender) failed() {
	s.penalty = min(max(leastSkipped, 2*s.penalty+1), mostSkipped)
	s.skip = s.penalty
}

// poster sends over HTTP. It does not keep connections, because a function is frozen
// between invocations, and an idle connection may be dead afterwards.
func poster(endpoint string) func(context.Context, []byte) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(ctx context.Context, document []byte) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(document))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		response, err := client.Do(r)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)); err != nil {
			return err
		}
		if response.StatusCode/100 != 2 {
			return fmt.Errorf("the collector answered %s", response.Status)
		}
		return nil
	}
}
