package jsonata

import (
	"encoding/json"
	"math"
	"strconv"
)

// isNumber reports whether v is of the type number, NaN included.
func isNumber(v any) bool {
	switch v.(type) {
	case float64, json.Number:
		return true
	}
	return false
}

// toFloat converts a value for which isNumber is true.
func toFloat(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case json.Number:
		if f, ok := shortNumber(string(v)); ok {
			return f
		}
		f, _ := strconv.ParseFloat(string(v), 64) // out of range yields ±Inf, as in JavaScript
		return f
	}
	return math.NaN()
}

// powersOfTen are the divisors of shortNumber.
var powersOfTen = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// shortNumber reads a number of at most 15 digits, without an exponent. A double holds
// the digits and the power of ten exactly, so their quotient is the nearest double.
func shortNumber(s string) (float64, bool) {
	negative := false
	if s != "" && s[0] == '-' {
		negative, s = true, s[1:]
	}
	if len(s) == 0 || len(s) > 16 {
		return 0, false
	}
	digits, places, n := 0, -1, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			n = n*10 + int(c-'0')
			digits++
		case c == '.' && places < 0:
			places = digits
		default:
			return 0, false
		}
	}
	if digits > 15 {
		return 0, false
	}
	f := float64(n)
	if places >= 0 {
		f /= powersOfTen[digits-places]
	}
	if negative {
		f = -f
	}
	return f, true
}

// number returns v if it is a number that can be used in arithmetic: NaN cannot, and the
// infinities are an error.
func number(v any) (float64, bool, error) {
	if !isNumber(v) {
		return 0, false, nil
	}
	f := toFloat(v)
	if math.IsInf(f, 0) {
		return 0, false, errorf("D1001", v)
	}
	return f, !math.IsNaN(f), nil
}
