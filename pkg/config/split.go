package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A split is a file that is cut at its routes. The YAML parser keeps all tokens and nodes
// until it ends; for a file with hundreds of routes, they cause most of the memory use
// and garbage collection of a cold start. If routes are parsed one by one, the nodes of
// each are garbage as soon as it has been read.
type split struct {
	head  string // up to the key routes, without its value
	items []splitItem
}

// A splitItem is the text of one route, from its dash, and the line before it.
type splitItem struct {
	text string
	line int
}

// splitRoutes cuts a file whose last key is routes, with a list in block style. It
// returns false for all other files, and if the parser might cut the list differently:
// such files are parsed whole.
func splitRoutes(source string) (s split, ok bool) {
	const unset = -1
	indent, start, line := unset, unset, 0
	var began int // the first line of the current item
	inRoutes := false
	if strings.IndexByte(source, '\t') >= 0 || strings.IndexByte(source, '\r') >= 0 {
		return s, false
	}
	for at := 0; at < len(source); {
		end := len(source)
		if i := strings.IndexByte(source[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		text := strings.TrimRight(source[at:end], "\n")
		content := trimBlanks(text)
		depth := len(text) - len(content)
		isItem := content == "-" || strings.HasPrefix(content, "- ")
		switch {
		case content == "" || content[0] == '#':
		case !inRoutes:
			inRoutes = isRoutesKey(text)
			if depth == 0 && strings.ContainsAny(content[:1], "-.%?{[\"'&!*") {
				return s, false // documents, directives, and keys that are not plain
			}
		case indent == unset && isItem, depth == indent && isItem:
			if indent == unset {
				indent, s.head = depth, source[:at]
			} else {
				s.items = append(s.items, splitItem{source[start:at], began})
			}
			start, began = at, line
		case depth <= indent || indent == unset:
			return s, false
		}
		at = end
		line++
	}
	if indent == unset {
		return s, false
	}
	s.items = append(s.items, splitItem{source[start:], began})
	return s, true
}

// isRoutesKey reports whether a line is the key of the routes, without a value.
func isRoutesKey(line string) bool {
	rest, ok := strings.CutPrefix(line, "routes:")
	rest = strings.TrimLeft(rest, " ")
	return ok && (rest == "" || rest[0] == '#')
}

// parseItem returns the node of one route, or nil if the text is not exactly one route.
func parseItem(item splitItem) (n ast.Node) {
	defer func() {
		if p := recover(); p != nil {
			n = nil
		}
	}()
	file, err := parser.ParseBytes([]byte(item.text), 0)
	if err != nil || len(file.Docs) != 1 {
		return nil
	}
	list, ok := file.Docs[0].Body.(*ast.SequenceNode)
	if !ok || len(list.Values) != 1 {
		return nil
	}
	return list.Values[0]
}
