package terraform

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/expressway-dev/expressway/internal/scaffold"
)

// The bindings that are generated from the providers' schemas, as the npm registry has
// them: the only form in which the schemas can be had from a package registry. `make
// terraform` fetches the archives, which are not unpacked.
var archives = map[string]struct{ sha512, provider string }{
	// The oldest version of the provider that versions.tf allows, and a recent one.
	"cdktf-provider-aws-19.28.0.tgz":    {"ed5351fca394b51c92743c3fa484f56401c8f9f75666f9873b95c8e4699e8e6291dd402dfa4bd0205cec29c064c98ce6254926c28c959c6fd1ca4512f7d9ea52", "aws/5.60.0"},
	"cdktf-provider-aws-21.22.1.tgz":    {"06e48779a40550bf65df7a41cc83114fb71343af4033698bb628e3b5e08f8554119afba1ba3f4bbdfca67fb92700c858a804faf8bae5b3d8e21955bf52cdf3ad", "aws/6.25.0"},
	"cdktf-provider-archive-11.0.1.tgz": {"d8f970863d61554398990af135b06fcb69ebc3f8321d92a74056ae3c2c238505fe329448985edc71e2a05fccd98013ef0796043fbe4c2053dbaf8b23c4359e1f", "archive/2.7.1"},
}

// A schema has the blocks of the resources and data sources, by the names of their types;
// data sources as data.TYPE.
type schema struct {
	blocks   map[string]*blockType
	computed map[string]map[string]bool // the attributes of a resource, without underscores
}

type blockType struct {
	attributes, required map[string]bool
	blocks               map[string]*blockType
}

var (
	interfaces = regexp.MustCompile(`(?s)export interface (\w+)[^{]*\{\n(.*?)\n\}`)
	member     = regexp.MustCompile(`(?s)docs/[a-z-]+/\w+#(\w+) .*?\*/\s*readonly \w+(\??): ([^;]+);`)
	getter     = regexp.MustCompile(`(?m)^    get (\w+)\(\)`)
	identifier = regexp.MustCompile(`\w+`)
	typeName   = regexp.MustCompile(`tfResourceType = "(\w+)"`)
	provided   = regexp.MustCompile(`providers/hashicorp/(\w+/[0-9.]+)/`)
)

// readSchema reads what an archive says of some types.
func readSchema(t *testing.T, path string, types []string, into *schema) {
	t.Helper()
	pinned := archives[filepath.Base(path)]
	file, err := os.Open(path)
	if err != nil {
		t.Fatalf("%v: `make terraform` fetches it", err)
	}
	defer file.Close() //nolint:errcheck // read
	digest := sha512.New()
	unzipped, err := gzip.NewReader(io.TeeReader(file, digest))
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{}
	for _, name := range types {
		base := strings.TrimPrefix(name, "data.")
		folder := strings.ReplaceAll(strings.TrimPrefix(base, "aws_"), "_", "-")
		if base != name {
			folder = "data-" + strings.ReplaceAll(base, "_", "-")
		}
		wanted["package/lib/"+folder+"/index.d.ts"] = true
	}
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if wanted[header.Name] {
			text, err := io.ReadAll(archive)
			if err != nil {
				t.Fatal(err)
			}
			if m := provided.FindStringSubmatch(string(text)); m == nil || m[1] != pinned.provider {
				t.Errorf("%s has the schema of %v, not of %s", path, m, pinned.provider)
			}
			into.add(strings.Contains(header.Name, "/data-"), string(text))
		}
	}
	if _, err := io.Copy(io.Discard, io.TeeReader(file, digest)); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != pinned.sha512 {
		t.Errorf("%s is not the archive that is pinned: its SHA-512 is %s", path, got)
	}
}

// add reads the declarations of one resource or data source.
func (s *schema) add(data bool, text string) {
	found := map[string]string{}
	root := ""
	for _, m := range interfaces.FindAllStringSubmatch(text, -1) {
		found[m[1]] = m[2]
		if root == "" {
			root = m[1] // Config, which is the first
		}
	}
	name := typeName.FindStringSubmatch(text)[1]
	if data {
		name = "data." + name
	}
	s.blocks[name] = newBlockType(root, found)
	s.computed[name] = map[string]bool{}
	for _, m := range getter.FindAllStringSubmatch(text[strings.Index(text, "tfResourceType"):], -1) {
		s.computed[name][strings.ToLower(m[1])] = true
	}
}

func newBlockType(name string, declarations map[string]string) *blockType {
	b := &blockType{map[string]bool{}, map[string]bool{}, map[string]*blockType{}}
	for _, m := range member.FindAllStringSubmatch(declarations[name], -1) {
		if m[2] == "" {
			b.required[m[1]] = true
		}
		if nested := identifier.FindString(m[3]); declarations[nested] != "" {
			b.blocks[m[1]] = newBlockType(nested, declarations)
		} else {
			b.attributes[m[1]] = true
		}
	}
	return b
}

// meta are the arguments and blocks that Terraform itself takes.
var meta = []string{"count", "for_each", "depends_on", "lifecycle", "provider"}

// check compares a block with its type.
func (b *blockType) check(where string, body *hclsyntax.Body) (found []string) {
	given := map[string]bool{}
	for name, a := range body.Attributes {
		given[name] = true
		if !b.attributes[name] && !slices.Contains(meta, name) {
			found = append(found, fmt.Sprintf("%s: %s has no attribute %s", a.SrcRange, where, name))
		}
	}
	for _, nested := range body.Blocks {
		name, inner := nested.Type, nested.Body
		if name == "dynamic" {
			name, inner = nested.Labels[0], nested.Body.Blocks[0].Body
		}
		given[name] = true
		switch kind := b.blocks[name]; {
		case kind != nil:
			found = append(found, kind.check(where+"."+name, inner)...)
		case !slices.Contains(meta, name):
			found = append(found, fmt.Sprintf("%s: %s has no block %s", nested.TypeRange, where, name))
		}
	}
	for name := range b.required {
		if !given[name] {
			found = append(found, fmt.Sprintf("%s: %s lacks %s, which is required", body.SrcRange, where, name))
		}
	}
	return found
}

// resourceBlocks are those of resources and data sources, by the names of their types.
func resourceBlocks(bodies []*hclsyntax.Body) map[string][]*hclsyntax.Block {
	out := map[string][]*hclsyntax.Block{}
	for _, body := range bodies {
		for _, b := range body.Blocks {
			switch b.Type {
			case "resource":
				out[b.Labels[0]] = append(out[b.Labels[0]], b)
			case "data":
				out["data."+b.Labels[0]] = append(out["data."+b.Labels[0]], b)
			}
		}
	}
	return out
}

// check checks that every block, attribute and reference is in the schema.
func (s *schema) check(bodies []*hclsyntax.Body) (found []string) {
	for name, blocks := range resourceBlocks(bodies) {
		if s.blocks[name] == nil {
			found = append(found, "there is no "+name)
			continue
		}
		for _, b := range blocks {
			found = append(found, s.blocks[name].check(name, b.Body)...)
		}
	}
	for _, body := range bodies {
		_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
			if e, ok := n.(*hclsyntax.ScopeTraversalExpr); ok {
				found = append(found, s.checkReference(e)...)
			}
			return nil
		})
	}
	return found
}

func (s *schema) checkReference(e *hclsyntax.ScopeTraversalExpr) []string {
	var parts []string
	for _, step := range e.Traversal {
		switch a := step.(type) {
		case hcl.TraverseRoot:
			parts = append(parts, a.Name)
		case hcl.TraverseAttr:
			parts = append(parts, a.Name)
		}
	}
	name := parts[0]
	if name == "data" {
		name, parts = "data."+parts[1], parts[1:]
	}
	if computed := s.computed[name]; computed != nil && len(parts) > 2 && !computed[strings.ReplaceAll(parts[2], "_", "")] {
		return []string{fmt.Sprintf("%s: %s has no attribute %s", e.SrcRange, name, parts[2])}
	}
	return nil
}

// providers is the folder with the archives.
func providers(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("EXPRESSWAY_TERRAFORM_PROVIDERS")
	if dir == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("EXPRESSWAY_TERRAFORM_PROVIDERS does not name a folder: `make terraform` creates one")
		}
		t.Skip("the archives of the providers are not here; `make terraform` fetches them")
	}
	return dir
}

// writtenFiles are what `expressway init --iac terraform` writes.
func writtenFiles(t *testing.T) (out [][]byte) {
	t.Helper()
	for _, o := range []scaffold.Options{{Door: "http-api"}, {Door: "function-url", Accept: true, Offload: true}} {
		o.Dir, o.From, o.Providers, o.IaC, o.Arch, o.Version = t.TempDir(), []string{"http", "sqs", "eventbridge"}, []string{"stripe", "github"}, "terraform", "arm64", "v0.1.0"
		changes, err := scaffold.Init(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range changes.Files {
			if filepath.Ext(file.Path) == ".tf" {
				out = append(out, file.Data)
			}
		}
	}
	if len(out) != 2 {
		t.Errorf("%d files", len(out))
	}
	return out
}

// written is the same, parsed.
func written(t *testing.T) (out []*hclsyntax.Body) {
	t.Helper()
	for _, text := range writtenFiles(t) {
		parsed, diagnostics := hclparse.NewParser().ParseHCL(text, "expressway.tf")
		if diagnostics.HasErrors() {
			t.Fatal(diagnostics)
		}
		out = append(out, parsed.Body.(*hclsyntax.Body))
	}
	return out
}

// TestWritten checks that the written configuration matches the module's variables.
func TestWritten(t *testing.T) {
	t.Parallel()
	declared, modules := parse(t).names, 0
	for _, body := range written(t) {
		for _, b := range body.Blocks {
			if b.Type != "module" {
				continue
			}
			modules++
			for name, a := range b.Body.Attributes {
				if name != "source" && !declared["var."+name] {
					t.Errorf("%s: the module has no variable %s", a.SrcRange, name)
				}
			}
		}
	}
	if modules != 6 {
		t.Errorf("%d modules", modules)
	}
}

// TestSchema checks the module, and what `expressway init --iac terraform` writes, against
// the schemas that the providers have published.
func TestSchema(t *testing.T) {
	t.Parallel()
	dir := providers(t)
	bodies := append(parse(t).bodies, written(t)...)
	var types []string
	for name := range resourceBlocks(bodies) {
		types = append(types, name)
	}
	for archive, pinned := range archives {
		if !strings.HasPrefix(pinned.provider, "aws/") {
			continue
		}
		t.Run(pinned.provider, func(t *testing.T) {
			t.Parallel()
			s := &schema{map[string]*blockType{}, map[string]map[string]bool{}}
			readSchema(t, filepath.Join(dir, archive), types, s)
			readSchema(t, filepath.Join(dir, "cdktf-provider-archive-11.0.1.tgz"), []string{"data.archive_file"}, s)
			for _, found := range s.check(bodies) {
				t.Error(found)
			}
			t.Logf("%d types of resources and data sources", len(types))
		})
	}
}

// TestSchemaFindsMistakes makes a mistake of each kind.
func TestSchemaFindsMistakes(t *testing.T) {
	t.Parallel()
	s := &schema{map[string]*blockType{}, map[string]map[string]bool{}}
	readSchema(t, filepath.Join(providers(t), "cdktf-provider-aws-21.22.1.tgz"), []string{"aws_lambda_function"}, s)
	const right = `resource "aws_lambda_function" "f" {
  function_name = "f"
  role          = aws_lambda_function.f.role
  count         = 1
  tracing_config {
    mode = aws_lambda_function.f.invoke_arn
  }
  lifecycle {
    precondition {
      condition = true
    }
  }
}
`
	for _, mistake := range []struct{ old, new, want string }{
		{"", "", ""},
		{"role ", "rôle ", "has no attribute rôle"},
		{`function_name = "f"` + "\n", "", "lacks function_name"},
		{"tracing_config {", "tracing_configuration {", "has no block tracing_configuration"},
		{"mode =", "modus =", "has no attribute modus"},
		{"f.invoke_arn", "f.invocation_arn", "has no attribute invocation_arn"},
		{`resource "aws_lambda_function"`, `resource "aws_lambda_functions"`, "there is no aws_lambda_functions"},
		{"tracing_config {\n    mode = aws_lambda_function.f.invoke_arn\n  }", "tracing_config = null", "has no attribute tracing_config"},
	} {
		file, diagnostics := hclparse.NewParser().ParseHCL([]byte(strings.Replace(right, mistake.old, mistake.new, 1)), "main.tf")
		if diagnostics.HasErrors() {
			t.Fatal(diagnostics)
		}
		got := strings.Join(s.check([]*hclsyntax.Body{file.Body.(*hclsyntax.Body)}), "\n")
		if (got == "") != (mistake.want == "") || !strings.Contains(got, mistake.want) {
			t.Errorf("%q instead of %q: %q does not say %q", mistake.new, mistake.old, got, mistake.want)
		}
	}
}
