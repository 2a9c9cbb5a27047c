package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/internal/lambdatest"
)

// routeCounts are how many routes the functions with many of them have. Each route is
// verified and has a dedupe key, a filter, an input of five expressions, an answer and two
// catches.
var routeCounts = []int{100, 500}

// richRoutes is webhookConfig with n more routes.
func richRoutes(n int) string {
	var b strings.Builder
	b.WriteString(webhookConfig)
	for i := range n {
		fmt.Fprintf(&b, `  - name: route-%[1]d
    http: POST /shops/{shop}/hooks-%[1]d
    verify: {provider: github, secrets: ["env:GITHUB_SECRET"]}
    dedupe: {key: '{%% $request.headers."x-github-delivery" %%}', for: 24h}
    filter: '{%% $request.headers."x-github-event" = "push" and $request.body.ref = "refs/heads/branch-%[1]d" %%}'
    start: `+machineARN+`
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
      - {errors: [NotFound], status: 404, body: {message: "{%% $failure.cause %%}"}}
      - {errors: [States.ALL], status: 500, body: {error: "{%% $failure.error %%}"}}
`, i)
	}
	return b.String()
}

// manyRoutes measures the processor time from a process's start to its first poll, and its
// memory then, of functions with many routes against the minimal one. The time is that of
// the whole process, which is killed as soon as it polls.
func (b *bench) manyRoutes(ctx context.Context, r *report) error {
	api := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{})
	defer api.Close()
	budgets := map[int][2]budget{100: {budgetRoutes100, budgetMemory100}, 500: {budgetRoutes500, budgetMemory500}}
	for _, n := range routeCounts {
		b.say("cold start with %d routes: %d starts of each function", n, b.plan.routes)
		many := function{name: fmt.Sprintf("webhook-%d", n), pkg: b.webhook.pkg, config: richRoutes(n)}
		if err := b.compile(ctx, many, hostOS, hostArch, b.taskRoot(many)); err != nil {
			return err
		}
		var cpu, memory comparison
		once := func(f function, cpu, memory *[]float64) func() error {
			return func() error {
				fn, err := b.start(ctx, f, api.URL)
				if err != nil {
					return err
				}
				*memory = append(*memory, float64(fn.MaxRSS())/(1<<20))
				fn.Stop()
				*cpu = append(*cpu, milliseconds(fn.CPU()))
				return nil
			}
		}
		if err := inTurns(b.plan.routes, once(b.minimal, &cpu.base, &memory.base), once(many, &cpu.ours, &memory.ours)); err != nil {
			return err
		}
		r.add(budgets[n][0], cpu)
		r.add(budgets[n][1], comparison{ours: differences(memory)})
	}
	return nil
}

// differences are how much more ours is than the base, turn by turn.
func differences(c comparison) []float64 {
	out := make([]float64, len(c.ours))
	for i := range out {
		out[i] = c.ours[i] - c.base[i]
	}
	return out
}
