package imports

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestCosts computes the costs of a million deliveries from the prices and quantities of
// docs/operations.md, and holds every figure there against them.
func TestCosts(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := section(string(source), "## What a million deliveries cost")
	known := map[string]float64{}
	shown := map[string]string{}
	// The tables in order: prices, quantities, parts, and sums.
	tables := regexp.MustCompile(`(?m)^\| ---.*$`).Split(text, -1)
	if len(tables) != 5 {
		t.Fatalf("%d tables, want 4", len(tables)-1)
	}
	for i, column := range []int{2, 1, 2, 1} {
		list := rows(tables[i+1])
		if i < 3 {
			list = list[:len(list)-1] // the head of the next table
		}
		for _, cells := range list {
			name, value := strings.Trim(cells[0], "*"), strings.Trim(cells[min(column, len(cells)-1)], "*")
			if i > 1 {
				shown[name] = value
				continue
			}
			number, _, _ := strings.Cut(value, " ")
			if n, err := strconv.ParseFloat(number, 64); err == nil {
				known[[]string{"price of ", ""}[i]+name] = n
			}
		}
	}
	v := func(name string) float64 {
		if known[name] == 0 {
			t.Errorf("the tables have no %q", name)
		}
		return known[name]
	}
	// Each part is rounded to cents, so that the columns add up.
	cents := func(x float64) float64 { return math.Round(x*100+1e-6) / 100 }
	logs := func(bytes float64) float64 { return cents(bytes / 1000 * v("price of CloudWatch Logs")) } // of a million lines, in GB
	parts := map[string]float64{
		"HTTP API":              cents(v("price of HTTP API")),
		"function, requests":    cents(v("price of Lambda, requests")),
		"function, duration":    cents(1e6 * v("function, billed") / 1000 * v("function, memory") / 1024 * v("price of Lambda, duration on arm64")),
		"workflow, requests":    cents(v("price of Express Workflows, requests")),
		"workflow, duration":    cents(1e6 * v("workflow, duration") / 1000 * v("workflow, memory") / 1024 * v("price of Express Workflows, duration")),
		"dedupe":                cents(v("writes of dedupe") * v("price of DynamoDB on demand")),
		"the functions' lines":  logs(v("the functions' lines")),
		"Lambda's own lines":    logs(v("Lambda's own lines")),
		"executions at ALL":     logs(v("events of an execution at ALL") * v("an event of an execution")),
		"access log of the API": logs(v("access log of the API")),
		"metric lines":          logs(v("a metric line")),
		"custom metrics":        cents(v("custom metrics") * v("price of custom metric")),
		"X-Ray":                 cents(v("price of X-Ray")),
		"alarms and dashboard":  cents(v("alarms of `template.yaml`")*v("price of alarm") + v("price of dashboard")),
	}
	sum := func(names ...string) (total float64) {
		for _, name := range names {
			total += parts[name]
		}
		return total
	}
	parts["deliveries"] = sum("HTTP API", "function, requests", "function, duration", "workflow, requests", "workflow, duration")
	parts["logging"] = sum("the functions' lines", "Lambda's own lines", "executions at ALL", "access log of the API")
	parts["metrics"] = sum("metric lines", "custom metrics")
	parts["deliveries alone"] = sum("deliveries")
	parts["+ dedupe"] = sum("deliveries", "dedupe")
	parts["+ logging"] = sum("+ dedupe", "logging")
	parts["+ metrics"] = sum("+ logging", "metrics")
	parts["+ X-Ray"] = sum("+ metrics", "X-Ray")
	parts["+ alarms and dashboard"] = sum("+ X-Ray", "alarms and dashboard")
	parts["deliveries, logging, alarms and dashboard, without dedupe, metrics and X-Ray"] = sum("deliveries", "logging", "alarms and dashboard")
	for name, want := range parts {
		if got := shown[name]; got != fmt.Sprintf("%.2f", want) {
			t.Errorf("%s: the page says %q, but the tables give %.2f", name, got, want)
		}
	}
	for name := range shown {
		if _, ok := parts[name]; !ok {
			t.Errorf("nothing computes %q", name)
		}
	}
	// What the prose says, however its lines are broken.
	prose := strings.Join(strings.Fields(text), " ")
	for _, want := range []string{
		fmt.Sprintf("A secret is %.2f a month", v("price of secret")), fmt.Sprintf("%.2f for a million", 3*v("price of SQS")), fmt.Sprintf("5 %% makes it %.2f", v("price of X-Ray")/20),
	} {
		if !strings.Contains(prose, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
