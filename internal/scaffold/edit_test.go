package scaffold

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAddKeepsLines adds to files of all kinds, and expects every existing line to be
// unchanged.
func TestAddKeepsLines(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ source, want string }{
		"a comment within the last item":   {"routes:\n  - name: a\n    x: 1\n    # of a\n", "routes:\n  - name: a\n    x: 1\n    # of a\n  - name: b\n"},
		"a comment on the next key":        {"routes:\n  - name: a\n# of the end\nend: 1\n", "routes:\n  - name: a\n  - name: b\n# of the end\nend: 1\n"},
		"a comment after a blank line":     {"routes:\n  - name: a\n\n    # alone\n", "routes:\n  - name: a\n  - name: b\n\n    # alone\n"},
		"a comment beside the items":       {"routes:\n  - name: a\n  # - name: old\n", "routes:\n  - name: a\n  - name: b\n  # - name: old\n"},
		"Windows line endings":             {"routes:\r\n  - name: a\r\n    x: 1\r\n", "routes:\r\n  - name: a\r\n    x: 1\r\n  - name: b\r\n"},
		"mixed line endings":               {"routes:\r\n  - name: a\n    x: 1\r\n", "routes:\r\n  - name: a\n    x: 1\n  - name: b\r\n"},
		"blank lines at the end":           {"routes:\n  - name: a\n\n\n", "routes:\n  - name: a\n  - name: b\n\n\n"},
		"no final line ending":             {"routes:\n  - name: a", "routes:\n  - name: a\n  - name: b\n"},
		"items without indentation":        {"routes:\n- name: a\n  x: 1\nend: 1\n", "routes:\n- name: a\n  x: 1\n- name: b\nend: 1\n"},
		"a multi-line string":              {"routes:\n  - name: a\n    x: |\n      # not a comment\n\n      text\n", "routes:\n  - name: a\n    x: |\n      # not a comment\n\n      text\n  - name: b\n"},
		"a document marker before the end": {"---\nroutes:\n  - name: a\n", "---\nroutes:\n  - name: a\n  - name: b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := newDocument("f.yaml", test.source)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.add([]string{"routes"}, "- name: b"); err != nil {
				t.Fatal(err)
			}
			if err := d.check(); err != nil {
				t.Fatal(err)
			}
			if got := d.String(); got != test.want {
				t.Errorf("got\n%q, want\n%q", got, test.want)
			}
		})
	}
}

// TestWriteWhole replaces what a link points to, and leaves nothing behind if it cannot
// write.
func TestWriteWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "link.yaml")
	if err := os.WriteFile(real, []byte("routes:\n  - name: a\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.yaml", link); err != nil {
		t.Skip(err)
	}
	if err := replace(link, "new"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	if text, err := os.ReadFile(real); err != nil || string(text) != "new" {
		t.Errorf("%q, %v", text, err)
	}
	if info, err := os.Stat(real); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}

	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := whole(filepath.Join(dir, "taken"), []byte("x"), 0o600); err == nil {
		t.Error("a folder was replaced")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".expressway") {
			t.Errorf("%s is left behind", e.Name())
		}
	}
}
