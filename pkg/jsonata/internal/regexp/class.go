package regexp

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// Space is the class of the characters that JavaScript's \s matches, which are more than
// RE2's.
const Space = `[\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}]`

// A runeRange is a range of characters in a class.
type runeRange struct{ lo, hi rune }

var (
	digitRunes = []runeRange{{'0', '9'}}
	wordRunes  = []runeRange{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
	spaceRunes = []runeRange{
		{'\t', '\r'},
		{' ', ' '},
		{0xa0, 0xa0},
		{0x1680, 0x1680},
		{0x2000, 0x200a},
		{0x2028, 0x2029},
		{0x202f, 0x202f},
		{0x205f, 0x205f},
		{0x3000, 0x3000},
		{0xfeff, 0xfeff},
	}
	lineRunes = []runeRange{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}
)

// IsSpace reports whether JavaScript treats r as white space.
func IsSpace(r rune) bool {
	return slices.ContainsFunc(spaceRunes, func(s runeRange) bool { return r >= s.lo && r <= s.hi })
}

// classEscape returns what \d, \w, \s and their opposites stand for.
func classEscape(c rune) ([]runeRange, bool) {
	switch c {
	case 'd':
		return digitRunes, true
	case 'D':
		return negate(digitRunes), true
	case 'w':
		return wordRunes, true
	case 'W':
		return negate(wordRunes), true
	case 's':
		return spaceRunes, true
	case 'S':
		return negate(spaceRunes), true
	}
	return nil, false
}

// joinRanges sorts ranges and joins those that touch.
func joinRanges(ranges []runeRange) []runeRange {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b runeRange) int { return int(a.lo - b.lo) })
	out := sorted[:0]
	for _, r := range sorted {
		if n := len(out); n > 0 && r.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

func negate(ranges []runeRange) []runeRange {
	var out []runeRange
	next := rune(0)
	for _, r := range joinRanges(ranges) {
		if r.lo > next {
			out = append(out, runeRange{next, r.lo - 1})
		}
		next = r.hi + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, runeRange{next, unicode.MaxRune})
	}
	return out
}

// writeClass writes ranges as a class of RE2, of numbers only so that nothing needs quoting.
func writeClass(b *strings.Builder, ranges []runeRange) {
	if len(ranges) == 0 {
		b.WriteString(`[^\x{0}-\x{10ffff}]`) // matches nothing
		return
	}
	b.WriteByte('[')
	for _, r := range ranges {
		b.WriteString(`\x{` + strconv.FormatInt(int64(r.lo), 16) + `}`)
		if r.hi > r.lo {
			b.WriteString(`-\x{` + strconv.FormatInt(int64(r.hi), 16) + `}`)
		}
	}
	b.WriteByte(']')
}

// canonical returns the form in which characters are compared when case is ignored: the
// [upper case] of a character, unless that has several characters or is ASCII while the
// character is not. RE2 folds more: to RE2, the Kelvin sign is a K.
//
// [upper case]: https://262.ecma-international.org/#sec-runtime-semantics-canonicalize-ch
func canonical(r rune) rune {
	switch {
	case r > 0xffff, // JavaScript sees two halves of a character there
		r >= 0x1f80 && r <= 0x1faf, r == 0x1fb3, r == 0x1fbc, r == 0x1fc3, r == 0x1fcc, r == 0x1ff3, r == 0x1ffc:
		return r
	}
	if up := unicode.ToUpper(r); r < 0x80 || up >= 0x80 {
		return up
	}
	return r
}

// A variant is a character and another one that is equal to it when case is ignored.
type variant struct{ of, is rune }

// caseVariants is sorted by character.
var caseVariants = sync.OnceValue(func() []variant {
	var out []variant
	for r := rune(0); r <= 0xffff; r++ {
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			if canonical(other) == canonical(r) {
				out = append(out, variant{r, other})
			}
		}
	}
	return out
})

// fold adds to ranges the characters that are equal to one in them when case is ignored.
func fold(ranges []runeRange) []runeRange {
	out := slices.Clone(ranges)
	variants := caseVariants()
	for _, r := range joinRanges(ranges) {
		first, _ := slices.BinarySearchFunc(variants, r.lo, func(v variant, lo rune) int { return int(v.of - lo) })
		for _, v := range variants[first:] {
			if v.of > r.hi {
				break
			}
			out = append(out, runeRange{v.is, v.is})
		}
	}
	return joinRanges(out)
}

// FoldText returns an expression that matches a text regardless of case.
func FoldText(s string) string {
	var b strings.Builder
	for _, r := range s {
		writeClass(&b, fold([]runeRange{{r, r}}))
	}
	return b.String()
}
