package jsonata

import (
	"math"
	"sync"
)

// The tables are made when the first expression is compiled. (They are not package-level
// initializers because $eval refers back to them.)
var (
	tablesOnce    sync.Once
	common        functionTable
	stepFunctions functionTable
)

func defineAll() {
	common = make(functionTable, 80)
	defineStrings(common.define)
	defineNumbers(common.define)
	defineArrays(common.define)
	defineObjects(common.define)
	defineHigherOrder(common.define)
	defineTimes(common.define)
	stepFunctions = make(functionTable, 8)
	defineStepFunctions(stepFunctions.define)
	stepFunctions["eval"] = nil // Step Functions does not have $eval
}

// findBuiltin returns a function of the language, or nil.
func findBuiltin(name string, inStepFunctions bool) *builtin {
	tablesOnce.Do(defineAll)
	if inStepFunctions {
		if f, ok := stepFunctions[name]; ok {
			return f
		}
	}
	return common[name]
}

type functionTable map[string]*builtin

// A definer adds a function: its name, its signature, and how many arguments $map and
// similar functions pass to it.
type definer func(name, signature string, arity int, call func(*evaluator, []any) (any, error)) *builtin

func (t functionTable) define(name, signature string, arity int, call func(*evaluator, []any) (any, error)) *builtin {
	sig, err := parseSignature(signature)
	if err != nil {
		panic("jsonata: signature of $" + name + ": " + err.Error())
	}
	b := &builtin{name: name, sig: sig, arity: arity, pure: true, call: call}
	t[name] = b
	return b
}

var transformSignature = sync.OnceValue(func() *signatureSpec {
	sig, err := parseSignature("<(oa):o>")
	if err != nil {
		panic("jsonata: signature of a transform: " + err.Error())
	}
	return sig
})

// onString makes a function of a string; undefined stays undefined.
func onString(f func(s string) (any, error)) func(*evaluator, []any) (any, error) {
	return func(ev *evaluator, args []any) (any, error) {
		s, ok := args[0].(string)
		if !ok {
			return Undefined, nil
		}
		ev.use(len(s))
		return f(s)
	}
}

// onNumber makes a function of a number; undefined stays undefined.
func onNumber(f func(x float64) (any, error)) func(*evaluator, []any) (any, error) {
	return func(_ *evaluator, args []any) (any, error) {
		if IsUndefined(args[0]) {
			return Undefined, nil
		}
		return f(toFloat(args[0]))
	}
}

// optionalNumber returns a number argument, or def if it is missing.
func optionalNumber(v any, def float64) float64 {
	if !isNumber(v) {
		return def
	}
	return toFloat(v)
}

// optionalString returns a string argument, or def if it is missing.
func optionalString(v any, def string) string {
	if s, ok := v.(string); ok {
		return s
	}
	return def
}

// limit reads the argument that says how many matches to use; -1 means all.
func limit(v any, code string) (int, error) {
	if !isNumber(v) {
		return -1, nil
	}
	f := toFloat(v)
	if f < 0 {
		return 0, errorf(code, v)
	}
	return toInt(math.Ceil(f)), nil // none for NaN
}

// toInt converts to an int, and limits values that are out of range.
func toInt(f float64) int {
	switch {
	case math.IsNaN(f):
		return 0
	case f > math.MaxInt32:
		return math.MaxInt32
	case f < math.MinInt32:
		return math.MinInt32
	}
	return int(f)
}

// charge is used by functions that make a string of a known length.
func charge(ev *evaluator, s string, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	ev.use(len(s))
	ev.work(memberSize * len(s)) // a picture takes more work than other text
	return s, nil
}
