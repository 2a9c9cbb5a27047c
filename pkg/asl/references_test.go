package asl_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/asl"
)

func TestVariableReferences(t *testing.T) {
	t.Parallel()
	const sub = `{"StartAt":"I","States":{"I":{"Type":"Pass","Parameters":{"x.$":"$inner.a"},"End":true}}}`
	for name, tt := range map[string]struct {
		definition string
		want       map[string][]string
	}{
		"none":        {one(`"Type":"Pass","Parameters":{"a.$":"$.a","b.$":"$$.Execution.Id","c":"$text","dPath":"$text"},"Result":{"r.$":"$text"},"End":true`), map[string][]string{}},
		"paths":       {one(`"Type":"Pass","InputPath":"$in.a","OutputPath":"$out","Assign":{"v.$":"$w","x":{"y.$":"$w.z"}},"End":true`), map[string][]string{"A": {"in", "out", "w"}}},
		"intrinsic":   {one(`"Type":"Pass","Parameters":{"a.$":"States.Format('{}', States.Array($b, $a[0]))"},"End":true`), map[string][]string{"A": {"a", "b"}}},
		"choice":      {aRule(`{"And":[{"Variable":"$v","NumericEqualsPath":"$w.x"}],"Next":"B"}`), map[string][]string{"A": {"v", "w"}}},
		"within":      {one(`"Type":"Map","ItemsPath":"$items","ItemProcessor":` + sub + `,"End":true`), map[string][]string{"A": {"items"}, "I": {"inner"}}},
		"branches":    {one(`"Type":"Parallel","Branches":[` + sub + `],"End":true`), map[string][]string{"I": {"inner"}}},
		"JSONata":     {one(`"Type":"Pass",` + jsonataIs + `"Output":{"a":["{% $v + $sum($w) + $states.input.a %}"],"b":"$text"},"Assign":{"x":"{% ($y := 1; $y + $z) %}"},"End":true`), map[string][]string{"A": {"v", "w", "z"}}},
		"all JSONata": {`{` + jsonataIs + one(`"Type":"Wait","Seconds":"{% $s %}","End":true`)[1:], map[string][]string{"A": {"s"}}},
		"no machine":  {`[]`, nil},
		"odd":         {`{"States":{"A":1,"B":{"Branches":1,"ItemProcessor":[],"InputPath":"States.(","Variable":"$v"}}}`, map[string][]string{"B": {"v"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, asl.VariableReferences([]byte(tt.definition))); diff != "" {
				t.Error(diff)
			}
		})
	}
}
