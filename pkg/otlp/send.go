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
	// machine. A document that takes longer is sent on without the invocation waiting.
	patience = 1500 * time.Microsecond
	// sendLimit is the age at which the next invocation gives up a document that is still
	// being sent. There is no timer, because none runs while the function is frozen.
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
	slot  chan struct{} // full while a document is being sent

	mu      sync.Mutex
	flight  *flight
	skip    int // how many of the next sends are skipped
	penalty int // how many were skipped after the last failure; 0 after a success
}

// A flight is a document that is being sent.
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

// giveUp ends a request that has taken so long that the collector must hang.
func (s *sender) giveUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch f := s.flight; {
	case f == nil || s.now().Sub(f.since) < sendLimit:
	case f.givenUp: // and has not ended yet
		s.skip = s.penalty
	default:
		f.givenUp = true
		f.cancel()
		s.failed()
	}
}

// settle records how sending a document ended.
func (s *sender) settle(f *flight, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	switch {
	case f.givenUp: // the failure was already counted
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
