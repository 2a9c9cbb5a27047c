package jsonata

import (
	"context"
	"math/rand/v2"
	"time"
)

// What an evaluation may use when no option says otherwise.
const (
	defaultMaxSteps      = 10_000_000
	defaultMaxEvalDepth  = 10_000   // nested evaluations; a call that is not a tail call takes about four
	defaultMaxAllocation = 64 << 20 // bytes that are live
	defaultMaxTime       = 20 * time.Second
)

// maxSource is how long an expression may be, in bytes.
const maxSource = 64 << 10

// An Option changes how [Compile] understands an expression, or what it may use.
type Option func(*config)

type config struct {
	stepFunctions bool // the grammar and the functions
	noContext     bool // $, $$ and names refer to nothing at the top
	maxSteps      int
	maxTime       time.Duration
	maxDepth      int
	maxAllocation int64
	clock         func() time.Time
	stopwatch     func() time.Time // of maxTime
	random        func() uint64
	functions     map[string]*builtin // those of WithFunction
	indexes       indexing
}

// An indexing says what is worth an index, or room to grow. Tests choose.
type indexing uint8

const (
	indexLong indexing = iota // what is long
	indexAll
	indexNone
)

// worth reports whether something of a length is worth it, which is so from some length on.
func (c *config) worth(n, from int) bool {
	return c.indexes == indexLong && n >= from || c.indexes == indexAll && n > 0
}

func newConfig(opts []Option) *config {
	c := &config{
		maxSteps:      defaultMaxSteps,
		maxTime:       defaultMaxTime,
		maxDepth:      defaultMaxEvalDepth,
		maxAllocation: defaultMaxAllocation,
		clock:         time.Now,
		stopwatch:     time.Now,
		random:        rand.Uint64,
	}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// builtin returns the function that $name is when nothing else is bound to it.
func (c *config) builtin(name string) *builtin {
	if f, ok := c.functions[name]; ok {
		return f
	}
	return findBuiltin(name, c.stepFunctions)
}

// StepFunctions selects the [dialect of AWS Step Functions]: the grammar of JSONata
// 2.0.6 (?: and ?? are S0211), no $eval, and the functions $partition, $range, $hash,
// $random([seed]), $uuid and $parse. There is no context at the top of an
// expression: whatever the input, $, $$ and bare names refer to nothing there.
//
// [dialect of AWS Step Functions]: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
func StepFunctions() Option {
	return func(c *config) { c.stepFunctions, c.noContext = true, true }
}

// WithMaxSteps bounds the work of an evaluation: the parts of the expression that are
// evaluated, the calls that are made, the items that a function goes through, and text and
// regular expressions in proportion to their length. Beyond it, the error is U1001,
// [ErrSteps]. The same evaluation takes the same steps on every machine; the default is
// about what a processor core does in a second.
func WithMaxSteps(n int) Option { return func(c *config) { c.maxSteps = n } }

// WithMaxTime bounds the time of an evaluation; beyond it, the error is U1001, [ErrTime].
// It is a safeguard for machines that are slow or busy, not a measure of the expression:
// that is [WithMaxSteps]. The clock is looked at every so often: an evaluation can take some
// tenths of a second more.
func WithMaxTime(d time.Duration) Option { return func(c *config) { c.maxTime = d } }

// WithMaxEvalDepth bounds how deeply evaluations nest; beyond it, the error is U1001, [ErrDepth].
// Tail calls do not nest.
func WithMaxEvalDepth(n int) Option { return func(c *config) { c.maxDepth = n } }

// WithMaxAllocation bounds, roughly, the bytes of the values that are live at one time in an
// evaluation, and of its result; beyond it, the error is U1002, [ErrAllocation]. What an
// expression makes on its way to a small result does not count once it has the result. What
// the process has in use at one time can be a few times as much, as always with a garbage
// collector.
func WithMaxAllocation(n int64) Option { return func(c *config) { c.maxAllocation = n } }

// WithClock sets what $now and $millis read, in place of [time.Now].
func WithClock(now func() time.Time) Option { return func(c *config) { c.clock = now } }

// WithRandom sets the source of $random, $shuffle and $uuid. It must be safe for
// concurrent use if the expression is.
func WithRandom(bits func() uint64) Option { return func(c *config) { c.random = bits } }

// WithFunction adds the function $name, or replaces a built-in one; see [NewFunction]. It
// panics when the signature is wrong.
func WithFunction(name, signature string, f func(ctx context.Context, args []any) (any, error)) Option {
	b, err := newBuiltin(name, signature, f)
	if err != nil {
		panic("jsonata: signature " + signature + ": " + err.Error())
	}
	return func(c *config) {
		if c.functions == nil {
			c.functions = map[string]*builtin{}
		}
		c.functions[name] = b
	}
}

// NewFunction returns a function that expressions can call when it is the value of a
// variable. A variable goes before a built-in function of its name, so that a single
// evaluation can have a $random or $uuid of its own.
//
// The [signature] is checked before each call; "" takes any arguments. Arguments that are
// missing are [Undefined]. The values of the result must be those of this package. An
// error that is no *[Error] ends the evaluation as it is. The name stands in errors.
//
// [signature]: https://docs.jsonata.org/embedding-extending#function-signature-syntax
func NewFunction(name, signature string, f func(ctx context.Context, args []any) (any, error)) (*Function, error) {
	b, err := newBuiltin(name, signature, f)
	if err != nil {
		return nil, err
	}
	return &Function{b}, nil
}

func newBuiltin(name, signature string, f func(ctx context.Context, args []any) (any, error)) (*builtin, error) {
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
		ev.used = used // they were charged for when they were made
		v, err := f(ev.ctx, args)
		if e, ok := err.(*Error); ok {
			copied := *e // evaluation adds the place, and the function may have it for others
			err = &copied
		}
		return v, err
	}
	return b, nil
}
