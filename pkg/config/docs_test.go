package config_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// yamlBlock is a fenced example that is a whole file, not a part of one.
var yamlBlock = regexp.MustCompile("(?s)```yaml\n(version: 1\n.*?)```")

// TestDocumentedConfigurations parses the whole examples of the documentation, so
// that what a reader pastes is what this version takes, and what editors take for right.
func TestDocumentedConfigurations(t *testing.T) {
	t.Parallel()
	getenv := func(name string) string {
		if strings.HasSuffix(name, "_URL") {
			return "https://sqs.us-east-1.amazonaws.com/123456789012/x"
		}
		return "x"
	}
	schema, err := jsonschema.NewCompiler().Compile("expressway.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"README.md", "docs/configuration.md", "docs/providers.md", "docs/resume.md"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			text := readDoc(t, file)
			blocks := yamlBlock.FindAllStringSubmatchIndex(text, -1)
			if len(blocks) == 0 {
				t.Fatalf("%s: got no whole example, want at least one", file)
			}
			for _, b := range blocks {
				// The lines before the block keep the messages' lines those of the document.
				source := strings.Repeat("\n", strings.Count(text[:b[2]], "\n")) + text[b[2]:b[3]]
				if _, err := config.Parse(file, []byte(source), getenv); err != nil {
					t.Errorf("got\n%v\nwant an example that parses", err)
				}
				var v any
				if err := yaml.Unmarshal([]byte(source), &v); err != nil {
					t.Error(err)
				} else if err := schema.Validate(v); err != nil {
					t.Errorf("line %d: %v", strings.Count(text[:b[2]], "\n"), err)
				}
			}
		})
	}
}

// providerRow is a row of the table of providers: name, then time in the third column.
var providerRow = regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)`(?: ²)? \\|[^|]*\\| ([0-9.]+m?s) \\|")

// TestDocumentedProviders compares the table of providers with the presets.
func TestDocumentedProviders(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, m := range providerRow.FindAllStringSubmatch(readDoc(t, "docs/providers.md"), -1) {
		got[m[1]] = m[2]
	}
	for _, name := range verify.Providers() {
		preset, _ := verify.Lookup(name)
		if want := preset.Deadline.String(); got[name] != want {
			t.Errorf("provider %s: got time %q in the table, want %q", name, got[name], want)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("the table has provider %s, want only those there are", name)
	}
}

// Every provider has a route to paste.
func TestEveryProviderHasAnExample(t *testing.T) {
	t.Parallel()
	text := readDoc(t, "docs/providers.md")
	for _, name := range verify.Providers() {
		if !regexp.MustCompile(`(?s)\n- URL: [^\n]+\n- Secret: [^\n]+\n\n` + "```yaml\nversion: 1\n[^`]*provider: " + name + "[,}]").MatchString(text) {
			t.Errorf("%s: no section with URL, secret and route", name)
		}
	}
}

func readDoc(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
