package config

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// notSupported explains what to use instead of anchors: a file that many people change is
// read where it is written.
const notSupported = "YAML anchors, aliases and merge keys are not supported: write out what each route has, or put what several have in common into a variable, ${NAME}"

// mayAnchor reports whether a file may have an anchor: most have none, and need no second
// look.
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

// anchors returns a problem for each anchor, alias and merge key of a file. What they
// stand for would be found wrong in other words.
func anchors(file, source string) []Problem {
	if !mayAnchor(source) {
		return nil
	}
	parsed, err := parser.ParseBytes([]byte(source), 0)
	if err != nil {
		return nil // which is reported as what it is
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
