// Package scaffold writes what a folder lacks for its routes: the configuration, the
// template's resources, samples and settings for a laptop. It adds files and lines, and
// does not change existing lines.
package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A File is a file that does not exist yet.
type File struct {
	Path string // relative to the folder
	Data []byte
}

// Changes are the changes to a folder.
type Changes struct {
	Dir   string
	Files []File
	// Notes say what remains to be done.
	Notes []string

	edits []*document
	json  []replacement
}

// A replacement is a JSON file to which members are added.
type replacement struct{ file, before, after string }

func (c *Changes) file(path, text string) { c.Files = append(c.Files, File{path, []byte(text)}) }

func (c *Changes) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

// Edits reports whether lines are added to existing files.
func (c *Changes) Edits() bool { return len(c.edits) > 0 }

// Empty reports whether nothing would be written.
func (c *Changes) Empty() bool {
	for _, d := range c.edits {
		if len(d.additions) > 0 {
			return false
		}
	}
	return len(c.Files) == 0
}

// Names returns the files that are written, edited ones first.
func (c *Changes) Names() []string {
	var out []string
	for _, d := range c.edits {
		if len(d.additions) > 0 {
			out = append(out, d.file+" (added to)")
		}
	}
	for _, r := range c.json {
		if r.before != r.after {
			out = append(out, r.file+" (added to)")
		}
	}
	for _, f := range c.Files {
		out = append(out, f.Path)
	}
	return out
}

// Diff shows all changes. Binary files are only named.
func (c *Changes) Diff() string {
	var b strings.Builder
	for _, d := range c.edits {
		if len(d.additions) > 0 {
			b.WriteString(d.diff())
		}
	}
	for _, r := range c.json {
		if r.before != r.after {
			b.WriteString(lineDiff(r))
		}
	}
	for _, f := range c.Files {
		if strings.ContainsRune(string(f.Data), 0) {
			fmt.Fprintf(&b, "--- /dev/null\n+++ %s\n(%d bytes)\n", f.Path, len(f.Data))
			continue
		}
		lines := strings.Split(strings.TrimRight(string(f.Data), "\n"), "\n")
		fmt.Fprintf(&b, "--- /dev/null\n+++ %s\n@@ -0,0 +1,%d @@\n", f.Path, len(lines))
		for _, line := range lines {
			b.WriteString("+" + line + "\n")
		}
	}
	return b.String()
}

// lineDiff shows the lines of a replacement that differ; there are as many before as
// after.
func lineDiff(r replacement) string {
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", r.file, r.file)
	before, after := strings.Split(r.before, "\n"), strings.Split(r.after, "\n")
	for i, line := range before {
		if line != after[i] {
			fmt.Fprintf(&b, "@@ -%d +%d @@\n-%s\n+%s\n", i+1, i+1, line, after[i])
		}
	}
	return b.String()
}

// skipExisting leaves out existing files, which are never overwritten.
func (c *Changes) skipExisting() error {
	var missing []File
	for _, f := range c.Files {
		_, err := os.Lstat(filepath.Join(c.Dir, f.Path))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, f)
		case err != nil:
			return err
		default:
			c.note("%s already exists and was not changed", f.Path)
		}
	}
	c.Files = missing
	return nil
}

// Write adds what is missing. It writes nothing if any edit would change something that
// exists.
func (c *Changes) Write() error {
	for _, d := range c.edits {
		if err := d.check(); err != nil {
			return err
		}
	}
	for _, f := range c.Files {
		path := filepath.Join(c.Dir, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // a project's folder
			return err
		}
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s: %w", path, fs.ErrExist)
		}
		if err := whole(path, f.Data, 0o644); err != nil {
			return err
		}
	}
	for _, d := range c.edits {
		if len(d.additions) == 0 {
			continue
		}
		if err := replace(d.file, d.String()); err != nil {
			return err
		}
	}
	for _, r := range c.json {
		if err := replace(r.file, r.after); err != nil {
			return err
		}
	}
	return nil
}

// replace rewrites an existing file. If it is a symbolic link, the file that it points
// to is replaced.
func replace(path, text string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return whole(path, []byte(text), info.Mode().Perm())
}

// whole writes a file completely or not at all, because a partial file would look like one
// written by hand.
func whole(path string, data []byte, mode fs.FileMode) error {
	temporary := path + ".expressway"
	err := os.WriteFile(temporary, data, mode)
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		_ = os.Remove(temporary)
	}
	return err
}
