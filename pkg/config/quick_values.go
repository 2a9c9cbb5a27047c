package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// value reads a scalar, or a list or mapping in flow style, of one line in block style.
func (q *quick) value(depth int) ast.Node {
	if q.at == len(q.text) || depth > maxQuickDepth {
		return nil
	}
	switch q.text[q.at] {
	case '[':
		return q.flowList(depth + 1)
	case '{':
		return q.flowMapping(depth + 1)
	case '"', '\'':
		return q.quotedNode()
	}
	end := q.at
	for end < len(q.text) && q.text[end] != '\n' {
		switch c := q.text[end]; {
		case c == '#' && end > q.at && q.text[end-1] == ' ':
			return q.plain(end, depth)
		case c == ':' && (end+1 == len(q.text) || q.text[end+1] == ' ' || q.text[end+1] == '\n'):
			return nil
		}
		end++
	}
	return q.plain(end, depth)
}

// plain makes the node of a plain scalar that ends at an offset, without trailing blanks.
func (q *quick) plain(end, depth int) ast.Node {
	text := strings.TrimRight(q.text[q.at:end], " ")
	kind := plainKind(text)
	blanksLast := len(text) < end-q.at && (end == len(q.text) || q.text[end] == '\n') // the parser counts blanks as part of the column
	if kind == quickOther || blanksLast {
		return nil
	}
	at := q.at
	q.at += len(text)
	switch kind {
	case quickInteger:
		return q.nodes.integer(q.token(token.IntegerType, text, at))
	case quickBool:
		return q.nodes.bool(text == "true", q.token(token.BoolType, text, at))
	}
	return q.nodes.text(text, q.token(token.StringType, text, at))
}

// flowPlain reads a plain scalar within brackets or braces.
func (q *quick) flowPlain(depth int) ast.Node {
	end := q.at
	for ; end < len(q.text); end++ {
		switch c := q.text[end]; c {
		case ',', ']', '}':
			return q.plain(end, depth)
		case ':':
			if q.braces > 0 || end+1 < len(q.text) && strings.IndexByte(" ,]", q.text[end+1]) >= 0 {
				return nil
			}
		case '[', '{', '#', '\n', '"', '\'':
			return nil
		}
	}
	return nil
}

// The kinds of plain scalars.
const (
	quickOther = iota // left to the parser
	quickText
	quickInteger
	quickBool
)

// plainKind returns the kind of a plain scalar if it is certain.
func plainKind(text string) int {
	if text == "" {
		return quickOther
	}
	switch c := text[0]; {
	case c >= '1' && c <= '9':
		digits := strings.TrimLeft(text, "0123456789")
		switch digits {
		case "":
			if len(text) < 10 {
				return quickInteger
			}
		case "ms", "s", "m", "h":
			return quickText
		}
		return quickOther
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '/', c == '$', c == '_':
	default:
		return quickOther
	}
	switch text {
	case "true", "false":
		return quickBool
	case "True", "TRUE", "False", "FALSE", "null", "Null", "NULL":
		return quickOther
	}
	return quickText
}

// quoted returns the text in quotes that begins here, and its end, or 0 if the parser must
// read it.
func (q *quick) quoted() (text string, end int, kind token.Type) {
	quote := q.text[q.at]
	kind = token.DoubleQuoteType
	if quote == '\'' {
		kind = token.SingleQuoteType
	}
	var b strings.Builder
	from := q.at + 1
	for i := from; i < len(q.text) && q.text[i] != '\n'; i++ {
		switch c := q.text[i]; {
		case c == quote && quote == '\'' && i+1 < len(q.text) && q.text[i+1] == quote:
			b.WriteString(q.text[from : i+1])
			i++
			from = i + 1
		case c == quote:
			if b.Len() == 0 {
				return q.text[from:i], i + 1, kind
			}
			b.WriteString(q.text[from:i])
			return b.String(), i + 1, kind
		case c == '\\' && quote == '"':
			if i+1 == len(q.text) || q.text[i+1] != '"' && q.text[i+1] != '\\' {
				return "", 0, 0
			}
			b.WriteString(q.text[from:i])
			i++
			from = i
		}
	}
	return "", 0, 0
}

func (q *quick) quotedNode() ast.Node {
	text, end, kind := q.quoted()
	if end == 0 {
		return nil
	}
	n := q.nodes.text(text, q.token(kind, text, q.at))
	q.at = end
	return n
}

// flowList reads a list in brackets.
func (q *quick) flowList(depth int) ast.Node {
	mark := q.nodes.markItems()
	start := q.token(token.SequenceStartType, "[", q.at)
	if !q.flow(']', depth, func() bool {
		n := q.misread()
		if n == nil {
			n = q.flowValue(depth)
		}
		if n == nil {
			return false
		}
		q.nodes.pushItem(n)
		return true
	}) {
		return nil
	}
	return q.nodes.list(start, true, mark)
}

// misread reads env:NAME in a list within braces as the parser does: as a mapping of env
// to NAME (see rejoin). It returns nil for anything else.
func (q *quick) misread() ast.Node {
	if q.braces == 0 {
		return nil
	}
	colon := q.at
	for colon < len(q.text) && isKeyByte(q.text[colon], colon == q.at) {
		colon++
	}
	end := colon + 1
	for end < len(q.text) && (isKeyByte(q.text[end], false) || q.text[end] == '/') {
		end++
	}
	if colon == q.at || end >= len(q.text) || q.text[colon] != ':' || q.text[end] != ',' && q.text[end] != ']' {
		return nil
	}
	name, value := q.text[q.at:colon], q.text[colon+1:end]
	if plainKind(name) != quickText || plainKind(value) != quickText {
		return nil
	}
	key := q.nodes.text(name, q.token(token.StringType, name, q.at))
	separator := q.token(token.MappingValueType, ":", colon)
	mark := q.nodes.mark()
	q.nodes.push(q.nodes.pair(key, separator, q.nodes.text(value, q.token(token.StringType, value, colon+1)), false), mark)
	q.at = end
	return q.nodes.mapping(separator, false, mark)
}

// flowMapping reads a mapping in braces.
func (q *quick) flowMapping(depth int) ast.Node {
	mark := q.nodes.mark()
	start := q.token(token.MappingStartType, "{", q.at)
	q.braces++
	defer func() { q.braces-- }()
	if !q.flow('}', depth, func() bool {
		key, colon := q.keyAndColon()
		if key == nil {
			return false
		}
		q.blanks()
		value := q.flowValue(depth)
		if value == nil {
			return false
		}
		return q.nodes.push(q.nodes.pair(key, colon, value, true), mark)
	}) {
		return nil
	}
	return q.nodes.mapping(start, true, mark)
}

// flow reads the items between brackets or braces on one line.
func (q *quick) flow(closing byte, depth int, item func() bool) bool {
	if depth > maxQuickDepth {
		return false
	}
	q.at++
	q.blanks()
	if q.at < len(q.text) && q.text[q.at] == closing {
		q.at++
		return true
	}
	for item() {
		q.blanks()
		if q.at == len(q.text) {
			return false
		}
		switch q.text[q.at] {
		case closing:
			q.at++
			return true
		case ',':
			q.at++
			q.blanks()
		default:
			return false
		}
	}
	return false
}

func (q *quick) flowValue(depth int) ast.Node {
	if q.at == len(q.text) {
		return nil
	}
	switch q.text[q.at] {
	case '[':
		return q.flowList(depth + 1)
	case '{':
		return q.flowMapping(depth + 1)
	case '"', '\'':
		return q.quotedNode()
	}
	return q.flowPlain(depth)
}
