package jsonata

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
)

// seedExpressions touch each part of the grammar.
var seedExpressions = []string{
	`Account.Order[0].Product[Price > 30].("Product Name" & '!')`,
	`a.*.b.**.c[-1][]`,
	`{"a": 1, "b": [1..3, 5], "c": null}`,
	`a{b: $sum(c)}`,
	`a^(>b, <c).d`,
	`a@$x#$i.b[%.c = $x.d].%.%.e`,
	`($f := function($n)<n:n>{ $n <= 1 ? 1 : $n * $f($n - 1) }; $f(5))`,
	`$ ~> |a.b|{"c": 1}, ["d"]|`,
	`$map([1, 2], function($v, $i) { $v + $i }) ~> $sum()`,
	`$substring(?, 0, 1)("abc") ?: "x" ?? "y"`,
	`$replace("abc", /(b)/i, "[$1]") /* comment */`,
	"`quoted name`.and.or.in and true or false in [1]",
	`$match("aab", /a+/).groups`,
	`"\u00e9\ud83d\ude00\n"`,
	`-1.5e3 % 2 != 0`,
	`$sort([3, 1], function($l, $r) { $l > $r })`,
	`$fromMillis(0, "[Y]-[M01]") & $formatNumber(1, "#,##0.00")`,
	`λ($x){$x}(1)`,
	`$eval("1 + 1")`,
	`[[1]].[$][0]`,
}

func FuzzCompile(f *testing.F) {
	for _, expr := range seedExpressions {
		f.Add(expr, true)
	}
	f.Add("((((", false)
	f.Add("/[/", false)
	f.Add(`"\ud800`, false)
	f.Fuzz(func(t *testing.T, expr string, dialect bool) {
		e, err := Options{StepFunctions: dialect}.Compile(expr)
		if (e == nil) == (err == nil) {
			t.Fatalf("got %v and %v, want one of them", e, err)
		}
		if err == nil {
			if e.String() != expr {
				t.Errorf("String is %q, want %q", e.String(), expr)
			}
			for _, name := range e.Variables() {
				if name == "" || name == "$" {
					t.Errorf("%q is not a variable", name)
				}
			}
			return
		}
		var ours *Error
		if !errors.As(err, &ours) {
			t.Fatalf("got error %v, want an *Error", err)
		}
		if ours.Position < 0 || ours.Position > len(expr) || ours.Message == "" {
			t.Errorf("error %v at %d of %d", ours, ours.Position, len(expr))
		}
	})
}

func FuzzEval(f *testing.F) {
	for _, expr := range seedExpressions {
		f.Add(expr, []byte(`{"a":[{"b":{"c":2},"d":1.50},{"b":[{"c":1}]}],"Account":{"Order":[{"Product":[{"Price":40}]}]}}`))
	}
	f.Add(`$`, []byte(`[[],[[1]]]`))
	f.Add(`$string($, true)`, []byte(`{"a":{"b":[]}}`))
	f.Fuzz(func(t *testing.T, expr string, text []byte) {
		input, err := Decode(text)
		if err != nil {
			return
		}
		e, err := Options{MaxSteps: 200_000, MaxAllocation: 4 << 20, MaxEvalDepth: 1000}.Compile(expr)
		if err != nil {
			return
		}
		before, err := AppendJSON(nil, input)
		if err != nil {
			t.Fatal(err)
		}
		v, err := e.Eval(context.Background(), input, nil)
		if after, _ := AppendJSON(nil, input); !bytes.Equal(before, after) {
			t.Errorf("the input became %s", after)
		}
		if err != nil {
			var ours *Error
			if !errors.As(err, &ours) {
				t.Fatalf("got error %v, want an *Error", err)
			}
			return
		}
		if out, err := AppendJSON(nil, v); err == nil && !json.Valid(out) {
			t.Errorf("the result is not JSON: %s", out)
		} else if err == nil {
			if _, err := Decode(out); err != nil {
				t.Errorf("the result cannot be read: %v: %s", err, out)
			}
		}
	})
}

func FuzzSignature(f *testing.F) {
	for _, s := range []string{"<s-n?:s>", "<a<s>s?:s>", "<(oa)-:o>", "<a+>", "<s?n+:a<n>>", "<f<n:n>j?x>", "<n+-s?->", "<n++>", "<n---", "<", "<(", "<n<"} {
		f.Add(s, "sna")
	}
	f.Add("<n+-s?l?l?n->", "nnnns")
	f.Add("<a?f<>f?a<>>", "f")
	f.Fuzz(func(t *testing.T, text, letters string) {
		sig, err := parseSignature(text)
		if err != nil {
			var ours *Error
			if !errors.As(err, &ours) {
				t.Fatalf("got error %v, want an *Error", err)
			}
			return
		}
		values := map[byte]any{
			's': "text", 'n': 1.0, 'b': true, 'l': nil, 'a': []any{"x"}, 'o': &Object{}, 'f': &matcher{}, 'm': Undefined,
		}
		var args []any
		for i := range min(len(letters), 8) {
			if v, ok := values[letters[i]]; ok {
				args = append(args, v)
			}
		}
		n := len(args)
		got, err := sig.validate(args, "context")
		var ours *Error
		most := n + 1
		if errors.As(err, &ours) && (ours.Code == "T0411" || ours.Code == "T0412") {
			most = n + len(sig.params) // of one that the context should be, or of one that has moved, after others left out and after all of a "+"
		}
		if err != nil && (!errors.As(err, &ours) || ours.Index < 1 || ours.Index > most) {
			t.Errorf("got error %v about argument %d of %d", err, ours.Index, n)
		}
		if err == nil && len(got) > n+len(sig.params) {
			t.Errorf("%d arguments became %d", n, len(got))
		}
	})
}
