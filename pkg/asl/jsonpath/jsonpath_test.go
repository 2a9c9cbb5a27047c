package jsonpath

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/jsontest"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

const store = `{
  "store": {
    "book": [
      {"category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95, "tags": ["old", "short"]},
      {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99, "tags": []},
      {"category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553-21311-3", "price": 8.99},
      {"category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord of the Rings", "isbn": null, "price": 22.99}
    ],
    "bicycle": {"color": "red", "price": 19.95}
  },
  "expensive": 10,
  "big": 9007199254740993,
  "one": 1.0,
  "nums": [3, 1, 2, 5, 4],
  "mixed": [1, "1", null, true, [1], {"a": 1}, "x"],
  "a b": {"c.d": 1, "it's": 2, "q\"": 3},
  "größe": {"中": "文"},
  "words": [{"code": "es", "n": 1}, {"code": true, "n": 2}, {"code": "fr", "n": 3}, {"code": "true-false", "n": 4}],
  "Test\\\"\"Name\"": "as written", "it's": "escaped",
  "nil": null,
  "empty": {"list": [], "object": {}, "text": ""}
}`

func mustParse(t testing.TB, path string) *Path {
	t.Helper()
	p, err := Parse(path)
	if err != nil {
		t.Fatalf("Parse(%s): %v", path, err)
	}
	return p
}

// absent is the wanted result of a definite path that finds nothing.
const absent = "(absent)"

func TestEval(t *testing.T) {
	t.Parallel()
	doc := jsontest.Decode(t, store)
	for _, tt := range []struct{ path, want string }{
		// one value
		{"$.expensive", "10"},
		{" $.expensive ", "10"},
		{"$.big", "9007199254740993"},
		{"$.one", "1.0"},
		{"$.nil", "null"},
		{"$['a b']['c.d']", "1"},
		{`$["a b"]["it's"]`, "2"},
		{`$['a b']['it\'s']`, "2"},
		{`$['a b']['q"']`, "3"},
		{"$.['a b'].['c.d']", "1"},
		{"$.größe.中", `"文"`},
		{`$['größe']['中']`, `"文"`},
		{`$.words[?(@.code==es)].n`, `[1]`},
		{`$.words[?(@.code in [fr,es])].n`, `[1,3]`},
		{`$.words[?(@.code==true)].n`, `[2]`},
		{`$.words[?(@.code==true-false)].n`, `[4]`},
		{`$['Test\""Name"']`, `"as written"`},
		{`$['it\'s']`, `"escaped"`},
		{"$[ 'expensive' ]", "10"},
		{"$.nums[0]", "3"},
		{"$.nums[-1]", "4"},
		{"$.nums[5]", absent},
		{"$.nums[-6]", absent},
		{"$.nums.a", absent},
		{"$.expensive.x", absent},
		{"$.expensive[0]", absent},
		{"$.none", absent},
		{"$.none.x", absent},
		{"$.nil.x", absent},
		{"$['expensive','one']", `{"expensive":10,"one":1.0}`},
		{"$['expensive','none']", `{"expensive":10}`},
		{"$.nums['a','b']", absent},
		// lists
		{"$.nums[*]", "[3,1,2,5,4]"},
		{"$.none[*]", "[]"},
		{"$.none.x[1:2].y", "[]"},
		{"$.nums[0,2]", "[3,2]"},
		{"$.nums[ 0 , -1 , 9 ]", "[3,4]"},
		{"$.nums[1:3]", "[1,2]"},
		{"$.nums[:2]", "[3,1]"},
		{"$.nums[2:]", "[2,5,4]"},
		{"$.nums[-2:]", "[5,4]"},
		{"$.nums[:-3]", "[3,1]"},
		{"$.nums[:]", "[3,1,2,5,4]"},
		{"$.nums[::2]", "[3,2,4]"},
		{"$.nums[::-1]", "[4,5,2,1,3]"},
		{"$.nums[3:0:-2]", "[5,1]"},
		{"$.nums[4:1]", "[]"},
		{"$.nums[-99:99]", "[3,1,2,5,4]"},
		{"$.store.bicycle.*", `["red",19.95]`},
		{"$.store.bicycle[*]", `["red",19.95]`},
		{"$.expensive.*", "[]"},
		{"$.store.book[*].title", `["Sayings of the Century","Sword of Honour","Moby Dick","The Lord of the Rings"]`},
		{"$.store.book[0:2].price", "[8.95,12.99]"},
		{"$.store['book','bicycle'].color", `["red"]`},
		{"$.store.book[0]['title','price'].x", "[]"},
		{"$..price", "[8.95,12.99,8.99,22.99,19.95]"},
		{"$..['price']", "[8.95,12.99,8.99,22.99,19.95]"},
		{"$..book[0].author", `["Nigel Rees"]`},
		{"$..tags[0]", `["old"]`},
		{"$.empty..*", `[[],{},""]`},
		{"$.mixed..a", "[1]"},
		{"$.store..['color','price']", `[{"color":"red","price":19.95}]`},
		{"$.nums..[0]", "[3]"},
		// conditions
		{"$.store.book[?(@.price < 9)].title", `["Sayings of the Century","Moby Dick"]`},
		{"$.store.book[?(@.price < $.expensive)].price", "[8.95,8.99]"},
		{"$.store.book[?(@.price<=8.95||@.price>=22.99)].price", "[8.95,22.99]"},
		{"$.store.book[?(@.isbn)].title", `["Moby Dick","The Lord of the Rings"]`},
		{"$.store.book[?(!@.isbn)].price", "[8.95,12.99]"},
		{"$.store.book[?(@.isbn == null)].price", "[22.99]"},
		{"$.store.book[?(@.isbn != null)].price", "[8.95,12.99,8.99]"},
		{"$.store.book[?(@.category == 'fiction' && @.price < 20)].price", "[12.99,8.99]"},
		{`$.store.book[?(@['category'] == "fiction" && !(@.price < 20))].price`, "[22.99]"},
		{"$.store.book[?((@.price > 20 || @.price < 8.96) && @.author)].price", "[8.95,22.99]"},
		{"$.store.book[?(@.price > 20 || @.price < 9 && @.isbn)].price", "[8.99,22.99]"},
		{"$.store.book[?(@.author =~ /.*rees/i)].price", "[8.95]"},
		{"$.store.book[?(@.author =~ /rees/i)].price", "[]"},
		{`$.store.book[?(@.title =~ /.*\bof\b.*/)].price`, "[8.95,12.99,22.99]"},
		{`$.store.book[?(@.title =~ /a|.*Honour/)].price`, "[12.99]"},
		{"$.store.book[?(@.price in [8.95, 8.99])].price", "[8.95,8.99]"},
		{"$.store.book[?(@.price nin [8.95, 8.99])].price", "[12.99,22.99]"},
		{"$.store.book[?(@.category IN ['reference', 'x'])].price", "[8.95]"},
		{"$.store.book[?(@.tags contains 'old')].price", "[8.95]"},
		{"$.store.book[?(@.title contains 'of')].price", "[8.95,12.99,22.99]"},
		{"$.store.book[?(@.tags subsetof ['old', 'short', 'x'])].price", "[8.95,12.99]"},
		{"$.store.book[?(@.tags anyof ['old'])].price", "[8.95]"},
		{"$.store.book[?(@.tags noneof ['old'])].price", "[12.99]"},
		{"$.store.book[?(@.tags all ['old', 'short'])].price", "[8.95]"},
		{"$.store.book[?(@.tags size 2)].price", "[8.95]"},
		{"$.store.book[?(@.tags empty true)].price", "[12.99]"},
		{"$.store.book[?(@.tags empty false)].price", "[8.95]"},
		{"$.store.book[?(@.tags == ['old','short'])].price", "[8.95]"},
		{"$.store.book[?(@.tags.length() == 2)].price", "[8.95]"},
		{"$.store.book[?(@.tags[?(@ == 'old')])].price", "[8.95]"},
		{"$.store.book[?(@..isbn)].price", "[8.99,22.99]"},
		{"$.nums[?(@ > 2)]", "[3,5,4]"},
		{"$.nums[?(@ >= '2')]", "[]"},
		{"$.mixed[?(@ == 1)]", `[1,"1"]`},
		{"$.mixed[?(@ === 1)]", `[1]`},
		{"$.mixed[?(@ !== 1)]", `["1",null,true,[1],{"a":1},"x"]`},
		{"$.mixed[?(@ == '1')]", `[1,"1"]`},
		{"$.mixed[?(@ == null)]", `[null]`},
		{"$.mixed[?(@ == true)]", `[true]`},
		{"$.mixed[?(@ == {'a': 1})]", `[{"a":1}]`},
		{"$.mixed[?(@ type 'array')]", `[[1]]`},
		{"$.mixed[?(@.a == 1)]", `[{"a":1}]`},
		{"$.store.bicycle[?(@.color == 'red')].price", "[19.95]"},
		{"$.store.bicycle[?(@.color == 'blue')].price", "[]"},
		{"$[?(@.expensive > 9)].one", "[1.0]"},
		{"$.[?(@.expensive > 9)].one", "[1.0]"},
		{"$..[?(@.price > 19)].price", "[22.99,19.95]"},
		{"$.store.book[?(@.title == 'a)b' || @.title == \"(\")]", "[]"},
		{"$.none[?(@.a)]", "[]"},
		{"$[?(@.big == 9007199254740992)].one", "[]"},
		// functions
		{"$.nums.length()", "5"},
		{"$.store.length()", "2"},
		{"$.expensive.length()", "null"},
		{"$.none.length()", absent},
		{"$.nums.size()", "5"},
		{"$.nums.min()", "1"},
		{"$.nums.max()", "5"},
		{"$.nums.sum()", "15"},
		{"$.nums.avg()", "3"},
		{"$.nums.stddev()", "1.4142135623730951"},
		{"$.mixed.sum()", "1"},
		{"$.empty.list.sum()", absent},
		{"$..price.max()", "22.99"},
		{"$.store.book[*].length()", "4"},
		{"$.nums.first()", "3"},
		{"$.nums.last()", "4"},
		{"$.nums.index(1)", "1"},
		{"$.nums.index(-1)", "4"},
		{"$.nums.index(7)", absent},
		{"$.store.bicycle.keys()", `["color","price"]`},
		{"$.nums.append(6, $.one)", "[3,1,2,5,4,6,1.0]"},
		{"$.store.book[0].tags.concat('-', $.expensive)", `"oldshort-10"`},
		{"$.nums.sum($.expensive, 1)", "26"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()
			p := mustParse(t, tt.path)
			v, found := p.Eval(doc)
			got := absent
			if found {
				got = jsontest.Encode(t, v)
			}
			if got != tt.want {
				t.Errorf("Eval(%s)\n got = %s\nwant = %s", tt.path, got, tt.want)
			}
			again := mustParse(t, p.String())
			if again.String() != p.String() {
				t.Errorf("String() = %s, parsed and printed again = %s", p, again)
			}
			if v2, found2 := again.Eval(doc); found2 != found || found && jsontest.Encode(t, v2) != got {
				t.Errorf("%s, printed as %s, finds something else", tt.path, p)
			}
			if p.Text() != tt.path {
				t.Errorf("Text() = %q, want %q", p.Text(), tt.path)
			}
		})
	}
}

func TestRoot(t *testing.T) {
	t.Parallel()
	raw := jsonata.NewRaw([]byte(`{"a":[1]}`))
	v, found := mustParse(t, "$").Eval(raw)
	if v != any(raw) || !found {
		t.Errorf("$ of a Raw = %v, %v, want the Raw itself", v, found)
	}
	if v, _ := mustParse(t, "$.a[0]").Eval(raw); v != json.Number("1") {
		t.Errorf("$.a[0] of a Raw = %v, want 1", v)
	}
	if v, _ := mustParse(t, "$..a").Eval(raw); jsontest.Encode(t, v) != "[[1]]" {
		t.Errorf("$..a of a Raw = %v, want [[1]]", v)
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path   string
		offset int
		reason string
	}{
		{"", 0, "starts with '$'"},
		{"a", 0, "starts with '$'"},
		{"@.a", 0, "starts with '$'"},
		{"$$.a", 1, "unexpected '$'"},
		{"$a", 1, "unexpected 'a'"},
		{"$.", 2, "expected a name, found end of the path"},
		{"$..", 3, "expected a name"},
		{"$.a.", 4, "expected a name"},
		{"$.a..", 5, "expected a name"},
		{"$...a", 3, "expected a name"},
		{"$.a b", 4, "unexpected 'b'"},
		{"$[", 2, "expected a name in quotes"},
		{"$[]", 2, "expected a name in quotes"},
		{"$[a]", 2, "expected a name in quotes"},
		{"$['a'", 5, "expected ']'"},
		{"$['a", 2, "never closed"},
		{"$['a',]", 6, "expected a name in quotes"},
		{"$[1,]", 4, "expected a number"},
		{"$[1", 3, "expected ']'"},
		{"$[-]", 2, "invalid index"},
		{"$[99999999999]", 2, "invalid index"},
		{"$[1:2:0]", 7, "cannot be 0"},
		{"$[1:2:3:4]", 7, "expected ']'"},
		{"$[1,2:3]", 5, "expected ']'"},
		{"$[?@.a]", 3, "expected '('"},
		{"$[?()]", 4, "expected a path or a value"},
		{"$[?(@.a]", 7, "expected ')'"},
		{"$[?(@.a)", 8, "expected ']'"},
		{"$[?(@.a ==)]", 10, "expected a path or a value"},
		{"$[?(@.a = 1)]", 8, "expected ')' or an operator"},
		{"$[?(1)]", 4, "not a condition"},
		{"$[?(@.a =~ 'x')]", 14, "right of =~"},
		{"$[?(@.a == /x/)]", 14, "right of =~"},
		{"$[?(@.a =~ /x)]", 11, "never closed"},
		{"$[?(@.a =~ /(/)]", 11, "invalid regular expression"},
		{"$[?(@.a =~ /a)|(b/)]", 11, "invalid regular expression"},
		{"$[?(@.a =~ /x/g)]", 14, "unknown flag"},
		{"$[?(@.a =~ /(x{100}){10}y{1000}z{1000}.{1000}w{1000}/)]", 11, "too large"},
		{"$[?(@.a == 01)]", 11, "invalid number"},
		{"$[?(@.a == [1 2])]", 14, "expected ',' or ']'"},
		{"$[?(@.a == {'a' 2})]", 16, "expected ':'"},
		{"$[?(@.a == {a: 2})]", 12, "expected a name in quotes"},
		{"$[?(@.a == {'a':1 'b':2})]", 18, "expected ',' or '}'"},
		{"$.a.nope()", 4, "unknown function"},
		{"$.a.length(1)", 4, "wrong number of arguments"},
		{"$.a.index()", 4, "wrong number of arguments"},
		{"$.a.sum(1 2)", 10, "expected ',' or ')'"},
		{"$.a.sum(/x/)", 11, "not an argument"},
		{"$..length()", 9, "cannot follow"},
		{"$.a.length().b", 12, "unexpected '.'"},
		{"$.a\xff", 0, "UTF-8"},
		{"$." + strings.Repeat("a", maxLength), 0, "too long"},
		{"$[?(" + strings.Repeat("(", 99) + "@.a" + strings.Repeat(")", 99) + ")]", 4 + maxNesting, "too deeply"},
		{"$[?(" + strings.Repeat("!", 99) + "@.a)]", 4 + maxNesting, "too deeply"},
		{"$[?(@ == " + strings.Repeat("[", 99) + ")]", 9 + maxNesting - 1, "too deeply"},
		{"$" + strings.Repeat("[?(@", 99), -1, "too deeply"},
	} {
		t.Run(fmt.Sprintf("%.30s", tt.path), func(t *testing.T) {
			t.Parallel()
			p, err := Parse(tt.path)
			if p != nil || err == nil {
				t.Fatalf("Parse(%.50s) = %v, want an error", tt.path, p)
			}
			syntax, ok := errors.AsType[*SyntaxError](err)
			if !ok {
				t.Fatalf("error is a %T, want *SyntaxError", err)
			}
			if !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("error = %v, want %q in it", err, tt.reason)
			}
			if tt.offset >= 0 && syntax.Offset != tt.offset {
				t.Errorf("offset = %d, want %d (%v)", syntax.Offset, tt.offset, err)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path                string
		definite, reference bool
		text                string
	}{
		{"$", true, true, "$"},
		{"$.a.b", true, true, "$['a']['b']"},
		{"$['a\\'b\\\\'][3]", true, true, `$['a\'b\\'][3]`},
		{"$[-1]", true, false, "$[-1]"},
		{"$['a','b']", true, false, "$['a','b']"},
		{"$['a','b'].c", false, false, "$['a','b']['c']"},
		{"$.*", false, false, "$[*]"},
		{"$[0,1]", false, false, "$[0,1]"},
		{"$[0:1]", false, false, "$[0:1]"},
		{"$[::2]", false, false, "$[::2]"},
		{"$..a", false, false, "$..['a']"},
		{"$..[*]", false, false, "$..[*]"},
		{"$.length()", true, false, "$.length()"},
		{"$..a.sum( 1 ,$.b)", true, false, "$..['a'].sum(1,$['b'])"},
		{
			"$[?( !(@.a==1&&@.b) || @.c =~/x\\/y/i&&(@.d in ['x']||!@.e) )]", false, false,
			`$[?(!(@['a'] == 1 && @['b']) || @['c'] =~ /x\/y/i && (@['d'] in ["x"] || !@['e']))]`,
		},
	} {
		p := mustParse(t, tt.path)
		if p.Definite() != tt.definite || p.IsReference() != tt.reference {
			t.Errorf("%s: Definite, IsReference = %v, %v, want %v, %v",
				tt.path, p.Definite(), p.IsReference(), tt.definite, tt.reference)
		}
		if p.String() != tt.text {
			t.Errorf("String() = %s, want %s", p, tt.text)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, root, path string }{
		{"$", "", "$"},
		{"$.a", "", "$.a"},
		{"$[0]", "", "$[0]"},
		{"$$", "$", "$"},
		{"$$.Execution.Id", "$", "$.Execution.Id"},
		{"$$['a']", "$", "$['a']"},
		{"$name", "name", "$"},
		{"$name.a[0]", "name", "$.a[0]"},
		{"$name[0].a", "name", "$[0].a"},
		{"", "", ""},
		{"a.b", "", "a.b"},
	} {
		root, path := Split(tt.text)
		if root != tt.root || path != tt.path {
			t.Errorf("Split(%q) = %q, %q, want %q, %q", tt.text, root, path, tt.root, tt.path)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	doc := jsontest.Decode(t, `{"a": {"b": "text", "n": null, "l": [1, 2.50], "o": {"x": [1, "y"]}}}`)
	const notObject = "Expected to find an object with property ['x'] in path %s but found '%s'. " +
		"This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonProvider'."
	for _, tt := range []struct{ path, want string }{
		{"$.no", "No results for path: $['no']"},
		{"$.a.no", "No results for path: $['a']['no']"},
		{"$.no.such.path", "Missing property in path $['no']"},
		{"$.a.b.x", fmt.Sprintf(notObject, "$['a']['b']", "java.lang.String")},
		{"$.a.n.x", fmt.Sprintf(notObject, "$['a']['n']", "null")},
		{"$.a.l.x", fmt.Sprintf(notObject, "$['a']['l']", "java.util.ArrayList")},
		{"$.a.l[0].x", fmt.Sprintf(notObject, "$['a']['l'][0]", "java.lang.Integer")},
		{"$.a.l[5]", "No results for path: $['a']['l'][5]"},
		{"$.a.n[0]", "The path $['a']['n'] is null"},
		{"$.a.o[0]", "Filter: [0] can only be applied to arrays. Current context is: {x=[1, y]}"},
		{"$.a.l.index(9)", "No results for path: $['a']['l'].index(9)"},
		{"$.a.b['x','y']", "No results for path: $['a']['b']['x','y']"},
	} {
		if got := mustParse(t, tt.path).Explain(doc); got != tt.want {
			t.Errorf("Explain(%s)\n got = %s\nwant = %s", tt.path, got, tt.want)
		}
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ root, path, want, err string }{
		{`{"a":1}`, "$", `"v"`, ""},
		{`{"a":1}`, "$.a", `{"a":"v"}`, ""},
		{`{"a":1}`, "$.b", `{"a":1,"b":"v"}`, ""},
		{`{}`, "$.a.b.c", `{"a":{"b":{"c":"v"}}}`, ""},
		{`{"a":{"x":1}}`, "$.a.b", `{"a":{"x":1,"b":"v"}}`, ""},
		{`{"a":[1,2]}`, "$.a[1]", `{"a":[1,"v"]}`, ""},
		{`{"a":[1,{}]}`, "$.a[1].b", `{"a":[1,{"b":"v"}]}`, ""},
		{`[{"a":1}]`, "$[0]['a']", `[{"a":"v"}]`, ""},
		{`{"a":[1]}`, "$.a[1]", "", `Unable to apply step "1" to input [1]`},
		{`{}`, "$.a[0]", "", `Unable to apply step "0" to input null`},
		{`{"a":1}`, "$.a.b", "", `Unable to apply step "b" to input 1`},
		{`{"a":null}`, "$.a.b", "", `Unable to apply step "b" to input null`},
		{`[1]`, "$.a", "", `Unable to apply step "a" to input [1]`},
		{`{}`, "$.*", "", "not a reference path"},
		{`{}`, "$[-1]", "", "not a reference path"},
	} {
		t.Run(tt.root+tt.path, func(t *testing.T) {
			t.Parallel()
			root := jsontest.Decode(t, tt.root)
			before := jsontest.Encode(t, root)
			got, err := mustParse(t, tt.path).Set(root, "v")
			if jsontest.Encode(t, root) != before {
				t.Errorf("root became %s, want it unchanged", jsontest.Encode(t, root))
			}
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error = %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, jsontest.Encode(t, got)); diff != "" {
				t.Errorf("Set (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	list := make([]any, 2000)
	for i := range list {
		list[i] = json.Number("1")
	}
	doc := jsonata.NewObject(2)
	doc.Set("a", list)
	doc.Set("text", strings.Repeat("a", 256<<10))
	for _, path := range []string{
		"$..[?($.a == $.a)]",
		"$.a[?($.a subsetof $.a)]",
		"$..[?(" + strings.Repeat("@.b||", 3000) + "@.b)]",
		"$[?(@.text =~ /(.{1,500}a){2}b/)]",
	} {
		if v, found := mustParse(t, path).Eval(doc); found {
			t.Errorf("%s = %.50v, want it given up", path, v)
		}
	}
}

func TestEvalDoesNotAllocate(t *testing.T) {
	doc := jsontest.Decode(t, store)
	for _, path := range []string{"$", "$.store.bicycle.color", "$.store.book[1].price", "$.none.x"} {
		p := mustParse(t, path)
		if n := testing.AllocsPerRun(100, func() { p.Eval(doc) }); n != 0 {
			t.Errorf("%s allocates %v times, want 0", path, n)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for _, path := range []string{"$.store.book", "$.store.book[?(@.price < 10 && @.isbn)].title"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEval(b *testing.B) {
	doc := jsontest.Decode(b, store)
	for _, path := range []string{"$", "$.store.bicycle.color", "$.store.book[*].price", "$.store.book[?(@.price < 10)].title", "$..price"} {
		b.Run(path, func(b *testing.B) {
			p := mustParse(b, path)
			b.ReportAllocs()
			for b.Loop() {
				p.Eval(doc)
			}
		})
	}
}
