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
	// leastSkipped is how many sends are skipped after a failed one: more than 99 of 100,
	// so that a collector that hangs does not show at the 99th percentile. Each further
	// failure doubles the number, up to mostSkipped.
	leastSkipped, mostSkipped = 127, 4095
	// maxAnswer bounds the bytes that are read from an answer.
	maxAnswer = 64 << 10
)

// A sender posts documents, and pauses while a collector does not accept them.
type sender struct {
	post func(ctx context.Context, document []byte) error

	mu      sync.Mutex
	skip    int // sends to come that are skipped
	penalty int // how many were skipped after the last failure; 0 after a success
}

// send posts a document unless the collector is being skipped. A lost document is not
// reported.
func (s *sender) send(ctx context.Context, document func() []byte) {
	s.mu.Lock()
	if s.skip > 0 {
		s.skip--
		s.mu.Unlock()
		return
	}
	s.skip = leastSkipped // for concurrent calls, until this send has succeeded
	s.mu.Unlock()
	// The invocation may be past its deadline, but its spans are still sent.
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
