package jsonata

import (
	"crypto/md5"  // #nosec G501 -- $hash has to support it
	"crypto/sha1" // #nosec G505 -- $hash has to support it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// defineStepFunctions defines what Step Functions adds to the language, in the
// [place of the intrinsic functions] of JSONPath.
//
// [place of the intrinsic functions]: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn
func defineStepFunctions(define definer) {
	define("partition", "<a-n:a<a>>", 2, fnPartition)
	define("range", "<nnn:a<n>>", 3, fnRange)
	define("hash", "<s-s:s>", 2, fnHash)
	define("random", "<n?:n>", 1, func(ev *evaluator, args []any) (any, error) {
		if IsUndefined(args[0]) {
			return unit(ev.random()), nil
		}
		return javaRandom(int64(toFloat(args[0]))), nil
	}).pure = false
	define("uuid", "<:s>", 0, fnUUID).pure = false
	define("parse", "<s-:x>", 1, fnParse)
}

// javaRandom returns the first number in [0, 1) of java.util.Random with a seed, as
// $random does in Step Functions.
func javaRandom(seed int64) float64 {
	const multiplier, increment, mask = 0x5DEECE66D, 0xB, 1<<48 - 1
	state := (seed ^ multiplier) & mask
	next := func(bits int) int64 {
		state = (state*multiplier + increment) & mask
		return state >> (48 - bits)
	}
	high := next(26)
	return float64(high<<27+next(27)) / (1 << 53)
}

// refuse returns an error of a function that Step Functions added. These errors have the
// code of $error.
func refuse(function, format string, args ...any) error {
	return &Error{Code: "D3137", Position: -1, Token: function, Message: fmt.Sprintf(format, args...)}
}

// refuseArgument refuses the i-th argument, from 1.
func refuseArgument(function string, i int, value any) error {
	return refuse(function, "Argument %d of function \"%s\" is not supported: %s", i, function, excerpt(value))
}

// fnPartition splits an array into arrays of the given size; the last one may be shorter.
func fnPartition(ev *evaluator, args []any) (any, error) {
	items, ok := elements(args[0])
	if !ok {
		return Undefined, nil
	}
	size := math.Trunc(optionalNumber(args[1], 0))
	if !(size >= 1) {
		return nil, refuseArgument("partition", 2, args[1])
	}
	out := &seq{items: []any{}}
	for len(items) > 0 {
		n := int(math.Min(size, float64(len(items))))
		out.items = append(out.items, &seq{items: items[:n:n]})
		items = items[n:]
		ev.use(6 * slotSize)
	}
	return out, nil
}

// fnRange lists the numbers from the first to the last, inclusive, with a given step. The
// arguments are truncated to integers. Like any sequence, a list of one number is that
// number.
func fnRange(ev *evaluator, args []any) (any, error) {
	var x [3]float64
	for i, a := range args {
		if IsUndefined(a) {
			return Undefined, nil
		}
		x[i] = math.Trunc(toFloat(a))
	}
	first, last, step := x[0], x[1], x[2]
	if step == 0 {
		return nil, refuseArgument("range", 3, args[2])
	}
	n := math.Max(math.Floor((last-first)/step)+1, 0)
	if err := ev.reserve(javaListBytes(n)); err != nil {
		return nil, err
	}
	out := &seq{items: make([]any, int(n)), sequence: true}
	for i := range out.items {
		if err := ev.step(); err != nil {
			return nil, err
		}
		out.items[i] = first + float64(i)*step
	}
	return out, nil
}

// javaListBytes returns the memory of a java.util.ArrayList of n numbers, which grows by
// half its size at a time: 16 bytes per number and 8 per place. In Step Functions, $range
// is limited to 360,145 numbers, which is one of the sizes at which such a list grows.
func javaListBytes(n float64) float64 {
	const number, place, initial = 16, 8, 10
	places := 0.0
	for size := float64(initial); ; size += math.Floor(size / 2) {
		places += size
		if size >= n {
			return number*n + place*places
		}
	}
}

func fnHash(ev *evaluator, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok || IsUndefined(args[1]) {
		return Undefined, nil
	}
	var sum []byte
	switch args[1] {
	case "MD5":
		h := md5.Sum([]byte(s)) // #nosec G401
		sum = h[:]
	case "SHA-1":
		h := sha1.Sum([]byte(s)) // #nosec G401
		sum = h[:]
	case "SHA-256":
		h := sha256.Sum256([]byte(s))
		sum = h[:]
	case "SHA-384":
		h := sha512.Sum384([]byte(s))
		sum = h[:]
	case "SHA-512":
		h := sha512.Sum512([]byte(s))
		sum = h[:]
	default:
		return nil, refuseArgument("hash", 2, args[1])
	}
	ev.use(len(s))
	return hex.EncodeToString(sum), nil
}

// fnUUID makes a random UUID (version 4, RFC 9562).
func fnUUID(ev *evaluator, _ []any) (any, error) {
	a, b := ev.random(), ev.random()
	a = a&^0xF000 | 0x4000
	b = b&^(3<<62) | 2<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xFFFF, a&0xFFFF, b>>48, b&(1<<48-1)), nil
}

// fnParse reads JSON text.
func fnParse(ev *evaluator, args []any) (any, error) {
	s, ok := args[0].(string)
	if !ok {
		return Undefined, nil
	}
	// A value takes several times as much space as its text: the smaller its parts, the
	// more.
	parts := strings.Count(s, "{") + strings.Count(s, "[")
	if err := ev.reserve(float64(8*len(s) + 6*slotSize*parts)); err != nil {
		return nil, err
	}
	v, err := Decode([]byte(s))
	if err == nil {
		err = checkParsed(s)
	}
	if err != nil {
		return nil, refuse("parse", "The argument of the parse function is not valid JSON: %s", err)
	}
	return v, nil
}

// checkParsed refuses JSON text that $parse does not accept: duplicate members in an
// object, and numbers that are out of range.
func checkParsed(s string) error {
	type level struct {
		names map[string]bool // nil in an array
		value bool            // the last token was a member's name
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var levels []level
	for {
		t, err := d.Token()
		if err != nil {
			return nil // the end: Decode has read the text
		}
		last := len(levels) - 1
		switch t := t.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				if last >= 0 {
					levels[last].value = false
				}
				inner := level{}
				if t == '{' {
					inner.names = map[string]bool{}
				}
				levels = append(levels, inner)
				continue
			}
			levels = levels[:last]
			continue
		case json.Number:
			if _, err := t.Float64(); err != nil {
				return fmt.Errorf("the number %s is out of range", t)
			}
		case string:
			if last >= 0 && levels[last].names != nil && !levels[last].value {
				if levels[last].names[t] {
					return errors.New("an object has the same member twice")
				}
				levels[last].names[t], levels[last].value = true, true
				continue
			}
		}
		if last >= 0 {
			levels[last].value = false
		}
	}
}
