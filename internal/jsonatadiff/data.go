package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// documents are inputs that hold what the generator's names refer to.
var documents = []string{
	`{"a":1,"b":"x","c":"hello world","n":3,"s":"a","t":true,"list":[{"a":1,"n":5,"s":"b"},{"a":2,"n":1,"s":"a","list":[1,2]},{"a":"x","n":3}],"deep":{"a":{"b":[{"c":1},{"c":2}]},"n":7,"s":"z","list":[3,1,2]},"e":{"s":"q"},"a b":{"a":9}}`,
	`{"a":{"b":{"c":[1,2,[3,4]]}},"b":[],"c":null,"d":[{"a":1},{"a":[2,3]},{"b":1}],"n":0,"s":"","t":false,"list":["b","a"],"deep":{"list":[[1],[2,[3]]],"deep":{"n":1}},"e":[{"s":"x","n":1},{"s":"y","n":2},{"s":"x","n":3}]}`,
	`{"a":[{"b":1,"c":{"d":1,"e":2}},{"b":2,"c":{"d":2}},{"b":1,"c":[{"d":3},{"d":4}]}],"b":{"a":1},"n":-2.5,"s":"été","list":[1,2,3],"e":{"a":{"a":{"a":1}}},"d":2}`,
	`[{"a":1,"s":"x","list":[1,2]},{"a":2,"s":"y"},{"a":[{"b":1}],"n":2}]`,
	`[1,2,[3,[4]],"a",null,true]`,
	`{"list":[{"a":"x","n":1,"deep":[{"s":"p","n":2},{"s":"q","n":1}]},{"a":"y","n":2,"deep":[{"s":"r","n":5}]},{"a":"x","n":3,"deep":{"s":"t","n":0}}],"n":1000,"a":0.1,"s":"2024-02-29","d":1234567.891}`,
	`"text"`, `42`, `null`, `[]`, `{}`,
}

// document returns the text of an input.
func (g *generator) document() json.RawMessage {
	if g.chance(70) {
		return json.RawMessage(documents[g.n(len(documents))])
	}
	return json.RawMessage(g.value(3))
}

func (g *generator) value(depth int) string {
	switch n := g.n(10); {
	case n < 3 && depth > 0:
		items := make([]string, g.n(4))
		for i := range items {
			items[i] = g.value(depth - 1)
		}
		return "[" + strings.Join(items, ",") + "]"
	case n < 7 && depth > 0:
		var members []string
		for _, k := range []string{"a", "b", "c", "d", "e", "n", "s", "list", "deep"} {
			if g.chance(40) {
				members = append(members, fmt.Sprintf("%q:%s", k, g.value(depth-1)))
			}
		}
		g.r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		return "{" + strings.Join(members, ",") + "}"
	}
	return pick(g, "0", "1", "2", "-1", "3.5", `"a"`, `"b"`, `"x"`, `""`, "null", "true", "false", "0.1", "100", `"hello world"`, `"é😀"`)
}
