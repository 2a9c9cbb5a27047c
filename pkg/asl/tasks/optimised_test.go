package tasks_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

// acceptedIntegrations reads the table of the validator, which is not exported: the actions
// of each service that a Task may name without aws-sdk.
func acceptedIntegrations(t *testing.T) map[string][]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../validate_resource.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	text := func(e ast.Expr) string {
		lit, ok := e.(*ast.BasicLit)
		if !ok {
			t.Fatalf("the table optimized has a %T where a text is expected", e)
		}
		s, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	accepted := map[string][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "optimized" {
			return true
		}
		for _, row := range spec.Values[0].(*ast.CompositeLit).Elts {
			service := text(row.(*ast.KeyValueExpr).Key)
			for _, action := range row.(*ast.KeyValueExpr).Value.(*ast.CompositeLit).Elts {
				accepted[service] = append(accepted[service], text(action))
			}
		}
		return false
	})
	if len(accepted) < 20 {
		t.Fatalf("the table optimized was read as %v, want at least 20 services", accepted)
	}
	return accepted
}

// The validator and the runner each have a table of the optimised integrations. An action
// that a definition may name is called here, has a runner of its own, or needs a mock; and
// the runner has no row for what no definition may name.
func TestOptimisedIntegrationsAgree(t *testing.T) {
	t.Parallel()
	elsewhere := []string{"apigateway", "http", "lambda", "states"} // Local runs them
	mocked := []string{"databrew", "eks", "elasticmapreduce", "emr-containers", "emr-serverless", "mediaconvert", "sagemaker"}

	accepted, rows := acceptedIntegrations(t), tasks.Optimised()
	for service, actions := range accepted {
		calls := 0
		for _, action := range actions {
			if tasks.Calls("arn:aws:states:::" + service + ":" + action) {
				calls++
			} else if slices.Contains(rows, service) {
				t.Errorf("a definition may name %s:%s, but the model of the service has no such action", service, action)
			}
		}
		switch known := slices.Contains(elsewhere, service) || slices.Contains(mocked, service); {
		case calls == 0 && !known:
			t.Errorf("a definition may name %s, but nothing runs it: add it to optimisedServices, or to one of the lists of this test", service)
		case calls > 0 && known:
			t.Errorf("%s is called by its model now: remove it from the lists of this test", service)
		}
	}
	for _, row := range rows {
		service, action, one := strings.Cut(row, ":")
		if row == "s3" { // only an ItemReader and a ResultWriter name it
			continue
		}
		if actions := accepted[service]; len(actions) == 0 || one && !slices.Contains(actions, action) {
			t.Errorf("optimisedServices has %s, which no definition may name: add its actions to optimized in validate_resource.go", row)
		}
	}
	for _, service := range slices.Concat(elsewhere, mocked) {
		if len(accepted[service]) == 0 {
			t.Errorf("no definition may name %s any more: remove it from the lists of this test", service)
		}
	}
}
