package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestScanObject(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a":"x","b":{"c":7}}`: "x|7",
		` { "b" : { "d":[1,{"c":2}], "c" : -1.50e+3 } , "a":"\u00e4\/" } `: "ä/|-1.50e+3",
		`{"\u0061":"x"}`:                         "x|",
		`{"a":true,"b":{"c":null}}`:              "true|",
		`{}`:                                     "|",
		`{"x":{"a":"no"},"b":[{"c":1}]}`:         "|",
		`{"a":{},"b":{"c":[]}}`:                  "!|!",
		`{"a":""}`:                               "|",
		`{"A":"x","b":{"C":1}}`:                  "|",
		`{"a":"` + strings.Repeat("y", 9) + `"}`: strings.Repeat("y", 9) + "|",
	} {
		a, c := wanted("a"), wanted("c")
		if err := scanObject([]byte(text), a, wanted("b", c)); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := ""
		for i, w := range found(a, c) {
			s, ok := w.text()
			if !ok {
				s = "!"
			}
			got += map[int]string{1: "|"}[i] + s
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{
		``, `[]`, `"a"`, `{`, `{}}`, `{} x`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"b":{"c":1,"c":2}}`, `{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":+1}`,
		`{"a":tru}`, `{"a":"` + "\n" + `"}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`, `{"a" 1}`, `{"a":1,}`, `{"x":[1,]}`, `{"x":[1 2]}`, `{a:1}`, `{"a":'x'}`,
		"{\"a\":\"\xff\"}", `{"a":NaN}`, `{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, `{"x":` + strings.Repeat("[", 1<<20), `{"a":"` + strings.Repeat("x", maxValue) + `"}`,
	} {
		if err := scanObject([]byte(text), wanted("a"), wanted("b", wanted("c"))); err == nil {
			t.Errorf("%.60q is accepted", text)
		}
	}
}

// FuzzScanObject compares with the decoder that builds the value: what one takes the
// other takes, apart from duplicate names in members that are not read, and both find the same.
func FuzzScanObject(f *testing.F) {
	for _, s := range []string{`{"a":"x","b":{"c":7}}`, `{"a":[{"b":1}],"c":"\ud83d\ude00"}`, `{"a":1,"a":2}`, `{"b":{"c":{"c":1}}} `, `{"x":-0.0e-1}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, c := wanted("a"), wanted("c")
		err := scanObject(body, a, wanted("b", c))
		o, errBuilt := bodyObject(body)
		if err != nil && errBuilt == nil {
			t.Fatalf("the scan refuses %q: %v", body, err)
		}
		if err != nil {
			return
		}
		if errBuilt != nil {
			if !json.Valid(body) {
				t.Fatalf("the scan takes %q, which is not JSON", body)
			}
			return // a name comes twice
		}
		for w, v := range map[*want]any{a: member(o, "a"), c: member(o, "b", "c")} {
			got, ok := w.text()
			want, okBuilt := text(v)
			if got != want || ok != okBuilt {
				t.Fatalf("%q: %s is %q, %v; want %q, %v", body, w.name, got, ok, want, okBuilt)
			}
		}
	})
}

// BenchmarkUnsignedBody measures an unsigned body of many small values,
// compared with a signature in a header.
func BenchmarkUnsignedBody(b *testing.B) {
	body := []byte(`{"a":[` + strings.Repeat("0,", 1<<20) + `0]}`)
	key := []byte("k")
	for name, f := range map[string]func(){
		"scan":   func() { _ = scanObject(body, wanted("signature")) },
		"header": func() { hmac256(key, string(body)) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

// TestSchemesOfBodiesDoNotBuildThem: a body that is not signed ends in a refusal, whatever
// is in it, and makes little garbage.
func TestSchemesOfBodiesDoNotBuildThem(t *testing.T) { //nolint:paralleltest // it counts time or allocations
	large := bytes.Repeat([]byte("0,"), 1<<18)
	for name, body := range map[string]string{
		"an array":        `{"a":[` + string(large) + `0]}`,
		"adyen's items":   `{"notificationItems":[{"NotificationRequestItem":{"a":[` + string(large) + `0]}}]}`,
		"mailgun's block": `{"signature":{"a":[` + string(large) + `0]}}`,
		"graph's items":   `{"value":[{"a":[` + string(large) + `0]}]}`,
	} {
		item := newAdyenItem()
		errItem := errors.New("no signature")
		trees := map[string][]*want{
			"adyen":   {{name: "notificationItems", each: &want{below: []*want{wanted("NotificationRequestItem", item.members...)}, done: func() error { return errItem }}}},
			"mailgun": {newMailgunBlock("signature").want, newMailgunBlock("parent-signature").want},
			"graph":   {{name: "value", each: &want{below: []*want{wanted("clientState")}}}},
		}
		for scheme, members := range trees {
			if allocs := testing.AllocsPerRun(1, func() { _ = scanObject([]byte(body), members...) }); allocs > 10 {
				t.Errorf("%s looking through %s: %v allocations, want a few", scheme, name, allocs)
			}
		}
	}
}

func found(wants ...*want) []*want { return wants }
