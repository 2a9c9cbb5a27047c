package config

import (
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A Problem is one mistake in a file.
type Problem struct {
	File         string
	Line, Column int // from 1
	Message      string
}

func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// An Error holds all mistakes in a file, in the order of the file.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// maxFile bounds the size of the file, and thus the work of the YAML parser.
const maxFile = 1 << 20

// A document reads YAML nodes and collects problems with their positions.
type document struct {
	file     string
	source   string
	getenv   func(string) string
	problems []finding
	// only is the source of the routes to keep; empty keeps all.
	only Source
	// secrets means that secrets in environment variables must be set.
	secrets bool
	// foreign is set while a route of another function is read: its variables need not be
	// set here, and values that depend on them are not checked.
	foreign bool
	// unset holds the texts with a variable that is not set.
	unset map[ast.Node]bool
	// items are the routes, to be parsed one by one; nil if the whole file was parsed.
	items   []splitItem
	line    int              // number of lines before the text that is being read
	unsplit bool             // the file must be parsed whole
	origin  *bridge.Origin   // of every expression
	checker *jsonata.Checker // a checker with the same options
	// withheld is set while a route with includedData: metadata is read.
	withheld bool
	jsonata  jsonata.Options  // in addition to the dialect
	schemes  []*verify.Custom // in addition to the presets
	places   keyNodes         // of the verify block that is being read
	anyone   bool             // the verify block that was read may have any provider
	route    ast.Node         // that is being read

	spareKeys   []string // see take
	spareValues []*bridge.Template
}

// A finding is a problem and the value that it is about; nil if that is not known.
type finding struct {
	Problem
	about ast.Node
}

func (d *document) addAt(line, column int, format string, args ...any) {
	d.problems = append(d.problems, finding{Problem{d.file, line, column, fmt.Sprintf(format, args...)}, nil})
}

func (d *document) add(n ast.Node, format string, args ...any) {
	if d.unread(n) {
		return
	}
	line, column := d.place(n)
	d.addAt(line, column, format, args...)
	if n != d.route { // a key that a route lacks is missing whatever its variables hold
		d.problems[len(d.problems)-1].about = n
	}
}

// unread reports whether n has a variable that only another function needs.
func (d *document) unread(n ast.Node) bool { return d.foreign && hasVariable(n) }

// unknown reports whether the value of a key that has been read depends on a variable that
// is not set or that only another function needs. It is then unknown what other keys may hold.
func (d *document) unknown(n ast.Node) bool { return n != nil && (d.hasUnset(n) || d.unread(n)) }

// place returns the position of a node in the file.
func (d *document) place(n ast.Node) (line, column int) {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1, 1
	}
	p := n.GetToken().Position
	return d.line + p.Line, p.Column
}

func (d *document) err() error {
	var problems []Problem
	for _, f := range d.problems {
		if len(d.unset) == 0 || !d.hasUnset(f.about) {
			problems = append(problems, f.Problem)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &Error{problems}
}

// hasUnset reports whether n is a text with a variable that is not set, or a list or mapping
// with one as an item or a value of its own. Only the variable is reported, and no
// mistake that comes from the empty text in its place.
func (d *document) hasUnset(n ast.Node) bool {
	switch n := n.(type) {
	case nil:
		return false
	case *ast.SequenceNode:
		return slices.ContainsFunc(n.Values, func(item ast.Node) bool { return d.unset[item] })
	case *ast.MappingNode, *ast.MappingValueNode:
		// Its own keys, but nothing below them: a catch without errors lacks them whatever
		// its body holds.
		pairs, _ := mappingValues(n)
		return slices.ContainsFunc(pairs, func(p *ast.MappingValueNode) bool { return d.unset[p.Value] })
	}
	return d.unset[n]
}

// yamlPlace matches the [line:column] prefix of the YAML parser's messages.
var yamlPlace = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\[(\d+):(\d+)\] ([^\n]*)`) })

// parse returns the root of the one YAML document in the source, or nil after a problem.
func (d *document) parse() (root ast.Node) {
	if len(d.source) > maxFile {
		d.addAt(1, 1, "the file has %d bytes, but may have at most %d", len(d.source), maxFile)
		return nil
	}
	if at := invalidUTF8(d.source); at >= 0 {
		line, column := d.lineColumn(at)
		d.addAt(line, column, "the file is not UTF-8 here: save it as UTF-8")
		return nil
	}
	// The parser keeps a CRLF inside quotes, although YAML reads it as a space.
	d.source = strings.ReplaceAll(strings.TrimPrefix(d.source, "\ufeff"), "\r\n", "\n")
	if n := flowDepth(d.source); n > 100 {
		d.addAt(1, 1, "nested too deeply")
		return nil
	}
	if s, ok := splitRoutes(d.source); ok && !d.unsplit {
		d.items = s.items
		return d.parseYAML(s.head)
	}
	return d.parseYAML(d.source)
}

// parseYAML returns the root of the one YAML document in the text, or nil after a problem.
func (d *document) parseYAML(text string) (root ast.Node) {
	// The parser is a library, and the file may be hostile: even a panic must end in a
	// message.
	defer func() {
		if p := recover(); p != nil {
			d.addAt(1, 1, "the YAML cannot be read")
			root = nil
		}
	}()
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		message := err.Error()
		if m := yamlPlace().FindStringSubmatch(message); m != nil {
			line, _ := strconv.Atoi(m[1])
			column, _ := strconv.Atoi(m[2])
			d.addSyntax(line, column, m[3])
		} else {
			d.addAt(1, 1, "%s", strings.SplitN(message, "\n", 2)[0])
		}
		return nil
	}
	var docs []*ast.DocumentNode
	for _, doc := range file.Docs {
		if doc.Body != nil {
			docs = append(docs, doc)
		}
	}
	switch len(docs) {
	case 0:
		d.addAt(1, 1, "the file is empty: it must have version: 1 and routes")
		return nil
	case 1:
		return docs[0].Body
	}
	d.add(docs[1].Body, "the file has a second YAML document: keep one document in each file")
	return nil
}

// flowDepth bounds the nesting of [ and { before the recursive parser sees it.
func flowDepth(s string) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	depth, deepest := 0, 0
	count := func(s string) {
		for i := range len(s) {
			switch s[i] {
			case '[', '{':
				depth++
				deepest = max(deepest, depth)
			case ']', '}':
				depth = max(depth-1, 0)
			}
		}
	}
	for ; len(s) >= 8; s = s[8:] {
		// With the bit of lower case, brackets and braces are at least '{', as few others are.
		if w := word(s) | 0x20*each; (w|(w+(0x80-'{')*each))&high != 0 {
			count(s[:8])
		}
	}
	count(s)
	return deepest
}

// member is one key and value of a mapping.
type member struct {
	name  string
	key   ast.Node
	value ast.Node
}

// mappingValues returns the pairs of a mapping, and false for anything else.
func mappingValues(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// members iterates over the members of a mapping. Anything else is a problem and has no
// members.
func (d *document) members(n ast.Node, what string) iter.Seq[member] {
	return func(yield func(member) bool) {
		values, ok := mappingValues(n)
		if !ok {
			d.add(n, "%s must be a mapping", what)
			return
		}
		const long = 32
		var seen map[string]bool // for long mappings; short ones are searched
		if len(values) > long {
			seen = make(map[string]bool, len(values))
		}
		for i, p := range values {
			name, ok := keyName(p)
			switch {
			case !ok:
				d.add(p.Key, "a key must be plain text")
				continue
			case seen[name], seen == nil && slices.ContainsFunc(values[:i], func(before *ast.MappingValueNode) bool {
				other, ok := keyName(before)
				return ok && other == name
			}):
				d.add(p.Key, "%s has %q twice", what, name)
				continue
			case seen != nil:
				seen[name] = true
			}
			if isUnquoted(p.Key) {
				d.add(p.Key, putInQuotes)
				continue
			}
			if !yield(member{name, p.Key, p.Value}) {
				return
			}
		}
	}
}

// keyName returns the text of a pair's key, and false if it is not a scalar.
func keyName(p *ast.MappingValueNode) (string, bool) {
	switch key := p.Key.(ast.Node).(type) {
	case *ast.StringNode:
		return key.Value, true
	case ast.ScalarNode:
		return fmt.Sprint(key.GetValue()), true
	}
	return "", false
}

// A keySet is the set of those known keys that a mapping has.
type keySet struct {
	known []string
	bits  [maxKnown / 64]uint64
}

// maxKnown is how many keys a mapping may know.
const maxKnown = 128

func (s *keySet) add(i int) { s.bits[i/64] |= 1 << (i % 64) }

func (s *keySet) has(key string) bool {
	i := slices.Index(s.known, key)
	return i >= 0 && s.bits[i/64]&(1<<(i%64)) != 0
}

// fields reads a mapping with a reader for each known key. An unknown key is a problem
// that suggests the nearest known key.
func (d *document) fields(n ast.Node, what string, known map[string]func(ast.Node)) keySet {
	return d.keys(n, what, slices.Sorted(maps.Keys(known)), func(key string, n ast.Node) { known[key](n) })
}

// keys is like fields, with one reader for all keys. The keys that every route has are
// read this way, because a closure for each key would make more garbage.
func (d *document) keys(n ast.Node, what string, known []string, read func(key string, n ast.Node)) keySet {
	have := keySet{known: known}
	for m := range d.members(n, what) {
		i := slices.Index(known, m.name)
		if i < 0 {
			d.add(m.key, "%s has no key %q%s", what, m.name, suggestion(m.name, known))
			continue
		}
		have.add(i)
		read(m.name, m.value)
	}
	return have
}

func suggestion(name string, known []string) string {
	for _, k := range known {
		if strings.EqualFold(k, name) || distance(k, name) <= 2 {
			return fmt.Sprintf("; did you mean %q?", k)
		}
	}
	return "; its keys are " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// distance is the Levenshtein distance of two short words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
