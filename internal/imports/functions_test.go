package imports

import (
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

func TestFunctionsLinkNoTools(t *testing.T) {
	t.Parallel()
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "lambda.norpc", "./functions/...")
	command.Dir = "../.."
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
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
