package jsonata

import (
	"crypto/md5"  // #nosec G501 -- what $hash is asked for
	"crypto/sha1" // #nosec G505 -- what $hash is asked for
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
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
		return unit(randomFrom(toFloat(args[0])).Uint64()), nil
	})
	define("uuid", "<:s>", 0, fnUUID)
	define("parse", "<s-:x>", 1, fnParse)
}

// refuseArgument is the error for the i-th argument, from 1, of a function that Step
// Functions added.
func refuseArgument(function string, i int, value any) error {
	e := &Error{Code: "D3143", Position: -1, Token: function, Value: value, Index: i}
	e.describe()
	return e
}

// fnPartition cuts an array into arrays of a size; the last one may be shorter.
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

// maxStepRange is how many items $range makes at most, as States.ArrayRange does.
const maxStepRange = 1000

// fnRange lists the numbers from the first to the last, both included, by a step.
func fnRange(_ *evaluator, args []any) (any, error) {
	var x [3]float64
	for i, a := range args {
		if IsUndefined(a) {
			return Undefined, nil
		}
		x[i] = toFloat(a)
		if !isInteger(x[i]) {
			return nil, refuseArgument("range", i+1, a)
		}
	}
	first, last, step := x[0], x[1], x[2]
	if step == 0 {
		return nil, refuseArgument("range", 3, args[2])
	}
	n := math.Floor((last-first)/step) + 1
	if n > maxStepRange {
		return nil, refuseArgument("range", 2, args[1])
	}
	out := &seq{items: []any{}}
	for i := range int(math.Max(n, 0)) {
		out.items = append(out.items, first+float64(i)*step)
	}
	return out, nil
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
	// A value takes several times the space of its text, the more so the smaller its parts are.
	parts := strings.Count(s, "{") + strings.Count(s, "[")
	if err := ev.reserve(float64(8*len(s) + 6*slotSize*parts)); err != nil {
		return nil, err
	}
	v, err := Decode([]byte(s))
	if err != nil {
		return nil, errorf("D3142", err.Error())
	}
	return v, nil
}
