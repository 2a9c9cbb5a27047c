package jsonata

import (
	"bytes"
	"context"
	"fmt"
	"testing"
)

// typical are expressions as configurations have them.
var typical = []string{
	`$request.body`,
	`$request.headers."x-github-event" = "push"`,
	`$request.params.org`,
	`$request.headers."x-github-delivery"`,
	`$execution.output.id`,
	`$failure.cause`,
	`$message.body`,
	`$message.attributes.ApproximateReceiveCount`,
	`$event.detail.amount > 100 and $event.detail.currency = "EUR"`,
	`$event.source & ":" & $event."detail-type"`,
	`$request.body.ref ~> $substringAfter("refs/heads/")`,
	`{"id": $request.body.id, "at": $now(), "items": $request.body.items.{"sku": sku, "n": quantity}}`,
	`$request.body.commits[distinct = true].id`,
	`$count($request.body.commits) > 0`,
	`$exists($request.body.pull_request) ? "pr" : "push"`,
	`$merge([$request.body, {"source": "github"}])`,
	`$sum($request.body.items.(price * quantity))`,
	`$lowercase($request.headers."content-type")`,
	`$join($request.body.labels.name, ",")`,
	`$contains($request.path, /^\/api\/v[0-9]+/)`,
}

func BenchmarkCompileTypical(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for _, expr := range typical {
			if _, err := (Options{StepFunctions: true}).Compile(expr); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func benchmarkRequest() (*Object, map[string]any) {
	var body bytes.Buffer
	body.WriteString(`{"ref": "refs/heads/main", "commits": [`)
	for i := range 20 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"id": "c%d", "n": %d, "author": {"name": "someone", "email": "a@example.com"}, "files": ["a", "b"]}`, i, i)
	}
	body.WriteString(`]}`)
	headers := &Object{}
	headers.Set("content-type", "application/json")
	headers.Set("x-github-event", "push")
	request := &Object{}
	request.Set("headers", headers)
	request.Set("body", NewRaw(body.Bytes()))
	return request, map[string]any{"request": request}
}

func BenchmarkEval(b *testing.B) {
	exprs := []string{
		`$request.body`,
		`$request.headers."x-github-event"`,
		`$request.headers."x-github-event" = "push"`,
		`{"ref": $request.body.ref, "event": $request.headers."x-github-event"}`,
		`$request.body.commits.author.name`,
		`$request.body.commits[n > 10].id`,
		`$sum($request.body.commits.n)`,
		`$request.body.commits.{"id": id, "who": author.name}`,
		`$map($request.body.commits, function($c) { $c.id & "!" })`,
		`$request.body.commits^(>n).id`,
	}
	_, vars := benchmarkRequest()
	for _, src := range exprs {
		expr := Options{StepFunctions: true}.MustCompile(src)
		b.Run(src, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := expr.EvalVars(context.Background(), Undefined, mapVars(vars)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Expressions that only pass something on must cost almost nothing.
func TestAllocations(t *testing.T) {
	_, vars := benchmarkRequest()
	var seam Vars = mapVars(vars)
	tests := []struct {
		expr string
		max  float64
	}{
		{`$request.body`, 0},
		{`$request.headers."x-github-event"`, 0},
		{`$request.headers.missing.more`, 0},
		{`$request.headers."x-github-event" = "push"`, 2},
	}
	for _, tt := range tests {
		expr := Options{StepFunctions: true}.MustCompile(tt.expr)
		got := testing.AllocsPerRun(100, func() {
			if _, err := expr.EvalVars(context.Background(), Undefined, seam); err != nil {
				t.Fatal(err)
			}
		})
		if got > tt.max {
			t.Errorf("%s: %v allocations, want at most %v", tt.expr, got, tt.max)
		}
	}
}
