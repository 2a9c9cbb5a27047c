package jsonata

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// An Object is a JSON object that remembers the order of its members, as
// JavaScript does. The zero value is an empty object, ready for use. It must not
// be changed while others read it.
type Object struct {
	keys   []string // may be those of other objects, and so are only appended to
	values []any
	index  *hashTable // only beyond indexFrom members; below, a scan is faster
	past   *past      // of an object that $merge made
}

// indexFrom is the number of members from which an Object keeps an index.
const indexFrom = 12

// A smallObject is an Object that is allocated with its members.
type smallObject struct {
	Object
	keySpace   [4]string
	valueSpace [4]any
}

// newShared returns an object whose names will be those of others, with room for n values
// next to it in memory if they are few.
func newShared(n int) *Object {
	switch {
	case n <= 2:
		o := &struct {
			Object
			space [2]any
		}{}
		o.values = o.space[:0]
		return &o.Object
	case n <= 4:
		o := &struct {
			Object
			space [4]any
		}{}
		o.values = o.space[:0]
		return &o.Object
	case n <= 6:
		o := &struct {
			Object
			space [6]any
		}{}
		o.values = o.space[:0]
		return &o.Object
	case n <= 8:
		o := &struct {
			Object
			space [8]any
		}{}
		o.values = o.space[:0]
		return &o.Object
	}
	return &Object{values: make([]any, 0, n)}
}

// NewObject returns an empty object with room for n members.
func NewObject(n int) *Object {
	if n > 1 && n <= len(smallObject{}.keySpace) {
		s := &smallObject{}
		s.keys, s.values = s.keySpace[:0], s.valueSpace[:0]
		return &s.Object
	}
	return &Object{keys: make([]string, 0, n), values: make([]any, 0, n)}
}

// Len returns the number of members.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	o.restore()
	return len(o.keys)
}

// At returns the i-th member, 0 ≤ i < Len.
func (o *Object) At(i int) (key string, value any) {
	o.restore()
	return o.keys[i], o.values[i]
}

// Get returns the value of a member.
func (o *Object) Get(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.values[i], true
	}
	return nil, false
}

// Set adds a member at the end, or replaces the value of an existing one.
func (o *Object) Set(key string, value any) {
	if i := o.find(key); i >= 0 {
		o.values[i] = value
		return
	}
	o.append(key, value)
}

// append adds a member that the object does not have.
func (o *Object) append(key string, value any) {
	if o.keys == nil { // room for a few, instead of growing by one, two, four
		o.keys, o.values = make([]string, 0, 4), make([]any, 0, 4)
	}
	o.keys = append(o.keys, key)
	o.values = append(o.values, value)
	switch {
	case o.index != nil:
		o.index.add(hashText(key), len(o.keys)-1)
	case len(o.keys) > indexFrom:
		o.index = indexKeys(o.keys, cap(o.keys))
	}
}

// indexKeys returns an index of names, with room for n.
func indexKeys(keys []string, n int) *hashTable {
	t := newHashTable(n)
	for i, k := range keys {
		t.add(hashText(k), i)
	}
	return t
}

// Delete removes a member; it takes time proportional to the size of the object.
func (o *Object) Delete(key string) {
	i := o.find(key)
	if i < 0 {
		return
	}
	o.keys = slices.Concat(o.keys[:i], o.keys[i+1:]) // other objects may share them
	o.values = append(o.values[:i], o.values[i+1:]...)
	o.reindex()
}

// deleteAll removes several members at once.
func (o *Object) deleteAll(names map[string]bool) {
	o.restore()
	if len(names) == 1 {
		for name := range names {
			o.Delete(name)
		}
		return
	}
	keys, values := o.keys, o.values
	o.keys, o.values = make([]string, 0, len(keys)), values[:0]
	for i, k := range keys {
		if !names[k] {
			o.keys, o.values = append(o.keys, k), append(o.values, values[i])
		}
	}
	clear(values[len(o.values):])
	o.reindex()
}

// reindex rebuilds the index after members have moved.
func (o *Object) reindex() {
	if o.index != nil {
		o.index = indexKeys(o.keys, len(o.keys))
	}
}

// Clone returns a copy that shares the members' values.
func (o *Object) Clone() *Object {
	c := NewObject(o.Len() + 1)
	for i := range o.Len() {
		c.Set(o.At(i))
	}
	return c
}

func (o *Object) find(key string) int {
	if o == nil {
		return -1
	}
	o.restore()
	if o.index != nil {
		return o.index.find(hashText(key), func(i int) bool { return o.keys[i] == key })
	}
	for i, k := range o.keys {
		if k == key {
			return i
		}
	}
	return -1
}

// MarshalJSON writes the members in their order.
func (o *Object) MarshalJSON() ([]byte, error) { return AppendJSON(nil, o) }

// FromGo converts the values that encoding/json decodes, and Go's numeric types, into the
// values of this package. The members of a map are put in the order of their names. Other
// values stay as they are, and expressions refuse them: encode a struct as JSON, and
// [Decode] that.
func FromGo(v any) any {
	switch v := v.(type) {
	case int:
		return integer(v)
	case int8:
		return integer(v)
	case int16:
		return integer(v)
	case int32:
		return integer(v)
	case int64:
		return integer(v)
	case uint:
		return unsigned(v)
	case uint8:
		return unsigned(v)
	case uint16:
		return unsigned(v)
	case uint32:
		return unsigned(v)
	case uint64:
		return unsigned(v)
	case float32: // by its own decimal digits
		f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
		return f
	case map[string]any:
		o := NewObject(len(v))
		for _, k := range sortedKeys(v) {
			o.Set(k, FromGo(v[k]))
		}
		return o
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = FromGo(e)
		}
		return out
	case json.RawMessage:
		return NewRaw(v)
	}
	return v
}

func integer[T int | int8 | int16 | int32 | int64](n T) json.Number {
	return json.Number(strconv.FormatInt(int64(n), 10))
}

func unsigned[T uint | uint8 | uint16 | uint32 | uint64](n T) json.Number {
	return json.Number(strconv.FormatUint(uint64(n), 10))
}

// isValue reports whether v, apart from its parts, is a value of this package.
func isValue(v any) bool {
	switch v.(type) {
	case nil, bool, float64, json.Number, string, []any, *Object, *Raw, undefined, *Function:
		return true
	}
	return false
}

// noValue returns the error for something that is not a value of this package.
func noValue(what string, v any) error {
	return fmt.Errorf("jsonata: %s is a %T, which is not a value of this package: see FromGo", what, v)
}
