package jsonatagrowth

import (
	"fmt"
	"strings"
)

// Document returns JSON text with a list of n items.
func Document(n int) []byte {
	var list, others strings.Builder
	for i := range n {
		if i > 0 {
			list.WriteByte(',')
			others.WriteByte(',')
		}
		fmt.Fprintf(&list, `{"id":"id-%d","name":"Name %d","key":"k%d","other":"id-%d","n":%d,"lines":[{"sku":"s%d"}]}`, i, i, i/2, i*7919%n, i%9, i%17)
		fmt.Fprintf(&others, `{"id":"id-%d","name":"Other %d","n":1}`, i, i)
	}
	return fmt.Appendf(nil, `{"n":%d,"text":%q,"list":[%s],"others":[%s]}`, n, strings.Repeat("w ", n/2), list.String(), others.String())
}

// Bind returns an expression with the members of a document in variables.
func Bind(expr string) string {
	return `($data := $; $n := n; $text := text; $list := list; $others := others; ` + expr + `)`
}
