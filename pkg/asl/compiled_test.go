package asl

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A field that is accepted but not compiled would be ignored: without it, each object of the
// definitions, states and others, is compiled into something else or is refused.
func TestEveryFieldIsCompiled(t *testing.T) {
	t.Parallel()
	matters := map[string]bool{}
	for _, text := range wholes {
		var root map[string]any
		if err := json.Unmarshal([]byte(text), &root); err != nil {
			t.Fatal(err)
		}
		whole, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		eachObject(root, "", false, func(name string, isJSONata bool, o map[string]any) {
			for _, field := range slices.Collect(maps.Keys(o)) {
				value := o[field]
				delete(o, field)
				without, err := json.Marshal(root)
				if err != nil {
					t.Fatal(err)
				}
				o[field] = value
				key := fmt.Sprintf("%s.%s, JSONata %t", name, field, isJSONata)
				matters[key] = matters[key] || changed(whole, without)
			}
		})
	}
	for _, key := range slices.Sorted(maps.Keys(matters)) {
		// A state with QueryLanguage is in definitions of the same language, too.
		if !matters[key] && !slices.Contains(idle, key) && !strings.Contains(key, ".Comment, ") && !strings.Contains(key, ".QueryLanguage, ") {
			t.Errorf("%s is accepted, but compile_state.go and the files next to it do not read it", key)
		}
	}
}

// idle are fields whose value in the definitions is the default.
var idle = []string{
	"ItemProcessor.ProcessorConfig, JSONata false", "ProcessorConfig.Mode, JSONata false", // INLINE
	"ResultWriter.WriterConfig, JSONata false", "WriterConfig.OutputType, JSONata false", "WriterConfig.Transformation, JSONata false",
	".Version, JSONata false", // there is only one
}

// changed reports whether a definition is refused, or is compiled into another machine.
func changed(m *Machine, text []byte) bool {
	other, err := Parse(text)
	return err != nil || !cmp.Equal(m, other,
		cmp.Exporter(func(reflect.Type) bool { return true }),
		cmp.Comparer(func(a, b *jsonata.Expr) bool { return a == b || a != nil && b != nil && a.String() == b.String() }),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type().Kind() == reflect.Func }, cmp.Ignore()))
}

// eachObject calls f with each object below v, the type of state or the field that it is,
// and whether its query language is JSONata.
func eachObject(v any, name string, isJSONata bool, f func(name string, isJSONata bool, o map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		if language, given := v["QueryLanguage"]; given {
			isJSONata = language == languageJSONata
		}
		if kind, ok := v["Type"].(string); ok {
			name = kind
		}
		f(name, isJSONata, v)
		for field, member := range v {
			eachObject(member, field, isJSONata, f)
		}
	case []any:
		for _, item := range v {
			eachObject(item, name, isJSONata, f)
		}
	}
}

// A field that is compiled but not read again would be ignored too.
func TestEveryCompiledFieldIsRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fields, read := map[string]string{}, map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "validate") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				made, ok := n.Type.(*ast.StructType)
				if !ok || name != "state.go" {
					return true
				}
				for _, field := range made.Fields.List {
					for _, id := range field.Names {
						fields[id.Name] = n.Name.Name
					}
				}
			case *ast.SelectorExpr:
				read[n.Sel.Name] = read[n.Sel.Name] || !strings.HasPrefix(name, "compile")
			}
			return true
		})
	}
	for field, of := range fields {
		if !read[field] {
			t.Errorf("%s.%s is compiled, but nothing that runs a state reads it", of, field)
		}
	}
	if fields["toleratedPercent"] != "state" || fields["maxDelay"] != "retrier" {
		t.Errorf("the structs of compiled states are not in state.go, but only %v", fields)
	}
}
