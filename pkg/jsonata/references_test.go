package jsonata

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// showReference writes a reference as kind name.member@position, with ^ for one at the top.
func showReference(r Reference) string {
	kind := [...]string{"variable", "function", "context", "root", "name"}[r.Kind]
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", kind, r.Name)
	for _, m := range r.Members {
		fmt.Fprintf(&b, ".%s@%d", m.Name, m.Position)
	}
	fmt.Fprintf(&b, " %d", r.Position)
	if r.Top {
		b.WriteString(" top")
	}
	return b.String()
}

func TestReferences(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expr string
		want []string
	}{
		{`1 + 2`, nil},
		{`$request.body.id`, []string{"variable request.body@9.id@14 0"}},
		{` $request . "x y"`, []string{"variable request.x y@12 1"}},
		{"$request.`x y`", []string{"variable request.x y@9 0"}},
		{`$request.body[0].id`, []string{"variable request.body@9 0"}},
		{`$request[0].body`, []string{"variable request 0"}},
		{`$request.*.id`, []string{"variable request 0"}},
		{`$request.body{"k": id}`, []string{"variable request.body@9 0", "name id 19"}},
		{`$states.input.(%.context)`, []string{"variable states 0"}},
		{`$states.input.a.(%.b)`, []string{"variable states.input@8 0"}},
		{`$sum($states.input.a)`, []string{"function sum 0", "variable states.input@13.a@19 5"}},
		{`$nonesuch(1)`, []string{"variable nonesuch 0"}},
		{`($x := $y.z; $x.a)`, []string{"variable y.z@10 7"}},
		{`phone`, []string{"name phone 0 top"}},
		{`phone[inner].number`, []string{"name phone 0 top", "name inner 6"}},
		{`phone.number`, []string{"name phone.number@6 0 top"}},
		{`(phone).other`, []string{"name phone 1 top"}},
		{`[phone].other`, []string{"name phone 1 top"}},
		{`phone(1)`, []string{"name phone 0 top"}},
		{`phone ~> $string()`, []string{"name phone 0 top", "function string 9"}},
		{`$map($v, function($y){ phone })`, []string{"function map 0", "variable v 5", "name phone 23 top"}},
		{`$v ~> |a|{"b": c}, d|`, []string{"variable v 0", "name a 7", "name c 15", "name d 19"}},
		{`{"a": b}`, []string{"name b 6 top"}},
		{`bbb + aaa`, []string{"name bbb 0 top", "name aaa 6 top"}},
		{`**.phone`, nil},
		{`$v.(phone)`, []string{"variable v 0", "name phone 4"}},
		{`$v^(phone)`, []string{"variable v 0", "name phone 4"}},
		{`$v[$ > 1]`, []string{"variable v 0", "context  3"}},
		{`$.a`, []string{"context .a@2 0 top"}},
		{`$$.a`, []string{"root .a@3 0"}},
		{`$v.a[$$.b]`, []string{"variable v.a@3 0", "root .b@8 5"}},
		{`$now()`, []string{"function now 0"}},
		{`($now := 1; $now)`, nil},
	}
	for _, tt := range tests {
		var got []string
		for _, r := range MustCompile(tt.expr).References() {
			got = append(got, showReference(r))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.expr, diff)
		}
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		`$states.input.order`: {"states", "input", "order"}, `$v`: {"v"}, `$v[0]`: nil, `$`: nil, `a.b`: nil, `$v.a + 1`: nil, `$sum`: nil,
	}
	for expr, want := range tests {
		if diff := cmp.Diff(want, MustCompile(expr).Path()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", expr, diff)
		}
	}
}
