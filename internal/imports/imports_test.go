package imports

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/expressway-dev/expressway/"

// allowed lists, for each package of pkg and each library of internal, the packages of
// the project that it may import; the packages below it count as itself, unless they have
// rules of their own. What is in internal and not listed is a test rig or a tool, and
// nothing that is shipped imports it.
var allowed = map[string][]string{
	"internal/awsenv":    {},
	"internal/bootstrap": {"internal/lambdalog", "internal/memlimit", "pkg/config", "pkg/gateway"},
	"internal/awsjson":   {"internal/awsenv"},
	"internal/eventkind": {"internal/sources", "pkg/jsonata"},
	"internal/lambdalog": {},
	"internal/memlimit":  {},
	"internal/samples":   {},
	"internal/sources":   {},
	"internal/s3put":     {"internal/awsenv", "internal/awsjson", "pkg/bridge"},
	"internal/waittable": {"internal/awsjson", "pkg/bridge"},
	"internal/words":     {},

	"pkg/jsonata":     {},
	"pkg/asl":         {"pkg/jsonata"},
	"pkg/asl/tasks":   {"pkg/asl", "pkg/jsonata"},
	"pkg/bridge":      {"pkg/jsonata"},
	"pkg/trace":       {},
	"pkg/dedupe":      {"internal/awsjson", "pkg/bridge"},
	"pkg/otlp":        {"internal/sources", "internal/version", "pkg/bridge", "pkg/trace"},
	"pkg/metrics":     {"internal/sources", "internal/version", "pkg/bridge"},
	"pkg/secrets":     {"internal/awsjson"},
	"pkg/verify":      {"pkg/secrets", "pkg/jsonata"},
	"pkg/config":      {"internal/sources", "pkg/bridge", "pkg/jsonata", "pkg/verify", "pkg/secrets"},
	"pkg/stepfn":      {"internal/awsenv", "internal/awsjson", "pkg/bridge", "pkg/trace", "pkg/jsonata"},
	"pkg/statesapi":   {"pkg/asl", "pkg/asl/tasks", "pkg/bridge", "pkg/jsonata", "pkg/trace"},
	"pkg/httpfront":   {"internal/eventkind", "internal/sources", "pkg/bridge", "pkg/config", "pkg/jsonata", "pkg/secrets", "pkg/verify"},
	"pkg/sqsbatch":    {"internal/awsjson", "internal/eventkind", "internal/sources", "pkg/bridge", "pkg/config", "pkg/jsonata", "pkg/trace"},
	"pkg/eventbridge": {"internal/eventkind", "internal/sources", "pkg/bridge", "pkg/config", "pkg/jsonata"},
	"pkg/gateway": {
		"internal/version",
		"internal/s3put", "internal/waittable",
		"pkg/bridge", "pkg/config", "pkg/dedupe", "pkg/eventbridge", "pkg/httpfront", "pkg/jsonata", "pkg/metrics", "pkg/otlp", "pkg/secrets",
		"pkg/sqsbatch", "pkg/stepfn", "pkg/verify",
	},
	"pkg/template": {"internal/sources", "internal/words", "pkg/bridge", "pkg/config", "pkg/jsonata", "pkg/secrets", "pkg/verify"},
	"pkg/console":  {"internal/sources", "pkg/asl", "pkg/bridge", "pkg/jsonata", "pkg/statesapi"},
	"pkg/devserver": {
		"internal/awserr", "internal/s3put", "internal/samples", "internal/sources", "internal/waittable",
		"pkg/asl", "pkg/asl/tasks", "pkg/bridge", "pkg/config", "pkg/console", "pkg/dedupe", "pkg/eventbridge", "pkg/httpfront",
		"pkg/gateway", "pkg/jsonata", "pkg/secrets", "pkg/sqsbatch", "pkg/statesapi", "pkg/verify",
	},
}

// foreign lists what a package must not import from outside.
var foreign = map[string][]string{
	"pkg/jsonata":  {"github.com/aws", "net/http"},
	"pkg/asl":      {"github.com/aws", "net/http"},
	"pkg/bridge":   {"github.com/aws", "net/http"},
	"pkg/metrics":  {"github.com/aws", "net/http"},
	"pkg/verify":   {"github.com/aws"},
	"pkg/secrets":  {"net/http"},
	"pkg/config":   {"github.com/aws"},
	"pkg/sqsbatch": {"github.com/aws/aws-sdk-go-v2", "net/http"},
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	check := func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		parts := strings.Split(filepath.ToSlash(rel), "/")
		owner := ownerOf(strings.Join(parts[:len(parts)-1], "/"))
		rule, known := allowed[owner]
		if !known && parts[0] == "internal" {
			return nil
		}
		if !known {
			t.Errorf("%s: no import rule for %s", rel, owner)
			return nil
		}
		seen[owner] = true
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range file.Imports {
			name, _ := strconv.Unquote(imp.Path.Value)
			if inside, ok := strings.CutPrefix(name, module); ok {
				target := ownerOf(inside)
				if target != owner && !contains(rule, target) {
					t.Errorf("%s imports %s, which %s may not", rel, inside, owner)
				}
				continue
			}
			for _, prefix := range foreign[owner] {
				if name == prefix || strings.HasPrefix(name, prefix+"/") {
					t.Errorf("%s imports %s, which %s may not", rel, name, owner)
				}
			}
		}
		return nil
	}
	for _, folder := range []string{"pkg", "internal"} {
		if err := filepath.WalkDir(filepath.Join(root, folder), check); err != nil {
			t.Fatal(err)
		}
	}
	for owner := range allowed {
		if !seen[owner] {
			t.Errorf("the rules name %s, which does not exist", owner)
		}
	}
}

// ownerOf returns the nearest package with rules, at or above the named one, or else the
// first two elements of the name.
func ownerOf(name string) string {
	for at := name; at != "."; at = path.Dir(at) {
		if _, ok := allowed[at]; ok {
			return at
		}
	}
	return strings.Join(strings.SplitN(name, "/", 3)[:2], "/")
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
