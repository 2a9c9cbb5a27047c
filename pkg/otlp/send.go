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
	// sendLimit bounds the wait for the collector, which is on the same machine.
	sendLimit = 50 * time.Millisecond
	// leastSkipped is how many sends are skipped after one that failed: more than 99 of 100,
	// so that a collector that hangs is not seen at the 99th percentile. Each further
	// failure doubles it, up to mostSkipped.
	leastSkipped, mostSkipped = 127, 4095
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 64 << 10
)

// A sender posts documents, and leaves a collector alone that does not take them.
type sender struct {
	post func(ctx context.Context, document []byte) error

	mu      sync.Mutex
	skip    int // sends to come that are skipped
	penalty int // how many were after the last failure; 0 after a success
}

// send posts a document if it is the collector's turn; nobody is told of one that is lost.
func (s *sender) send(ctx context.Context, document func() []byte) {
	s.mu.Lock()
	if s.skip > 0 {
		s.skip--
		s.mu.Unlock()
		return
	}
	s.skip = leastSkipped // for others, until this one is known to have been taken
	s.mu.Unlock()
	// The invocation may be past its deadline, and still has spans.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendLimit)
	defer cancel()
	err := s.post(ctx, document())
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.skip, s.penalty = 0, 0
		return
	}
	s.penalty = min(max(leastSkipped, 2*s.penalty+1), mostSkipped)
	s.skip = s.penalty
}

// poster sends over HTTP. A connection is not kept: a function is frozen between
// invocations, and one that lies idle then is a question each time.
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
			return fmt.Errorf("the collector answers %s", response.Status)
		}
		return nil
	}
}
