package jsonata

import (
	"math"
	"sort"
	"unsafe"
)

// A runeIndex records where the code points of a text are, so that $substring and $length
// need not scan a long text from its start each time. It is valid for all parts of the
// text.
type runeIndex struct {
	text  string
	ascii bool
	count int
	every []int32 // the offset of each runeStride-th code point
}

const (
	runeStride    = 64
	indexTextFrom = 128 // the bytes from which a text gets an index
)

func newRuneIndex(s string) *runeIndex {
	ix := &runeIndex{text: s, ascii: isASCII(s), count: len(s)}
	if ix.ascii {
		return ix
	}
	ix.every = make([]int32, 0, len(s)/runeStride/2)
	ix.count = 0
	for at := 0; at < len(s); ix.count++ {
		if ix.count%runeStride == 0 {
			ix.every = append(ix.every, int32(at)) // #nosec G115 -- the text is shorter
		}
		at += codePointOffset(s[at:], 1)
	}
	return ix
}

// offset returns where the n-th code point begins.
func (ix *runeIndex) offset(n int) int {
	switch {
	case n >= ix.count:
		return len(ix.text)
	case ix.ascii:
		return n
	}
	at := int(ix.every[n/runeStride])
	return at + codePointOffset(ix.text[at:], n%runeStride)
}

// runes returns how many code points precede an offset.
func (ix *runeIndex) runes(offset int) int {
	if ix.ascii {
		return offset
	}
	block := sort.Search(len(ix.every), func(i int) bool { return int(ix.every[i]) > offset }) - 1
	if block < 0 {
		return 0
	}
	return block*runeStride + countRunes(ix.text[ix.every[block]:offset])
}

// runesOf returns the index of the text that s is a part of, and where s begins in it; nil
// if s is short.
func (ev *evaluator) runesOf(s string) (ix *runeIndex, at int) {
	if !ev.conf.worth(len(s), indexTextFrom) || len(s) > math.MaxInt32 {
		return nil, 0
	}
	found := ev.searches()
	for _, ix := range found.runes {
		if ix != nil {
			if at, ok := partOf(ix.text, s); ok {
				return ix, at
			}
		}
	}
	ev.work(len(s))
	ix = newRuneIndex(s)
	ev.use(4 * cap(ix.every))
	found.runes[found.nextRunes%len(found.runes)] = ix
	found.nextRunes++
	return ix, 0
}

// partOf returns where the bytes of part are in whole, if they are.
func partOf(whole, part string) (int, bool) {
	start, at := uintptr(unsafe.Pointer(unsafe.StringData(whole))), uintptr(unsafe.Pointer(unsafe.StringData(part))) // #nosec G103 -- compared only
	if at < start || at-start > uintptr(len(whole)-min(len(part), len(whole))) || len(part) > len(whole) {
		return 0, false
	}
	return int(at - start), true // #nosec G115 -- within the text
}

// lengthOf counts the code points of s.
func (ev *evaluator) lengthOf(s string) int {
	ix, at := ev.runesOf(s)
	switch {
	case ix == nil:
		ev.work(len(s))
		return countRunes(s)
	case ix.ascii:
		return len(s)
	case len(s) == len(ix.text):
		return ix.count
	}
	return ix.runes(at+len(s)) - ix.runes(at)
}

// slice returns the code points of s between two positions, which s must have.
func (ev *evaluator) slice(s string, from, to int) string {
	ix, at := ev.runesOf(s)
	if ix == nil {
		start := codePointOffset(s, from)
		return s[start : start+codePointOffset(s[start:], to-from)]
	}
	before := ix.runes(at)
	return ix.text[ix.offset(before+from):ix.offset(before+to)]
}
