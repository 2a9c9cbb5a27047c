package jsonata

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// The scanner accepts what the decoder accepts, and what encoding/json accepts of text that
// is valid UTF-8 and not nested too deeply.
func TestValidIsWhatDecodeTakes(t *testing.T) {
	t.Parallel()
	pieces := []string{
		`{`, `}`, `[`, `]`, `,`, `:`, `"a"`, `"`, `\`, `\"`, `\u00e9`, `\ud83d\ude00`, `\ud83d`, `\x`, `\u12`, "é", "\x80", "\x1f", "\x00", " ", "\n", "0", "1", "-", "-0", "01",
		"1.5", "1.", ".5", "1e5", "1e", "1E+2", "true", "false", "null", "nul", `{"a":1}`, `[1,2]`, `"eight or more bytes"`, `"é and more of it"`,
	}
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 8).Draw(t, "pieces"), ""))
		_, err := Decode(text)
		if valid(text) != (err == nil) {
			t.Fatalf("%q: valid is %v, Decode says %v", text, valid(text), err)
		}
		if valid(text) && !json.Valid(text) {
			t.Fatalf("%q is valid only here", text)
		}
	})
}

func FuzzValid(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,true,null,"\u00e9\n"]}`, `"` + strings.Repeat("x", 20) + "\x01\"", `[[[[]]]]`, `{"a":1,}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := Decode(text)
		if valid(text) != (err == nil) {
			t.Fatalf("valid is %v, Decode says %v", valid(text), err)
		}
		raw, failed := ParseRaw(append(text[:len(text):len(text)], strings.Repeat(" ", rawMembersFrom)...))
		if (failed == nil) != (err == nil) {
			t.Fatalf("ParseRaw says %v, Decode %v", failed, err)
		}
		if err != nil {
			return
		}
		v, _ := Decode(text)
		if o, ok := v.(*Object); ok {
			for i := range o.Len() {
				k, want := o.At(i)
				got, isObject := memberOf(raw, k)
				if a, b := show(got), show(want); !isObject || a != b && show(Force(got)) != b {
					t.Fatalf("member %q: %s, want %s", k, a, b)
				}
			}
			if v, _ := memberOf(raw, "no such member"); o.find("no such member") < 0 && !IsUndefined(v) {
				t.Fatalf("a member that is not there: %v", v)
			}
		}
	})
}

// largeBody is an object of about a megabyte.
func largeBody(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"id":"evt_1","object":{"name":"n","items":[`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"sku":"s%d","note":"é \"quoted\" text","price":%d.50,"tags":["a","b"],"on":true}`, i, i)
	}
	b.WriteString(`],"id":7},"last":null,"id":"evt_2"}`)
	return []byte(b.String())
}

// A path into a large body decodes what it is about: few allocations, whatever the size is.
func TestLargeBody(t *testing.T) {
	text := largeBody(1 << 20)
	tests := []struct{ expr, want string }{
		{`$body.id`, `"evt_2"`},
		{`$body.object.name`, `"n"`},
		{`$body.object.id`, "7"},
		{`$body.last`, "null"},
		{`$body.nothing`, "undefined"},
		{`$body.object.nothing.id`, "undefined"},
		{`$body.id.id`, "undefined"},
		{`$body.object.id = 7 and $body.id = "evt_2"`, "true"},
		{`{"id": $body.id, "name": $uppercase($body.object.name)}`, `{"id":"evt_2","name":"N"}`},
	}
	for _, tt := range tests {
		e := Options{StepFunctions: true}.MustCompile(tt.expr)
		var v any
		n := testing.AllocsPerRun(2, func() {
			raw, err := ParseRaw(text)
			if err != nil {
				t.Fatal(err)
			}
			if v, err = e.Eval(context.Background(), Undefined, map[string]any{"body": raw}); err != nil {
				t.Fatal(err)
			}
		})
		if show(v) != tt.want || n > 100 {
			t.Errorf("%s: %s with %.0f allocations, want %s with at most 100", tt.expr, show(v), n, tt.want)
		}
	}
	// The rest of the language sees the same value.
	raw, err := ParseRaw(text)
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]any{"body": raw}
	whole, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, expr := range []string{`$count($body.object.items)`, `$sum($body.object.items.price)`, `$keys($body)`, `$body.object.items[5].sku`, `$string($body.object.items[0])`, `$body.object.items[sku = "s3"].note`} {
		got := evaluate(t, expr, Undefined, vars, Options{})
		if want := evaluate(t, expr, Undefined, map[string]any{"body": whole}, Options{}); got != want {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
	}
}

// Many goroutines may look into one value.
func TestRawMembersAtTheSameTime(t *testing.T) {
	t.Parallel()
	raw, err := ParseRaw(largeBody(16 << 10))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, expr := range []string{`$body.id`, `$body.object.id`, `$keys($body)`, `$body.object.items[1].sku`} {
				if got := evaluate(t, expr, Undefined, map[string]any{"body": raw}, Options{}); got == "undefined" {
					t.Errorf("%s: nothing", expr)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkLargeBody(b *testing.B) {
	text := largeBody(1 << 20)
	e := MustCompile(`$body.id`)
	b.SetBytes(int64(len(text)))
	b.Run("here", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			raw, err := ParseRaw(text)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := e.Eval(context.Background(), Undefined, map[string]any{"body": raw}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json into a struct", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var body struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(text, &body); err != nil || body.ID != "evt_2" {
				b.Fatal(err, body.ID)
			}
		}
	})
}
