package imports

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A scheme of pkg/verify is one file and one row in a table: what it is comes from the row,
// and no other code chooses between schemes. The exception is the switch of
// (*scheme).tools, which has a case for each scheme: a pointer from the scheme to its tools
// would link the signers into the functions (ADR 77).
func TestSchemesAreInOneTable(t *testing.T) {
	t.Parallel()
	blocks := []string{"hmac", "signature", "basic", "jwt", "mtls", "token"} // with fields, in the table
	var schemes, cases, keys []string
	for _, f := range moduleFiles(t) {
		if f.test || !strings.HasPrefix(f.dir, "pkg/") && !strings.HasPrefix(f.dir, "cmd/") || strings.HasPrefix(f.dir, "pkg/asl") {
			continue
		}
		inVerify := f.dir == "pkg/verify"
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, v := range n.Values {
					if made, ok := v.(*ast.CompositeLit); ok && inVerify && isIdent(made.Type, "scheme") {
						schemes = append(schemes, n.Names[i].Name)
						if strings.HasSuffix(f.name, "/scheme.go") && n.Names[i].Name != "noneScheme" {
							t.Errorf("%s: %s belongs in its own file", f.name, n.Names[i].Name)
						}
					} else if list, ok := v.(*ast.CompositeLit); ok && inVerify && n.Names[i].Name == "blocks" {
						for _, row := range list.Elts {
							if text, ok := row.(*ast.CompositeLit).Elts[0].(*ast.BasicLit); ok {
								key, _ := strconv.Unquote(text.Value)
								keys = append(keys, key)
							}
						}
					}
				}
			case *ast.SwitchStmt:
				if inVerify && isIdent(n.Tag, "s") && strings.HasSuffix(f.name, "/tools.go") {
					for _, c := range n.Body.List {
						for _, e := range c.(*ast.CaseClause).List {
							if of, ok := e.(*ast.UnaryExpr); ok {
								if name, ok := of.X.(*ast.Ident); ok {
									cases = append(cases, name.Name)
								}
							}
						}
					}
					return true
				}
				if chosen := choices(n, blocks); len(chosen) > 1 {
					t.Errorf("%s: a switch chooses between the schemes %s: make what it decides a field of the scheme", f.name, strings.Join(chosen, ", "))
				}
			}
			return true
		})
	}
	for _, key := range blocks {
		if !slices.Contains(keys, key) {
			t.Errorf("the table of blocks has no row %s, but %q", key, keys)
		}
	}
	if rows := len(blocks) + len([]string{"none", "provider"}); len(keys) != rows {
		t.Errorf("the table of blocks has %d rows, this test knows %d: add the key here", len(keys), rows)
	}
	for _, name := range schemes {
		if name != "noneScheme" && !slices.Contains(cases, name) {
			t.Errorf("(*scheme).tools has no case for %s: it can neither be signed nor described", name)
		}
	}
	if len(schemes) < 30 {
		t.Errorf("only %d schemes were found", len(schemes))
	}
}

// choices returns the blocks that the cases of a switch name: as text, or as the part of a
// Spec that is compared with nil.
func choices(s *ast.SwitchStmt, blocks []string) (chosen []string) {
	for _, c := range s.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			ast.Inspect(e, func(n ast.Node) bool {
				name := ""
				switch n := n.(type) {
				case *ast.BasicLit:
					name, _ = strconv.Unquote(n.Value)
				case *ast.BinaryExpr:
					if part, ok := n.X.(*ast.SelectorExpr); ok && isIdent(n.Y, "nil") && (n.Op == token.EQL || n.Op == token.NEQ) {
						name = strings.ToLower(part.Sel.Name)
					}
				}
				if slices.Contains(blocks, name) && !slices.Contains(chosen, name) {
					chosen = append(chosen, name)
				}
				return true
			})
		}
	}
	return chosen
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
