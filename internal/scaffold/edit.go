package scaffold

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/template"
)

// errFlow refuses to add to a collection in flow style, because that would change
// existing lines.
var errFlow = errors.New("is written in braces or brackets, so nothing can be added to it without changing its lines")

// An addition holds lines to insert between the existing lines of a file.
type addition struct {
	after  int // the line after which it is inserted; 0 for the top
	indent int
	lines  []string
	member []string // the path of the first member that it adds; nil if it adds an item to a list
}

// A document is a YAML file to which lines are added, without changing any.
type document struct {
	file      string
	lines     []string // without their line breaks
	newline   string   // the line break: "\r\n" if all lines of the file end with it
	tail      string   // the blank lines at the file's end
	root      *template.Node
	additions []addition
}

func newDocument(file, source string) (*document, error) {
	root, err := template.Parse(file, []byte(source))
	if err != nil {
		return nil, err
	}
	if root.Kind != template.Map || strings.HasPrefix(strings.TrimSpace(source), "{") {
		return nil, fmt.Errorf("%s is not a YAML mapping: lines can only be added to YAML, not to JSON", file)
	}
	d := &document{file: file, newline: "\n", root: root}
	if n := strings.Count(source, "\r\n"); n > 0 && n == strings.Count(source, "\n") {
		d.newline = "\r\n"
	}
	body := strings.TrimRight(source, "\r\n")
	d.tail = cmp.Or(source[len(body):], d.newline)
	d.lines = strings.Split(body, d.newline)
	return d, nil
}

// add puts a block below a path of keys: members of a mapping, or items of a list.
// Missing keys of the path are created.
func (d *document) add(path []string, block string) error {
	n, depth := d.root, 0
	for depth < len(path) {
		m := n.Member(path[depth])
		if m == nil {
			break
		}
		n = m.Value
		depth++
	}
	if n.Kind == template.Null && depth > 0 {
		return fmt.Errorf("%s:%d: %s is empty: remove the key, or give it a value", d.file, n.Pos.Line, path[depth-1])
	}
	first := firstPos(n)
	if first.Line == 0 || first.Line > len(d.lines) || n.Kind != template.Map && n.Kind != template.List || d.flow(n, first) {
		return fmt.Errorf("%s:%d: %s %w", d.file, n.Pos.Line, strings.Join(path[:depth], "."), errFlow)
	}
	indent := first.Column - 1
	if n.Kind == template.List {
		indent = d.dash(first)
	}
	a := addition{after: d.end(first, n.Kind == template.List), indent: indent}
	var lines []string
	for _, key := range path[depth:] {
		lines = append(lines, strings.Repeat(" ", indent)+key+":")
		indent += 2
	}
	for line := range strings.SplitSeq(strings.TrimRight(block, "\n"), "\n") {
		if line != "" {
			line = strings.Repeat(" ", indent) + line
		}
		lines = append(lines, line)
	}
	a.lines = lines
	a.member = firstMember(path, block)
	d.additions = append(d.additions, a)
	// Additions to a block that ends at this line precede those that begin a new block
	// after it.
	slices.SortStableFunc(d.additions, func(a, b addition) int {
		return cmp.Or(cmp.Compare(a.after, b.after), cmp.Compare(b.indent, a.indent))
	})
	return nil
}

// firstMember returns the path of the first member of a block, or nil if it holds items.
func firstMember(path []string, block string) []string {
	for line := range strings.SplitSeq(block, "\n") {
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		key, _, ok := strings.Cut(text, ":")
		if !ok || strings.HasPrefix(text, "-") {
			return nil
		}
		return append(slices.Clone(path), key)
	}
	return nil
}

// firstPos returns the position of the first member or item of a collection.
func firstPos(n *template.Node) template.Pos {
	switch {
	case n.Kind == template.Map && len(n.Members) > 0:
		return n.Members[0].Key
	case n.Kind == template.List && len(n.Items) > 0:
		return n.Items[0].Pos
	}
	return template.Pos{}
}

// flow reports whether a collection is in braces or brackets. Otherwise, only spaces
// precede its first member or the dash of its first item.
func (d *document) flow(n *template.Node, first template.Pos) bool {
	before := strings.TrimLeft(d.lines[first.Line-1][:min(first.Column-1, len(d.lines[first.Line-1]))], " ")
	if n.Kind == template.Map {
		return strings.Trim(before, "- ") != ""
	}
	return !strings.HasPrefix(before, "-")
}

// dash returns the column of the dash before an item, counted from 0.
func (d *document) dash(first template.Pos) int {
	return strings.LastIndexByte(d.lines[first.Line-1][:first.Column-1], '-')
}

// end returns the last line of a block: before the next line that is indented less. Blank
// lines and comments at the end belong to what follows, except for a comment that follows
// directly and is indented like the contents of the last member or item.
func (d *document) end(first template.Pos, list bool) int {
	indent := first.Column - 1
	if list {
		indent = d.dash(first)
	}
	last := first.Line
	for i := first.Line; i < len(d.lines); i++ {
		text := strings.TrimLeft(d.lines[i], " ")
		own := len(d.lines[i]) - len(text)
		if text == "" || strings.HasPrefix(text, "#") {
			if text != "" && own > indent && last == i {
				last = i + 1
			}
			continue
		}
		if own < indent || list && own == indent && !strings.HasPrefix(text, "-") {
			break
		}
		last = i + 1
	}
	return last
}

// String returns the file with its additions.
func (d *document) String() string {
	var out []string
	for i := 0; i <= len(d.lines); i++ {
		if i > 0 {
			out = append(out, d.lines[i-1])
		}
		for _, a := range d.additions {
			if a.after == i {
				out = append(out, a.lines...)
			}
		}
	}
	return strings.Join(out, d.newline) + d.tail
}

// check parses the result, and checks that everything that existed is still there,
// unchanged.
func (d *document) check() error {
	root, err := template.Parse(d.file, []byte(d.String()))
	if err != nil {
		return fmt.Errorf("the result could not be parsed, so nothing was written: %w", err)
	}
	if path := lost(d.root, root, ""); path != "" {
		return fmt.Errorf("%s: adding to it would change %s, so nothing was written", d.file, path)
	}
	for _, a := range d.additions {
		if a.member != nil && root.Get(a.member...) == nil {
			return fmt.Errorf("%s: %s could not be added in its place, so nothing was written", d.file, strings.Join(a.member, "."))
		}
	}
	return nil
}

// lost returns the path of something in one tree that another tree lacks.
func lost(a, b *template.Node, path string) string {
	if b == nil || a.Kind != b.Kind || a.Text != b.Text || len(a.Items) > len(b.Items) {
		return path
	}
	for i, item := range a.Items {
		if p := lost(item, b.Items[i], fmt.Sprintf("%s[%d]", path, i)); p != "" {
			return p
		}
	}
	for _, m := range a.Members {
		if p := lost(m.Value, b.Get(m.Name), path+"."+m.Name); p != "" {
			return p
		}
	}
	return ""
}

// diff shows the additions as a unified diff.
func (d *document) diff() string {
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", d.file, d.file)
	shift := 0
	for i := 0; i <= len(d.lines); i++ {
		for _, a := range d.additions {
			if a.after != i {
				continue
			}
			fmt.Fprintf(&b, "@@ -%d,0 +%d,%d @@\n", i, i+shift+1, len(a.lines))
			for _, line := range a.lines {
				b.WriteString("+" + line + "\n")
			}
			shift += len(a.lines)
		}
	}
	return b.String()
}
