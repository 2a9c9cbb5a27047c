package jsonata

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
)

func defineNumbers(define definer) {
	define("number", "<(nsb)-:n>", 1, fnNumber)
	define("abs", "<n-:n>", 1, onNumber(func(x float64) (any, error) { return math.Abs(x), nil }))
	define("floor", "<n-:n>", 1, onNumber(func(x float64) (any, error) { return math.Floor(x), nil })).places = true
	define("ceil", "<n-:n>", 1, onNumber(func(x float64) (any, error) { return math.Ceil(x), nil })).places = true
	define("round", "<n-n?:n>", 2, func(_ *evaluator, args []any) (any, error) {
		if IsUndefined(args[0]) {
			return Undefined, nil
		}
		return round(toFloat(args[0]), optionalNumber(args[1], 0)), nil
	})
	define("sqrt", "<n-:n>", 1, onNumber(func(x float64) (any, error) {
		if x < 0 {
			return nil, errorf("D3060", x)
		}
		return math.Sqrt(x), nil
	}))
	define("power", "<n-n:n>", 2, func(_ *evaluator, args []any) (any, error) {
		if IsUndefined(args[0]) {
			return Undefined, nil
		}
		exponent := optionalNumber(args[1], math.NaN())
		p := math.Pow(toFloat(args[0]), exponent)
		if math.IsNaN(exponent) || math.IsInf(p, 0) || math.IsNaN(p) {
			e := &Error{Code: "D3061", Position: -1, Value: args[0], other: args[1]}
			e.describe()
			return nil, e
		}
		return p, nil
	})
	define("random", "<:n>", 0, func(ev *evaluator, _ []any) (any, error) { return unit(ev.random()), nil }).pure = false
	define("formatNumber", "<n-so?:s>", 3, fnFormatNumber)
	define("formatBase", "<n-n?:s>", 2, fnFormatBase)
	define("formatInteger", "<n-s:s>", 2, func(ev *evaluator, args []any) (any, error) {
		if IsUndefined(args[0]) {
			return Undefined, nil
		}
		s, err := formatInteger(toFloat(args[0]), optionalString(args[1], ""))
		return charge(ev, s, err)
	})
	define("parseInteger", "<s-s:n>", 2, func(ev *evaluator, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return Undefined, nil
		}
		v, err := parseInteger(s, optionalString(args[1], ""))
		if e, ok := err.(*Error); ok && e.Code == "D3030" && ev.conf.stepFunctions {
			return math.NaN(), nil // text without a number is not an error here
		}
		return v, err
	})
}

// unit turns random bits into a number in [0,1).
func unit(bits uint64) float64 { return float64(bits>>11) / (1 << 53) }

// isDecimal reports whether s is a number in JSON's notation, possibly with leading
// zeros.
func isDecimal(s string) bool {
	s = strings.TrimPrefix(s, "-")
	s, ok := cutDigits(s)
	if fraction, found := strings.CutPrefix(s, "."); found && ok {
		s, ok = cutDigits(fraction)
	}
	if s != "" && s[0]|0x20 == 'e' && ok {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		s, ok = cutDigits(s)
	}
	return ok && s == ""
}

// cutDigits returns s without the digits that it begins with, and whether there are any.
func cutDigits(s string) (rest string, ok bool) {
	rest = strings.TrimLeft(s, "0123456789")
	return rest, len(rest) < len(s)
}

func fnNumber(_ *evaluator, args []any) (any, error) {
	switch v := args[0].(type) {
	case undefined:
		return Undefined, nil
	case float64, json.Number:
		return v, nil
	case bool:
		if v {
			return 1.0, nil
		}
		return 0.0, nil
	case string:
		if isDecimal(v) {
			if f, err := strconv.ParseFloat(v, 64); err == nil {
				return f, nil
			}
		} else if f, ok := parsePrefixed(v); ok {
			return f, nil
		}
	}
	e := errorf("D3030", args[0])
	e.Index = 1
	return nil, e
}

// parsePrefixed reads 0x1F, 0o17 and 0b11.
func parsePrefixed(s string) (float64, bool) {
	if len(s) < 3 || s[0] != '0' {
		return 0, false
	}
	base := map[byte]float64{'x': 16, 'o': 8, 'b': 2}[s[1]|0x20]
	if base == 0 {
		return 0, false
	}
	total := 0.0
	for _, c := range []byte(strings.ToLower(s[2:])) {
		digit := strings.IndexByte("0123456789abcdef", c)
		if digit < 0 || float64(digit) >= base {
			return 0, false
		}
		total = total*base + float64(digit)
	}
	return total, !math.IsInf(total, 0)
}

// round rounds half to even, at a decimal place. The shift by powers of ten is done in
// the text of the number, as the reference does it: 4.525 to two places is 4.52.
func round(x, precision float64) float64 {
	x = shift(x, precision)
	result := math.Floor(x + 0.5)
	if x == math.Trunc(x) || math.Abs(x) >= 1<<52 {
		result = x // adding a half could change the value
	}
	if math.Abs(result-x) == 0.5 && math.Mod(math.Abs(result), 2) == 1 {
		result--
	}
	result = shift(result, -precision)
	if result == 0 {
		return 0 // not -0
	}
	return result
}

// shift multiplies by a power of ten, without the rounding error of a multiplication.
func shift(x, places float64) float64 {
	if places == 0 {
		return x
	}
	if places != math.Trunc(places) || math.IsInf(x, 0) || math.IsNaN(x) {
		return math.NaN() // 1e1.5 and Infinitye1 are not numbers
	}
	mantissa, exponent, _ := strings.Cut(string(AppendNumber(nil, x)), "e")
	e, _ := strconv.Atoi(exponent) // "" is 0
	places = math.Max(-1000, math.Min(1000, places))
	f, _ := strconv.ParseFloat(mantissa+"e"+strconv.Itoa(e+int(places)), 64) // out of range yields ±Inf
	return f
}

func fnFormatNumber(ev *evaluator, args []any) (any, error) {
	if IsUndefined(args[0]) {
		return Undefined, nil
	}
	options, _ := args[2].(*Object)
	s, err := formatNumber(toFloat(args[0]), optionalString(args[1], ""), options)
	return charge(ev, s, err)
}

func fnFormatBase(_ *evaluator, args []any) (any, error) {
	if IsUndefined(args[0]) {
		return Undefined, nil
	}
	x := round(toFloat(args[0]), 0)
	radix := round(optionalNumber(args[1], 10), 0)
	if radix < 2 || radix > 36 {
		return nil, errorf("D3100", radix)
	}
	if radix == 10 || math.IsInf(x, 0) || math.IsNaN(x) {
		return string(AppendNumber(nil, x)), nil
	}
	if math.Abs(x) >= 1<<53 {
		i, _ := big.NewFloat(x).Int(nil)
		return i.Text(int(radix)), nil
	}
	return strconv.FormatInt(int64(x), int(radix)), nil
}
