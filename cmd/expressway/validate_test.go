package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/expressway-dev/expressway/internal/shared"
)

type configurationCase struct {
	Name, Expect, YAML string
	Line               int
	Words, Args        []string
	Env                map[string]string
	Latin1             bool
}

const okMachine = `{"StartAt":"Done","States":{"Done":{"Type":"Succeed"}}}`

// validateIn runs validate in a folder of its own, which has the state machine ok.
func validateIn(t *testing.T, c configurationCase) (code int, output string) {
	t.Helper()
	dir := t.TempDir()
	text := []byte(c.YAML)
	if c.Latin1 {
		text = text[:0]
		for _, r := range c.YAML {
			text = append(text, byte(r))
		}
	}
	for name, content := range map[string][]byte{"expressway.yaml": text, "statemachines/ok.asl.json": []byte(okMachine)} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	var out strings.Builder
	args := append([]string{"validate", "--config", "expressway.yaml"}, c.Args...)
	code = run(t.Context(), args, strings.NewReader(""), &out, &out, func(name string) string { return c.Env[name] })
	return code, out.String()
}

// Configurations from the field are refused at their line with words that help, or taken
// by reader and published schema alike.
func TestValidateFromTheField(t *testing.T) {
	var file struct{ Cases []configurationCase }
	if err := json.Unmarshal(shared.Read(t, "field", "config", "cases.json"), &file); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/expressway.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("the file has no cases")
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			code, out := validateIn(t, c)
			var value any
			schemaErr := yaml.Unmarshal([]byte(c.YAML), &value)
			if schemaErr == nil {
				schemaErr = schema.Validate(value)
			}
			switch c.Expect {
			case "accept":
				if code != 0 || schemaErr != nil {
					t.Errorf("exit %d, schema: %v\n%s", code, schemaErr, out)
				}
			case "agree":
				if (code == 0) != (schemaErr == nil) {
					t.Errorf("exit %d, schema: %v\n%s", code, schemaErr, out)
				}
			case "refuse":
				want := c.Words
				if c.Line > 0 {
					want = append(want, regexp.QuoteMeta("expressway.yaml:"+strconv.Itoa(c.Line)+":"))
				}
				for _, w := range want {
					if !regexp.MustCompile(w).MatchString(out) {
						t.Errorf("no match of %s in\n%s", w, out)
					}
				}
				if code != 1 {
					t.Errorf("exit %d, want 1", code)
				}
			default:
				t.Errorf("unknown expect %q", c.Expect)
			}
		})
	}
}

// A definition that waits makes a STANDARD state machine, which no route can wait for.
func TestValidateStandardMachineOfTheFolder(t *testing.T) {
	const routes = "version: 1\nroutes:\n  - {name: a, sqs: q, start: waits%s}\n"
	for mode, want := range map[string]struct {
		code int
		text string
	}{
		"":              {1, "expressway.yaml:3:"},
		", mode: async": {0, "are valid"},
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "statemachines"), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"expressway.yaml":              strings.Replace(routes, "%s", mode, 1),
			"statemachines/waits.asl.json": `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::sns:publish.waitForTaskToken","Parameters":{"TopicArn":"t","Message.$":"$$.Task.Token"},"End":true}}}`,
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Chdir(dir)
		var out strings.Builder
		code := run(t.Context(), []string{"validate"}, strings.NewReader(""), &out, &out, func(string) string { return "" })
		if code != want.code || !strings.Contains(out.String(), want.text) || code == 1 && !strings.Contains(out.String(), "is a STANDARD state machine, which StartSyncExecution refuses: write mode: async") {
			t.Errorf("mode %q: exit %d, want %d\n%s", mode, code, want.code, out.String())
		}
	}
}
