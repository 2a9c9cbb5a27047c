package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/secrets"
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
				t.Fatalf("%s: want at least one whole example", file)
			}
			for _, b := range blocks {
				// The lines before the block keep the messages' lines those of the document.
				source := strings.Repeat("\n", strings.Count(text[:b[2]], "\n")) + text[b[2]:b[3]]
				if _, err := (config.Options{Getenv: getenv}).Parse(file, []byte(source)); err != nil {
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

// The table of variables names each member that an expression may use, and no other.
func TestDocumentedMembers(t *testing.T) {
	t.Parallel()
	text := readDoc(t, "docs/configuration.md")
	for _, variable := range []string{"request", "message", "context", "execution", "failure"} {
		row := regexp.MustCompile("(?m)^\\| `\\$" + variable + "` \\|[^|]*\\|(.*)\\|$").FindStringSubmatch(text)
		if row == nil {
			t.Errorf("no table has a row of $%s", variable)
			continue
		}
		documented := map[string]bool{}
		for _, m := range regexp.MustCompile("`([A-Za-z]+)`").FindAllStringSubmatch(regexp.MustCompile(`\([^)]*\)`).ReplaceAllString(row[1], ""), -1) {
			documented[m[1]] = true
		}
		delete(documented, "unwrap") // the key that makes $message.envelope
		for _, name := range config.MembersOf(variable) {
			if !documented[name] {
				t.Errorf("the row of $%s lacks %s", variable, name)
			}
			delete(documented, name)
		}
		for name := range documented {
			t.Errorf("$%s has no %s", variable, name)
		}
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
		t.Errorf("the table has provider %s, which does not exist", name)
	}
	all, experimental := len(verify.Providers()), 0
	for _, name := range verify.Providers() {
		if preset, _ := verify.Lookup(name); preset.Experimental {
			experimental++
		}
	}
	for file, count := range map[string]string{
		"README.md":    fmt.Sprintf("each of %d providers", all),
		"CHANGELOG.md": fmt.Sprintf("%d provider presets (%d of them experimental", all, experimental),
	} {
		if !strings.Contains(readDoc(t, file), count) {
			t.Errorf("%s does not say %q", file, count)
		}
	}
}

// The list at the top of docs/providers.md has a link to each provider's section.
func TestProvidersAreListed(t *testing.T) {
	t.Parallel()
	top, sections, _ := strings.Cut(readDoc(t, "docs/providers.md"), "\n## Table\n")
	_, sections, _ = strings.Cut(sections, "\n## Retries\n")
	sections, _, found := strings.Cut(sections, "\n## Secrets that are handed over\n")
	titles := regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(sections, -1)
	if !found || len(titles) < 100 {
		t.Fatalf("docs/providers.md has %d sections of providers, want one of each", len(titles))
	}
	for _, title := range titles {
		if !strings.Contains(top, "["+title[1]+"](#") {
			t.Errorf("the list at the top of docs/providers.md does not have %s", title[1])
		}
	}
}

// Every provider has a route to paste.
func TestEveryProviderHasAnExample(t *testing.T) {
	t.Parallel()
	text := readDoc(t, "docs/providers.md")
	for _, name := range verify.Providers() {
		if !regexp.MustCompile(`(?s)\n- URL: [^\n]+\n- Secret: [^\n]+\n- Signed: [^\n]+\n- Retries: [^\n]+\n- Handshake: [^\n]+\n- Pitfalls: [^\n]+\n\n` + "```yaml\nversion: 1\n[^`]*provider: " + name + "[,}]").MatchString(text) {
			t.Errorf("%s: no section with URL, secret, what is signed, retries, handshake, pitfalls and route", name)
		}
	}
}

// The route to paste of each provider accepts a delivery of its sender, with what the
// section says is its secret; where the keys are fetched, with a key in its place.
func TestPastedRoutesVerify(t *testing.T) {
	t.Parallel()
	blocks := yamlBlock.FindAllStringSubmatch(readDoc(t, "docs/providers.md"), -1)
	tried := map[string]bool{}
	for _, block := range blocks {
		getenv := func(name string) string { return map[string]string{"WEBHOOK_URL": "https://hooks.example.com"}[name] }
		cfg, err := config.Options{Getenv: getenv}.Parse("docs", []byte(regexp.MustCompile(`\$\{[A-Z_]+\}`).ReplaceAllString(block[1], "https://hooks.example.com")))
		if err != nil {
			t.Errorf("%v\n%s", err, block[1])
			continue
		}
		for _, r := range cfg.Routes {
			if r.HTTP == nil || r.HTTP.Verify.Provider == "" || tried[r.HTTP.Verify.Provider] {
				continue
			}
			spec := r.HTTP.Verify
			tried[spec.Provider] = true
			s, err := providertest.Signing(spec.Provider)
			if err != nil {
				t.Fatal(err)
			}
			if s.With != s.Secret && len(spec.Secrets) == 0 {
				spec.Secrets = []string{providertest.Reference}
			}
			s.Spec = spec
			v, err := verify.New(spec, secrets.NewSource(secrets.Options{Getenv: func(string) string { return s.Secret }}), verify.Options{Now: func() time.Time { return providertest.Now }})
			if spec.HandshakeStore != "" {
				continue // its secret is handed over first
			}
			if err != nil {
				t.Errorf("%s: %v", spec.Provider, err)
				continue
			}
			genuine, err := s.Request("/"+spec.Provider, providertest.Now)
			if err != nil {
				t.Errorf("%s: %v", spec.Provider, err)
				continue
			}
			if err := v.Verify(t.Context(), genuine); err != nil {
				t.Errorf("%s: %v", spec.Provider, err)
			}
		}
	}
	for _, name := range verify.Providers() {
		if !tried[name] {
			t.Errorf("%s: no route was tried", name)
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
