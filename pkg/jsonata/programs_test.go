package jsonata

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/internal/jsonataprograms"
)

// unshared returns a copy in which no two objects share anything.
func unshared(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = unshared(v[i])
		}
		return out
	case *Object:
		out := &Object{}
		for i := range v.Len() {
			name, m := v.At(i)
			out.Set(strings.Clone(name), unshared(m))
		}
		return out
	}
	return v
}

// raw returns a value as text that is decoded when it is used.
func raw(t *rapid.T, v any) any {
	t.Helper()
	text, err := AppendJSON(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return NewRaw(text)
}

// A program has the same result without indexes and shared names, with them for all lists, and
// with them for long lists only. The lists are repeated the given number of times.
func samePrograms(t *rapid.T, program string, times int) {
	t.Helper()
	var got [4]string
	for i, mode := range []indexing{indexNone, indexAll, indexLong, indexLong} {
		random := uint64(0)
		e, err := Options{adjust: withIndexes(mode).adjust, MaxSteps: 100_000, MaxAllocation: 8 << 20, MaxTime: time.Minute, MaxEvalDepth: 1000, Random: func() uint64 {
			if !strings.Contains(program, "^(") { // the order in which keys are evaluated is free
				random += 0x9E3779B97F4A7C15
			}
			return random
		}, Clock: func() time.Time { return time.UnixMilli(1500000000000) }}.Compile(program)
		if err != nil {
			t.Fatalf("%s: %v", program, err)
		}
		input, err := Decode([]byte(jsonataprograms.Document))
		if err != nil {
			t.Fatal(err)
		}
		if mode == indexNone {
			input = unshared(input)
		}
		o := input.(*Object)
		for _, name := range []string{"list", "others"} {
			o.Set(name, slices.Repeat(o.List(name), times))
		}
		var list, others any = o.List("list"), o.List("others")
		if i == 3 {
			list, others, input = raw(t, list), raw(t, others), raw(t, o)
		}
		before := show(input)
		v, err := e.Eval(context.Background(), input, map[string]any{
			"data": input, "list": list, "others": others, "n": o.Value("n"),
			"mixed": []any{1.0, "1", true, nil, []any{1.0}, NewObject(0), "id-1", 3.0, "é", "k1", []any{}, "s1"},
		})
		var limited bool
		if got[i], limited = outcomeOf(v, err); limited {
			return
		}
		if after := show(input); after != before {
			t.Fatalf("%s: changed the input to %s", program, after)
		}
	}
	for i, how := range []string{"with indexes for everything", "with indexes for what is long", "with text that is decoded when it is used"} {
		if got[i+1] != got[0] {
			t.Fatalf("%s: %s, and %s %s", program, got[0], how, got[i+1])
		}
	}
}

func TestProgramsWithIndexes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		program := jsonataprograms.Draw(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "n") })
		samePrograms(t, program, rapid.SampledFrom([]int{1, 1, 3, 12}).Draw(t, "times"))
	})
}
