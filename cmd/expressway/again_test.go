package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
)

// TestInitKeepsFiles never overwrites.
func TestInitKeepsFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("env.json", []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "init")
	if read(t, "env.json") != "{}" {
		t.Error("env.json was overwritten")
	}
}

// TestInitKeepsRoutes writes nothing into a stack that has routes, whatever the logical ids
// of its functions are.
func TestInitKeepsRoutes(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(shared.Path(t, "own-stack", "mistakes", "good"))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	before := read(t, "template.yaml")
	var out strings.Builder
	if code := run(t.Context(), []string{"init", "--write", "--provider", "github"}, nil, &out, &out, noEnvironment); code != 1 || !strings.Contains(out.String(), "expressway/expressway.yaml already exists") {
		t.Errorf("exit %d, want 1 and that expressway.yaml already exists: %s", code, out.String())
	}
	if tool(t, "init", "--write", "--provider", "stripe", "--from", "http,sqs,eventbridge") != "" {
		t.Error("init wrote something although all routes exist")
	}
	if read(t, "template.yaml") != before {
		t.Error("the template was changed")
	}
	if _, err := os.Stat("env.json"); err == nil {
		t.Error("env.json was written")
	}
}

// initAgain runs init a second time: it succeeds and writes nothing. With another provider it
// is refused, because nothing that exists is overwritten.
func initAgain(t *testing.T, args ...string) {
	t.Helper()
	before := contents(t)
	for _, test := range []struct {
		more string
		code int
		want string
	}{
		{"", 0, "there is nothing to add"},
		{"paddle", 1, "--provider paddle: "},
	} {
		args := append([]string{"init"}, args...)
		if test.more != "" {
			args = append(args, "--from", "http", "--provider", test.more)
		}
		var out strings.Builder
		if code := run(t.Context(), args, nil, &out, &out, noEnvironment); code != test.code || !strings.Contains(out.String(), test.want) {
			t.Errorf("%v again: got exit %d and %s, want exit %d and %q", args, code, out.String(), test.code, test.want)
		}
	}
	if diff := cmp.Diff(before, contents(t)); diff != "" {
		t.Errorf("init again changed files (-before +after):\n%s", diff)
	}
}

// contents returns the files of the working directory.
func contents(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && filepath.Ext(path) != ".zip" {
			out[path] = read(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
