package jsonata

import (
	"context"
	"testing"
	"unsafe"

	"pgregory.net/rapid"
)

// remembered is a Known that never forgets. It keeps the values, so their memory is not
// used again.
type remembered map[any]*Extent

func identity(v any) any {
	if list, ok := v.([]any); ok {
		return unsafe.SliceData(list)
	}
	return v
}

func (r remembered) Find(v any) *Extent    { return r[identity(v)] }
func (r remembered) Keep(v any, e *Extent) { r[identity(v)] = e }

// A series evaluates an expression again and again, with its last result as $v, from the
// list [0].
func series(t *testing.T, text string, turns int) (steps int) {
	t.Helper()
	known := remembered{}
	e := Options{StepFunctions: true}.MustCompile(text)
	o := NewObject(2)
	o.Set("list", []any{0.0})
	o.Set("n", 0.0)
	var v any = o
	for i := range turns {
		ev := newEvaluator(context.Background(), e, mapVars{"v": v, "i": float64(i)})
		ev.known = known
		var err error
		if v, err = ev.run(e.root, Undefined); err != nil {
			t.Fatal(err)
		}
		steps += ev.steps
	}
	list, _ := v.(*Object).Get("list")
	if got := len(list.([]any)); got != turns+1 {
		t.Fatalf("%s makes a list of %d items in %d turns", text, got, turns)
	}
	return steps
}

// A list that each evaluation of a series makes longer takes work in proportion to the
// evaluations.
func TestSeriesGrowth(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"list": $append($v.list, $i)}`,
		`{"list": [$v.list, $i]}`,
		`{"list": $append($i, $v.list)}`,
		`{"list": [$i, $v.list]}`,
		`{"list": $append($i, $v.list), "again": $v.list}`,
		`{"list": $append($v.list, [{"i": $i}])}`,
		`{"list": $v.list ~> $append($i), "n": $v.n + 1}`,
		`($new := $append($v.list, $i); {"list": $new, "n": $count($new)})`,
		`$merge([$v, {"list": $append($v.list, $i), "last": $v.list}])`,
		`{"list": $append($v.list, $i), "again": $v.list}`,
		`{"list": $append($v.list, $i), "again": $append($v.list, $i)}`,
	} {
		few, many := series(t, text, 250), series(t, text, 1000)
		if float64(many) > 4.6*float64(few) {
			t.Errorf("%s takes %d steps in 250 turns, and %d in 1000 (%.1f×)", text, few, many, float64(many)/float64(few))
		}
	}
}

// What is known of values changes neither results nor values that were returned before.
func TestKnownChangesNothing(t *testing.T) {
	t.Parallel()
	steps := []string{
		`$append($a, $i)`, `$append($i, $a)`, `[$a, $i]`, `[$i, $a]`, `$append($a, $b)`, `$append($b, [$a, $i])`,
		`{"x": $append($a, $i), "y": $append($a, -$i), "z": [$a]}`, `{"x": $append($a, $i), "y": $append($a, [$i, $i]), "z": $append($a, $i)}`, `[$append($a, $i)]`, `$append([$a], [[$b]])`,
		`$a[[1..5]]`, `$a`, `$reverse($a)`, `$a[0]`, `$append($a.x, $a.y)`, `$merge([{"x": $b}, {"y": $a, "n": 1/0}])`,
		`($c := $append($a, $i); $d := $append($c, $i); $e := $append($c, {"e": $i}); {"x": $d, "y": $e, "z": $c})`,
		`$append($a, $match("ab", /(a)|(b)/).groups)`, `$append($a, $error("no"))`, `[$append($a, $i), $error("no")]`,
		`{"x": {"x": {"x": {"x": {"x": $append($a, $i)}}}}, "y": $a}`, `$append($a, $a)`, `$append($b, $a.x.x)`,
	}
	rapid.Check(t, func(t *rapid.T) {
		known := remembered{}
		values := []any{[]any{}, []any{1.0, nil}, NewObject(0)}
		var texts []string
		show := func(v any) string {
			text, err := AppendJSON(nil, v)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		for _, v := range values {
			texts = append(texts, show(v))
		}
		for i := range rapid.IntRange(1, 30).Draw(t, "evaluations") {
			e := Options{adjust: withIndexes(indexAll).adjust, StepFunctions: true}.MustCompile(rapid.SampledFrom(steps).Draw(t, "step"))
			recent := values[max(0, len(values)-4):]
			vars := mapVars{"i": float64(i), "a": rapid.SampledFrom(recent).Draw(t, "a"), "b": rapid.SampledFrom(values).Draw(t, "b")}
			plain, err1 := e.EvalEnv(context.Background(), Undefined, Env{Vars: vars})
			got, err2 := e.EvalEnv(context.Background(), Undefined, Env{Vars: vars, Known: known})
			switch {
			case (err1 == nil) != (err2 == nil):
				t.Fatalf("%s: %v, and %v with what is known", e, err1, err2)
			case err1 != nil || IsUndefined(plain):
				continue
			}
			text := show(plain)
			if again := show(got); again != text {
				t.Fatalf("%s: %s, and %s with what is known", e, text, again)
			}
			if len(text) < 1<<16 {
				values, texts = append(values, got), append(texts, text)
			}
			for i, v := range values {
				if now := show(v); now != texts[i] {
					t.Fatalf("%s changed %s to %s", e, texts[i], now)
				}
			}
		}
	})
}

// An array that is nested too deeply is found to be, whether or not it is known.
func TestKnownDepth(t *testing.T) {
	t.Parallel()
	known := remembered{}
	eval := func(text string, v any) (any, error) {
		return MustCompile(text).EvalEnv(context.Background(), Undefined, Env{Vars: mapVars{"v": v}, Known: known})
	}
	var deep any = make([]any, knownFrom)
	for range maxDepth - 3 {
		deep = []any{deep}
	}
	list := make([]any, knownFrom)
	list[0] = deep
	if _, err := eval(`{"a": $v}`, list); err != nil {
		t.Fatal(err)
	}
	if _, err := eval(`{"a": {"b": {"c": $v}}}`, list); err == nil {
		t.Error("a result of more than the maximum depth is accepted")
	}
}
