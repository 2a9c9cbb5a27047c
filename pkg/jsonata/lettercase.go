package jsonata

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Upper and lower case follow JavaScript: unlike in Go, some letters become several, and
// the form of a lower-case sigma depends on its place in the word.

// manyUpper holds the letters that become several in upper case: the unconditional ones
// of Unicode's SpecialCasing.
var manyUpper = sync.OnceValue(func() map[rune]string {
	m := map[rune]string{
		0x00DF: "SS", 0x0149: "\u02BCN", 0x01F0: "J\u030C", 0x0390: "\u0399\u0308\u0301",
		0x03B0: "\u03A5\u0308\u0301", 0x0587: "\u0535\u0552", 0x1E96: "H\u0331", 0x1E97: "T\u0308",
		0x1E98: "W\u030A", 0x1E99: "Y\u030A", 0x1E9A: "A\u02BE", 0x1F50: "\u03A5\u0313",
		0x1F52: "\u03A5\u0313\u0300", 0x1F54: "\u03A5\u0313\u0301", 0x1F56: "\u03A5\u0313\u0342",
		0x1FB2: "\u1FBA\u0399", 0x1FB3: "\u0391\u0399", 0x1FB4: "\u0386\u0399", 0x1FB6: "\u0391\u0342",
		0x1FB7: "\u0391\u0342\u0399", 0x1FBC: "\u0391\u0399", 0x1FC2: "\u1FCA\u0399", 0x1FC3: "\u0397\u0399",
		0x1FC4: "\u0389\u0399", 0x1FC6: "\u0397\u0342", 0x1FC7: "\u0397\u0342\u0399", 0x1FCC: "\u0397\u0399",
		0x1FD2: "\u0399\u0308\u0300", 0x1FD3: "\u0399\u0308\u0301", 0x1FD6: "\u0399\u0342",
		0x1FD7: "\u0399\u0308\u0342", 0x1FE2: "\u03A5\u0308\u0300", 0x1FE3: "\u03A5\u0308\u0301",
		0x1FE4: "\u03A1\u0313", 0x1FE6: "\u03A5\u0342", 0x1FE7: "\u03A5\u0308\u0342", 0x1FF2: "\u1FFA\u0399",
		0x1FF3: "\u03A9\u0399", 0x1FF4: "\u038F\u0399", 0x1FF6: "\u03A9\u0342", 0x1FF7: "\u03A9\u0342\u0399",
		0x1FFC: "\u03A9\u0399", 0xFB00: "FF", 0xFB01: "FI", 0xFB02: "FL", 0xFB03: "FFI", 0xFB04: "FFL",
		0xFB05: "ST", 0xFB06: "ST", 0xFB13: "\u0544\u0546", 0xFB14: "\u0544\u0535", 0xFB15: "\u0544\u053B",
		0xFB16: "\u054E\u0546", 0xFB17: "\u0544\u053D",
	}
	// Greek letters with an iota subscript, which becomes a letter of its own.
	for i, capital := range []rune{0x1F08, 0x1F28, 0x1F68} {
		for j := range rune(16) {
			m[0x1F80+16*rune(i)+j] = string([]rune{capital + j&7, 0x0399})
		}
	}
	return m
})

func toUpper(s string) string {
	if isASCII(s) {
		return strings.ToUpper(s)
	}
	many := manyUpper()
	return mapLetters(s, func(out *strings.Builder, r rune, _ int) {
		if letters, ok := many[r]; ok {
			out.WriteString(letters)
			return
		}
		out.WriteRune(unicode.ToUpper(r))
	})
}

func toLower(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return mapLetters(s, func(out *strings.Builder, r rune, at int) {
		switch {
		case r == 'İ':
			out.WriteString("i\u0307")
		case r == 'Σ' && endsWord(s, at):
			out.WriteRune('ς')
		default:
			out.WriteRune(unicode.ToLower(r))
		}
	})
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// mapLetters rewrites s; halves of surrogate pairs are unchanged.
func mapLetters(s string, write func(out *strings.Builder, r rune, at int)) string {
	var out strings.Builder
	out.Grow(len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError {
			out.WriteString(s[i : i+n])
		} else {
			write(&out, r, i)
		}
		i += n
	}
	return out.String()
}

// endsWord reports whether the sigma at a place has a cased letter before it and none
// after it, ignoring characters that can occur inside a word.
func endsWord(s string, at int) bool {
	before := strings.TrimRightFunc(s[:at], passedOver)
	after := strings.TrimLeftFunc(s[at+len("Σ"):], passedOver)
	last, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	return hasCase(last) && !hasCase(next)
}

func hasCase(r rune) bool {
	return unicode.In(r, unicode.Upper, unicode.Lower, unicode.Title, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// passedOver reports whether a character has the property Case_Ignorable.
func passedOver(r rune) bool {
	switch r {
	case '\'', '.', ':', '^', '`', '·', '‘', '’', '․', '‧',
		0x0387, 0x055F, 0x05F4, 0xFE13, 0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A:
		return true
	}
	return r >= utf8.RuneSelf && unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}
