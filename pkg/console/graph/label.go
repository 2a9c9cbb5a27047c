package graph

import (
	"fmt"
	"strings"
	"unicode"
)

// How long the lines of labels and names are, in characters. The whole text is in the
// title.
const (
	maxLabel  = 20
	maxLabels = 2 // if there are more than three
	maxName   = 25
)

// labelLines are the drawn lines of an edge's labels.
func (e *Edge) labelLines() []string {
	var lines []string
	for i, text := range e.Labels {
		if i == maxLabels && len(e.Labels) > maxLabels+1 {
			return append(lines, fmt.Sprintf("and %d more", len(e.Labels)-maxLabels))
		}
		lines = append(lines, wrap(text, maxLabel, 3)...)
	}
	return lines
}

// labelSize is the size of the box of an edge's labels.
func (e *Edge) labelSize() (width, height float64) {
	lines := e.labelLines()
	if len(lines) == 0 {
		return 0, 0
	}
	for _, line := range lines {
		width = max(width, textWidth(line)*smallScale+16)
	}
	return width, labelHeight + (labelHeight-3)*float64(len(lines)-1)
}

// wrap breaks text into lines of n characters, and cuts what does not fit into the given
// number of lines.
func wrap(text string, n, lines int) []string {
	rest := []rune(strings.Join(strings.Fields(text), " "))
	var out []string
	for len(rest) > n && len(out) < lines-1 {
		at := breakAt(rest, n)
		out = append(out, strings.TrimSpace(string(rest[:at])))
		rest = []rune(strings.TrimSpace(string(rest[at:])))
	}
	return append(out, cut(string(rest), n))
}

// breakAt returns where a line of at most n characters ends: after a space or a sign, or
// before a capital letter, but not far from the line's end.
func breakAt(text []rune, n int) int {
	for i := n; i > n/2; i-- {
		before, after := text[i-1], text[i]
		if after == ' ' || strings.ContainsRune(" -_,", before) || unicode.IsLower(before) && unicode.IsUpper(after) {
			return i
		}
	}
	return n
}

func cut(text string, n int) string {
	r := []rune(text)
	if n < 2 {
		n = 2
	}
	if len(r) <= n {
		return text
	}
	return string(r[:n-1]) + "…"
}
