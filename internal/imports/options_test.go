package imports

import (
	"go/ast"
	"strings"
	"testing"
)

// Optional settings have one of two forms (ADR 52): an Options struct, for what is made of
// settings, or functional options, for what adds settings to collaborators that it requires.
// A function takes one of them, as its last parameter.
func TestOptions(t *testing.T) {
	t.Parallel()
	structs, functional := 0, 0
	for _, f := range moduleFiles(t) {
		if f.test || !strings.HasPrefix(f.dir, "pkg/") {
			continue
		}
		for _, d := range f.ast.Decls {
			fun, ok := d.(*ast.FuncDecl)
			if !ok || !fun.Name.IsExported() || fun.Recv != nil && !ast.IsExported(receiver(fun)) {
				continue
			}
			params := fun.Type.Params.List
			for i, p := range params {
				kind := p.Type
				ellipsis, variadic := kind.(*ast.Ellipsis)
				if variadic {
					kind = ellipsis.Elt
				}
				star, pointer := kind.(*ast.StarExpr)
				if pointer {
					kind = star.X
				}
				if sel, ok := kind.(*ast.SelectorExpr); ok {
					kind = sel.Sel
				}
				name, ok := kind.(*ast.Ident)
				isStruct := ok && strings.HasSuffix(name.Name, "Options")
				if !ok || !isStruct && !strings.HasSuffix(name.Name, "Option") {
					continue
				}
				switch {
				case i != len(params)-1 || len(p.Names) > 1:
					t.Errorf("%s: %s takes its options before other parameters: they come last", f.name, fun.Name)
				case pointer:
					t.Errorf("%s: %s takes a pointer to its options: pass them by value, so that the zero value is the default", f.name, fun.Name)
				case isStruct == variadic:
					t.Errorf("%s: %s takes %s: an Options struct is one parameter, functional options are variadic", f.name, fun.Name, name)
				case isStruct:
					structs++
				default:
					functional++
				}
			}
		}
	}
	if structs < 10 || functional < 5 {
		t.Errorf("only %d functions with a struct and %d with functional options were found", structs, functional)
	}
}
