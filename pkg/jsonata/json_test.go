package jsonata

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{` {"b": 1, "a": [true, null, "x"], "b": 2} `, `{"b":2,"a":[true,null,"x"]}`},
		{`9007199254740993`, `9007199254740993`},
		{`-0.50E+2`, `-0.50E+2`},
		{`"\u00e9\ud83d\ude00\n\/"`, "\"é😀\\n/\""},
		{`"\ud83d"`, `"�"`},
		{`""`, `""`},
		{`{}`, `{}`},
		{`[]`, `[]`},
		{"[1,\r\n\t2]", `[1,2]`},
	}
	for _, tt := range tests {
		if err := Valid([]byte(tt.text)); err != nil {
			t.Errorf("%s: Valid says %v", tt.text, err)
		}
		if got := show(decode(t, []byte(tt.text))); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text   string
		offset int
	}{
		{``, 0},
		{` `, 1},
		{`{`, 1},
		{`{"a"`, 4},
		{`{"a":1,}`, 7},
		{`{"a" 1}`, 5},
		{`[1,]`, 3},
		{`[1 2]`, 3},
		{`01`, 1},
		{`1.`, 2},
		{`1e`, 2},
		{`-`, 1},
		{`+1`, 0},
		{`nul`, 0},
		{`tru`, 0},
		{`NaN`, 0},
		{`"abc`, 4},
		{`"a` + "\n" + `"`, 2},
		{`"\x"`, 1},
		{`"\u12"`, 1},
		{`1 1`, 2},
		{"\"\xff\"", 1},
		{strings.Repeat("[", maxDepth+1), maxDepth},
	}
	for _, tt := range tests {
		_, err := Decode([]byte(tt.text))
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%q: got error %v, want a *SyntaxError", tt.text, err)
			continue
		}
		if e.Offset != tt.offset {
			t.Errorf("%q: got %v, want offset %d", tt.text, err, tt.offset)
		}
		if err := Valid([]byte(tt.text)); err == nil {
			t.Errorf("%q: Valid accepts it", tt.text)
		}
	}
}

func TestAppendNumber(t *testing.T) {
	t.Parallel()
	tests := []struct {
		f    float64
		want string
	}{
		{0, "0"},
		{math.Copysign(0, -1), "0"},
		{1, "1"},
		{-1.5, "-1.5"},
		{1e20, "100000000000000000000"},
		{1e21, "1e+21"},
		{1.5e-7, "1.5e-7"},
		{1e-6, "0.000001"},
		{123456789012345680000, "123456789012345680000"},
		{5e-324, "5e-324"},
		{1.7976931348623157e308, "1.7976931348623157e+308"},
	}
	for _, tt := range tests {
		if got := string(AppendNumber(nil, tt.f)); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestAppendJSONRefuses(t *testing.T) {
	t.Parallel()
	o := &Object{}
	o.Set("f", &Function{})
	for _, v := range []any{math.NaN(), math.Inf(1), Undefined, o, []any{Undefined}, struct{}{}} {
		if out, err := AppendJSON(nil, v); err == nil {
			t.Errorf("%v: got %s, want an error", v, out)
		}
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	// Both sides of the size at which an object begins to keep an index.
	for _, n := range []int{3, indexFrom, indexFrom + 1, 100} {
		o := &Object{}
		for i := range n {
			o.Set(strings.Repeat("k", i+1), i)
		}
		o.Set("kk", "again")
		o.Delete("k")
		o.Delete("none")
		if o.Len() != n-1 {
			t.Errorf("%d members: Len is %d after one was deleted", n, o.Len())
		}
		if k, v := o.At(0); k != "kk" || v != "again" {
			t.Errorf("%d members: the first is %s: %v, want kk: again", n, k, v)
		}
		if _, ok := o.Get("k"); ok {
			t.Errorf("%d members: a deleted member is still there", n)
		}
		if v, ok := o.Get("kkk"); !ok || v != 2 {
			t.Errorf("%d members: got %v, %t; want 2", n, v, ok)
		}
		c := o.Clone()
		c.Set("new", true)
		if c.Len() != n || o.Len() != n-1 {
			t.Errorf("%d members: a clone has %d, its original %d", n, c.Len(), o.Len())
		}
	}
	var none *Object
	if _, ok := none.Get("a"); ok || none.Len() != 0 {
		t.Error("a nil object has members")
	}
}

func TestFromGo(t *testing.T) {
	t.Parallel()
	v := FromGo(map[string]any{"b": []any{1, int64(-2), uint64(math.MaxUint64)}, "a": map[string]any{}, "r": json.RawMessage(`{"x": 1}`)})
	if diff := cmp.Diff(`{"a":{},"b":[1,-2,18446744073709551615],"r":{"x": 1}}`, show(v)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	text, err := json.Marshal(v)
	if err != nil || string(text) != `{"a":{},"b":[1,-2,18446744073709551615],"r":{"x":1}}` {
		t.Errorf("json.Marshal: got %s, %v", text, err)
	}
}

// Decode and encoding/json agree on what is JSON, and what is written can be read again.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50,-0e1],"b":"\u00e9\ud83d"}`, `[[[]]]`, `"\"`, `{"a":1,"a":2}`, `tru`, "\"\x01\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Decode(text)
		if got := Valid(text); (got == nil) != (err == nil) {
			t.Fatalf("Valid says %v, Decode %v", got, err)
		}
		if err != nil {
			var e *SyntaxError
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(text) {
				t.Errorf("error %v", err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatalf("accepts what encoding/json refuses")
		}
		out, err := AppendJSON(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(out)
		if err != nil {
			t.Fatalf("cannot read %s: %v", out, err)
		}
		if out2, _ := AppendJSON(nil, again); !bytes.Equal(out, out2) {
			t.Errorf("got %s, want %s", out2, out)
		}
	})
}
