package jsonata

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"

	jsregexp "github.com/expressway-dev/expressway/pkg/jsonata/internal/regexp"
)

var (
	cardinals = []string{
		"Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve",
		"Thirteen", "Fourteen", "Fifteen", "Sixteen", "Seventeen", "Eighteen", "Nineteen",
	}
	ordinals = []string{
		"Zeroth", "First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth", "Eleventh",
		"Twelfth", "Thirteenth", "Fourteenth", "Fifteenth", "Sixteenth", "Seventeenth", "Eighteenth", "Nineteenth",
	}
	decades    = []string{"Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"}
	magnitudes = []string{"Thousand", "Million", "Billion", "Trillion"}
)

// formatWords writes a number in English; after says that words precede it.
func formatWords(n float64, after, ordinal bool) string {
	join := func(s string) string {
		if after {
			return s
		}
		return ""
	}
	end := func(words string, rest float64) string {
		switch {
		case rest > 0:
			return words + formatWords(rest, true, ordinal)
		case ordinal:
			return words + "th"
		}
		return words
	}
	switch {
	case n <= 19 && ordinal:
		return join(" and ") + ordinals[int(n)]
	case n <= 19:
		return join(" and ") + cardinals[int(n)]
	case n < 100:
		words := join(" and ") + decades[int(n)/10-2]
		if rest := int(n) % 10; rest > 0 {
			return words + "-" + formatWords(float64(rest), false, ordinal)
		}
		if ordinal {
			return strings.TrimSuffix(words, "y") + "ieth"
		}
		return words
	case n < 1000:
		return end(join(", ")+cardinals[int(n)/100]+" Hundred", float64(int(n)%100))
	}
	magnitude, factor := 0, 1e3
	for magnitude < len(magnitudes)-1 && n >= factor*1000 {
		magnitude++
		factor *= 1000
	}
	mantissa := math.Floor(n / factor)
	// The conversion keeps the multiplication apart from the subtraction, which some
	// processors would fuse, with a different result.
	rest := n - float64(mantissa*factor)
	return end(join(", ")+formatWords(mantissa, false, false)+" "+magnitudes[magnitude], rest)
}

// A numberWord is a word and the number it stands for.
type numberWord struct {
	word  string
	value float64
}

// numberWords are the words of numbers, in lower case; words that are prefixes of others
// come later.
var numberWords = sync.OnceValue(func() []numberWord {
	var words []numberWord
	add := func(word string, value float64) {
		words = append(words, numberWord{strings.ToLower(word), value})
	}
	for i, w := range cardinals {
		add(w, float64(i))
	}
	for i, w := range ordinals {
		add(w, float64(i))
	}
	for i, w := range append(decades[:len(decades):len(decades)], "Hundred") {
		add(w, float64(i+2)*10)
		add(w[:len(w)-1]+"ieth", float64(i+2)*10)
	}
	add("Hundredth", 100)
	value := 1e3
	for _, w := range magnitudes {
		add(w, value)
		add(w+"th", value)
		value *= 1000
	}
	return words
})

var wordValues = sync.OnceValue(func() map[string]float64 {
	m := make(map[string]float64)
	for _, w := range numberWords() {
		m[w.word] = w.value
	}
	return m
})

// wordBreak matches what separates the words of a number.
var wordBreak = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`,` + jsregexp.Space + `|` + jsregexp.Space + `and` + jsregexp.Space + `|[\\-]|` + jsregexp.Space)
})

// parseWords reads a number in English; it returns NaN if a word is not one of a number.
func parseWords(s string) float64 {
	segments := []float64{0}
	for _, word := range wordBreak().Split(s, -1) {
		value, ok := wordValues()[word]
		if !ok {
			return math.NaN()
		}
		last := len(segments) - 1
		switch top := segments[last]; {
		case value >= 100:
			segments[last] = top * value
		case top >= 1000:
			segments = append(segments, value)
		default:
			segments[last] = top + value
		}
	}
	sum := 0.0
	for _, n := range segments {
		sum += n
	}
	return sum
}

var romanNumerals = []struct {
	value   int
	numeral string
}{
	{1000, "m"},
	{900, "cm"},
	{500, "d"},
	{400, "cd"},
	{100, "c"},
	{90, "xc"},
	{50, "l"},
	{40, "xl"},
	{10, "x"},
	{9, "ix"},
	{5, "v"},
	{4, "iv"},
	{1, "i"},
}

func formatRoman(n int) string {
	var b strings.Builder
	for _, r := range romanNumerals {
		for ; n >= r.value; n -= r.value {
			b.WriteString(r.numeral)
		}
	}
	return b.String()
}

var romanValues = map[byte]float64{'M': 1000, 'D': 500, 'C': 100, 'L': 50, 'X': 10, 'V': 5, 'I': 1}

// parseRoman reads capital Roman numerals.
func parseRoman(s string) float64 {
	sum, largest := 0.0, 1.0
	for i := len(s) - 1; i >= 0; i-- {
		value, ok := romanValues[s[i]]
		switch {
		case !ok:
			return math.NaN()
		case value < largest:
			sum -= value
		default:
			largest = value
			sum += value
		}
	}
	return sum
}

func firstLetter(c letterCase) float64 {
	if c == upperCase {
		return 'A'
	}
	return 'a'
}

// formatLetters writes a number as spreadsheets name columns. Zero has no letters.
func formatLetters(n float64, c letterCase) string {
	var letters []byte
	for n > 0 {
		letters = append(letters, byte(math.Mod(n-1, 26)+firstLetter(c)))
		n = math.Floor((n - 1) / 26)
	}
	for i, j := 0, len(letters)-1; i < j; i, j = i+1, j-1 {
		letters[i], letters[j] = letters[j], letters[i]
	}
	return string(letters)
}

func parseLetters(s string, c letterCase) float64 {
	runes := []rune(s)
	n := 0.0
	for i := range runes {
		n += float64((float64(runes[len(runes)-1-i]) - firstLetter(c) + 1) * math.Pow(26, float64(i)))
	}
	return n
}

// leadingInteger reads the integer that s begins with, as JavaScript's parseInt does:
// white space and a sign may precede it, and anything may follow. It returns NaN if there
// is none.
func leadingInteger(s string) float64 {
	s = strings.TrimLeftFunc(s, jsregexp.IsSpace)
	end := 0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		end++
	}
	if len(s) >= end+2 && s[end] == '0' && s[end+1]|0x20 == 'x' {
		return leadingHex(s[end+2:], s[0] == '-')
	}
	start := end
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	if end == start {
		return math.NaN()
	}
	n, _ := strconv.ParseFloat(s[:end], 64) // out of range yields an infinity, as wanted
	return n
}

func leadingHex(s string, negative bool) float64 {
	n, digits := 0.0, 0
	for ; digits < len(s); digits++ {
		d := hexValue(s[digits])
		if d < 0 {
			break
		}
		n = n*16 + float64(d)
	}
	switch {
	case digits == 0:
		return math.NaN()
	case negative:
		return -n
	}
	return n
}
