package intrinsic

import (
	"encoding/json"
	"slices"

	"github.com/expressway-dev/expressway/pkg/asl/jsonpath/javatext"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func array(_ *evaluation, _ *Call, args []any) (any, error) { return args, nil }

func arrayPartition(_ *evaluation, _ *Call, args []any) (any, error) {
	list, err := listArg(args, 0)
	if err != nil {
		return nil, err
	}
	size, err := integerArg(args, 1)
	if err != nil {
		return nil, err
	}
	if size < 1 {
		return nil, because("The chunk size must be a positive integer")
	}
	most := int(min(size, int64(len(list))+1))
	out := make([]any, 0, (len(list)+most-1)/most)
	for chunk := range slices.Chunk(list, most) {
		out = append(out, chunk)
	}
	return out, nil
}

func arrayContains(ev *evaluation, _ *Call, args []any) (any, error) {
	list, err := listArg(args, 0)
	if err != nil {
		return nil, err
	}
	if !ev.charge(list) || !ev.charge(args[1]) {
		return nil, errTooLarge
	}
	want := string(appendKey(nil, args[1]))
	var key []byte
	for _, v := range list {
		if key = appendKey(key[:0], v); string(key) == want {
			return true, nil
		}
	}
	return false, nil
}

func arrayUnique(ev *evaluation, _ *Call, args []any) (any, error) {
	list, err := listArg(args, 0)
	if err != nil {
		return nil, err
	}
	if !ev.charge(list) {
		return nil, errTooLarge
	}
	out := []any{}
	seen := map[string]bool{} // without room for all: there may be few of them
	var key []byte
	for _, v := range list {
		key = appendKey(key[:0], v)
		if !seen[string(key)] {
			seen[string(key)] = true
			out = append(out, v)
		}
	}
	return out, nil
}

// appendKey writes v so that exactly the equal values have equal text: as JSON with the
// members sorted by name, and with numbers as in Java, where 1 differs from 1.0.
func appendKey(dst []byte, v any) []byte {
	switch v := jsonata.Force(v).(type) {
	case json.Number, float64:
		return javatext.Append(dst, v)
	case []any:
		dst = append(dst, '[')
		for _, e := range v {
			dst = append(appendKey(dst, e), ',')
		}
		return append(dst, ']')
	case *jsonata.Object:
		names := make([]string, v.Len())
		for i := range names {
			names[i], _ = v.At(i)
		}
		slices.Sort(names)
		dst = append(dst, '{')
		for _, name := range names {
			e, _ := v.Get(name)
			dst = append(appendKey(dst, name), ':')
			dst = append(appendKey(dst, e), ',')
		}
		return append(dst, '}')
	default:
		dst, err := jsonata.AppendJSON(dst, v)
		if err != nil { // only null, booleans and strings get here
			panic("intrinsic: " + err.Error())
		}
		return dst
	}
}

// arrayRange includes the end, if the steps meet it.
func arrayRange(_ *evaluation, _ *Call, args []any) (any, error) {
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = integerArg(args, i); err != nil {
			return nil, err
		}
	}
	first, last, step := n[0], n[1], n[2]
	if step == 0 {
		return nil, because("The increment must not be zero")
	}
	out := []any{}
	for i := first; step > 0 && i <= last || step < 0 && i >= last; i += step {
		if len(out) == maxRange {
			return nil, because("The array cannot have more than %d elements", maxRange)
		}
		out = append(out, number(i))
		if step > 0 && i > last-step || step < 0 && i < last-step {
			break // one more step would pass the end, and might overflow
		}
	}
	return out, nil
}

func arrayGetItem(_ *evaluation, _ *Call, args []any) (any, error) {
	list, err := listArg(args, 0)
	if err != nil {
		return nil, err
	}
	i, err := integerArg(args, 1)
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(list)) {
		return nil, because("The index %d is out of bounds of an array of %d elements", i, len(list))
	}
	return list[i], nil
}

func arrayLength(_ *evaluation, _ *Call, args []any) (any, error) {
	list, err := listArg(args, 0)
	if err != nil {
		return nil, err
	}
	return number(int64(len(list))), nil
}

// jsonMerge is shallow: a member of the second object replaces that of the first. The
// service has no deep mode and requires `false`.
func jsonMerge(_ *evaluation, _ *Call, args []any) (any, error) {
	a, err := objectArg(args, 0)
	if err != nil {
		return nil, err
	}
	b, err := objectArg(args, 1)
	if err != nil {
		return nil, err
	}
	if deep, ok := jsonata.Force(args[2]).(bool); !ok {
		return nil, wrongType(2, "a boolean")
	} else if deep {
		return nil, because("Only the shallow merging mode is supported: the third argument must be false")
	}
	out := a.Clone()
	for i := range b.Len() {
		out.Set(b.At(i))
	}
	return out, nil
}
