package template

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The bounds of a file. CloudFormation accepts templates of 1 MB.
const (
	maxFile  = 2 << 20
	maxDepth = 100
	maxNodes = 400_000
)

// Parse reads one YAML or JSON document. The error is an [*Error].
func Parse(file string, source []byte) (*Node, error) {
	p := &parser{file: file, done: map[*yaml.Node]*Node{}, sizes: map[*yaml.Node]int{}}
	root := p.parse(source)
	if len(p.problems) > 0 {
		return nil, &Error{p.problems}
	}
	return root, nil
}

// An Error holds the mistakes of a file that cannot be read.
type Error struct{ Problems []Problem }

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

type parser struct {
	file     string
	problems []Problem
	nodes    int
	// done holds the targets of aliases; nil marks one that is being read.
	done  map[*yaml.Node]*Node
	sizes map[*yaml.Node]int
}

func (p *parser) fail(line, column int, format string, args ...any) {
	p.problems = append(p.problems, Problem{Pos: Pos{p.file, max(line, 1), max(column, 1)}, Message: fmt.Sprintf(format, args...)})
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?([^\n]*)`)

func (p *parser) parse(source []byte) (root *Node) {
	if len(source) > maxFile {
		p.fail(1, 1, "the file has %d bytes, but may have at most %d", len(source), maxFile)
		return nil
	}
	// The parser is a library, and the file may be hostile: even a panic must end in a
	// message.
	defer func() {
		if r := recover(); r != nil {
			p.fail(1, 1, "the file cannot be read as YAML")
			root = nil
		}
	}()
	if line, column, ok := tooDeep(source); ok {
		p.fail(line, column, "nested deeper than %d levels", maxDepth)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if err.Error() == "EOF" {
			p.fail(1, 1, "the file is empty")
			return nil
		}
		m := yamlLine.FindStringSubmatch(err.Error())
		line, _ := strconv.Atoi(m[1])
		p.fail(line, 1, "%s", m[2])
		return nil
	}
	if decoder.Decode(&second) == nil {
		p.fail(second.Line, second.Column, "a second YAML document; a file holds one")
		return nil
	}
	if len(document.Content) == 0 {
		p.fail(1, 1, "the file is empty")
		return nil
	}
	return p.node(document.Content[0], 0)
}

// tooDeep bounds flow nesting before the recursive parser sees it; it also counts
// brackets in quoted text, for which the bound leaves enough room in real templates,
// where braces in a text are balanced.
func tooDeep(source []byte) (line, column int, deep bool) {
	const most = 1000
	depth := 0
	line, start := 1, 0
	for i, c := range source {
		switch c {
		case '[', '{':
			if depth++; depth > most {
				return line, i - start + 1, true
			}
		case ']', '}':
			depth = max(depth-1, 0)
		case '\n':
			line, start = line+1, i+1
		}
	}
	return 0, 0, false
}

func (p *parser) node(y *yaml.Node, depth int) *Node {
	n := &Node{Pos: Pos{p.file, y.Line, y.Column}, Anchored: y.Anchor != ""}
	if p.nodes++; p.nodes > maxNodes || depth > maxDepth {
		if len(p.problems) == 0 {
			p.fail(y.Line, y.Column, "%s", map[bool]string{
				true: fmt.Sprintf("nested deeper than %d levels", maxDepth), false: fmt.Sprintf("more than %d values", maxNodes),
			}[depth > maxDepth])
		}
		return n
	}
	if y.Kind == yaml.AliasNode {
		return p.alias(y, n)
	}
	if y.Anchor != "" {
		p.done[y] = nil
	}
	before := p.nodes
	if tag := y.ShortTag(); y.Style&yaml.TaggedStyle != 0 && !strings.HasPrefix(y.Tag, "!") || strings.HasPrefix(tag, "!!") && !plainTags[tag] {
		p.fail(y.Line, y.Column, "the YAML tag %s, which CloudFormation does not take", tag)
	}
	p.fill(n, y, depth)
	if long, ok := longForm(y.Tag); ok {
		n = wrap(long, n)
	}
	if y.Anchor != "" {
		p.done[y], p.sizes[y] = n, p.nodes-before
	}
	return n
}

// plainTags are those of YAML that CloudFormation takes. A timestamp may be written without its tag: it is text.
var plainTags = map[string]bool{
	"!!null": true, "!!bool": true, "!!int": true, "!!float": true, "!!str": true, "!!map": true, "!!seq": true, "!!merge": true, "!!timestamp": true,
}

func (p *parser) alias(y *yaml.Node, n *Node) *Node {
	target, known := p.done[y.Alias]
	if !known || target == nil {
		p.fail(y.Line, y.Column, "the alias *%s refers to itself", y.Value)
		return n
	}
	// The targets of aliases are counted each time, because readers process them each
	// time.
	if p.nodes += p.sizes[y.Alias]; p.nodes > maxNodes && len(p.problems) == 0 {
		p.fail(y.Line, y.Column, "more than %d values", maxNodes)
	}
	return target
}

func (p *parser) fill(n *Node, y *yaml.Node, depth int) {
	switch y.Kind {
	case yaml.ScalarNode:
		p.scalar(n, y)
	case yaml.SequenceNode:
		n.Kind = List
		n.Items = make([]*Node, 0, len(y.Content))
		for _, item := range y.Content {
			n.Items = append(n.Items, p.node(item, depth+1))
		}
	case yaml.MappingNode:
		n.Kind = Map
		p.members(n, y, depth)
	}
}

// scalar reads plain text according to YAML 1.1, which CloudFormation uses.
func (p *parser) scalar(n *Node, y *yaml.Node) {
	n.Kind, n.Text = String, strings.ReplaceAll(y.Value, string(hole), "\uFFFD")
	if y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.HasPrefix(y.Tag, "!") && !strings.HasPrefix(y.Tag, "!!") {
		return
	}
	switch y.ShortTag() {
	case "!!null":
		n.Kind, n.Text = Null, ""
	case "!!bool":
		n.Kind, n.Text = Bool, strings.ToLower(y.Value)
	case "!!int", "!!float":
		n.Kind = Number
	case "!!str":
		switch y.Value {
		case "yes", "Yes", "YES", "on", "On", "ON":
			n.Kind, n.Text = Bool, "true"
		case "no", "No", "NO", "off", "Off", "OFF":
			n.Kind, n.Text = Bool, "false"
		}
	}
}

func (p *parser) members(n *Node, y *yaml.Node, depth int) {
	seen := map[string]bool{}
	var merged []Member
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			p.fail(key.Line, key.Column, "a key must be plain text")
			continue
		}
		v := p.node(value, depth+1)
		if key.ShortTag() == "!!merge" {
			merged = append(merged, mergedMembers(v)...)
			continue
		}
		if seen[key.Value] {
			p.fail(key.Line, key.Column, "the key %q appears twice", key.Value)
			continue
		}
		seen[key.Value] = true
		n.Members = append(n.Members, Member{key.Value, Pos{p.file, key.Line, key.Column}, v})
	}
	for _, m := range merged {
		if p.nodes++; p.nodes > maxNodes {
			p.fail(y.Line, y.Column, "more than %d values", maxNodes)
			return
		}
		if !seen[m.Name] {
			seen[m.Name] = true
			n.Members = append(n.Members, m)
		}
	}
}

func mergedMembers(v *Node) []Member {
	if v.Kind != List {
		return v.Members
	}
	var all []Member
	for _, item := range v.Items {
		all = append(all, item.Members...)
	}
	return all
}

// longForm returns the name of the intrinsic function for a short tag.
func longForm(tag string) (string, bool) {
	name, ok := strings.CutPrefix(tag, "!")
	switch {
	case !ok, name == "", strings.HasPrefix(name, "!"):
		return "", false
	case name == "Ref", name == "Condition":
		return name, true
	}
	return "Fn::" + name, true
}

func wrap(name string, argument *Node) *Node {
	if name == "Fn::GetAtt" && argument.Kind == String {
		resource, attribute, _ := strings.Cut(argument.Text, ".")
		argument = &Node{Kind: List, Pos: argument.Pos, Items: []*Node{
			{Kind: String, Text: resource, Pos: argument.Pos}, {Kind: String, Text: attribute, Pos: argument.Pos},
		}}
	}
	return &Node{Kind: Map, Pos: argument.Pos, Anchored: argument.Anchored, Members: []Member{{name, argument.Pos, argument}}}
}
