package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A goFile is one Go file of the module; name and dir are its path and folder from the root.
type goFile struct {
	name string
	dir  string
	test bool
	ast  *ast.File
}

// A surface is the exported names of the packages, and who uses them.
type surface struct {
	// declared are the names of a folder's package, with what their declarations mention;
	// a method is T.M.
	declared map[string]map[string][]string
	// used are the names of a folder's package that another folder, or an Example, uses.
	used map[string]map[string]bool
	// selected are all names that follow a dot, by folder; and interfaces the methods of
	// interfaces anywhere in the module.
	selected   map[string]map[string]bool
	interfaces map[string]bool
}

// Every exported name has a user outside of its package or an Example, or belongs to what
// has one: a type in a signature, the other values of a block of constants, a method of an
// interface, an error, an option.
func TestSurface(t *testing.T) {
	t.Parallel()
	s := surface{
		declared: map[string]map[string][]string{}, used: map[string]map[string]bool{},
		selected: map[string]map[string]bool{}, interfaces: map[string]bool{},
	}
	files := moduleFiles(t)
	for _, f := range files {
		s.declare(f)
	}
	for _, f := range files {
		s.use(f)
	}
	unused, total := s.unused()
	t.Logf("%d exported names", total)
	for _, name := range unused {
		t.Errorf("%s has no user outside of its package and no Example: unexport it, or show in an Example what it is for", name)
	}
}

func moduleFiles(t *testing.T) []goFile {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []goFile
	for _, folder := range []string{"cmd", "deploy", "functions", "internal", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.Name() == "node_modules":
				return filepath.SkipDir
			case d.IsDir() || !strings.HasSuffix(name, ".go"):
				return nil
			}
			rel, err := filepath.Rel(root, filepath.Dir(name))
			if err != nil {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
			files = append(files, goFile{path.Join(filepath.ToSlash(rel), filepath.Base(name)), filepath.ToSlash(rel), strings.HasSuffix(name, "_test.go"), file})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// declare takes the exported names of a file.
func (s *surface) declare(f goFile) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if i, ok := n.(*ast.InterfaceType); ok {
			for _, m := range i.Methods.List {
				for _, name := range m.Names {
					s.interfaces[name.Name] = true
				}
			}
		}
		return true
	})
	if f.test || f.ast.Name.Name == "main" {
		return
	}
	if s.declared[f.dir] == nil {
		s.declared[f.dir] = map[string][]string{}
	}
	for _, d := range f.ast.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.IsExported() {
				s.declared[f.dir][d.Name.Name] = exportedIn(d.Type)
			} else if d.Recv != nil {
				s.declareMethod(f.dir, d)
			}
		case *ast.GenDecl:
			s.declareValues(f.dir, d)
		}
	}
}

func (s *surface) declareMethod(dir string, d *ast.FuncDecl) {
	of := receiver(d)
	if !ast.IsExported(of) || !d.Name.IsExported() {
		return
	}
	s.declared[dir][of+"."+d.Name.Name] = exportedIn(d.Type)
	if d.Name.Name == "Error" {
		s.reachable(dir, of)
	}
}

// declareValues takes types, and values, which belong together where one block has them, and
// to their type where that is written out.
func (s *surface) declareValues(dir string, d *ast.GenDecl) {
	declared := s.declared[dir]
	var block []string
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() {
				declared[spec.Name.Name] = append(declared[spec.Name.Name], exportedIn(spec.Type)...)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if name.IsExported() {
					block = append(block, name.Name)
				}
			}
			if of, ok := spec.Type.(*ast.Ident); ok && of.IsExported() {
				declared[of.Name] = append(declared[of.Name], block...)
			}
		}
	}
	for _, name := range block {
		declared[name] = append(declared[name], block...)
	}
}

func receiver(d *ast.FuncDecl) string {
	e := d.Recv.List[0].Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	if index, ok := e.(*ast.IndexExpr); ok {
		e = index.X
	}
	if name, ok := e.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// exportedIn are the exported names that declarations mention; what an unexported field is
// made of is not what a user sees.
func exportedIn(nodes ...ast.Node) (names []string) {
	for _, n := range nodes {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.StructType:
				for _, f := range n.Fields.List {
					if len(f.Names) == 0 || slices.ContainsFunc(f.Names, (*ast.Ident).IsExported) {
						names = append(names, exportedIn(f.Type)...)
					}
				}
				return false
			case *ast.Ident:
				if n.IsExported() {
					names = append(names, n.Name)
				}
			}
			return true
		})
	}
	return names
}

// use takes what a file uses of other packages; in an Example also of its own.
func (s *surface) use(f goFile) {
	imported := map[string]string{}
	for _, imp := range f.ast.Imports {
		at, _ := strconv.Unquote(imp.Path.Value)
		dir, ours := strings.CutPrefix(at, module)
		if !ours {
			continue
		}
		name := path.Base(dir)
		if imp.Name != nil {
			name = imp.Name.Name
		}
		imported[name] = dir
	}
	if s.selected[f.dir] == nil {
		s.selected[f.dir] = map[string]bool{}
	}
	for _, d := range f.ast.Decls {
		fun, _ := d.(*ast.FuncDecl)
		example := f.test && fun != nil && strings.HasPrefix(fun.Name.Name, "Example")
		ast.Inspect(d, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			where := f.dir
			if example {
				where = "an Example" // is as good as another folder
				if s.selected[where] == nil {
					s.selected[where] = map[string]bool{}
				}
			}
			s.selected[where][sel.Sel.Name] = true
			if x, ok := sel.X.(*ast.Ident); ok && x.Obj == nil {
				if dir, ok := imported[x.Name]; ok && (dir != f.dir || example) {
					s.reachable(dir, sel.Sel.Name)
				}
			}
			return true
		})
	}
}

// reachable takes a name of a folder's package for used.
func (s *surface) reachable(dir, name string) {
	if s.used[dir] == nil {
		s.used[dir] = map[string]bool{}
	}
	s.used[dir][name] = true
}

// unused are the names that nothing outside uses, directly or indirectly.
func (s *surface) unused() (names []string, total int) {
	for dir, declared := range s.declared {
		for name := range declared {
			if strings.HasPrefix(name, "Err") {
				s.reachable(dir, name)
			}
		}
		reached := map[string]bool{}
		var reach func(name string)
		reach = func(name string) {
			mentions, ok := declared[name]
			if !ok || reached[name] {
				return
			}
			reached[name] = true
			for _, m := range mentions {
				reach(m)
			}
			for method := range declared {
				if of, m, ok := strings.Cut(method, "."); ok && of == name && (s.interfaces[m] || standard[m] || s.selectedElsewhere(dir, m)) {
					reach(method)
				}
			}
		}
		for name := range s.used[dir] {
			reach(name)
		}
		for _, name := range slices.Sorted(maps.Keys(declared)) {
			total++
			if !reached[name] {
				names = append(names, dir+"."+name)
			}
		}
	}
	slices.Sort(names)
	return names, total
}

// standard are methods that interfaces of Go's own library call.
var standard = map[string]bool{
	"Error": true, "String": true, "Unwrap": true, "Is": true, "As": true, "MarshalJSON": true, "UnmarshalJSON": true, "ServeHTTP": true,
	"Read": true, "Write": true, "Close": true, "RoundTrip": true, "Len": true, "Less": true, "Swap": true, "Enabled": true, "Handle": true,
	"WithAttrs": true, "WithGroup": true, "LogValue": true, "Deadline": true, "Done": true, "Err": true, "Value": true, "UnmarshalText": true,
	"MarshalText": true, "UnmarshalYAML": true, "GoString": true, "Format": true, "Flush": true, "Header": true, "WriteHeader": true, "Invoke": true,
}

func (s *surface) selectedElsewhere(dir, name string) bool {
	for where, names := range s.selected {
		if where != dir && names[name] {
			return true
		}
	}
	return false
}
