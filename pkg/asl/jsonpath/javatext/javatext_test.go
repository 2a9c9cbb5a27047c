package javatext

import (
	"testing"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ json, text, class string }{
		{"null", "null", "null"},
		{"true", "true", "java.lang.Boolean"},
		{`"a \"b\""`, `a "b"`, "java.lang.String"},
		{"12", "12", "java.lang.Integer"},
		{"-0", "0", "java.lang.Integer"},
		{"3000000000", "3000000000", "java.lang.Long"},
		{"99999999999999999999", "99999999999999999999", "java.math.BigInteger"},
		{"1.10", "1.1", "java.lang.Double"},
		{"1.0", "1.0", "java.lang.Double"},
		{"-0.0", "-0.0", "java.lang.Double"},
		{"1e3", "1000.0", "java.lang.Double"},
		{"0.001", "0.001", "java.lang.Double"},
		{"0.00012", "1.2E-4", "java.lang.Double"},
		{"1e7", "1.0E7", "java.lang.Double"},
		{"1.25e100", "1.25E100", "java.lang.Double"},
		{"1e999", "1e999", "java.lang.Double"},
		{`[1,"a",[]]`, "[1, a, []]", "java.util.ArrayList"},
		{`{"Arg1":1,"Arg2":[],"o":{"x":null}}`, "{Arg1=1, Arg2=[], o={x=null}}", "java.util.LinkedHashMap"},
	} {
		v, err := jsonata.Decode([]byte(tt.json))
		if err != nil {
			t.Fatal(err)
		}
		if got := string(Append([]byte(">"), v)); got != ">"+tt.text {
			t.Errorf("Append(%s) = %s, want %s", tt.json, got[1:], tt.text)
		}
		if got := TypeName(v); got != tt.class {
			t.Errorf("TypeName(%s) = %s, want %s", tt.json, got, tt.class)
		}
	}
	if got := string(Append(nil, 3.0)); got != "3" {
		t.Errorf("Append of a computed 3 = %s, want 3", got)
	}
	if got := TypeName(2.5); got != "java.lang.Double" {
		t.Errorf("TypeName of a computed 2.5 = %s, want java.lang.Double", got)
	}
}
