package terraform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// A declared is what the module's files declare: var.NAME, local.NAME, TYPE.NAME and
// data.TYPE.NAME, and the described ones.
type declared struct {
	names     map[string]bool
	described map[string]bool
	bodies    []*hclsyntax.Body
}

func parse(t *testing.T) declared {
	t.Helper()
	files, err := filepath.Glob("*.tf")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v %v", files, err)
	}
	d := declared{map[string]bool{}, map[string]bool{}, nil}
	parser := hclparse.NewParser()
	for _, name := range files {
		file, diagnostics := parser.ParseHCLFile(name)
		if diagnostics.HasErrors() {
			t.Fatal(diagnostics)
		}
		body := file.Body.(*hclsyntax.Body)
		d.bodies = append(d.bodies, body)
		for _, b := range body.Blocks {
			switch b.Type {
			case "variable", "output":
				d.names[map[string]string{"variable": "var.", "output": "output."}[b.Type]+b.Labels[0]] = true
				if _, ok := b.Body.Attributes["description"]; ok {
					d.described[b.Type+" "+b.Labels[0]] = true
				} else {
					t.Errorf("%s %s has no description", b.Type, b.Labels[0])
				}
			case "locals":
				for a := range b.Body.Attributes {
					d.names["local."+a] = true
				}
			case "resource":
				d.names[b.Labels[0]+"."+b.Labels[1]] = true
			case "data":
				d.names["data."+b.Labels[0]+"."+b.Labels[1]] = true
			}
		}
	}
	return d
}

// TestReferences parses the module, and follows every reference to what it names.
func TestReferences(t *testing.T) {
	t.Parallel()
	d := parse(t)
	used := map[string]bool{}
	for _, body := range d.bodies {
		_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
			e, ok := n.(*hclsyntax.ScopeTraversalExpr)
			if !ok {
				return nil
			}
			parts := []string{e.Traversal.RootName()}
			for _, step := range e.Traversal[1:] {
				if a, ok := step.(hcl.TraverseAttr); ok {
					parts = append(parts, a.Name)
				}
			}
			length := 2
			switch parts[0] {
			case "data":
				length = 3
			case "var", "local":
			default:
				if !strings.HasPrefix(parts[0], "aws_") {
					return nil // each, path, and the names of for expressions
				}
			}
			name := strings.Join(parts[:min(length, len(parts))], ".")
			used[name] = true
			if !d.names[name] {
				t.Errorf("%s: there is no %s", e.SrcRange, name)
			}
			return nil
		})
	}
	for name := range d.names {
		if strings.HasPrefix(name, "var.") && !used[name] {
			t.Errorf("%s is not used", name)
		}
	}
}

// TestDocumented checks that README.md lists every variable and output.
func TestDocumented(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range parse(t).described {
		_, label, _ := strings.Cut(name, " ")
		if !strings.Contains(string(readme), "| `"+label+"` |") {
			t.Errorf("README.md does not list the %s", name)
		}
	}
}
