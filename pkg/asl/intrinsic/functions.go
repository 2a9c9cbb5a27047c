package intrinsic

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A function is one intrinsic function.
type function struct {
	name        string
	least, most int  // arguments; most is -1 for any number
	grows       bool // its result may be larger than all its arguments
	eval        func(ev *evaluation, c *Call, args []any) (any, error)
}

// functions lists all functions of the service.
var functions = func() map[string]*function {
	m := map[string]*function{}
	for _, f := range []function{
		{"Format", 1, -1, false, format},
		{"StringToJson", 1, 1, false, stringToJSON},
		{"JsonToString", 1, 1, false, jsonToString},
		{"Array", 0, -1, true, array},
		{"ArrayPartition", 2, 2, false, arrayPartition},
		{"ArrayContains", 2, 2, false, arrayContains},
		{"ArrayRange", 3, 3, false, arrayRange},
		{"ArrayGetItem", 2, 2, false, arrayGetItem},
		{"ArrayLength", 1, 1, false, arrayLength},
		{"ArrayUnique", 1, 1, false, arrayUnique},
		{"Base64Encode", 1, 1, false, base64Encode},
		{"Base64Decode", 1, 1, false, base64Decode},
		{"Hash", 2, 2, false, hashOf},
		{"JsonMerge", 3, 3, true, jsonMerge},
		{"MathRandom", 2, 3, false, mathRandom},
		{"MathAdd", 2, 2, false, mathAdd},
		{"StringSplit", 2, 2, false, stringSplit},
		{"UUID", 0, 0, false, uuid},
	} {
		m[f.name] = &f
	}
	return m
}()

// Argument i, counted from 0, in the type that a function needs.

func textArg(args []any, i int) (string, error) {
	if s, ok := jsonata.Force(args[i]).(string); ok {
		return s, nil
	}
	return "", wrongType(i, "a string")
}

func listArg(args []any, i int) ([]any, error) {
	if list, ok := jsonata.Force(args[i]).([]any); ok {
		return list, nil
	}
	return nil, wrongType(i, "an array")
}

func objectArg(args []any, i int) (*jsonata.Object, error) {
	if o, ok := jsonata.Force(args[i]).(*jsonata.Object); ok {
		return o, nil
	}
	return nil, wrongType(i, "a JSON object")
}

// integerArg rounds half up, as Java's Math.round does: 2.5 is 3 and -2.5 is -2.
func integerArg(args []any, i int) (int64, error) {
	var f float64
	switch v := jsonata.Force(args[i]).(type) {
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n, nil
		}
		var err error
		if f, err = strconv.ParseFloat(string(v), 64); err != nil {
			return 0, wrongType(i, "a number in range")
		}
	case float64:
		f = v
	default:
		return 0, wrongType(i, "a number")
	}
	// Not Floor(f+0.5): the sum is inexact for the number just under one half.
	low := math.Floor(f)
	if f-low >= 0.5 {
		low++
	}
	if !(low >= -(1<<63) && low < 1<<63) {
		return 0, wrongType(i, "a number in range")
	}
	return int64(low), nil
}

func wrongType(i int, want string) error {
	return because("Argument %d must be %s", i+1, want)
}

// charge takes the size of v from the budget; it stops measuring when the budget is
// exhausted.
func (ev *evaluation) charge(v any) bool {
	ev.work--
	switch v := v.(type) {
	case string:
		ev.work -= len(v)
	case json.Number:
		ev.work -= len(v)
	case *jsonata.Raw:
		ev.work -= len(v.Text())
	case []any:
		for _, e := range v {
			if !ev.charge(e) {
				return false
			}
		}
	case *jsonata.Object:
		for i := range v.Len() {
			k, e := v.At(i)
			ev.work -= len(k)
			if !ev.charge(e) {
				return false
			}
		}
	}
	return ev.work > 0
}

func mathAdd(_ *evaluation, _ *Call, args []any) (any, error) {
	a, err := integerArg(args, 0)
	if err != nil {
		return nil, err
	}
	b, err := integerArg(args, 1)
	if err != nil {
		return nil, err
	}
	sum := a + b
	if (a < 0) == (b < 0) && (sum < 0) != (a < 0) {
		return nil, because("The sum is out of range")
	}
	return number(sum), nil
}

// mathRandom returns start ≤ n < end. With a seed the answer is always the same.
func mathRandom(ev *evaluation, _ *Call, args []any) (any, error) {
	start, err := integerArg(args, 0)
	if err != nil {
		return nil, err
	}
	end, err := integerArg(args, 1)
	if err != nil {
		return nil, err
	}
	if start >= end || end-start < 0 {
		return nil, because("The start number must be less than the end number")
	}
	var chance float64
	if len(args) == 3 {
		seed, err := integerArg(args, 2)
		if err != nil {
			return nil, err
		}
		chance = seeded(seed)
	} else {
		chance = ev.env.Rand()
	}
	n := start + int64(chance*float64(end-start))
	return number(min(n, end-1)), nil
}

// seeded returns the first nextDouble of a java.util.Random with that seed, whose
// generator is [specified].
//
// [specified]: https://docs.oracle.com/javase/8/docs/api/java/util/Random.html
func seeded(seed int64) float64 {
	const multiplier, mask = 0x5DEECE66D, 1<<48 - 1
	state := (uint64(seed) ^ multiplier) & mask
	next := func(bits uint) uint64 {
		state = (state*multiplier + 0xB) & mask
		return state >> (48 - bits)
	}
	high := next(26)
	return float64(high<<27+next(27)) / (1 << 53)
}

func uuid(ev *evaluation, _ *Call, _ []any) (any, error) { return ev.env.UUID(), nil }
