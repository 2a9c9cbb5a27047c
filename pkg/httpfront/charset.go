package httpfront

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

var (
	bomUTF8  = []byte{0xEF, 0xBB, 0xBF}
	bomUTF16 = [2][]byte{{0xFE, 0xFF}, {0xFF, 0xFE}}
)

// withoutBOM removes the byte order mark that some senders put before UTF-8.
func withoutBOM(text []byte) []byte { return bytes.TrimPrefix(text, bomUTF8) }

// toUTF8 decodes the charsets that senders of webhooks use. It returns false for any
// other charset, and for text that is not in the charset.
func toUTF8(text []byte, charset string) ([]byte, bool) {
	switch charset {
	case "utf-16", "utf16", "utf-16le", "utf-16be":
		return fromUTF16(text, charset)
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		if bytes.HasPrefix(text, bomUTF16[0]) || bytes.HasPrefix(text, bomUTF16[1]) {
			return fromUTF16(text, "utf-16")
		}
	case "iso-8859-1", "iso8859-1", "latin1", "l1":
		out := make([]byte, 0, len(text)+len(text)/8)
		for _, c := range text {
			out = utf8.AppendRune(out, rune(c))
		}
		return out, true
	default:
		if !isASCII(text) { // all charsets that a sender would use have ASCII in common
			return nil, false
		}
	}
	text = withoutBOM(text)
	return text, utf8.Valid(text)
}

// fromUTF16 decodes by the byte order mark, else by the name, else big-endian (RFC 2781).
func fromUTF16(text []byte, charset string) ([]byte, bool) {
	var order binary.ByteOrder = binary.BigEndian
	switch {
	case bytes.HasPrefix(text, bomUTF16[0]):
		text = text[2:]
	case bytes.HasPrefix(text, bomUTF16[1]):
		order, text = binary.LittleEndian, text[2:]
	case charset == "utf-16le":
		order = binary.LittleEndian
	}
	if len(text)%2 != 0 {
		return nil, false
	}
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r := rune(order.Uint16(text))
		text = text[2:]
		if utf16.IsSurrogate(r) {
			if len(text) < 2 {
				return nil, false
			}
			if r = utf16.DecodeRune(r, rune(order.Uint16(text))); r == utf8.RuneError {
				return nil, false
			}
			text = text[2:]
		}
		out = utf8.AppendRune(out, r)
	}
	return out, true
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
