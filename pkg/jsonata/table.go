package jsonata

import (
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"math"
	"math/bits"
	"math/rand/v2"
)

// The tables here hold hashes, places and short values, but no pointers: the garbage
// collector does not look into them, and a lookup touches few cache lines. The hashes have
// random seeds, so that values that collide cannot be chosen.

var (
	hashSeed = maphash.MakeSeed()
	mixSeed  = [2]uint64{rand.Uint64(), rand.Uint64() | 1} // #nosec G404 -- differs from process to process
)

// fold mixes two words.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

func hashWord(w uint64) uint64    { return fold(w^mixSeed[0], mixSeed[1]) }
func hashText(s string) uint64    { return maphash.String(hashSeed, s) }
func hashNumber(f float64) uint64 { return hashWord(numberBits(f)) }

// numberBits returns the same bits for numbers that are equal.
func numberBits(f float64) uint64 {
	if f == 0 {
		return 0 // of -0, too
	}
	return math.Float64bits(f)
}

// slotsFor returns how many slots a table of n entries has: a power of two, at most two
// thirds of which are used.
func slotsFor(n int) int { return 1 << bits.Len(uint(max(n+n/2, 8))) }

// A hashTable finds places, such as those of items in a list, by the hash of their values.
// It stores only half of the hash, so that what it finds must still be compared.
type hashTable struct {
	slots []hashSlot
	n     int
}

type hashSlot struct {
	hash  uint32
	place int32 // plus 1; 0 is free
}

func newHashTable(n int) *hashTable { return &hashTable{slots: make([]hashSlot, slotsFor(n))} }

// find returns the place with a hash for which same is true, or -1.
func (t *hashTable) find(hash uint64, same func(place int) bool) int {
	mask := uint32(len(t.slots) - 1) // #nosec G115 -- a place is an int32
	h := uint32(hash)                // #nosec G115 -- half of it
	for i := h & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s.place == 0 {
			return -1
		}
		if s.hash == h && same(int(s.place-1)) {
			return int(s.place - 1)
		}
	}
}

// add adds a place that the table does not have.
func (t *hashTable) add(hash uint64, place int) {
	if t.n++; t.n+t.n/2 > len(t.slots) {
		old := t.slots
		t.slots = make([]hashSlot, 2*len(old))
		for _, s := range old {
			if s.place != 0 {
				t.put(s)
			}
		}
	}
	t.put(hashSlot{uint32(hash), int32(place + 1)}) // #nosec G115 -- half of the hash; the callers check the place
}

func (t *hashTable) put(s hashSlot) {
	mask := uint32(len(t.slots) - 1) // #nosec G115 -- as above
	i := s.hash & mask
	for t.slots[i].place != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

// A multiTable finds the places, in order, of any number of values. Its first array is small
// enough to stay in the processor's cache; the second one is read once for most lookups.
type multiTable struct {
	first   []int32 // by the hash of a value: an entry with that hash, plus 1
	entries []multiEntry
}

// A multiEntry holds the value at a place: a scalar, or the hash of another one.
type multiEntry struct {
	key  scalar
	next int32 // the next place with the same value, plus 1
	// other is a place plus 1, or 0 for none. At the first place of a value, it is the first
	// place of another value with the same hash slot; at the second, the value's last place.
	other int32
}

// noKey is the key of places that a search must not find. No value has this scalar.
var noKey = scalar{^uint64(0), ^uint64(0)}

func newMultiTable(n int) *multiTable {
	return &multiTable{first: make([]int32, 1<<bits.Len(uint(max(n-1, 0)))), entries: make([]multiEntry, 0, n)}
}

// head returns what refers to the first place of a value, or would.
func (t *multiTable) head(key scalar) *int32 {
	at := &t.first[key.hash()&uint64(len(t.first)-1)]
	for *at != 0 && t.entries[*at-1].key != key {
		at = &t.entries[*at-1].other
	}
	return at
}

// add adds the next place, with its value.
func (t *multiTable) add(key scalar) {
	if len(t.entries) == len(t.first) {
		t.grow()
	}
	t.entries = append(t.entries, multiEntry{key: key})
	t.tie(int32(len(t.entries))) // #nosec G115 -- the callers check the number
}

// tie makes a place, plus 1, the last one of its value; one with noKey is not found.
func (t *multiTable) tie(place int32) {
	key := t.entries[place-1].key
	if key == noKey {
		return
	}
	head := t.head(key)
	if *head == 0 {
		*head = place
		return
	}
	second := &t.entries[*head-1].next
	if *second == 0 {
		*second = place
		return
	}
	last := &t.entries[*second-1].other
	if *last == 0 {
		*last = *second
	}
	t.entries[*last-1].next, *last = place, place
}

// grow makes room for twice as many places.
func (t *multiTable) grow() {
	t.first = make([]int32, 2*len(t.first))
	for i := range t.entries {
		t.entries[i].next, t.entries[i].other = 0, 0
	}
	for i := range t.entries {
		t.tie(int32(i + 1)) // #nosec G115 -- as above
	}
}

// of returns the places of a value.
func (t *multiTable) of(key scalar) places { return places{t.entries, *t.head(key)} }

// places are the remaining places of a value. Those that are added later do not belong to
// them.
type places struct {
	entries []multiEntry
	at      int32 // plus 1; 0 at the end
}

// take returns the next place.
func (p *places) take() (int, bool) {
	if p.at == 0 || int(p.at) > len(p.entries) {
		return 0, false
	}
	i := int(p.at - 1)
	p.at = p.entries[i].next
	return i, true
}

// exact reports whether the places have the value itself, and not just its hash.
func (p *places) exact() bool {
	if p.at == 0 {
		return true // there are none
	}
	b := p.entries[p.at-1].key.b
	return b != 0 && b != tagLong
}

// A scalar is a value in two words: a number, a short text, a boolean or null as it is, a
// long text by its hash and its place in a scalarSet.
type scalar struct{ a, b uint64 }

// The highest byte of b says what a scalar is: the length of a short text plus 1, or one
// of these. It is never zero.
const (
	shortText   = 15
	tagShift    = 56
	tagNumber   = uint64(shortText+2) << tagShift
	tagConstant = uint64(shortText+3) << tagShift
	tagLong     = uint64(shortText+4) << tagShift
	tagMask     = uint64(0xff) << tagShift
)

// scalarOf returns false for an array, an object or a function.
func scalarOf(v any) (scalar, bool) {
	switch v := v.(type) {
	case string:
		return scalarText(v), true
	case float64:
		if math.IsNaN(v) {
			return scalar{}, false
		}
		return scalar{numberBits(v), tagNumber}, true
	case json.Number:
		return scalar{numberBits(toFloat(v)), tagNumber}, true
	case nil:
		return scalar{0, tagConstant}, true
	case bool:
		if v {
			return scalar{1, tagConstant}, true
		}
		return scalar{2, tagConstant}, true
	}
	return scalar{}, false
}

func scalarText(s string) scalar {
	n := len(s)
	k := scalar{b: uint64(n+1) << tagShift}
	switch {
	case n > shortText:
		return scalar{hashText(s), tagLong}
	case n >= 8:
		k.a = word(s)
		k.b |= word(s[n-8:]) >> (8 * (16 - n))
	default:
		for i := range n {
			k.a |= uint64(s[i]) << (8 * i)
		}
	}
	return k
}

// word returns the first eight bytes of a text.
func word(s string) uint64 {
	b := [8]byte{s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]}
	return binary.LittleEndian.Uint64(b[:])
}

func (k scalar) hash() uint64 { return fold(k.a^mixSeed[0], k.b^mixSeed[1]) }

// A scalarSet is a set of values. Scalars are compared by value, and others by identity.
type scalarSet struct {
	slots   []scalar
	n, most int      // the number of scalars, and how many there may be
	seen    int      // how many were added, again or not
	long    []string // the long texts
	rest    map[any]struct{}
	fetched uint64
}

// newScalarSet returns a set with room for n scalars.
func newScalarSet(n int) *scalarSet { return &scalarSet{slots: make([]scalar, max(n+n/2+2, 16))} }

// place returns where the search for a hash begins.
func (s *scalarSet) place(hash uint64) int {
	hi, _ := bits.Mul64(hash, uint64(len(s.slots)))
	return int(hi) // #nosec G115 -- less than the number of slots
}

// slot returns where a scalar is, or the free slot where it would be.
func (s *scalarSet) slot(k scalar, text any) (at *scalar, found bool) {
	for i := s.place(k.hash()); ; i++ {
		if i == len(s.slots) {
			i = 0
		}
		at := &s.slots[i]
		switch {
		case at.b == 0:
			return at, false
		case at.a != k.a || at.b != k.b && (k.b != tagLong || at.b&tagMask != tagLong):
		case k.b != tagLong || s.long[at.b&^tagMask] == text.(string):
			return at, true
		}
	}
}

// fetchAtOnce is for how many keys slots are fetched.
const fetchAtOnce = 64

// fetch reads the slots of the keys that are searched for next. The processor reads them from
// memory at the same time, because none of these reads waits for another.
func (s *scalarSet) fetch(keys []scalar) {
	all := uint64(0)
	for _, k := range keys {
		all ^= s.slots[s.place(k.hash())].b
	}
	s.fetched = all // otherwise the compiler would leave the reads out
}

func (s *scalarSet) has(v any) bool {
	k, _ := scalarOf(v)
	return s.hasKey(k, v)
}

// hasKey is has for a value whose scalar is known; it is zero for a value that is none.
func (s *scalarSet) hasKey(k scalar, v any) bool {
	if k.b == 0 {
		_, ok := s.rest[v]
		return ok
	}
	_, ok := s.slot(k, v)
	return ok
}

// add adds a value, and reports whether the set did not have it.
func (s *scalarSet) add(v any) bool {
	k, _ := scalarOf(v)
	return s.addKey(k, v)
}

// addKey is add for a value whose scalar is known; it is zero for a value that is none.
func (s *scalarSet) addKey(k scalar, v any) bool {
	if k.b == 0 {
		if _, ok := s.rest[v]; ok {
			return false
		}
		if s.rest == nil {
			s.rest = map[any]struct{}{}
		}
		s.rest[v] = struct{}{}
		return true
	}
	s.seen++
	at, found := s.slot(k, v)
	if found {
		return false
	}
	if k.b == tagLong {
		k.b |= uint64(len(s.long))
		s.long = append(s.long, v.(string))
	}
	*at = k
	if s.n++; s.n+s.n/2 > len(s.slots) {
		s.grow()
	}
	return true
}

// grow makes room for all values that there may be, if most of those so far differ.
func (s *scalarSet) grow() {
	old, slots := s.slots, 4*len(s.slots)
	if s.most > s.n && 2*s.n > s.seen {
		slots = max(2*len(s.slots), s.most+s.most/2+2)
	}
	s.slots = make([]scalar, slots)
	for _, k := range old {
		if k.b == 0 {
			continue
		}
		i := s.place(k.hashInSet())
		for s.slots[i].b != 0 {
			if i++; i == len(s.slots) {
				i = 0
			}
		}
		s.slots[i] = k
	}
}

// hashInSet is hash without the place of a long text.
func (k scalar) hashInSet() uint64 {
	if k.b&tagMask == tagLong {
		k.b = tagLong
	}
	return k.hash()
}
