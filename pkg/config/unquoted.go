package config

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// putInQuotes explains how to correct an expression that YAML reads as something else.
const putInQuotes = `put the expression in quotes, as '{%% … %%}'`

// isUnquoted reports whether a scalar is an expression without quotes, or a part of one.
// YAML reads {% … %} as a mapping whose key begins with a percent sign, which would be a
// template of a fixed value.
func isUnquoted(n ast.Node) bool {
	s, ok := n.(*ast.StringNode)
	return ok && s.Token.Type == token.StringType && strings.HasPrefix(s.Value, "%")
}

// unquotedValue finds the beginning of {% … %}, or of a text that begins with a percent
// sign, where a value may begin and no quote does.
var unquotedValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)(?:^|[:,[{-])[ \t]*(\{?%)`)
})

// addSyntax reports an error of the YAML parser. If the cause is an expression without
// quotes, which YAML reads as a directive or a mapping, the message says so.
func (d *document) addSyntax(line, column int, message string) {
	start, end := d.offset(line, 1), d.offset(line+1, 1)
	if m := unquotedValue().FindStringSubmatchIndex(d.source[start:end]); m != nil {
		line, column = d.lineColumn(start + m[2])
		d.addAt(line, column, putInQuotes)
		return
	}
	d.addAt(line, column, "%s", message)
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1 if there is
// none.
func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if _, size := utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
			return i
		}
	}
	return -1
}

// hasVariable reports whether any text of n has a ${NAME}.
func hasVariable(n ast.Node) bool {
	found := false
	ast.Walk(visitor(func(n ast.Node) {
		if s, ok := n.(*ast.StringNode); ok {
			found = found || strings.Contains(s.Value, "${")
		}
	}), n)
	return found
}
