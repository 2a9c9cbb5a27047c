// Package javatext writes JSON values as the Java maps, lists and numbers behind Step Functions print
// themselves: States.Format and some causes show `{Arg1=1, Arg2=[]}`, not JSON.
package javatext

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Append appends v as Java's toString writes it: text without quotes, maps as
// {a=1, b=2}, lists as [1, 2], and null as null.
func Append(dst []byte, v any) []byte {
	switch v := jsonata.Force(v).(type) {
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return append(dst, v...)
	case json.Number:
		return appendNumber(dst, string(v))
	case float64:
		// Computed values became JSON before Java read them: 3, not 3.0.
		return appendNumber(dst, string(jsonata.AppendNumber(nil, v)))
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = Append(dst, e)
		}
		return append(dst, ']')
	case *jsonata.Object:
		dst = append(dst, '{')
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			k, e := v.At(i)
			dst = append(append(dst, k...), '=')
			dst = Append(dst, e)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// TypeName names the Java class that holds v in the service.
func TypeName(v any) string {
	switch v := jsonata.Force(v).(type) {
	case bool:
		return "java.lang.Boolean"
	case string:
		return "java.lang.String"
	case json.Number:
		return numberType(string(v))
	case float64:
		return numberType(string(jsonata.AppendNumber(nil, v)))
	case []any:
		return "java.util.ArrayList"
	case *jsonata.Object:
		return "java.util.LinkedHashMap"
	}
	return "null"
}

func numberType(text string) string {
	if strings.ContainsAny(text, ".eE") {
		return "java.lang.Double"
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return "java.math.BigInteger"
	case n == int64(int32(n)):
		return "java.lang.Integer"
	}
	return "java.lang.Long"
}

// appendNumber writes a JSON number as an Integer, Long or BigInteger, or as
// Double.toString does: at least one digit after the point, and an exponent below
// 0.001 and from ten million.
func appendNumber(dst []byte, text string) []byte {
	if !strings.ContainsAny(text, ".eE") {
		if text == "-0" {
			text = "0" // an Integer has no negative zero
		}
		return append(dst, text...)
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return append(dst, text...)
	}
	if a := math.Abs(f); a == 0 || a >= 1e-3 && a < 1e7 {
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		if !strings.ContainsRune(string(dst[start:]), '.') {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	if !strings.ContainsRune(digits, '.') {
		digits += ".0"
	}
	sign := ""
	if exponent[0] == '-' {
		sign = "-"
	}
	return append(dst, digits+"E"+sign+strings.TrimLeft(exponent, "+-0")...)
}
