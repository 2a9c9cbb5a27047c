package terraform

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// terraformCLI runs Terraform, whose providers are not here: what needs none is checked.
func terraformCLI(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip("terraform is not installed")
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_CLI_CONFIG_FILE="+os.DevNull)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("terraform %s: %v\n%s%s", strings.Join(args, " "), err, out, errs.String())
	}
	return out
}

// TestFormatted holds `terraform fmt` of the module, and of what is written.
func TestFormatted(t *testing.T) {
	t.Parallel()
	terraformCLI(t, ".", "fmt", "-check", "-diff", ".")
	for i, text := range writtenFiles(t) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("written%d.tf", i)), text, 0o600); err != nil {
			t.Fatal(err)
		}
		terraformCLI(t, dir, "fmt", "-check", "-diff", ".")
	}
}

// TestTerraformAgrees plans the part of the module that needs no provider, once for each
// case, and compares its permissions with those that the other tests evaluate.
func TestTerraformAgrees(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	part := filepath.Join(dir, "part")
	if err := os.Mkdir(part, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"variables.tf", "routes.tf"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(part, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const rest = `locals {
  prefix = "arn:aws"
  here   = "us-east-1:123456789012"
}
output "statements" {
  value = local.statements
}
output "problems" {
  value = concat(local.missing, local.twofold, local.idle)
}
`
	if err := os.WriteFile(filepath.Join(part, "rest.tf"), []byte(rest), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := permissionCases(t)
	modules, outputs := map[string]any{}, map[string]any{}
	for i, c := range cases {
		name := fmt.Sprintf("case%d", i)
		in := c.inputs(c.folder(t))
		in["source"] = "./part"
		for variable, v := range in { // Terraform's JSON has templates in its texts
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			in[variable] = json.RawMessage(strings.ReplaceAll(string(text), "${", "$${"))
		}
		modules[name] = in
		outputs[name] = map[string]any{"value": "${module." + name + "}"}
	}
	root, err := json.Marshal(map[string]any{"module": modules, "output": outputs})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.tf.json"), root, 0o600); err != nil {
		t.Fatal(err)
	}
	terraformCLI(t, dir, "init", "-input=false", "-no-color")
	terraformCLI(t, dir, "plan", "-input=false", "-no-color", "-lock=false", "-out=plan")
	var plan struct {
		PlannedValues struct {
			Outputs map[string]struct {
				Value struct {
					Statements []statement
					Problems   []string
				}
			}
		} `json:"planned_values"`
	}
	if err := json.Unmarshal(terraformCLI(t, dir, "show", "-json", "plan"), &plan); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		got := plan.PlannedValues.Outputs[fmt.Sprintf("case%d", i)].Value
		if want := slices.Sorted(slices.Values(c.Grants)); !slices.Equal(grants(got.Statements), want) || len(got.Problems) > 0 {
			t.Errorf("%s: got %v, %q, want %v", c.Name, grants(got.Statements), got.Problems, want)
		}
	}
}
