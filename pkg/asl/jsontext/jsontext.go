// Package jsontext reports what is wrong in JSON text, with the messages of Step
// Functions' own parser (Jackson), and finds the place of a value in the text.
//
// It does not return values: [pkg/jsonata.Decode] does, and is called first. This package
// is used if Decode refuses a text, or if a message needs a line and a column.
//
// [pkg/jsonata.Decode]: https://pkg.go.dev/github.com/expressway-dev/expressway/pkg/jsonata#Decode
package jsontext

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth is the nesting that [Check] and [Find] follow, the same as in pkg/jsonata.
const maxDepth = 512

// An Error is one mistake in JSON text.
type Error struct {
	// Reason is the message without the place.
	Reason string
	// Line and Column count from 1. Column is the position of the service's parser: after
	// the character or the word that it did not expect.
	Line, Column int

	source string
}

// Error returns the service's message, in two lines.
func (e *Error) Error() string { return e.Reason + "\n at " + e.Location() }

// Location returns the service's form of the place, which quotes the text.
func (e *Error) Location() string { return location(e.source, e.Line, e.Column) }

func location(source string, line, column int) string {
	return fmt.Sprintf("[Source: (String)%s; line: %d, column: %d]", source, line, column)
}

// quoteSource quotes a text as the service's messages do, which truncate it.
func quoteSource(text string) string {
	const most = 500
	n := 0
	for i := range text {
		if n == most {
			return fmt.Sprintf("\"%s\"[truncated %d chars]", text[:i], utf8.RuneCountInString(text[i:]))
		}
		n++
	}
	return `"` + text + `"`
}

// Check returns the first mistake in a text that should be one JSON value, or nil.
func Check(text []byte) *Error { return check(text, false) }

// CheckUnique is Check, but also reports duplicate members.
func CheckUnique(text []byte) *Error { return check(text, true) }

func check(text []byte, unique bool) *Error {
	s := &scanner{text: string(text), unique: unique}
	if !utf8.ValidString(s.text) {
		return s.invalidUTF8()
	}
	s.document()
	return s.err
}

// Position returns the line and the column of an offset, from 1; columns count
// characters.
func Position(text []byte, offset int) (line, column int) {
	return position(string(text), offset)
}

func position(text string, offset int) (line, column int) {
	before := text[:min(offset, len(text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}

// Find returns the offset of what a diagnostic's location refers to, such as
// /States/Ship/Choices[0]/Next: the member's name, or the element. If the location does
// not exist, it finds the longest part that does. The text must be JSON.
func Find(text []byte, location string) int {
	s := &scanner{text: string(text), want: strings.TrimSuffix(location, "/")}
	s.document()
	return s.found
}
