package jsonata_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Check returns for an expression what Compile returns, whatever else was checked before or at the same time.
func TestCheck(t *testing.T) {
	t.Parallel()
	sources := []string{
		"$a.b", "1 +", "$sum($a.b[c = $d].e)", "$map($a, function($v) { $v.x & $b })", "'unclosed", "$eval('1')",
		"$a", " $a.b_1.\"c-d\".e\n", "$a.1", "$a.and", "$a.true.b", "$a.\"x\\\"\".b", "$a..b", "$a.", "$", "$.a", "$$.a", "$sum", "$sum.a", "$a.`b`", "$a.'b'", "$1.b", "$a .b", "$a.\"\"", "$a.\"\\q\"", "$a.null", "$a.\xff", "$a.\"\xff\"",
		"{" + strings.TrimSuffix(strings.Repeat("'k': $a.b + $c.d * 2, ", 40), ", ") + "}", "$a.%.%", "", "/(/",
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				for _, source := range sources {
					refs, err := jsonata.Options{StepFunctions: true}.Check(source)
					expr, want := jsonata.Options{StepFunctions: true}.Compile(source)
					switch {
					case (err == nil) != (want == nil), err != nil && err.Error() != want.Error():
						t.Errorf("%s: %v, want %v", source, err, want)
					case err == nil:
						if diff := cmp.Diff(expr.References(), refs); diff != "" {
							t.Errorf("%s (-Compile +Check):\n%s", source, diff)
						}
					}
				}
			}
		})
	}
	all.Wait()
}

// A path that is read without the parser has the references that the parser finds.
func TestCheckPaths(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{"$", "a", "b_1", ".", "..", "\"c-d\"", "\"\"", "\"", "1", "and", "null", " ", "$sum", "`x`", "%", "[0]", "\\", "é", "$$"})
	rapid.Check(t, func(t *rapid.T) {
		source := "$a" + strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "parts"), "")
		refs, err := jsonata.Options{StepFunctions: true}.Check(source)
		expr, want := jsonata.Options{StepFunctions: true}.Compile(source)
		if (err == nil) != (want == nil) || err != nil && err.Error() != want.Error() {
			t.Fatalf("%s: %v, want %v", source, err, want)
		}
		if err != nil {
			return
		}
		if diff := cmp.Diff(expr.References(), refs); diff != "" {
			t.Fatalf("%s (-Compile +Check):\n%s", source, diff)
		}
	})
}
