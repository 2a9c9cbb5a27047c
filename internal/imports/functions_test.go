package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"strings"
	"testing"
)

// toolsOnly are packages that no Lambda function may link: what reads templates, what only
// a laptop or a test runs, and the service packages of the SDK that cost every cold start
// (ADR 21).
var toolsOnly = []string{
	module + "pkg/template", module + "pkg/devserver", module + "pkg/statesapi", module + "pkg/asl",
	"github.com/alecthomas/kong", "go.yaml.in/yaml", "github.com/pelletier/go-toml", "github.com/santhosh-tekuri/jsonschema",
	module + "internal/lambdatest", module + "internal/mototest", module + "internal/shared", "testing",
	"github.com/aws/aws-sdk-go-v2/config", "github.com/aws/aws-sdk-go-v2/service/dynamodb", "github.com/aws/aws-sdk-go-v2/service/sqs",
	"github.com/aws/aws-sdk-go-v2/service/ssm", "github.com/aws/aws-sdk-go-v2/service/secretsmanager",
}

// linkedByFunctions returns the packages that the Lambda functions link, with the format of go list.
func linkedByFunctions(t *testing.T, format string) []string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lambda.norpc", "-f", format, "./functions/...")
	command.Dir = "../.."
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

func TestFunctionsLinkNoTools(t *testing.T) {
	t.Parallel()
	packages := linkedByFunctions(t, "{{.ImportPath}}")
	if len(packages) < 100 {
		t.Fatalf("only %d packages", len(packages))
	}
	for _, p := range packages {
		for _, tool := range toolsOnly {
			if p == tool || strings.HasPrefix(p, tool+"/") {
				t.Errorf("a function links %s", p)
			}
		}
	}
}

// A regular expression in a variable of a package is compiled at every cold start, where one
// of them took as long as reading a configuration.
func TestFunctionsCompileNoPatternAtStart(t *testing.T) {
	t.Parallel()
	files := linkedByFunctions(t, `{{if .Module}}{{if .Module.Main}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}} {{end}}{{end}}{{end}}`)
	if len(files) < 100 {
		t.Fatalf("only %d files", len(files))
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if _, isFunc := d.(*ast.FuncDecl); isFunc {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if selector, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(selector.Sel.Name, "MustCompile") {
					t.Errorf("%s compiles a pattern when the program starts; use sync.OnceValue", name)
				}
				_, isFunc := n.(*ast.FuncLit)
				return !isFunc
			})
		}
	}
}
