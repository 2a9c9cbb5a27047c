package imports

import (
	"go/ast"
	"iter"
	"strings"
	"testing"
)

// Optional settings have one form (ADR 76): a struct whose name ends in Options, passed by
// value as the last parameter, or the receiver of the function's form with options. Each of
// its fields says what it is, and what it is if it is left out.
func TestOptions(t *testing.T) {
	t.Parallel()
	files := moduleFiles(t)
	functions := map[string]bool{} // the named function types of the packages
	for _, f := range files {
		for spec := range typesOf(f.ast) {
			if _, ok := spec.Type.(*ast.FuncType); ok {
				functions[f.dir+" "+spec.Name.Name] = true
			}
		}
	}
	structs := 0
	for _, f := range files {
		if f.test || !strings.HasPrefix(f.dir, "pkg/") {
			continue
		}
		for spec := range typesOf(f.ast) {
			switch kind := spec.Type.(type) {
			case *ast.StructType:
				if spec.Name.IsExported() && strings.HasSuffix(spec.Name.Name, "Options") {
					for _, field := range kind.Fields.List {
						if field.Doc == nil && field.Comment == nil && field.Names[0].IsExported() {
							t.Errorf("%s: %s.%s has no comment: say what it is, and what it is if it is left out", f.name, spec.Name, field.Names[0])
						}
					}
				}
			case *ast.FuncType:
				if strings.HasSuffix(spec.Name.Name, "Option") {
					t.Errorf("%s: %s is a functional option: make it a field of an Options struct", f.name, spec.Name)
				}
			}
		}
		for _, d := range f.ast.Decls {
			fun, ok := d.(*ast.FuncDecl)
			if !ok || !fun.Name.IsExported() || fun.Recv != nil && !ast.IsExported(receiver(fun)) {
				continue
			}
			if fun.Recv != nil && strings.HasSuffix(receiver(fun), "Options") {
				if _, pointer := fun.Recv.List[0].Type.(*ast.StarExpr); pointer {
					t.Errorf("%s: %s has a pointer to options as its receiver: it must work for a literal", f.name, fun.Name)
				}
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
				if _, ok := kind.(*ast.FuncType); ok && variadic {
					t.Errorf("%s: %s takes any number of functions: make them fields of an Options struct", f.name, fun.Name)
				}
				if sel, ok := kind.(*ast.SelectorExpr); ok {
					kind = sel.Sel
				}
				name, ok := kind.(*ast.Ident)
				if !ok {
					continue
				}
				isStruct := strings.HasSuffix(name.Name, "Options")
				switch {
				case strings.HasSuffix(name.Name, "Option"), variadic && functions[f.dir+" "+name.Name]:
					t.Errorf("%s: %s takes the functional option %s: make it a field of an Options struct", f.name, fun.Name, name)
				case !isStruct:
				case i != len(params)-1 || len(p.Names) > 1:
					t.Errorf("%s: %s takes its options before other parameters: they come last", f.name, fun.Name)
				case pointer:
					t.Errorf("%s: %s takes a pointer to its options: pass them by value, so that the zero value is the default", f.name, fun.Name)
				case variadic:
					t.Errorf("%s: %s takes any number of %s: take one", f.name, fun.Name, name)
				default:
					structs++
				}
			}
		}
	}
	if structs < 20 {
		t.Errorf("only %d functions with options were found", structs)
	}
}

// typesOf returns the type declarations of a file.
func typesOf(f *ast.File) iter.Seq[*ast.TypeSpec] {
	return func(yield func(*ast.TypeSpec) bool) {
		for _, d := range f.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range gen.Specs {
				if spec, ok := s.(*ast.TypeSpec); ok && !yield(spec) {
					return
				}
			}
		}
	}
}
