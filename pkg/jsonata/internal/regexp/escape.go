package regexp

import (
	"strconv"
	"unicode/utf16"
)

// escape parses what follows a backslash, if it is a single character.
func (p *parser) escape() (rune, error) {
	if p.pos >= len(p.src) {
		return 0, refuse(`\ at the end of the pattern`)
	}
	c := p.peek()
	p.pos++
	switch c {
	case 't':
		return '\t', nil
	case 'n':
		return '\n', nil
	case 'v':
		return '\v', nil
	case 'f':
		return '\f', nil
	case 'r':
		return '\r', nil
	case '0':
		if next := p.peek(); next < '0' || next > '9' {
			return 0, nil
		}
		return 0, refuse("octal escapes are not supported")
	case '1', '2', '3', '4', '5', '6', '7', '8', '9', 'k':
		return 0, refuse("a reference back to a group is not supported")
	case 'c':
		letter := p.peek()
		if letter >= 'a' && letter <= 'z' || letter >= 'A' && letter <= 'Z' {
			p.pos++
			return letter % 32, nil
		}
		return 0, refuse(`\c needs a letter`)
	case 'x':
		if r, ok := p.hex(2); ok {
			return r, nil
		}
	case 'u':
		return p.unicodeEscape()
	case 'p', 'P':
		return 0, refuse(`\` + string(c) + ` needs a flag that JSONata does not have`)
	}
	return c, nil
}

// unicodeEscape parses what follows \u. Two of them can make one character.
func (p *parser) unicodeEscape() (rune, error) {
	if p.peek() == '{' {
		return 0, refuse(`\u{…} needs a flag that JSONata does not have`)
	}
	high, ok := p.hex(4)
	if !ok {
		return 'u', nil
	}
	if !utf16.IsSurrogate(high) {
		return high, nil
	}
	if p.ahead(`\u`) {
		start := p.pos
		p.pos += 2
		if low, ok := p.hex(4); ok {
			if r := utf16.DecodeRune(high, low); r != 0xfffd {
				return r, nil
			}
		}
		p.pos = start
	}
	return 0, refuse("half of a surrogate pair is not supported")
}

// hex parses exactly n hexadecimal digits, or nothing.
func (p *parser) hex(n int) (rune, bool) {
	if p.pos+n > len(p.src) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(p.src[p.pos:p.pos+n]), 16, 32)
	if err != nil {
		return 0, false
	}
	p.pos += n
	return rune(v), true
}

// set parses a character class after its opening bracket.
func (p *parser) set() ([]runeRange, error) {
	negated := p.next('^')
	var ranges []runeRange
	for !p.next(']') {
		lo, class, err := p.member()
		if err != nil {
			return nil, err
		}
		if p.peek() != '-' || p.pos+1 >= len(p.src) || p.src[p.pos+1] == ']' {
			ranges = appendMember(ranges, lo, class)
			continue
		}
		p.pos++
		hi, other, err := p.member()
		switch {
		case err != nil:
			return nil, err
		case class != nil || other != nil:
			// Between classes, the dash stands for itself.
			ranges = append(appendMember(ranges, lo, class), runeRange{'-', '-'})
			ranges = appendMember(ranges, hi, other)
		case hi < lo:
			return nil, refuse("a range in a character class is out of order")
		default:
			ranges = append(ranges, runeRange{lo, hi})
		}
	}
	if p.fold {
		ranges = fold(ranges)
	}
	if negated {
		ranges = negate(ranges)
	}
	return ranges, nil
}

func appendMember(ranges []runeRange, r rune, class []runeRange) []runeRange {
	if class != nil {
		return append(ranges, class...)
	}
	return append(ranges, runeRange{r, r})
}

// member parses one character of a class, or an escape for several characters.
func (p *parser) member() (r rune, class []runeRange, err error) {
	if p.pos >= len(p.src) {
		return 0, nil, refuse("a character class is not closed")
	}
	if !p.next('\\') {
		r = p.peek()
		p.pos++
		return r, nil, nil
	}
	if class, ok := classEscape(p.peek()); ok {
		p.pos++
		return 0, class, nil
	}
	if p.next('b') {
		return '\b', nil, nil
	}
	r, err = p.escape()
	return r, nil, err
}
