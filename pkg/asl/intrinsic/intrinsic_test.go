package intrinsic

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/internal/jsontest"
	"github.com/expressway-dev/expressway/pkg/asl/jsonpath"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

var errMissing = errors.New("could not be found in the input")

// envOf resolves "$…" in input and "$$…" in a fixed context object.
func envOf(input any) Env {
	context := jsonata.NewObject(1)
	context.Set("Name", "machine-1")
	return Env{
		Resolve: func(text string) (any, error) {
			root, path := jsonpath.Split(text)
			p, err := jsonpath.Parse(path)
			if err != nil {
				return nil, err
			}
			from := input
			if root == "$" {
				from = context
			}
			v, found := p.Eval(from)
			if !found || root != "" && root != "$" {
				return nil, errMissing
			}
			return v, nil
		},
		Rand: func() float64 { return 0.5 },
		UUID: func() string { return "00000000-0000-4000-8000-000000000000" },
	}
}

const input = `{
  "s": "text", "n": 3, "f": 2.5, "t": true, "nil": null,
  "list": [1, 2, 2, 1.0, "1", {"a": 1, "b": 2}, {"b": 2, "a": 1}, null, [1], [1]],
  "nums": [1, 2, 3, 4, 5], "o": {"a": 1, "b": {"x": [1.50, "q"]}}, "p": {"b": 2, "c": 3},
  "template": "It's {} and \\{{}\\}!", "quote": "a \"b\"\n", "items": [{"k": "a,b", "v": 1}, {"k": ")", "v": 2}]
}`

func TestEval(t *testing.T) {
	t.Parallel()
	doc := jsontest.Decode(t, input)
	tried := ""
	for _, tt := range []struct{ call, want string }{
		{"States.Format('Hello {}!', $.s)", `"Hello text!"`},
		{"States.Format('plain')", `"plain"`},
		{"States.Format('')", `""`},
		{"States.Format('{}{}', 'a', 'b')", `"ab"`},
		{"States.Format('{} {} {} {}', $.n, $.f, $.t, $.nil)", `"3 2.5 true null"`},
		{"States.Format('{}', $.o)", `"{a=1, b={x=[1.5, q]}}"`},
		{`States.Format('\{\}\'\\ {}', 1)`, `"{}'\\ 1"`},
		{"States.Format($.template, 1, 2)", `"It's 1 and {2}!"`},
		{"States.Format(States.Format('{}', 'a'))", `"a"`},
		{"States.Format('größe {}', '文')", `"größe 文"`},
		{" States.Format( 'a' ) ", `"a"`},
		{"States.StringToJson('{\"a\":[1,null]}')", `{"a":[1,null]}`},
		{"States.StringToJson('')", "null"},
		{"States.StringToJson(' ')", "null"},
		{"States.StringToJson($.nil)", "null"},
		{"States.StringToJson('-0')", "0"},
		{"States.StringToJson('1.0')", "1.0"},
		{"States.JsonToString($.o)", `"{\"a\":1,\"b\":{\"x\":[1.50,\"q\"]}}"`},
		{"States.JsonToString('x')", `"\"x\""`},
		{"States.JsonToString(null)", `"null"`},
		{"States.Array()", "[]"},
		{"States.Array(1, 'a', $.n, true, false, null, -1.5e3)", `[1,"a",3,true,false,null,-1.5e3]`},
		{"States.Array(States.Array(1), $$.Name)", `[[1],"machine-1"]`},
		{"States.ArrayPartition($.nums, 2)", "[[1,2],[3,4],[5]]"},
		{"States.ArrayPartition($.nums, 2.5)", "[[1,2,3],[4,5]]"},
		{"States.ArrayPartition($.nums, 99999999999)", "[[1,2,3,4,5]]"},
		{"States.ArrayPartition(States.Array(), 1)", "[]"},
		{"States.ArrayContains($.nums, 5)", "true"},
		{"States.ArrayContains($.nums, '5')", "false"},
		{"States.ArrayContains($.list, $.list[6])", "true"},
		{"States.ArrayContains($.list, States.Array(1))", "true"},
		{"States.ArrayContains($.list, null)", "true"},
		{"States.ArrayContains($.nums, $.n)", "true"},
		{"States.ArrayRange(1, 9, 2)", "[1,3,5,7,9]"},
		{"States.ArrayRange(0, 3, 2)", "[0,2]"},
		{"States.ArrayRange(3, 1, -1)", "[3,2,1]"},
		{"States.ArrayRange(3, 1, 1)", "[]"},
		{"States.ArrayRange(1, 1, 5)", "[1]"},
		{"States.ArrayRange(9223372036854775806, 9223372036854775807, 1)", "[9223372036854775806,9223372036854775807]"},
		{"States.ArrayLength(States.ArrayRange(1, 1000, 1))", "1000"},
		{"States.ArrayGetItem($.nums, 0)", "1"},
		{"States.ArrayGetItem($.nums, 4)", "5"},
		{"States.ArrayLength($.nums)", "5"},
		{"States.ArrayLength($.none[*])", "0"},
		{"States.ArrayUnique($.list)", `[1,2,1.0,"1",{"a":1,"b":2},null,[1]]`},
		{"States.Base64Encode('Data to encode')", `"RGF0YSB0byBlbmNvZGU="`},
		{"States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", `"Data to encode"`},
		{"States.Base64Decode('RGF0YSB0byBlbmNvZGU')", `"Data to encode"`},
		{"States.Base64Decode('')", `""`},
		{"States.Hash('input data', 'MD5')", `"812f45842bc6d66ee14572ce20db8e86"`},
		{"States.Hash('input data', 'SHA-1')", `"aaff4a450a104cd177d28d18d74485e8cae074b7"`},
		{"States.Hash('input data', 'SHA-256')", `"b4a697a057313163aee33cd8d40c66e9f0f177e00cac2de32475ffff6169c3e3"`},
		{"States.Hash($.p, 'MD5')", `"` + md5Of(`{"b":2,"c":3}`) + `"`},
		{"States.JsonMerge($.o, $.p, false)", `{"a":1,"b":2,"c":3}`},
		{"States.MathAdd(1, -4)", "-3"},
		{"States.MathAdd(0.49999999999999994, 0)", "0"},
		{"States.MathAdd(-2.5, 2.5)", "1"},
		{"States.MathAdd(9007199254740993, 1)", "9007199254740994"},
		{"States.MathRandom(1, 11)", "6"},
		{"States.MathRandom(0, 1)", "0"},
		{"States.MathRandom(0, 999, 3)", "730"},
		{"States.StringSplit('This.is+a,test=string', '.+,=')", `["This","is","a","test","string"]`},
		{"States.StringSplit(',1,,2,', ',')", `["1","2"]`},
		{"States.StringSplit('a b', '')", `["a b"]`},
		{"States.StringSplit('', ',')", "[]"},
		{"States.StringSplit('a文b', '文')", `["a","b"]`},
		{"States.UUID()", `"00000000-0000-4000-8000-000000000000"`},
		{"States.Array($.items[?(@.k == 'a,b' || @.k == \")\")].v, 1)", "[[1,2],1]"},
		{"States.ArrayGetItem(States.StringSplit($$.Name, '-'), 0)", `"machine"`},
		{nested(maxNesting), "[[[[[[[[[[]]]]]]]]]]"},
	} {
		tried += tt.call
		t.Run(tt.call, func(t *testing.T) {
			t.Parallel()
			c, err := Parse(tt.call)
			if err != nil {
				t.Fatal(err)
			}
			v, err := c.Eval(envOf(doc))
			if err != nil {
				t.Fatal(err)
			}
			if got := jsontest.Encode(t, v); got != tt.want {
				t.Errorf("got = %s, want %s", got, tt.want)
			}
			if c.String() != strings.TrimSpace(tt.call) {
				t.Errorf("String() = %s, want %s", c, tt.call)
			}
		})
	}
	for name := range functions {
		if !strings.Contains(tried, "States."+name+"(") {
			t.Errorf("no case calls States.%s: add one", name)
		}
	}
}

func nested(n int) string {
	return strings.Repeat("States.Array(", n) + strings.Repeat(")", n)
}

func md5Of(text string) string {
	h := hashes["MD5"]()
	h.Write([]byte(text))
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestEvalErrors(t *testing.T) {
	t.Parallel()
	doc := jsontest.Decode(t, input).(*jsonata.Object)
	long := strings.Repeat("ä", maxCharacters+1)
	doc.Set("long", long)
	doc.Set("huge", strings.Repeat("x", 1<<18))
	for _, tt := range []struct{ call, cause string }{
		{"States.Format('{}')", "The function 'States.Format('{}')' had the following error: The number of arguments for the template, 0, does not match its number of {}, 1"},
		{"States.Format('', 1)", "template, 1, does not match its number of {}, 0"},
		{"States.Format(1)", "Argument 1 must be a string"},
		{"States.Format($.n)", "Argument 1 must be a string"},
		{"States.Format(States.JsonToString($.o))", "A brace in a template"},
		{"States.StringToJson('{')", "invalid JSON at offset 1"},
		{"States.StringToJson(1)", "Argument 1 must be a string"},
		{"States.ArrayPartition($.nums, 0)", "must be a positive integer"},
		{"States.ArrayPartition($.s, 1)", "Argument 1 must be an array"},
		{"States.ArrayPartition($.nums, 'x')", "Argument 2 must be a number"},
		{"States.ArrayContains($.s, 1)", "Argument 1 must be an array"},
		{"States.ArrayRange(1, 1001, 1)", "cannot have more than 1000 elements"},
		{"States.ArrayRange(0, 1000, 1)", "cannot have more than 1000 elements"},
		{"States.ArrayRange(1, 2, 0)", "must not be zero"},
		{"States.ArrayRange(1, 2, 1e99)", "Argument 3 must be a number in range"},
		{"States.ArrayGetItem($.nums, 5)", "The index 5 is out of bounds of an array of 5 elements"},
		{"States.ArrayGetItem($.nums, -1)", "out of bounds"},
		{"States.ArrayLength($.o)", "Argument 1 must be an array"},
		{"States.ArrayUnique(null)", "Argument 1 must be an array"},
		{"States.Base64Encode($.n)", "Argument 1 must be a string"},
		{"States.Base64Encode($.long)", "longer than 10000 characters"},
		{"States.Base64Decode($.long)", "longer than 10000 characters"},
		{"States.Base64Decode('*')", "not valid Base64"},
		{"States.Base64Decode('YQ=')", "not valid Base64"},
		{"States.Base64Decode('YQ===')", "not valid Base64"},
		{"States.Base64Decode('YWJj=')", "not valid Base64"},
		{"States.Base64Decode('=')", "not valid Base64"},
		{"States.Base64Decode('YQ\n==')", "not valid Base64"},
		{"States.Hash($.long, 'MD5')", "longer than 10000 characters"},
		{"States.Hash('a', 'CRC32')", "The algorithm must be one of"},
		{"States.Hash('a', 1)", "Argument 2 must be a string"},
		{"States.JsonMerge($.o, $.p, true)", "Only the shallow merging mode"},
		{"States.JsonMerge($.o, $.n, false)", "Argument 2 must be a JSON object"},
		{"States.JsonMerge($.s, $.p, false)", "Argument 1 must be a JSON object"},
		{"States.JsonMerge($.o, $.p, 'no')", "Argument 3 must be a boolean"},
		{"States.MathAdd('1', 2)", "Argument 1 must be a number"},
		{"States.MathAdd(1, $.nil)", "Argument 2 must be a number"},
		{"States.MathAdd(9223372036854775807, 1)", "The sum is out of range"},
		{"States.MathAdd(-9223372036854775808, -1)", "The sum is out of range"},
		{"States.MathAdd(1e400, 1)", "Argument 1 must be a number in range"},
		{"States.MathRandom(5, 5)", "must be less than"},
		{"States.MathRandom(-9223372036854775808, 9223372036854775807)", "must be less than"},
		{"States.MathRandom(1, 2, 'x')", "Argument 3 must be a number"},
		{"States.StringSplit($.nums, ',')", "Argument 1 must be a string"},
		{"States.StringSplit('a', 1)", "Argument 2 must be a string"},
		{"States.Array(States.MathAdd(1, 'x'))", "The function 'States.MathAdd(1, 'x')' had the following error"},
		{"States.Array($.none)", "could not be found in the input"},
		{"States.Array(" + strings.Repeat("$.huge,", 99) + "1)", "too large"},
		{"States.JsonToString(States.Array(" + strings.Repeat("$.huge,", 99) + "1))", "too large"},
		{"States.Format('" + strings.Repeat("{}", 99) + "'" + strings.Repeat(",$.huge", 99) + ")", "too large"},
	} {
		t.Run(fmt.Sprintf("%.60s", tt.call), func(t *testing.T) {
			t.Parallel()
			c, err := Parse(tt.call)
			if err != nil {
				t.Fatal(err)
			}
			v, err := c.Eval(envOf(doc))
			if err == nil {
				t.Fatalf("Eval = %v, want an error", v)
			}
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("error is a %T, want *Error", err)
			}
			if e.Name != Failure || !strings.Contains(e.Cause, tt.cause) {
				t.Errorf("error = %.300v, want %s with %q", err, Failure, tt.cause)
			}
		})
	}
}

func TestResolveErrors(t *testing.T) {
	t.Parallel()
	c, err := Parse("States.Array(States.ArrayLength($.none))")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Eval(envOf(jsonata.NewObject(0)))
	if !errors.Is(err, errMissing) {
		t.Errorf("error = %v, want the error of Resolve in its chain", err)
	}
	own := &Error{Name: "States.Runtime", Cause: "as given"}
	_, err = c.Eval(Env{Resolve: func(string) (any, error) { return nil, own }})
	if err != error(own) {
		t.Errorf("error = %v, want that of Resolve itself", err)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		call   string
		offset int
		reason string
	}{
		{"", 0, "unknown function"},
		{"$.a", 0, "unknown function"},
		{"States.Nope()", 0, `unknown function "States.Nope"`},
		{"Format('a')", 0, "unknown function"},
		{"States.format('a')", 0, "unknown function"},
		{"States.UUID", 11, "expected '(', found end of text"},
		{"States.UUID(", 12, "expected an argument"},
		{"States.UUID()x", 13, "unexpected 'x'"},
		{"States.UUID(1)", 0, "wrong number of arguments for States.UUID"},
		{"States.Format()", 0, "wrong number"},
		{"States.MathAdd(1)", 0, "wrong number"},
		{"States.MathRandom(1,2,3,4)", 0, "wrong number"},
		{"States.Array(1,)", 15, "expected an argument"},
		{"States.Array(1 2)", 15, "expected ',' or ')'"},
		{"States.Array(abc)", 13, "expected an argument"},
		{"States.Array(\"a\")", 13, "expected an argument"},
		{"States.Array('a)", 13, "never closed"},
		{`States.Array('a\`, 13, "never closed"},
		{"States.Array(01)", 13, "invalid number"},
		{"States.Array(1.)", 13, "invalid number"},
		{"States.Array($.a.)", 13, "invalid path at offset 4"},
		{"States.Array($.a[)", 13, "invalid path"},
		{"States.Array($['\\", 13, "invalid path"},
		{"States.Array(States.Nope())", 13, "unknown function"},
		{"States.Format('{a}', 1)", 0, "A brace in a template"},
		{"States.Format('}')", 0, "A brace in a template"},
		{"States.Format('\xff')", 0, "UTF-8"},
		{nested(maxNesting + 1), 13 * maxNesting, "deeper than 10"},
		{"States.Array('" + strings.Repeat("a", maxLength) + "')", 0, "too long"},
	} {
		t.Run(fmt.Sprintf("%.30s", tt.call), func(t *testing.T) {
			t.Parallel()
			c, err := Parse(tt.call)
			syntax, ok := errors.AsType[*SyntaxError](err)
			if c != nil || !ok {
				t.Fatalf("Parse = %v, %v, want a *SyntaxError", c, err)
			}
			if syntax.Offset != tt.offset || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("error = %v, want %q at %d", err, tt.reason, tt.offset)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	c, err := Parse("States.Array($.b, States.Format('{}', $$.a), $v.x[0] , $.b, '$.no', $.f[?(@.x == ',')])")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"$.b", "$$.a", "$v.x[0]", "$.f[?(@.x == ',')]"}
	if diff := cmp.Diff(want, c.Paths()); diff != "" {
		t.Errorf("Paths (-want +got):\n%s", diff)
	}
	if c.Name() != "States.Array" {
		t.Errorf("Name() = %s, want States.Array", c.Name())
	}
	if !Is(c.String()) || Is("$.States.x") {
		t.Error("Is does not distinguish calls from paths")
	}
}

// TestLiterals checks that any text, quoted as the language requires, is returned
// unchanged.
func TestLiterals(t *testing.T) {
	t.Parallel()
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`, `{`, `\{`, `}`, `\}`)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		for _, call := range []string{"States.Format('" + quote.Replace(text) + "')", "States.Format('{}', '" + quote.Replace(text) + "')"} {
			c, err := Parse(call)
			if err != nil {
				t.Fatalf("Parse(%s): %v", call, err)
			}
			if v, err := c.Eval(Env{}); v != text || err != nil {
				t.Errorf("%s = %q, %v, want %q", call, v, err, text)
			}
		}
	})
}

// TestInverses checks that encoders and decoders undo each other, and that random numbers
// stay within their bounds.
func TestInverses(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 100, -1).Draw(t, "text")
		start := rapid.Int32().Draw(t, "start")
		end := int64(start) + 1 + int64(rapid.Uint32().Draw(t, "span"))
		seed := rapid.Int64().Draw(t, "seed")
		env := Env{Resolve: func(string) (any, error) { return text, nil }}
		for _, call := range []string{
			"States.Base64Decode(States.Base64Encode($.text))",
			"States.StringToJson(States.JsonToString($.text))",
		} {
			if v, err := must(t, call).Eval(env); v != text || err != nil {
				t.Errorf("%s = %q, %v, want %q", call, v, err, text)
			}
		}
		v, err := must(t, fmt.Sprintf("States.MathRandom(%d, %d, %d)", start, end, seed)).Eval(env)
		if err != nil {
			t.Fatal(err)
		}
		n, err := v.(json.Number).Int64()
		if err != nil || n < int64(start) || n >= end {
			t.Errorf("MathRandom(%d, %d) = %v, want a number in this range", start, end, v)
		}
	})
}

func must(t *rapid.T, call string) *Call {
	c, err := Parse(call)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"States.UUID()", `States.Format('a \{\} {} \'', $.a['b,)'])`, "States.Array(1, -2.5e3, true, null, 'x')",
		"States.MathAdd(States.ArrayGetItem($$.a, 0), $v.x)", "States.Hash($.a, 'MD5')", "States.ArrayRange(0,3,1)",
		"States.JsonMerge($.o, $.p, false)", "States.Array($[?(@.x == ')' && @.y =~ /a,b/)], $..z)", "States.Array($['\\",
	} {
		f.Add(seed)
	}
	doc := jsontest.Decode(f, input)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if (c == nil) == (err == nil) {
			t.Fatalf("Parse = %v and %v, want exactly one", c, err)
		}
		if err != nil {
			if e, ok := errors.AsType[*SyntaxError](err); !ok || e.Offset < 0 || e.Offset > len(text) {
				t.Fatalf("error = %#v, want a *SyntaxError with an offset in the text", err)
			}
			return
		}
		if again, err := Parse(c.String()); err != nil || again.String() != c.String() {
			t.Errorf("%q does not parse again: %v", c, err)
		}
		v, err := c.Eval(envOf(doc))
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Name != Failure {
				t.Errorf("error = %#v, want an *Error", err)
			}
			return
		}
		if _, err := jsonata.AppendJSON(nil, v); err != nil {
			t.Errorf("the result is not JSON: %v", err)
		}
	})
}

func BenchmarkEval(b *testing.B) {
	env := envOf(nil)
	env.Resolve = func(string) (any, error) { return "text", nil }
	for _, call := range []string{"States.Format('Hello {}, {}', $.a, $.b)", "States.MathAdd(1, 2)"} {
		b.Run(call, func(b *testing.B) {
			c, err := Parse(call)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Eval(env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
