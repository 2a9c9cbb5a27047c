package jsonata

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// An isoReader reads a time in ISO 8601 from left to right.
type isoReader struct{ rest string }

// number reads a number with the given number of digits and within bounds, or returns
// NaN.
func (r *isoReader) number(width int, least, most float64) float64 {
	if len(r.rest) < width {
		return math.NaN()
	}
	n := 0.0
	for _, c := range []byte(r.rest[:width]) {
		if c < '0' || c > '9' {
			return math.NaN()
		}
		n = n*10 + float64(c-'0')
	}
	r.rest = r.rest[width:]
	if n < least || n > most {
		return math.NaN()
	}
	return n
}

// next consumes a character if it is c.
func (r *isoReader) next(c byte) bool {
	if r.rest == "" || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// timeOfDay reads what follows the T, in milliseconds since midnight UTC.
func (r *isoReader) timeOfDay() float64 {
	hour := r.number(2, 0, 24)
	ms := hour * 3_600_000
	for _, unit := range []float64{60_000, 1000} {
		if !r.next(':') {
			return math.NaN()
		}
		ms += r.number(2, 0, 59) * unit
	}
	if r.next('.') {
		digits := len(r.rest) - len(strings.TrimLeft(r.rest, "0123456789"))
		if digits == 0 {
			return math.NaN()
		}
		f, _ := strconv.Atoi((r.rest[:min(digits, 3)] + "00")[:3])
		ms += float64(f)
		r.rest = r.rest[digits:]
	}
	if hour == 24 && ms != dayMillis {
		return math.NaN()
	}
	switch {
	case r.next('+'):
		return ms - r.offset()
	case r.next('-'):
		return ms + r.offset()
	}
	r.next('Z')
	return ms
}

func (r *isoReader) offset() float64 {
	hours := r.number(2, 0, 23)
	r.next(':')
	return hours*3_600_000 + r.number(2, 0, 59)*60_000
}

// isoMillis reads a time in the forms of ISO 8601 that both the reference and
// JavaScript's Date.parse accept; it returns NaN for any other. A time without an offset
// is UTC, as in Step Functions.
func isoMillis(s string) float64 {
	r := isoReader{s}
	year, month, day, ms := r.number(4, 0, 9999), 1.0, 1.0, 0.0
	if r.next('-') {
		month = r.number(2, 1, 12)
		if r.next('-') {
			day = r.number(2, 1, 31)
		}
	}
	if r.next('T') {
		ms = r.timeOfDay()
	} else {
		r.next('Z')
	}
	if r.rest != "" || math.IsNaN(year) {
		return math.NaN()
	}
	if year > 99 {
		return utcMillis(year, month-1, day, ms)
	}
	// utcMillis would move these years to the 20th century.
	first := time.Date(int(year), 1, 1, 0, 0, 0, 0, time.UTC)
	t := first.AddDate(400, 0, 0)
	return utcMillis(float64(t.Year()), month-1, day, ms) - float64(t.UnixMilli()-first.UnixMilli())
}
