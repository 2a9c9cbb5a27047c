package config

import (
	"testing"

	"github.com/goccy/go-yaml/ast"
)

// The parser misreads only texts without a space after a colon. Its offsets count characters,
// not bytes.
func TestRejoin(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"- {s: [env:A]}": "env:A", "- {s: [env: A]}": "", "- {s: [é:x]}": "é:x", "- {s: [é: x]}": "", "- {s: [éé:  x]}": "", "- {é: ü, s: [日本:x]}": "日本:x", "- {é: ü, s: [é: x]}": "",
	} {
		pairs, _ := mappingValues(parseItem(splitItem{text: text}))
		list, ok := pairs[len(pairs)-1].Value.(*ast.SequenceNode)
		if !ok {
			t.Fatalf("%s has no list", text)
		}
		if got, ok := rejoin(list.Values[0]); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
