package imports

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/sources"
)

// elsewhere are files that name one source, and need nothing for another.
var elsewhere = map[string]string{
	"internal/sources/sources.go":      "the list itself",
	"internal/sources/sourcetest/":     "the test of the list",
	"pkg/eventbridge/":                 "the adapter of the source",
	"pkg/template/wiring/events.go":    "rules of EventBridge; check.go calls it",
	"pkg/template/wiring/routes.go":    "names for the checks",
	"pkg/statesapi/teststate_model.go": "the service as a task calls it",
	"pkg/config/sqs.go":                "the envelope of a message",
	"cmd/expressway/redrive.go":        "dead letters of queues and rules",
	"internal/scaffold/add.go":         "`add` takes providers, queue and rule, and no source",
	"pkg/asl/":                         "the service as a task calls it",
}

// Code that treats the sources apart is found by the one whose name means nothing else,
// EventBridge. It belongs to a place that a test holds.
func TestPlaces(t *testing.T) {
	t.Parallel()
	held, apart := map[string]bool{}, map[string]bool{}
	for _, f := range moduleFiles(t) {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if place := placeOf(n); f.test && place != "" {
				held[place] = true
			}
			if !f.test && namesEventBridge(n) {
				apart[f.name] = true
			}
			return true
		})
	}
	if len(held) < 15 {
		t.Fatalf("only %d places are found: %v", len(held), held)
	}
	for name := range apart {
		if !held[name] && !isElsewhere(name) {
			t.Errorf("%s distinguishes sources, but no test covers it: call sourcetest.Hold for it", name)
		}
	}
	for name := range elsewhere {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(apart)), func(file string) bool { return strings.HasPrefix(file, name) }) {
			t.Errorf("%s need not be left out, because it names no source", name)
		}
	}
}

func isElsewhere(name string) bool {
	for prefix := range elsewhere {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// namesEventBridge reports whether code compares the trigger with nil, or names the source.
func namesEventBridge(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		x, ok := n.X.(*ast.SelectorExpr)
		return ok && x.Sel.Name == "EventBridge" && (n.Op == token.NEQ || n.Op == token.EQL)
	case *ast.SelectorExpr:
		of, ok := n.X.(*ast.Ident)
		return ok && of.Name == "sources" && (n.Sel.Name == "EventBridge" || n.Sel.Name == "Event") || n.Sel.Name == "SourceEventBridge"
	case *ast.BasicLit:
		return n.Kind == token.STRING && n.Value == strconv.Quote(sources.EventBridge)
	}
	return false
}

// placeOf returns the file of a call of Hold.
func placeOf(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 3 {
		return ""
	}
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || fun.Sel.Name != "Hold" {
		return ""
	}
	text := ""
	ast.Inspect(call.Args[1], func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && text == "" {
			text, _ = strconv.Unquote(lit.Value)
		}
		return true
	})
	file, _, _ := strings.Cut(text, ":")
	return file
}
