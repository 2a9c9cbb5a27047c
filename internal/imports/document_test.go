package imports

import (
	"flag"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the picture and the index of docs/architecture.md")

var architecture = filepath.Join("..", "..", "docs", "architecture.md")

// rewrite replaces what is between two lines of docs/architecture.md, or reports that
// it is not what it should be.
func rewrite(t *testing.T, begin, end, want string) {
	t.Helper()
	text, err := os.ReadFile(architecture)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin+"\n")
	got, after, closed := strings.Cut(rest, end)
	switch {
	case !found || !closed:
		t.Fatalf("%s has no %q and %q", architecture, begin, end)
	case got == want:
	case *update:
		if err := os.WriteFile(architecture, []byte(before+begin+"\n"+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not up to date: go test ./internal/imports -update\n got\n%s\nwant\n%s", architecture, got, want)
	}
}

// The picture of the packages has the imports that there are, less those that follow from
// others. Packages below another are drawn as one with it, except asl/tasks.
func TestPicture(t *testing.T) {
	edges := packageImports(t)
	var b strings.Builder
	b.WriteString("graph TD\n")
	for _, from := range slices.Sorted(maps.Keys(edges)) {
		for _, to := range slices.Sorted(maps.Keys(edges[from])) {
			if !follows(edges, from, to) {
				b.WriteString("    " + from + " --> " + to + "\n")
			}
		}
	}
	rewrite(t, "```mermaid", "```", b.String())
}

// follows reports whether to is reached from from by way of another package.
func follows(edges map[string]map[string]bool, from, to string) bool {
	for by := range edges[from] {
		if by != to && reaches(edges, by, to, map[string]bool{}) {
			return true
		}
	}
	return false
}

func reaches(edges map[string]map[string]bool, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	seen[from] = true
	for next := range edges[from] {
		if !seen[next] && reaches(edges, next, to, seen) {
			return true
		}
	}
	return false
}

func packageImports(t *testing.T) map[string]map[string]bool {
	t.Helper()
	edges := map[string]map[string]bool{}
	root := filepath.Join("..", "..")
	visit := func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		from := drawn(filepath.ToSlash(rel))
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil || from == "" {
			return err
		}
		for _, imp := range file.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			inside, ours := strings.CutPrefix(path, module)
			to := drawn(inside)
			if !ours || to == "" || to == from {
				continue
			}
			if edges[from] == nil {
				edges[from] = map[string]bool{}
			}
			edges[from][to] = true
		}
		return nil
	}
	for _, folder := range []string{"cmd", "functions", "pkg"} {
		if err := filepath.WalkDir(filepath.Join(root, folder), visit); err != nil {
			t.Fatal(err)
		}
	}
	return edges
}

// drawn is the name of a package in the picture; empty for those that are not drawn.
func drawn(path string) string {
	parts := strings.Split(path, "/")
	switch {
	case strings.HasPrefix(path, "pkg/asl/tasks"):
		return "asl/tasks"
	case strings.HasPrefix(path, "pkg/bridge/bridgetest"), parts[0] == "internal", len(parts) < 2:
		return ""
	case parts[0] == "pkg":
		return parts[1]
	}
	return parts[0]
}

// The document names the libraries of internal that are linked into functions.
func TestLinkedLibraries(t *testing.T) {
	linked := map[string]bool{}
	var visit func(folder string)
	visit = func(folder string) {
		if linked[folder] {
			return
		}
		linked[folder] = true
		files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(folder), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, imp := range file.Imports {
				path, _ := strconv.Unquote(imp.Path.Value)
				if inside, ours := strings.CutPrefix(path, module); ours {
					visit(inside)
				}
			}
		}
	}
	for _, function := range []string{"webhook", "queue", "event", "layer"} {
		visit("functions/" + function)
	}
	var want []string
	for _, folder := range slices.Sorted(maps.Keys(linked)) {
		if name, internal := strings.CutPrefix(folder, "internal/"); internal {
			want = append(want, "`"+name+"`")
		}
	}
	text, err := os.ReadFile(architecture)
	if err != nil {
		t.Fatal(err)
	}
	if list := "(" + strings.Join(want, ", ") + ")"; !strings.Contains(strings.Join(strings.Fields(string(text)), " "), list) {
		t.Errorf("docs/architecture.md does not say which libraries are linked into functions: %s", list)
	}
}

var (
	adrTitle = regexp.MustCompile(`^# (\d+)\. ([^\n]+)\n`)
	adrRow   = regexp.MustCompile(`(?m)^\| \[(\d+)\]\([^)]*\) \|[^|]*\| ([^|]*) \|$`)
)

// The index of decisions lists each of them; what is written under status stays.
func TestIndexOfDecisions(t *testing.T) {
	text, err := os.ReadFile(architecture)
	if err != nil {
		t.Fatal(err)
	}
	status := map[string]string{}
	for _, m := range adrRow.FindAllStringSubmatch(string(text), -1) {
		status[m[1]] = m[2]
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "adr", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := "| --- | --- | --- |\n"
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := adrTitle.FindStringSubmatch(string(text))
		if m == nil {
			t.Errorf("%s does not begin with its number and title", file)
			continue
		}
		state := status[m[1]]
		if state == "" {
			state = "in force"
		}
		rows += "| [" + m[1] + "](adr/" + filepath.Base(file) + ") | " + m[2] + " | " + state + " |\n"
	}
	rewrite(t, "| ADR | decision | status |", "\n## Adding", rows)
}

var (
	codeFile  = regexp.MustCompile("`((?:pkg|internal|cmd|functions|docs)/[A-Za-z0-9_./*-]+)`")
	shortFile = regexp.MustCompile("`([a-z0-9_*]+\\.go)`")
)

// Files and packages that the document names exist. A file without a folder is in a folder
// that the same section names.
func TestNamedFilesExist(t *testing.T) {
	text, err := os.ReadFile(architecture)
	if err != nil {
		t.Fatal(err)
	}
	exists := func(elem ...string) bool {
		found, err := filepath.Glob(filepath.Join("..", "..", filepath.Join(elem...)))
		return err == nil && len(found) > 0
	}
	for section := range strings.SplitSeq(string(text), "\n## ") {
		folders := []string{}
		for _, m := range codeFile.FindAllStringSubmatch(section, -1) {
			name := filepath.FromSlash(m[1])
			if !exists(name) {
				t.Errorf("docs/architecture.md names %s, which does not exist", m[1])
			}
			folders = append(folders, name, filepath.Dir(name))
		}
		for _, m := range shortFile.FindAllStringSubmatch(section, -1) {
			if !slices.ContainsFunc(folders, func(folder string) bool { return exists(folder, m[1]) }) {
				t.Errorf("docs/architecture.md names %s, which is in none of the folders of its section", m[1])
			}
		}
	}
}
