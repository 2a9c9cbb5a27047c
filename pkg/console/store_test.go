package console

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Each piece is what was kept, however many are dropped before it and after it, in any order.
func TestStore(t *testing.T) {
	t.Parallel()
	type piece struct {
		at   place
		text []byte
	}
	rapid.Check(t, func(rt *rapid.T) {
		var s store
		var kept []piece
		for n := range rapid.IntRange(1, 200).Draw(rt, "pieces") {
			size := rapid.SampledFrom([]int{1, 700, usualPiece, 3 * usualPiece, chunkBytes, 2 * chunkBytes}).Draw(rt, "size")
			text := bytes.Repeat([]byte{byte(n)}, size)
			kept = append(kept, piece{s.keep(append(s.room(), text...)), text})
			if rapid.Bool().Draw(rt, "drop") {
				at := rapid.IntRange(0, len(kept)-1).Draw(rt, "which")
				s.drop(kept[at].at)
				kept = append(kept[:at], kept[at+1:]...)
			}
		}
		for _, p := range kept {
			if !bytes.Equal(s.piece(p.at), p.text) {
				rt.Fatalf("a piece of %d bytes is another one", len(p.text))
			}
		}
	})
}

// A store of the latest pieces does not grow with those that were dropped.
func TestStoreIsBounded(t *testing.T) {
	t.Parallel()
	var s store
	var queue ring[place]
	most := 0
	for n := range 20_000 {
		queue.push(s.keep(append(s.room(), make([]byte, 1+n%(2*usualPiece))...)))
		if queue.len() > 100 {
			s.drop(queue.pop())
		}
		size := 0
		for _, c := range s.chunks {
			size += cap(c.bytes)
		}
		most = max(most, size)
	}
	if want := 100*2*usualPiece + 2*chunkBytes; most > want || len(s.chunks) > 200 || cap(queue.items) > 1000 {
		t.Errorf("%d bytes in %d chunks, want at most %d; %d places", most, len(s.chunks), want, cap(queue.items))
	}
}

// A large payload is kept as well as a small one, and is counted.
func TestLargePayloads(t *testing.T) {
	t.Parallel()
	for _, n := range []int{10, maxCopied, maxCopied + 1, 1 << 20} {
		r := NewRecorder(Options{})
		payload := []byte(`"` + strings.Repeat("x", n) + `"`)
		_, _ = r.Wrap("webhook", answered(payload)).Invoke(t.Context(), payload)
		d, _ := r.Delivery(1)
		answer, err := d.Answer()
		if !bytes.Equal(d.Event(), payload) || !bytes.Equal(answer, payload) || err != nil {
			t.Errorf("%d bytes: the event has %d, and the answer %d: %v", n, len(d.Event()), len(answer), err)
		}
		if got := r.Bytes(); got < 2*n || got > 2*n+1000 {
			t.Errorf("%d bytes are counted of two payloads of %d", got, n)
		}
	}
}

type answered []byte

func (a answered) Invoke(context.Context, []byte) ([]byte, error) { return a, nil }

// Nothing is made for the pages until somebody opens one: the garbage collector would visit it
// with each few deliveries.
func TestNewMakesNoPages(t *testing.T) {
	o := ServeOptions{Recorder: NewRecorder(Options{})}
	if n := testing.AllocsPerRun(10, func() { New(o) }); n > 10 {
		t.Errorf("%.0f allocations of a console that nobody has opened", n)
	}
}
