package console

import "slices"

// A store keeps pieces of bytes in chunks, which it uses again. The garbage collector sees a
// few chunks instead of thousands of pieces, and does not look into them. What is kept at the
// same time is dropped at about the same time, so that hardly any chunk is kept for the few
// pieces that are left in it.
type store struct {
	chunks []chunk
	unused []int // the numbers of empty chunks without bytes
	last   int   // the chunk that is being filled, if there are any
	spare  []byte
}

// A chunk has room for pieces at its end, until the last of them is dropped.
type chunk struct {
	bytes  []byte
	pieces int
}

// A place says where a piece is in a store. The zero value is nowhere.
type place struct{ chunk, at, size int32 }

// chunkBytes is the size of a chunk, in which a new piece begins if there is room for a usual
// one. A piece that does not fit is a chunk of its own.
const (
	chunkBytes = 64 << 10
	usualPiece = 4 << 10
)

// room returns the empty end of a chunk. A piece that is appended to it is there already when
// it is kept, if it has fitted.
func (s *store) room() []byte {
	if len(s.chunks) == 0 || cap(s.chunks[s.last].bytes)-len(s.chunks[s.last].bytes) < usualPiece {
		room := s.spare
		if s.spare = nil; room == nil {
			room = make([]byte, 0, chunkBytes)
		}
		s.last = s.open(room)
	}
	b := s.chunks[s.last].bytes
	return b[len(b):]
}

// keep keeps a piece, which is not empty and was appended to what room returned.
func (s *store) keep(piece []byte) place {
	n, at := s.last, len(s.chunks[s.last].bytes)
	if end := at + len(piece); end <= cap(s.chunks[n].bytes) {
		s.chunks[n].bytes = s.chunks[n].bytes[:end]
	} else {
		n, at = s.open(slices.Clone(piece)), 0
	}
	s.chunks[n].pieces++
	return place{int32(n), int32(at), int32(len(piece))} //nolint:gosec // far fewer than two billion
}

// open adds an empty chunk, and returns its number.
func (s *store) open(room []byte) int {
	if n := len(s.unused); n > 0 {
		at := s.unused[n-1]
		s.unused = s.unused[:n-1]
		s.chunks[at] = chunk{bytes: room}
		return at
	}
	s.chunks = append(s.chunks, chunk{bytes: room})
	return len(s.chunks) - 1
}

// drop gives up a piece.
func (s *store) drop(p place) {
	if p.size == 0 {
		return
	}
	c := &s.chunks[p.chunk]
	if c.pieces--; c.pieces > 0 {
		return
	}
	if cap(c.bytes) == chunkBytes {
		s.spare = c.bytes[:0]
	}
	*c = chunk{}
	s.unused = append(s.unused, int(p.chunk))
}

// piece returns a copy of a piece.
func (s *store) piece(p place) []byte {
	return slices.Clone(s.chunks[p.chunk].bytes[p.at : p.at+p.size])
}
