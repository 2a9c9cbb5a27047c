package jsonata

import (
	"runtime"
	"strings"
	"testing"
)

// requireExact checks that values have no more room than they need.
func requireExact(t *testing.T, text string, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		if cap(v) != len(v) {
			t.Errorf("%s: an array of %d items has room for %d", text, len(v), cap(v))
		}
		for _, item := range v {
			requireExact(t, text, item)
		}
	case *Object:
		if n := v.Len(); cap(v.keys) != n || cap(v.values) > n+1 { // room for values is even
			t.Errorf("%s: an object of %d members has room for %d names and %d values", text, n, cap(v.keys), cap(v.values))
		}
		for i := range v.Len() {
			_, member := v.At(i)
			requireExact(t, text, member)
		}
	}
}

// Arrays and objects are allocated once, whatever their texts contain.
func TestDecodeAllocatesExactly(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`[]`, `[[],[[]],{}]`, ` [ 1 , [ 2 , 3 ] , [ ] , 4 ] `, `["[,","{,\"",",\\","\\\",[",",]"]`, `["\u005b,",["\\"],"x\"",[1,2,3,4,5]]`,
		`{"a":[1,2,3,4,5,6,7,8,9],"b":{"c,":1,"d[":2,"e":3,"f":4,"g":5,"h\\":6},"i":[[1,2],[3,4,5]]}`,
		`[` + strings.Repeat(`{"a":[1,2,3],"b":"x,y"},`, 40) + `0]`, strings.Repeat("[1,", 100) + "[]" + strings.Repeat("]", 100),
		`{"long text without an end of its run":"` + strings.Repeat("x", 50) + `","b":[1,2],"c":3,"d":4,"e":[5]}`,
	} {
		v, err := Decode([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		requireExact(t, text, v)
	}
}

// Text that is not JSON does not allocate more than text of its length that is.
//
//nolint:paralleltest // it measures memory
func TestDecodeAllocatesLittleForWrongText(t *testing.T) {
	const size = 1 << 20
	for _, text := range []string{"[" + strings.Repeat(",", size), "{" + strings.Repeat(",", size), strings.Repeat("[,", size/2), `["` + strings.Repeat(`\`, size), "[1" + strings.Repeat(",", size)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode([]byte(text))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%.10s… is decoded", text)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16*size {
			t.Errorf("%.10s… of 1 MiB takes %d MiB", text, used>>20)
		}
	}
}
