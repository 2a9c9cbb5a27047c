package jsonata

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// The limits of an evaluation, unless an option says otherwise.
const (
	defaultMaxSteps      = 10_000_000
	defaultMaxEvalDepth  = 10_000   // nested evaluations; a call that is not a tail call takes about four
	defaultMaxAllocation = 64 << 20 // bytes that are live
	defaultMaxTime       = 20 * time.Second
)

// maxSource is the maximum length of an expression, in bytes.
const maxSource = 64 << 10

// Options say how an expression is read, and what its evaluation may use. The zero value
// has the defaults, which [Compile] uses.
type Options struct {
	// StepFunctions selects the [dialect of AWS Step Functions]: the grammar of JSONata
	// 2.0.6 (?: and ?? are S0211), no $eval, and the functions $partition, $range, $hash,
	// $random([seed]), $uuid and $parse. There is no context at the top of an expression:
	// $, $$ and bare names refer to nothing there, whatever the input. The default is
	// JSONata.
	//
	// [dialect of AWS Step Functions]: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
	StepFunctions bool
	// Functions, which [NewFunction] makes, are added to the language, each under its name.
	// They replace built-in functions of the same name. The default is none.
	Functions []*Function
	// MaxSteps bounds the work of an evaluation: the parts of the expression that are
	// evaluated, the calls that are made, the items that functions process, and text and
	// regular expressions in proportion to their length. Beyond the limit, the error is
	// U1001, [ErrSteps]. An evaluation takes the same number of steps on every machine; 0
	// is ten million, roughly what a processor core does in a second.
	MaxSteps int
	// MaxTime bounds the time of an evaluation; beyond the limit, the error is U1001,
	// [ErrTime]. It is a safeguard for slow or busy machines; MaxSteps is the limit for the
	// expression itself. The clock is only read from time to time, so an evaluation can
	// take a few tenths of a second more. 0 is twenty seconds.
	MaxTime time.Duration
	// MaxEvalDepth bounds how deeply evaluations nest; beyond the limit, the error is
	// U1001, [ErrDepth]. Tail calls do not nest. 0 means 10,000.
	MaxEvalDepth int
	// MaxAllocation bounds, roughly, the bytes of the values that are live at one time in
	// an evaluation, and of its result; beyond the limit, the error is U1002,
	// [ErrAllocation]. Values that an expression makes on its way to a small result no
	// longer count once it has the result. The process may use a few times as much memory,
	// as always with a garbage collector. 0 is 64 MiB.
	MaxAllocation int64
	// Clock is what $now and $millis read; nil is [time.Now].
	Clock func() time.Time
	// Random is the source of $random, $shuffle and $uuid. It must be safe for concurrent
	// use if the expression is. nil is math/rand.
	Random func() uint64

	adjust func(*config) // only set by tests
}

type config struct {
	stepFunctions bool // the grammar and the functions
	noContext     bool // at the top, $, $$ and names refer to nothing
	maxSteps      int
	maxTime       time.Duration
	maxDepth      int
	maxAllocation int64
	clock         func() time.Time
	stopwatch     func() time.Time // of maxTime
	random        func() uint64
	functions     map[string]*builtin // the functions of Options.Functions
	indexes       indexing
}

// An indexing says which values get an index, or room to grow. It is only set by tests.
type indexing uint8

const (
	indexLong indexing = iota // long ones
	indexAll
	indexNone
)

// worth reports whether a value of the given length gets one; from is the usual minimum.
func (c *config) worth(n, from int) bool {
	return c.indexes == indexLong && n >= from || c.indexes == indexAll && n > 0
}

// config returns the settings of an expression.
func (o Options) config() *config {
	c := &config{
		stepFunctions: o.StepFunctions,
		noContext:     o.StepFunctions,
		maxSteps:      defaultMaxSteps,
		maxTime:       defaultMaxTime,
		maxDepth:      defaultMaxEvalDepth,
		maxAllocation: defaultMaxAllocation,
		clock:         time.Now,
		stopwatch:     time.Now,
		random:        rand.Uint64,
	}
	for _, f := range o.Functions {
		if f == nil {
			continue
		}
		if b, ok := f.value.(*builtin); ok {
			if c.functions == nil {
				c.functions = make(map[string]*builtin, len(o.Functions))
			}
			c.functions[b.name] = b
		}
	}
	o.limit(c)
	return c
}

// limit applies the options that affect evaluation.
func (o Options) limit(c *config) {
	c.maxSteps = cmp.Or(o.MaxSteps, c.maxSteps)
	c.maxTime = cmp.Or(o.MaxTime, c.maxTime)
	c.maxDepth = cmp.Or(o.MaxEvalDepth, c.maxDepth)
	c.maxAllocation = cmp.Or(o.MaxAllocation, c.maxAllocation)
	if o.Clock != nil {
		c.clock = o.Clock
	}
	if o.Random != nil {
		c.random = o.Random
	}
	if o.adjust != nil {
		o.adjust(c)
	}
}

// builtin returns the function $name, for when nothing else is bound to the name.
func (c *config) builtin(name string) *builtin {
	if f, ok := c.functions[name]; ok {
		return f
	}
	return findBuiltin(name, c.stepFunctions)
}

// NewFunction returns a function that expressions can call as $name if it is one of the
// [Options], or under the name of a variable whose value it is. A variable takes precedence
// over a built-in function of the same name, so an evaluation can have its own $random or
// $uuid.
//
// The [signature] is checked before each call; "" accepts any arguments. Missing
// arguments are [Undefined]. The result must consist of values of this package. An error
// that is not an *[Error] ends the evaluation unchanged. The name is used in errors.
//
// [signature]: https://docs.jsonata.org/embedding-extending#function-signature-syntax
func NewFunction(name, signature string, f func(ctx context.Context, args []any) (any, error)) (*Function, error) {
	b, err := newBuiltin(name, signature, f)
	if err != nil {
		return nil, err
	}
	return &Function{b}, nil
}

// MustFunction is [NewFunction] for functions that are part of a program; it panics if
// their signature is wrong.
func MustFunction(name, signature string, f func(ctx context.Context, args []any) (any, error)) *Function {
	made, err := NewFunction(name, signature, f)
	if err != nil {
		panic("jsonata: function $" + name + ": " + err.Error())
	}
	return made
}

func newBuiltin(name, signature string, f func(ctx context.Context, args []any) (any, error)) (*builtin, error) {
	if f == nil {
		return nil, errors.New("jsonata: the function $" + name + " is nil")
	}
	var sig *signatureSpec
	if signature != "" {
		var err error
		if sig, err = parseSignature(signature); err != nil {
			return nil, err
		}
	}
	b := &builtin{name: name, sig: sig, arity: sig.len()}
	b.call = func(ev *evaluator, args []any) (any, error) {
		used := ev.used
		for i, a := range args {
			v, err := ev.export(a)
			if err != nil {
				return nil, err
			}
			args[i] = v
		}
		ev.used = used // they were charged when they were made
		v, err := f(ev.ctx, args)
		if e, ok := err.(*Error); ok {
			copied := *e // evaluation adds the position, and the function may return the same error elsewhere
			err = &copied
		}
		return v, err
	}
	return b, nil
}
