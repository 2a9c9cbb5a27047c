package jsonata

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A decimalFormat holds the characters with a meaning in the pictures of [$formatNumber].
// Each is a string because options can set it to several characters.
//
// [$formatNumber]: https://www.w3.org/TR/xpath-functions-31/#func-format-number
type decimalFormat struct {
	decimal, grouping, exponent, minus, percent, perMille, digit, pattern string
	zero                                                                  rune
}

func newDecimalFormat(options *Object) (*decimalFormat, error) {
	f := &decimalFormat{
		decimal: ".", grouping: ",", exponent: "e", minus: "-",
		percent: "%", perMille: "\u2030", digit: "#", pattern: ";", zero: '0',
	}
	names := map[string]*string{
		"decimal-separator": &f.decimal, "grouping-separator": &f.grouping, "exponent-separator": &f.exponent,
		"minus-sign": &f.minus, "percent": &f.percent, "per-mille": &f.perMille, "digit": &f.digit,
		"pattern-separator": &f.pattern,
	}
	for i := range options.Len() {
		name, value := options.At(i)
		value = Force(value)
		text, ok := value.(string)
		if name == "zero-digit" {
			if r := []rune(text); len(r) > 0 {
				f.zero = r[0]
				continue
			}
			return nil, numberOption(name)
		}
		target := names[name]
		if target == nil {
			continue // "infinity" and "NaN" are for values that are never formatted; others have no meaning
		}
		if !ok || text == "" || len(text) > maxDigits {
			return nil, numberOption(name)
		}
		*target = text
	}
	return f, nil
}

func numberOption(name string) *Error {
	return pictureLimit("the option " + strconv.Quote(name) + " of the picture must be a short text")
}

func (f *decimalFormat) isDigit(r rune) bool { return r >= f.zero && r <= f.zero+9 }

// active reports whether r has a meaning in the middle of a picture.
func (f *decimalFormat) active(r rune) bool {
	if f.isDigit(r) {
		return true
	}
	switch string(r) {
	case f.decimal, f.exponent, f.grouping, f.digit, f.pattern:
		return true
	}
	return false
}

func (f *decimalFormat) count(s string, optional bool) int {
	n := 0
	for _, r := range s {
		if f.isDigit(r) || optional && string(r) == f.digit {
			n++
		}
	}
	return n
}

// A subPicture is one of the two pictures, for positive or for negative numbers, split
// into parts.
type subPicture struct {
	text, prefix, suffix        string
	active                      string
	mantissa, integer, fraction string
	exponent                    string
	hasExponent                 bool
	grouping, fractionGrouping  []int
	regular                     int
	minInteger, minFraction     int
	maxFraction, minExponent    int
	scaling                     int
	usesPercent, usesPerMille   bool
	usesDecimal                 bool
}

// split splits a picture into parts.
func (f *decimalFormat) split(text string) *subPicture {
	p := &subPicture{text: text}
	first, last := -1, 0
	for i, r := range text {
		if f.active(r) && string(r) != f.exponent {
			if first < 0 {
				first = i
			}
			last = i + len(string(r))
		}
	}
	if first >= 0 {
		p.prefix, p.suffix = text[:first], text[last:]
	}
	p.active = text[len(p.prefix) : len(text)-len(p.suffix)]
	p.mantissa = p.active
	// The reference counts the exponent's place from the start of the picture, but cuts
	// the part there without its prefix.
	if i := strings.Index(text[len(p.prefix):], f.exponent); i >= 0 && i+len(p.prefix) <= len(text)-len(p.suffix) {
		p.hasExponent = true
		at := utf8.RuneCountInString(text[:i+len(p.prefix)])
		p.mantissa = p.active[:characterAt(p.active, at)]
		p.exponent = p.active[characterAt(p.active, at+1):]
	}
	p.integer, p.fraction = p.mantissa, p.suffix
	if before, after, ok := strings.Cut(p.mantissa, f.decimal); ok {
		p.integer, p.fraction = before, after
	}
	p.usesPercent = strings.Contains(text, f.percent)
	p.usesPerMille = strings.Contains(text, f.perMille)
	p.usesDecimal = strings.Contains(text, f.decimal)
	return p
}

// characterAt returns where the n-th character of s begins, or its end.
func characterAt(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// validate checks the rules of [section 4.7.3]. Like the reference, it reports the last
// broken rule.
//
// [section 4.7.3]: https://www.w3.org/TR/xpath-functions-31/#syntax-of-picture-string
func (f *decimalFormat) validate(p *subPicture) error {
	passive := func(r rune) bool { return !f.active(r) }
	notDigit := func(r rune) bool { return !f.isDigit(r) }
	before, after, hasDecimal := strings.Cut(p.text, f.decimal)
	integerOptional := strings.Index(p.integer, f.digit)
	fractionOptional := strings.LastIndex(p.fraction, f.digit)

	code := ""
	check := func(broken bool, c string) {
		if broken {
			code = c
		}
	}
	twice := func(s string) bool { return strings.Index(p.text, s) != strings.LastIndex(p.text, s) }
	check(twice(f.decimal), "D3081")
	check(twice(f.percent), "D3082")
	check(twice(f.perMille), "D3083")
	check(p.usesPercent && p.usesPerMille, "D3084")
	check(f.count(p.mantissa, true) == 0, "D3085")
	check(strings.ContainsFunc(p.active, passive), "D3086")
	if hasDecimal {
		check(strings.HasSuffix(before, f.grouping) || strings.HasPrefix(after, f.grouping), "D3087")
	} else {
		check(strings.HasSuffix(p.integer, f.grouping), "D3088")
	}
	check(strings.Contains(p.text, f.grouping+f.grouping), "D3089")
	check(integerOptional >= 0 && f.count(p.integer[:max(integerOptional, 0)], false) > 0, "D3090")
	check(fractionOptional >= 0 && f.count(p.fraction[max(fractionOptional, 0):], false) > 0, "D3091")
	check(p.exponent != "" && (p.usesPercent || p.usesPerMille), "D3092")
	check(p.hasExponent && (p.exponent == "" || strings.ContainsFunc(p.exponent, notDigit)), "D3093")
	if code != "" {
		return errorf(code, nil)
	}
	return nil
}

// analyse derives the sizes of [section 4.7.4].
//
// [section 4.7.4]: https://www.w3.org/TR/xpath-functions-31/#analysis-of-picture-string
func (f *decimalFormat) analyse(p *subPicture) {
	p.grouping = f.groupingPositions(p, p.integer, false)
	p.regular = regularGrouping(p.grouping)
	p.fractionGrouping = f.groupingPositions(p, p.fraction, true)
	p.minInteger = f.count(p.integer, false)
	p.scaling = p.minInteger
	p.minFraction = f.count(p.fraction, false)
	p.maxFraction = f.count(p.fraction, true)
	if p.minInteger == 0 && p.maxFraction == 0 {
		if p.hasExponent {
			p.minFraction, p.maxFraction = 1, 1
		} else {
			p.minInteger = 1
		}
	}
	if p.hasExponent && p.minInteger == 0 && strings.Contains(p.integer, f.digit) {
		p.minInteger = 1
	}
	if p.minInteger == 0 && p.minFraction == 0 {
		p.minFraction = 1
	}
	p.minExponent = f.count(p.exponent, false)
}

// groupingPositions counts the digits from each separator to the decimal separator. For a
// fraction, the reference continues to look for separators in the integer part.
func (f *decimalFormat) groupingPositions(p *subPicture, part string, fraction bool) []int {
	var positions []int
	runes, integer, sep := []rune(part), []rune(p.integer), []rune(f.grouping)
	for at := indexRunes(runes, sep, 0); at >= 0; at = indexRunes(integer, sep, at+1) {
		side := runes[min(at, len(runes)):]
		if fraction {
			side = runes[:min(at, len(runes))]
		}
		positions = append(positions, f.count(string(side), true))
	}
	return positions
}

func indexRunes(s, sep []rune, from int) int {
	for i := from; i+len(sep) <= len(s); i++ {
		if slices.Equal(s[i:i+len(sep)], sep) {
			return i
		}
	}
	return -1
}

// formatNumber writes value as the picture says; options, which may be nil, replace
// the characters that have a meaning in it.
func formatNumber(value float64, picture string, options *Object) (string, error) {
	if len(picture) > maxPicture {
		return "", pictureLimit("the picture of a number is longer than 1000 characters")
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return "", errorf("D3001", nil)
	}
	f, err := newDecimalFormat(options)
	if err != nil {
		return "", err
	}
	texts := strings.Split(picture, f.pattern)
	if len(texts) > 2 {
		return "", errorf("D3080", nil)
	}
	pictures := make([]*subPicture, len(texts))
	for i, text := range texts {
		pictures[i] = f.split(text)
		if err := f.validate(pictures[i]); err != nil {
			return "", err
		}
		f.analyse(pictures[i])
		if pictures[i].maxFraction > maxDigits {
			return "", pictureLimit("the picture asks for more than 100 digits after the decimal separator")
		}
	}
	p := pictures[0]
	if value < 0 {
		if len(pictures) == 2 {
			p = pictures[1]
		} else {
			p.prefix = f.minus + p.prefix
		}
	}
	return f.format(p, value)
}

// format follows the rules of [section 4.7.5].
//
// [section 4.7.5]: https://www.w3.org/TR/xpath-functions-31/#formatting-the-number
func (f *decimalFormat) format(p *subPicture, value float64) (string, error) {
	switch {
	case p.usesPercent:
		value *= 100
	case p.usesPerMille:
		value *= 1000
	}
	if math.IsInf(value, 0) {
		return "", errorf("D3001", nil)
	}
	mantissa, exponent := value, 0
	if p.minExponent > 0 {
		mantissa, exponent = scale(value, p.scaling)
	}
	digits := fixed(math.Abs(roundDecimal(mantissa, p.maxFraction)), p.maxFraction)
	whole, part, _ := strings.Cut(digits, ".")
	whole = strings.TrimLeft(whole, "0")
	part = strings.TrimRight(part, "0")
	if n := p.minInteger - len(whole); n > 0 {
		whole = strings.Repeat("0", n) + whole
	}
	if n := p.minFraction - len(part); n > 0 {
		part += strings.Repeat("0", n)
	}
	number := slices.Concat(f.family(whole), []rune(f.decimal), f.family(part))
	out := p.prefix + string(f.group(p, number, len(whole)))
	if p.minExponent > 0 {
		e := strconv.Itoa(max(exponent, -exponent))
		if n := p.minExponent - len(e); n > 0 {
			e = strings.Repeat("0", n) + e
		}
		out += f.exponent
		if exponent < 0 {
			out += f.minus
		}
		out += string(f.family(e))
	}
	return out + p.suffix, nil
}

// scale returns the mantissa with the given number of digits before the point, and
// the power of ten that it was divided by.
func scale(value float64, digits int) (mantissa float64, exponent int) {
	if value == 0 {
		return 0, 0
	}
	most, least := math.Pow10(digits), math.Pow10(digits-1)
	if math.IsInf(most, 0) {
		return value, 0
	}
	for math.Abs(value) < least {
		value *= 10
		exponent--
	}
	for math.Abs(value) > most {
		value /= 10
		exponent++
	}
	return value, exponent
}

// fixed writes a non-negative number as JavaScript's toFixed does.
func fixed(value float64, places int) string {
	if value >= 1e21 {
		return string(AppendNumber(nil, value))
	}
	return strconv.FormatFloat(value, 'f', places, 64)
}

// family replaces ASCII digits by those of the format.
func (f *decimalFormat) family(s string) []rune {
	runes := []rune(s)
	for i, r := range runes {
		if r >= '0' && r <= '9' {
			runes[i] = r - '0' + f.zero
		}
	}
	return runes
}

// group puts the grouping separators into number, whose decimal separator is at point,
// and removes that separator if nothing follows it.
func (f *decimalFormat) group(p *subPicture, number []rune, point int) []rune {
	sep := []rune(f.grouping)
	insert := func(at int) {
		if at < 0 { // with fewer digits than the picture has, JavaScript's slice does this
			at = max(0, len(number)+at)
		}
		number = slices.Insert(number, min(at, len(number)), sep...)
	}
	if p.regular > 0 {
		groups := max(0, (point-1)/p.regular)
		for i := 1; i <= groups; i++ {
			insert(point - i*p.regular)
		}
		point += groups * len(sep)
	} else {
		for _, pos := range p.grouping {
			insert(point - pos)
			point++
		}
	}
	// If there are fewer digits than in the picture, separators are after the decimal
	// separator.
	if at := indexRunes(number, []rune(f.decimal), 0); at >= 0 {
		point = at
	}
	for _, pos := range p.fractionGrouping {
		insert(point + 1 + pos)
	}
	if !p.usesDecimal || point == len(number)-1 {
		number = number[:len(number)-1]
	}
	return number
}

// roundDecimal rounds to a number of decimal places, halves to even, using the decimal
// digits of the number, because multiplying first would introduce errors.
func roundDecimal(x float64, places int) float64 {
	shift := func(x float64, by int) float64 {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
		e, _ := strconv.Atoi(exponent)
		y, _ := strconv.ParseFloat(mantissa+"e"+strconv.Itoa(e+by), 64)
		return y
	}
	shifted := shift(x, places)
	if math.IsInf(shifted, 0) {
		return x // it does not have that many decimal places
	}
	return shift(math.RoundToEven(shifted), -places)
}
