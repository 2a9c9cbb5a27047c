package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A row is an expression of some kind.
type row struct {
	kind string
	doc  string // of documents
	expr string
}

var rows = []row{
	{"path of members", "request", `request.body.repository.name`},
	{"comparison", "request", `request.headers."x-github-event" = "push"`},
	{"input of a webhook", "request", `{"event": request.headers."x-github-event", "repo": request.body.repository.name, "commits": request.body.commits.id}`},
	{"condition and strings", "request", `$contains(request.path, "hooks") ? $uppercase(request.body.ref) & "!" : $lowercase(request.path)`},
	{"path through arrays", "orders", `orders.lines.price`},
	{"filter", "orders", `orders[customer = "c7"].id`},
	{"filter by position", "orders", `orders[-1].lines[0].sku`},
	{"descendants", "orders", `**.price`},
	{"aggregation", "orders", `$sum(orders.lines.(price * n))`},
	{"average, minimum, maximum", "orders", `{"a": $average(orders.lines.price), "b": $min(orders.lines.price), "c": $max(orders.lines.price)}`},
	{"objects of a list", "orders", `orders.{"id": id, "total": $sum(lines.(price * n))}`},
	{"grouping", "orders", `orders{customer: $sum(lines.(price * n))}`},
	{"order by two terms", "orders", `orders^(customer, >id).id`},
	{"parent", "orders", `orders.lines.{"id": %.id, "sku": sku}`},
	{"join by bindings", "small", `orders@$o.customers@$c[$o.customer = $c.id].{"id": $o.id, "name": $c.name}`},
	{"distinct", "orders", `$distinct(orders.lines.sku)`},
	{"$map and $filter", "orders", `$map($filter(orders, function($o) { $o.n > 2 }), function($o) { $o.id & "/" & $o.n })`},
	{"$reduce", "orders", `$reduce(orders.n, function($a, $b) { $a + $b })`},
	{"$sort with a function", "orders", `$sort(orders, function($l, $r) { $l.n > $r.n }).id`},
	{"$split and $join", "text", `$join($split(text, " "), "-")`},
	{"regular expressions", "text", `$replace(text, /[aeiou](\w)/, "<$1>")`},
	{"matches", "text", `$match(text, /(\w+)@(\w+)\.com/).match`},
	{"$string of a document", "orders", `$string($)`},
	{"dates formatted", "orders", `orders.$fromMillis(at, "[Y0001]-[M01]-[D01] [H01]:[m01]")`},
	{"dates parsed", "orders", `orders.$toMillis(date, "[Y0001]-[M01]-[D01]")`},
	{"numbers formatted", "orders", `orders.$formatNumber(n, "#,##0.00")`},
	{"transform", "orders", `$ ~> |orders|{"total": n * 2}, "customer"|`},
	{"recursion", "request", `($fib := function($n) { $n < 2 ? $n : $fib($n - 1) + $fib($n - 2) }; $fib(12))`},
	{"range and tail call", "request", `($f := function($n, $a) { $n = 0 ? $a : $f($n - 1, $a + $n) }; $f(500, 0) + $sum([1..500]))`},
	{"$merge, $spread, $each", "orders", `$merge($each(orders[0], function($v, $k) { {$uppercase($k): $v} })) ~> $spread()`},
}

// documents returns the inputs: the request of a webhook, few and many orders, and text.
func documents() map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"request": json.RawMessage(`{"request": {"path": "/hooks/github", "headers": {"content-type": "application/json", "x-github-event": "push"},
			"body": {"ref": "refs/heads/main", "repository": {"name": "expressway", "id": 12345}, "commits": [{"id": "a1"}, {"id": "b2"}, {"id": "c3"}]}}}`),
		"orders": orders(200),
		"small":  orders(10),
		"text":   json.RawMessage(`{"text": "` + strings.Repeat("the quick brown fox mailed dog@example.com over lunch ", 40) + `"}`),
	}
}

func orders(n int) json.RawMessage {
	var b strings.Builder
	b.WriteString(`{"orders": [`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id": "o%d", "customer": "c%d", "n": %d, "at": %d, "date": "2024-%02d-%02d", "lines": [`,
			i, i*7%23, i%9+1, 1700000000000+i*86400000, i%12+1, i%28+1)
		for j := range i%4 + 1 {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"sku": "s%d", "price": %d.%02d, "n": %d}`, (i+j)%17, i%50+1, j*25%100+1, j+1)
		}
		b.WriteString(`]}`)
	}
	b.WriteString(`], "customers": [`)
	for i := range 23 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id": "c%d", "name": "Customer %d"}`, i, i)
	}
	b.WriteString(`]}`)
	return json.RawMessage(b.String())
}

// config are the expressions of a configuration with ten routes.
func config() []string {
	var list []string
	for i := range 10 {
		list = append(list,
			fmt.Sprintf(`$request.headers."x-event-%d" = "push" and $request.body.size < 1000`, i),
			`$request.headers."x-github-delivery"`,
			fmt.Sprintf(`{"id": $request.body.id, "route": %d, "items": $request.body.items.{"sku": sku, "n": quantity}, "at": $now()}`, i),
			`{"ok": true, "id": $execution.output.id, "name": $uppercase($execution.output.name)}`)
	}
	return list
}
