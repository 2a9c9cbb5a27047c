package config

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// A Problem is a single mistake in a file.
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

// maxFile bounds the file, and so the work of the YAML parser.
const maxFile = 1 << 20

// A document reads YAML nodes and collects problems with their positions.
type document struct {
	file     string
	source   string
	getenv   func(string) string
	problems []Problem
	// only is the source of the routes to keep; empty keeps all.
	only Source
	// secrets says that secrets in environment variables must be set.
	secrets bool
	// foreign is set while a route of another function is read: its variables are not set
	// here, and what depends on them is not checked.
	foreign bool
	// items are the routes that are parsed one by one; nil if the whole file was.
	items   []splitItem
	line    int              // lines before the text that is being read
	unsplit bool             // the file must be parsed whole
	options []jsonata.Option // of every expression
	checker *jsonata.Checker // with those options
	// withheld is set while a route with includedData: metadata is read.
	withheld bool
	jsonata  []jsonata.Option // in addition to those of the dialect
	schemes  []*verify.Custom // in addition to the presets
}

func (d *document) addAt(line, column int, format string, args ...any) {
	d.problems = append(d.problems, Problem{d.file, line, column, fmt.Sprintf(format, args...)})
}

func (d *document) add(n ast.Node, format string, args ...any) {
	if d.foreign && hasVariable(n) {
		return
	}
	line, column := d.place(n)
	d.addAt(line, column, format, args...)
}

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
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &Error{d.problems}
}

// yamlPlace matches the [line:column] prefix of the YAML parser's messages.
var yamlPlace = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\[(\d+):(\d+)\] ([^\n]*)`) })

// parse returns the root of the one YAML document in the source, or nil after a problem.
func (d *document) parse() (root ast.Node) {
	if len(d.source) > maxFile {
		d.addAt(1, 1, "the file has %d bytes; at most %d are read", len(d.source), maxFile)
		return nil
	}
	if at := invalidUTF8(d.source); at >= 0 {
		line, column := d.lineColumn(at)
		d.addAt(line, column, "the file is not UTF-8 here; save it as UTF-8")
		return nil
	}
	d.source = strings.TrimPrefix(d.source, "\ufeff")
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
		d.addAt(1, 1, "the file is empty; it needs version: 1 and routes")
		return nil
	case 1:
		return docs[0].Body
	}
	d.add(docs[1].Body, "a second YAML document; one file holds one")
	return nil
}

// flowDepth bounds the nesting of [ and { before the recursive parser sees it.
func flowDepth(s string) int {
	depth, deepest := 0, 0
	for i := range len(s) {
		if s[i]|0x20 < '{' { // all but brackets, braces and a few more
			continue
		}
		switch s[i] {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return deepest
}

// member is one key and value of a mapping.
type member struct {
	name  string
	key   ast.Node
	value ast.Node
}

// mappingValues returns the pairs of a mapping; false for anything else.
func mappingValues(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// members goes through a mapping's members; a problem and none for anything else.
func (d *document) members(n ast.Node, what string) iter.Seq[member] {
	return func(yield func(member) bool) {
		values, ok := mappingValues(n)
		if !ok {
			d.add(n, "%s must be a mapping", what)
			return
		}
		const long = 32
		var seen map[string]bool // of long mappings; short ones are looked through
		if len(values) > long {
			seen = make(map[string]bool, len(values))
		}
		for i, p := range values {
			name, ok := keyName(p)
			switch {
			case !ok:
				d.add(p.Key, "a key must be plain text; merge keys are not supported")
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

// keyName returns the text of a pair's key; false where it is not a scalar.
func keyName(p *ast.MappingValueNode) (string, bool) {
	switch key := p.Key.(ast.Node).(type) {
	case *ast.StringNode:
		return key.Value, true
	case ast.ScalarNode:
		return fmt.Sprint(key.GetValue()), true
	}
	return "", false
}

// A keySet is the keys that a mapping has.
type keySet []string

func (s keySet) has(key string) bool { return slices.Contains(s, key) }

// fields reads a mapping whose keys are known: each has its reader. Unknown keys
// are problems that name the nearest known one.
func (d *document) fields(n ast.Node, what string, known map[string]func(ast.Node)) keySet {
	return d.keys(n, what, slices.Sorted(maps.Keys(known)), func(key string, n ast.Node) { known[key](n) })
}

// keys is fields with one reader for all keys. What every route has is read so, which
// makes less garbage than a reader for each key.
func (d *document) keys(n ast.Node, what string, known []string, read func(key string, n ast.Node)) keySet {
	pairs, _ := mappingValues(n)
	have := make(keySet, 0, len(pairs))
	for m := range d.members(n, what) {
		if !slices.Contains(known, m.name) {
			d.add(m.key, "%s has no key %q%s", what, m.name, suggestion(m.name, known))
			continue
		}
		have = append(have, m.name)
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
	return "; it knows " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
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

// list returns the items of a sequence; a problem and nil for anything else.
func (d *document) list(n ast.Node, what string) []ast.Node {
	if s, ok := n.(*ast.SequenceNode); ok {
		return s.Values
	}
	d.add(n, "%s must be a list", what)
	return nil
}

// text returns a text, with its ${NAME} replaced.
func (d *document) text(n ast.Node, what string) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return d.expand(n, n.Value)
	case *ast.LiteralNode:
		return d.expand(n, n.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		d.add(n, "%s must be text; put it in quotes", what)
		return n.GetToken().Value
	case *ast.AliasNode, *ast.AnchorNode, *ast.TagNode:
		d.add(n, "%s: anchors, aliases and tags are not supported", what)
	default:
		d.add(n, "%s must be text", what)
	}
	return ""
}

// plain returns the text of a number, true or false, or of a string with a variable in
// its place. It reports false for any other text.
func (d *document) plain(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	case *ast.StringNode:
		return d.expand(n, n.Value), strings.Contains(n.Value, "${")
	}
	return "", false
}

func (d *document) whole(n ast.Node, what string, low, high int) int {
	text, ok := d.plain(n)
	v, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || v != math.Trunc(v) || v < float64(low) || v > float64(high) {
		d.add(n, "%s must be a whole number from %d to %d", what, low, high)
		return low
	}
	return int(v)
}

func (d *document) number(n ast.Node, what string, low, high float64) float64 {
	text, ok := d.plain(n)
	v, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil || !(v >= low && v <= high) { // excludes NaN too
		d.add(n, "%s must be a number from %g to %g", what, low, high)
		return low
	}
	return v
}

func (d *document) flag(n ast.Node, what string) bool {
	v, ok := d.plain(n)
	if !ok || v != "true" && v != "false" {
		d.add(n, "%s must be true or false", what)
	}
	return v == "true"
}

func (d *document) duration(n ast.Node, what string) time.Duration {
	text := d.text(n, what)
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 {
		d.add(n, "%s must be a duration such as 9s, 500ms or 2m, not %q", what, text)
		return 0
	}
	return v
}

// texts returns a list of text, or one text as a list of one.
func (d *document) texts(n ast.Node, what string) []string {
	if _, ok := n.(*ast.SequenceNode); !ok {
		return []string{d.text(n, what)}
	}
	var out []string
	for _, item := range d.list(n, what) {
		if s, ok := rejoin(item); ok {
			out = append(out, s)
			continue
		}
		out = append(out, d.text(item, what))
	}
	return out
}

// rejoin undoes a misreading of the YAML parser: in a list within { }, it takes
// env:NAME, which is plain text, for a mapping of env to NAME.
func rejoin(n ast.Node) (string, bool) {
	var pair *ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingValueNode:
		pair = n
	case *ast.MappingNode:
		if len(n.Values) == 1 {
			pair = n.Values[0]
		}
	}
	if pair == nil {
		return "", false
	}
	key, ok1 := pair.Key.(ast.Node).(*ast.StringNode)
	value, ok2 := pair.Value.(*ast.StringNode)
	if !ok1 || !ok2 || value.Token.Position.Offset != key.Token.Position.Offset+len(key.Value)+1 {
		return "", false
	}
	return key.Value + ":" + value.Value, true
}

// expand replaces ${NAME} and ${NAME:-default}. A variable that is empty counts
// as unset, as in a shell's ${NAME:-default}: an empty secret or ARN is never useful.
func (d *document) expand(n ast.Node, s string) string {
	if !strings.Contains(s, "${") {
		return s
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		ref, after, closed := strings.Cut(rest, "}")
		b.WriteString(before)
		if !found || !closed {
			b.WriteString(s[len(before):])
			return b.String()
		}
		b.WriteString(d.variable(n, ref))
		s = after
	}
}

// variable returns the value of NAME or NAME:-default.
func (d *document) variable(n ast.Node, ref string) string {
	name, fallback, hasFallback := strings.Cut(ref, ":-")
	if !isVariableName(name) {
		d.add(n, "${%s} is not a variable; write ${NAME} or ${NAME:-default}", ref)
		return ""
	}
	if d.foreign {
		return fallback
	}
	if v := d.getenv(name); v != "" {
		return v
	}
	if !hasFallback {
		d.add(n, "environment variable %s is not set; set it, or write ${%s:-default}", name, name)
	}
	return fallback
}
