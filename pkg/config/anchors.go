package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// notSupported explains what to use instead of anchors. They are refused so that a reader
// sees all of a route's settings in one place.
const notSupported = "YAML anchors, aliases and merge keys are not supported: repeat the settings in each route, or put shared text into a variable, ${NAME}"

// mayAnchor reports whether a file may contain an anchor. Most files do not, and are not
// parsed a second time.
func mayAnchor(source string) bool {
	for at := 0; ; at++ {
		i := strings.IndexByte(source[at:], '&')
		if i < 0 {
			return false
		}
		at += i
		if before := at == 0 || strings.IndexByte(" \t\n[,{", source[at-1]) >= 0; before && at+1 < len(source) && strings.IndexByte(" \t\r\n&", source[at+1]) < 0 {
			return true
		}
	}
}

// anchors returns a problem for each anchor, alias and merge key of a file. Other checks
// would report them with less helpful messages.
func anchors(file, source string) []Problem {
	if !mayAnchor(source) {
		return nil
	}
	parsed, err := parser.ParseBytes([]byte(source), 0)
	if err != nil {
		return nil // the syntax error is reported elsewhere
	}
	found := &anchorFinder{file: file}
	for _, doc := range parsed.Docs {
		if doc.Body != nil {
			ast.Walk(found, doc.Body)
		}
	}
	return found.problems
}

type anchorFinder struct {
	file     string
	problems []Problem
}

// Visit implements [ast.Visitor].
func (f *anchorFinder) Visit(n ast.Node) ast.Visitor {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		p := n.GetToken().Position
		f.problems = append(f.problems, Problem{f.file, p.Line, p.Column, notSupported})
	}
	return f
}
