package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/config"
)

// richRoutes is a configuration of n routes as users write them.
func richRoutes(n int) []byte {
	var b strings.Builder
	b.WriteString("version: 1\nroutes:\n")
	for i := range n {
		fmt.Fprintf(&b, `
  - name: route-%[1]d
    http: POST /shops/{shop}/hooks-%[1]d
    verify:
      provider: github
      secrets: ["env:SECRET", "ssm:/secrets/%[1]d"]
    dedupe: {key: '{%% $request.headers."x-github-delivery" %%}', for: 24h}
    filter: '{%% $request.headers."x-github-event" = "push" and $request.body.ref = "refs/heads/branch-%[1]d" %%}'
    start: ${MACHINE:-machine-%[1]d}
    input:
      shop: "{%% $request.params.shop %%}"
      repository: "{%% $request.body.repository.full_name_%[1]d %%}"
      authors: "{%% [$distinct($request.body.commits.author.email_%[1]d)] %%}"
      changed: '{%% $count($request.body.commits[added or modified]) > %[1]d ? "yes" : "no" %%}'
      total: "{%% $sum($request.body.commits.$count(added_%[1]d)) %%}"
    timeout: 9s
    respond:
      status: 201
      headers: {Location: '{%% "/runs/%[1]d/" & $execution.name %%}'}
      body: {id: "{%% $execution.output.id %%}", items: '{%% $map($execution.output.items, function($i) {{"sku": $i.sku, "n": $i.quantity_%[1]d}}) %%}'}
    catch:
      - errors: [NotFound]
        status: 404
        body: {message: "{%% $failure.cause %%}"}
      - {errors: [States.ALL], status: 500, body: {error: "{%% $failure.error %%}"}}
`, i)
	}
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 100, 500} {
		source := richRoutes(n)
		b.Run(fmt.Sprintf("%d routes", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := (config.Options{Getenv: env(map[string]string{"SECRET": "s"}), Only: config.SourceHTTP, RequireSecrets: true}).Parse("x.yaml", source); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
