package jsonata

import (
	"math"
	"slices"
	"strings"
)

// Pictures say how a number or a time is written. They follow [XPath Functions 3.1] as
// the reference implementation does, including where it departs from the recommendation,
// because results must be the same as in Step Functions.
//
// [XPath Functions 3.1]: https://www.w3.org/TR/xpath-functions-31/#formatting-integers

const (
	maxPicture     = 1000 // characters in the picture of a number
	maxDigits      = 100  // digits that a width or a fraction may ask for
	maxIntegerText = 8192 // bytes of an integer to parse

	maxRoman = 1000 // letters of a Roman numeral, which has one for each thousand
)

// pictureLimit returns the error for a picture that asks for too much. The reference has
// no code for it, and would exhaust the memory instead.
func pictureLimit(message string) *Error {
	return &Error{Code: "D3150", Position: -1, Message: message}
}

type integerKind int

const (
	kindDecimal integerKind = iota
	kindLetters
	kindRoman
	kindWords
	kindSequence // numbering that XPath leaves to implementations; always refused
)

type letterCase int

const (
	lowerCase letterCase = iota
	upperCase
	titleCase
)

// A separator is to the left of its position-th digit, counted from the right.
type separator struct {
	position int
	char     rune
}

// An integerPicture is an analysed picture of [$formatInteger].
//
// [$formatInteger]: https://docs.jsonata.org/numeric-functions#formatinteger
type integerPicture struct {
	kind      integerKind
	letters   letterCase
	ordinal   bool
	token     string // the picture of a kindSequence
	zero      rune   // of the digit family in use
	mandatory int    // digits that are always written
	optional  int
	// regular separators repeat every every[0].position digits
	regular    bool
	separators []separator // from right to left
	parseWidth int         // the exact number of digits to parse; 0 for one or more
}

// decimalZeros are the zeros of the digit families that a picture can use.
var decimalZeros = []rune{
	0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
	0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
	0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
}

func zeroOf(r rune) (rune, bool) {
	for _, zero := range decimalZeros {
		if r >= zero && r <= zero+9 {
			return zero, true
		}
	}
	return 0, false
}

func parseIntegerPicture(picture string) (*integerPicture, error) {
	if len(picture) > maxPicture {
		return nil, pictureLimit("the picture of an integer is longer than 1000 characters")
	}
	p := &integerPicture{}
	primary := picture
	if i := strings.LastIndexByte(picture, ';'); i >= 0 {
		primary = picture[:i]
		p.ordinal = strings.HasPrefix(picture[i+1:], "o")
	}
	switch primary {
	case "A":
		p.kind, p.letters = kindLetters, upperCase
	case "a":
		p.kind = kindLetters
	case "I":
		p.kind, p.letters = kindRoman, upperCase
	case "i":
		p.kind = kindRoman
	case "W":
		p.kind, p.letters = kindWords, upperCase
	case "Ww":
		p.kind, p.letters = kindWords, titleCase
	case "w":
		p.kind = kindWords
	default:
		return p, p.decimal(primary)
	}
	return p, nil
}

// decimal analyses a decimal digit pattern.
func (p *integerPicture) decimal(pattern string) error {
	runes := []rune(pattern)
	slices.Reverse(runes) // separators are counted from the right
	digits := 0
	for _, r := range runes {
		zero, ok := zeroOf(r)
		switch {
		case ok && p.zero != 0 && p.zero != zero:
			return errorf("D3131", nil)
		case ok:
			p.zero = zero
			p.mandatory++
			digits++
		case r == '#':
			p.optional++
			digits++
		default:
			p.separators = append(p.separators, separator{digits, r})
		}
	}
	if p.mandatory == 0 {
		*p = integerPicture{kind: kindSequence, token: pattern, ordinal: p.ordinal}
		return nil
	}
	positions := make([]int, len(p.separators))
	same := true
	for i, s := range p.separators {
		positions[i] = s.position
		same = same && s.char == p.separators[0].char
	}
	if every := regularGrouping(positions); same && every > 0 {
		p.regular = true
		p.separators = []separator{{every, p.separators[0].char}}
	}
	return nil
}

// regularGrouping returns the distance between separators if it is the same everywhere,
// and 0 otherwise.
func regularGrouping(positions []int) int {
	if len(positions) == 0 {
		return 0
	}
	factor := positions[0]
	for _, p := range positions[1:] {
		factor = gcd(factor, p)
	}
	for i := range positions {
		if !slices.Contains(positions, (i+1)*factor) {
			return 0
		}
	}
	return factor
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// formatInteger writes value, rounded down to an integer, as the picture says.
func formatInteger(value float64, picture string) (string, error) {
	p, err := parseIntegerPicture(picture)
	if err != nil {
		return "", err
	}
	return p.format(math.Floor(value))
}

// format writes an integer.
func (p *integerPicture) format(value float64) (string, error) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return "", errorf("D3001", nil)
	}
	var s string
	switch abs := math.Abs(value); p.kind {
	case kindLetters:
		s = formatLetters(abs, p.letters)
	case kindRoman:
		if abs > 1000*maxRoman {
			return "", pictureLimit("the number is too large for a Roman numeral")
		}
		s = formatRoman(int(abs))
		if p.letters == upperCase {
			s = strings.ToUpper(s)
		}
	case kindWords:
		s = formatWords(abs, false, p.ordinal)
		switch p.letters {
		case upperCase:
			s = strings.ToUpper(s)
		case lowerCase:
			s = strings.ToLower(s)
		}
	case kindDecimal:
		s = p.formatDecimal(abs)
	default:
		return "", errorf("D3130", p.token)
	}
	if value < 0 {
		s = "-" + s
	}
	return s, nil
}

func (p *integerPicture) formatDecimal(value float64) string {
	digits := []rune(string(AppendNumber(nil, value)))
	if n := p.mandatory - len(digits); n > 0 {
		digits = append(slices.Repeat([]rune{'0'}, n), digits...)
	}
	for i := range digits {
		digits[i] += p.zero - '0'
	}
	if p.regular {
		s := p.separators[0]
		for i := (len(digits) - 1) / s.position; i > 0; i-- {
			digits = slices.Insert(digits, len(digits)-i*s.position, s.char)
		}
	} else {
		for _, s := range slices.Backward(p.separators) {
			digits = insertSeparator(digits, len(digits)-s.position, s.char)
		}
	}
	if p.ordinal {
		digits = append(digits, []rune(ordinalSuffix(digits))...)
	}
	return string(digits)
}

// insertSeparator puts a separator at pos. A number with fewer digits than the picture
// has a negative pos, and the reference then keeps only the last -pos characters (as
// JavaScript's substr does).
func insertSeparator(digits []rune, pos int, char rune) []rune {
	if pos >= 0 {
		return slices.Insert(digits, pos, char)
	}
	return append([]rune{char}, digits[max(0, len(digits)+pos):]...)
}

func ordinalSuffix(digits []rune) string {
	n := len(digits)
	if n > 1 && digits[n-2] == '1' {
		return "th"
	}
	switch digits[n-1] {
	case '1':
		return "st"
	case '2':
		return "nd"
	case '3':
		return "rd"
	}
	return "th"
}

// parseInteger reads a number that is written as the picture says. Like the
// reference it does not check the text against the picture: it reads what it can.
// Text without a number is an error.
func parseInteger(s, picture string) (any, error) {
	if len(s) > maxIntegerText {
		return nil, pictureLimit("the text of an integer is longer than 8192 bytes")
	}
	p, err := parseIntegerPicture(picture)
	if err != nil {
		return nil, err
	}
	value, err := p.parse(s)
	switch {
	case err != nil:
		return nil, err
	case math.IsNaN(value):
		return nil, errorf("D3030", s)
	case math.IsInf(value, 0):
		return nil, errorf("D1001", s)
	}
	return value, nil
}

// parse returns NaN if s is not a number.
func (p *integerPicture) parse(s string) (float64, error) {
	switch p.kind {
	case kindLetters:
		return parseLetters(s, p.letters), nil
	case kindRoman:
		if p.letters == lowerCase {
			s = strings.ToUpper(s)
		}
		return parseRoman(s), nil
	case kindWords:
		return parseWords(strings.ToLower(s)), nil
	case kindDecimal:
		return p.parseDecimal(s), nil
	}
	return 0, errorf("D3130", p.token)
}

func (p *integerPicture) parseDecimal(s string) float64 {
	runes := []rune(s)
	if p.ordinal {
		runes = runes[:max(0, len(runes)-2)]
	}
	var b strings.Builder
	for _, r := range runes {
		// The reference strips commas from a regular picture, whatever its separator is.
		if p.regular && r == ',' || !p.regular && p.separates(r) {
			continue
		}
		b.WriteRune(r - p.zero + '0')
	}
	return leadingInteger(b.String())
}

func (p *integerPicture) separates(r rune) bool {
	return slices.ContainsFunc(p.separators, func(s separator) bool { return s.char == r })
}
