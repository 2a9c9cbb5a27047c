package verify_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestOneTable checks that only its row knows a provider, and only its file and its row
// know a scheme: nothing compares with a provider's name, and nothing but the tables and
// the scheme's own file names a scheme. So a provider that is data is one row, and one that
// is code is one file and one row.
func TestOneTable(t *testing.T) {
	t.Parallel()
	tables := []string{"presets_a_f.go", "presets_g_p.go", "presets_q_z.go", "scheme.go", "tools.go"}
	providers, fset := verify.Providers(), token.NewFileSet()
	declared := map[string]string{} // a scheme's or handshake's variable → its file
	files := map[string]*ast.File{}
	for _, dir := range []string{".", "../httpfront", "../config", "../gateway", "../devserver", "../../cmd", "../../functions"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files[path], err = parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, file := range files {
		for _, d := range file.Decls {
			vars, ok := d.(*ast.GenDecl)
			if !ok || filepath.Dir(path) != "." || vars.Tok != token.VAR {
				continue
			}
			for _, spec := range vars.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if (strings.HasSuffix(name.Name, "Scheme") || strings.HasSuffix(name.Name, "Handshake")) && !strings.HasPrefix(name.Name, "Err") {
						declared[name.Name] = path
					}
				}
			}
		}
	}
	if len(declared) < 20 {
		t.Fatalf("%d schemes and handshakes were found, want at least 20", len(declared))
	}
	homes := slices.Collect(maps.Values(declared))
	isProvider := func(e ast.Expr) bool {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return false
		}
		text, err := strconv.Unquote(lit.Value)
		return err == nil && slices.Contains(providers, text)
	}
	for path, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			var compared []ast.Expr
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if n.Op == token.EQL || n.Op == token.NEQ {
					compared = []ast.Expr{n.X, n.Y}
				}
			case *ast.CaseClause:
				compared = n.List
			case *ast.IndexExpr:
				compared = []ast.Expr{n.Index}
			case *ast.Ident:
				home, ok := declared[n.Name]
				if ok && filepath.Dir(path) == "." && path != home && !slices.Contains(tables, path) {
					t.Errorf("%s: %s is used outside its file and the tables", fset.Position(n.Pos()), n.Name)
				}
			}
			for _, e := range compared {
				// A scheme's own file may know its words, as the service in an ARN.
				if isProvider(e) && !slices.Contains(homes, path) {
					t.Errorf("%s: %s is compared with a provider's name; make it a property of the preset", fset.Position(e.Pos()), e.(*ast.BasicLit).Value)
				}
			}
			return true
		})
	}
}
