package jsonata_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Check says of an expression what Compile says, whatever was checked before it and beside it.
func TestCheck(t *testing.T) {
	t.Parallel()
	sources := []string{
		"$a.b", "1 +", "$sum($a.b[c = $d].e)", "$map($a, function($v) { $v.x & $b })", "'unclosed", "$eval('1')",
		"{" + strings.TrimSuffix(strings.Repeat("'k': $a.b + $c.d * 2, ", 40), ", ") + "}", "$a.%.%", "", "/(/",
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				for _, source := range sources {
					refs, err := jsonata.Check(source, jsonata.StepFunctions())
					expr, want := jsonata.Compile(source, jsonata.StepFunctions())
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
