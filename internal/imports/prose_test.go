package imports

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// faults are wordings that a native writer would not use, and what to write instead. The
// list only has what a pattern can find; the rest is up to the reader.
var faults = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\b(?:[Ii]s|[Aa]re|was|were|be|been|being) no ([a-zA-Z]+)`), `"is not a name", "is not JSON", "are not numbers", "cannot be part of"`},
	{regexp.MustCompile(`\b[Gg]o(?:es)? before\b`), `"precedes", "takes precedence over"`},
	{regexp.MustCompile(`\b[Bb]esides\b`), `"in addition to", "also has"`},
	{regexp.MustCompile(`\bbef[ae]ll`), `"happens to", "affects"`},
	{regexp.MustCompile(`\b(?:stands? in for|as they stand)\b`), `"replaces", "is a fake of", "unchanged"`},
	{regexp.MustCompile(`\b[Tt]ells? the history\b`), `"adds to the history"`},
	{regexp.MustCompile(`\bcounts? (?:where|only where)\b`), `"is used if"`},
	{regexp.MustCompile(`\bhangs? on the\b`), `"depends on the"`},
	{regexp.MustCompile(`\bso that nobody\b`), `"so that it cannot", "so that ... is not"`},
	{regexp.MustCompile(`\bwhat is (?:not|no) [a-z]+ is\b`), `"anything that is not ... is", "a value that is not ... is"`},
	{regexp.MustCompile(`\bfor ever\b`), `"forever"`},
	{regexp.MustCompile(`\b(?:has|have) not (?:all|any)\b`), `"lacks some", "has none"`},
	{regexp.MustCompile(`\bis no \*`), `"is not a *"`},
	{regexp.MustCompile(`\bsigns? otherwise\b`), `"signs differently"`},
	{regexp.MustCompile(`\b(?:sent|comes?|came) along\b`), `"is sent with"`},
	{regexp.MustCompile(`(?:%d|[0-9]) at least\b`), `"at least 3"`},
	{regexp.MustCompile(`\bwaits? still\b`), `"is still waiting"`},
	{regexp.MustCompile(`\b(?:is|are) there twice\b`), `"occurs twice"`},
	{regexp.MustCompile(`\b[Ee]xcludes? each other\b`), `"cannot be combined"`},
	{regexp.MustCompile(`\bnobody knows\b`), `"is not known"`},
	{regexp.MustCompile(`\b(?:set-up request|[Rr]oll-back|[Ll]ook-ups?|[Tt]ime-outs?)\b`), `"setup request", "rollback", "lookup", "timeout"`},
	{regexp.MustCompile(`\b[Gg]o(?:es)? on\b`), `"continues", "keeps waiting"`},
	{regexp.MustCompile(`\bwhat bec[ao]mes? of\b`), `"what happens to"`},
	{regexp.MustCompile(`\b(?:comes?|came) again\b`), `"is delivered again", "retries"`},
	{regexp.MustCompile(`\banew\b`), `"again", "new"`},
	{regexp.MustCompile(`\bnobody knows\b`), `"it is unknown"`},
	{regexp.MustCompile(`\bstands? (?:before|behind|between|under|to the)\b`), `"precedes", "is in front of", "is between"`},
	{regexp.MustCompile(`\b[Hh]ears?\b`), `"is notified of", "learns"`},
	{regexp.MustCompile(`\bof one's own\b`), `"of your own"`},
	{regexp.MustCompile(`\blife[ -]cycles?\b`), `"lifecycle"`},
	{regexp.MustCompile(`[a-z], for (?:it|they|there|nobody|whoever|elsewhere|then|what was) `), `"because"`},
}

// fine follow "is no" in good English.
var fine = []string{
	"better", "doubt", "earlier", "fewer", "good", "greater", "larger", "later", "less", "longer", "more", "one", "other",
	"shorter", "smaller", "such", "sooner", "use", "way", "worse",
}

// foreign are texts of AWS, which are quoted as they are.
var foreignTexts = []string{}

// TestProse finds mechanical faults in the project's comments, messages and documents.
func TestProse(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "bin" || name == "dist" && path == filepath.Join(root, "dist")) {
				return filepath.SkipDir
			}
			return nil
		}
		if name == "THIRD_PARTY_NOTICES.md" || path == filepath.Join(root, "internal", "imports", "prose_test.go") {
			return nil
		}
		switch filepath.Ext(name) {
		case ".go":
			checkGo(t, path)
		case ".md", ".txtar", ".yaml", ".html", ".ts", ".tf", ".py":
			checkText(t, path)
		default:
			return nil
		}
		files++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 500 {
		t.Errorf("only %d files were read", files)
	}
}

// checkGo checks the comments and the strings of a Go file.
func checkGo(t *testing.T, path string) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Error(err)
		return
	}
	for _, group := range file.Comments {
		checkProse(t, path, set.Position(group.Pos()).Line, group.Text())
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				checkProse(t, path, set.Position(lit.Pos()).Line, text)
			}
		}
		return true
	})
}

// checkText checks the paragraphs of a document.
func checkText(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	line := 1
	for paragraph := range strings.SplitSeq(string(text), "\n\n") {
		checkProse(t, path, line, paragraph)
		line += strings.Count(paragraph, "\n") + 2
	}
}

// checkProse reports the faults in a text, which may be broken into lines.
func checkProse(t *testing.T, path string, line int, text string) {
	text = strings.Join(strings.Fields(text), " ")
	for _, known := range foreignTexts {
		text = strings.ReplaceAll(text, known, "")
	}
	for _, fault := range faults {
		for _, at := range fault.pattern.FindAllStringSubmatchIndex(text, -1) {
			if len(at) > 2 {
				before := strings.TrimRight(text[:at[0]], " ")
				if slices.Contains(fine, text[at[2]:at[3]]) || strings.HasSuffix(strings.ToLower(before), "there") {
					continue
				}
			}
			t.Errorf("%s:%d: %q; write %s", path, line, text[at[0]:at[1]], fault.instead)
		}
	}
}
