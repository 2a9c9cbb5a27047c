package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A quick reader makes the same nodes of a route as the YAML parser, from the simple subset of
// YAML that most routes use: mappings and lists of ASCII text, in block style or in flow style
// on one line, with plain and quoted scalars. It gives up at anything else, including any
// error; the parser then reads the route, and alone decides what is valid YAML. The parser
// takes ten times as long, which would be most of a cold start with hundreds of routes.
//
// The nodes come from the reader's own stock, and are reused for the next route.
type quick struct {
	text string
	at   int // of the next byte
	line int // the line of at, from 1
	bol  int // the offset at which that line begins
	// braces is how many mappings in flow style are open.
	braces int

	// The key at an offset, which is looked at up to three times.
	keyAt   int
	keyName string
	keyEnd  int
	keyKind token.Type

	nodes quickNodes
}

// maxQuickDepth bounds the nesting of the text that the quick reader accepts.
const maxQuickDepth = 50

// item returns the node of one route, or nil if the parser must read it.
func (q *quick) item(text string) ast.Node {
	q.text, q.at, q.line, q.bol, q.braces, q.keyAt = text, 0, 1, 0, 0, -1
	q.nodes.reset()
	if !isQuickText(text) {
		return nil
	}
	indent, ok := q.next()
	if !ok || !q.dash() {
		return nil
	}
	n := q.entry(indent, 0)
	if n == nil {
		return nil
	}
	if _, more := q.next(); more {
		return nil
	}
	return n
}

// isQuickText reports whether all bytes are printable ASCII or line breaks. It looks at eight
// bytes at a time, because a start reads every byte of the file.
func isQuickText(s string) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	for ; len(s) >= 8; s = s[8:] {
		w := word(s)
		// The high bit of a byte of the first term is set only if there is a byte below ' ',
		// and of the second if there is one above '~', or a high bit carried into the next.
		if ((w-' '*each)&^w|w|(w+each))&high != 0 && !isQuickBytes(s[:8]) {
			return false
		}
	}
	return isQuickBytes(s)
}

func isQuickBytes(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\n' || c >= 0x7F {
			return false
		}
	}
	return true
}

// word returns the first eight bytes of s.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// next moves to the next content at the beginning of a line, skipping blank lines and
// comments, and returns its indentation. It returns false at the end of the text.
func (q *quick) next() (indent int, ok bool) {
	for q.at < len(q.text) {
		end := strings.IndexByte(q.text[q.at:], '\n')
		line := q.text[q.at:]
		if end >= 0 {
			line = line[:end]
		}
		content := trimBlanks(line)
		if content != "" && content[0] != '#' {
			q.bol = q.at
			q.at += len(line) - len(content)
			return len(line) - len(content), true
		}
		if end < 0 {
			q.at = len(q.text)
			break
		}
		q.at += end + 1
		q.line++
	}
	return 0, false
}

// trimBlanks is strings.TrimLeft for blanks, which would be called for every line.
func trimBlanks(s string) string {
	for s != "" && s[0] == ' ' {
		s = s[1:]
	}
	return s
}

// dash consumes the dash of a list item and the blanks after it.
func (q *quick) dash() bool {
	if !strings.HasPrefix(q.text[q.at:], "- ") {
		return false
	}
	q.at++
	q.blanks()
	return true
}

func (q *quick) blanks() {
	for q.at < len(q.text) && q.text[q.at] == ' ' {
		q.at++
	}
}

// endLine consumes the rest of a line, including a comment, and reports whether it
// contained nothing else.
func (q *quick) endLine() bool {
	from := q.at
	q.blanks()
	if q.at < len(q.text) && q.text[q.at] == '#' && q.at > from {
		if i := strings.IndexByte(q.text[q.at:], '\n'); i >= 0 {
			q.at += i
		} else {
			q.at = len(q.text)
		}
	}
	switch {
	case q.at == len(q.text):
		return true
	case q.text[q.at] != '\n':
		return false
	}
	q.at++
	q.line++
	return true
}

// entry reads what follows the dash of an item, whose list has this indentation.
func (q *quick) entry(indent, depth int) ast.Node {
	if q.isKey() {
		return q.mapping(q.at-q.bol, depth+1)
	}
	n := q.value(depth)
	if n == nil || !q.endLine() || q.deeper(indent) {
		return nil
	}
	return n
}

// deeper reports whether the next line is indented further, and thus continues a scalar.
func (q *quick) deeper(indent int) bool {
	at, line, bol := q.at, q.line, q.bol
	next, ok := q.next()
	q.at, q.line, q.bol = at, line, bol
	return ok && next > indent
}

// isKey reports whether a key with its colon is here.
func (q *quick) isKey() bool {
	_, end, _ := q.key()
	return end > 0 && end < len(q.text) && q.text[end] == ':' && (end+1 == len(q.text) || q.text[end+1] == ' ' || q.text[end+1] == '\n')
}

// key returns the key at the position and its end; 0 if there is none. Keys that are not
// text, or contain characters that names cannot have, are left to the parser.
func (q *quick) key() (name string, end int, kind token.Type) {
	if q.keyAt != q.at {
		q.keyName, q.keyEnd, q.keyKind = q.readKey()
		q.keyAt = q.at
	}
	return q.keyName, q.keyEnd, q.keyKind
}

func (q *quick) readKey() (name string, end int, kind token.Type) {
	if q.at == len(q.text) {
		return "", 0, 0
	}
	if c := q.text[q.at]; c == '"' || c == '\'' {
		return q.quoted()
	}
	i := q.at
	for i < len(q.text) && isKeyByte(q.text[i], i == q.at) {
		i++
	}
	name = q.text[q.at:i]
	if name == "" || plainKind(name) != quickText {
		return "", 0, 0
	}
	return name, i, token.StringType
}

func isKeyByte(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		return true
	}
	return !first && (c >= '0' && c <= '9' || c == '-' || c == '.')
}

// mapping reads a mapping in block style, whose first key is here.
func (q *quick) mapping(indent, depth int) ast.Node {
	if depth > maxQuickDepth {
		return nil
	}
	mark := q.nodes.mark()
	var start *token.Token
	for {
		pair := q.pair(indent, depth)
		if pair == nil || !q.nodes.push(pair, mark) {
			return nil
		}
		if start == nil {
			start = pair.Start
		}
		at, line, bol := q.at, q.line, q.bol
		next, ok := q.next()
		switch {
		case ok && next > indent:
			return nil
		case ok && next == indent && q.isKey():
			continue
		case ok && next == indent && !strings.HasPrefix(q.text[q.at:], "- "):
			return nil
		}
		q.at, q.line, q.bol = at, line, bol
		return q.nodes.mapping(start, false, mark)
	}
}

// pair reads a key of a mapping in block style with its value.
func (q *quick) pair(indent, depth int) *ast.MappingValueNode {
	key, colon := q.keyAndColon()
	if key == nil {
		return nil
	}
	q.blanks()
	var value ast.Node
	if q.endLine() {
		next, ok := q.next()
		switch {
		case !ok || next <= indent:
			return nil // null, or a list that is not indented
		case strings.HasPrefix(q.text[q.at:], "- "):
			value = q.list(next, depth+1)
		case q.isKey():
			value = q.mapping(next, depth+1)
		}
	} else if value = q.value(depth); value == nil || !q.endLine() || q.deeper(indent) {
		return nil
	}
	if value == nil {
		return nil
	}
	return q.nodes.pair(key, colon, value, false)
}

// keyAndColon reads a key and the colon after it.
func (q *quick) keyAndColon() (*ast.StringNode, *token.Token) {
	if !q.isKey() {
		return nil, nil
	}
	name, end, kind := q.key()
	key := q.nodes.text(name, q.token(kind, name, q.at))
	colon := q.token(token.MappingValueType, ":", end)
	q.at = end + 1
	return key, colon
}

// list reads a list in block style, whose first dash is here.
func (q *quick) list(indent, depth int) ast.Node {
	if depth > maxQuickDepth {
		return nil
	}
	mark := q.nodes.markItems()
	start := q.token(token.SequenceEntryType, "-", q.at)
	for {
		if !q.dash() {
			return nil
		}
		n := q.entry(indent, depth)
		if n == nil {
			return nil
		}
		q.nodes.pushItem(n)
		at, line, bol := q.at, q.line, q.bol
		next, ok := q.next()
		switch {
		case ok && next > indent:
			return nil
		case ok && next == indent:
			continue // another dash, or an error
		}
		q.at, q.line, q.bol = at, line, bol
		return q.nodes.list(start, false, mark)
	}
}

// token makes a token that begins at an offset of the current line.
func (q *quick) token(kind token.Type, value string, at int) *token.Token {
	return q.nodes.token(kind, value, q.line, at-q.bol+1, at+1)
}
