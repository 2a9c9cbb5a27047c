package imports

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	codeBlock  = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInSlugs = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// The links of documents lead to files and headings that exist.
func TestLinks(t *testing.T) {
	root := filepath.Join("..", "..")
	anchors := map[string]map[string]bool{}
	anchorsOf := func(file string) map[string]bool {
		if anchors[file] == nil {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			anchors[file] = map[string]bool{}
			for _, m := range heading.FindAllStringSubmatch(string(text), -1) {
				title := link.ReplaceAllString(strings.ReplaceAll(m[1], "[", ""), "")
				anchors[file][strings.ReplaceAll(notInSlugs.ReplaceAllString(strings.ToLower(title), ""), " ", "-")] = true
			}
		}
		return anchors[file]
	}
	checked := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(codeBlock.ReplaceAllString(string(text), ""), -1) {
			if strings.Contains(m[1], ":") {
				continue // another site
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), filepath.FromSlash(file))
			}
			checked++
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", path, m[1])
			} else if anchor != "" && filepath.Ext(target) == ".md" && !anchorsOf(target)[anchor] {
				t.Errorf("%s links to %s, a heading that does not exist", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 100 {
		t.Errorf("only %d links were checked", checked)
	}
}

var (
	qualified = regexp.MustCompile("`([a-z0-9]+)\\.([A-Z][A-Za-z0-9]*)")
	word      = regexp.MustCompile(`\b[A-Z][A-Za-z0-9]*\b`)
)

// The names of the project's packages that documents mention exist.
func TestNamedCodeExists(t *testing.T) {
	root := filepath.Join("..", "..")
	words := map[string]map[string]bool{} // by package
	type mention struct{ file, name, pkg string }
	var mentions []mention
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go" && filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if filepath.Ext(path) == ".md" {
			for _, m := range qualified.FindAllStringSubmatch(string(text), -1) {
				mentions = append(mentions, mention{path, m[2], m[1]})
			}
			return nil
		}
		pkg := filepath.Base(filepath.Dir(path))
		if words[pkg] == nil {
			words[pkg] = map[string]bool{}
		}
		for _, w := range word.FindAllString(string(text), -1) {
			words[pkg][w] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, m := range mentions {
		if words[m.pkg] == nil || filepath.Base(m.file) == "CHANGELOG.md" || m.name == "LoadDefaultConfig" {
			continue // a package of others, as is the SDK's config; or a name of its time
		}
		checked++
		if !words[m.pkg][m.name] {
			t.Errorf("%s mentions %s.%s, which does not exist", m.file, m.pkg, m.name)
		}
	}
	if checked < 20 {
		t.Errorf("only %d names were checked", checked)
	}
}
