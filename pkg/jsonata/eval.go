package jsonata

import (
	"context"
	"math"
	"time"
)

// An evaluator is one evaluation of an expression: its budgets and its variables.
type evaluator struct {
	ctx   context.Context
	conf  *config
	vars  Vars
	clock func() time.Time
	// random makes random bits.
	random func() uint64
	// pictures holds the date pictures that are literals of the expression.
	pictures datePictures
	input    any // of the whole expression: $$
	depth    int // of nested evaluations
	calls    int // of nested calls
	steps    int
	lookAt   int   // the step at which to look at the clock again
	used     int64 // bytes that may be live
	maxUsed  int64 // without what memos hold
	made     int64 // bytes in total
	binds    int   // variables that are bound in live frames
	bound    int   // how often a variable was bound
	closures int   // functions that were made
	captured int   // functions and thunks that were made, which refer to frames
	bad      error // about a variable that is not a value
	known    Known
	deepest  int // nesting of what was exported
	// began is when the time was first read; most evaluations end before that.
	began time.Time
	now   time.Time // of $now and $millis, once they have been used
	// The context of the call of a built-in function: $eval needs it, and so do the
	// functions that it calls back.
	callInput any
	callFrame *frame
	found     *searches // nil until it is needed
	memos     []*memo
	spare     *frame // those that can be used again, linked by their parents
}

// A searches holds what makes repeated searches of one text or list faster, from the
// second one on. Most evaluations need none.
type searches struct {
	texts     [2]textGrowth
	nextText  int
	runes     [4]*runeIndex
	nextRunes int
	sets      [8]listSet
	nextSet   int
	indexes   [8]keyIndex
	nextIndex int
}

func (ev *evaluator) searches() *searches {
	if ev.found == nil {
		ev.found = &searches{}
	}
	return ev.found
}

// A position is what an evaluation continues with after an error.
type position struct {
	depth, calls, binds int
	callInput           any
	callFrame           *frame
}

func (ev *evaluator) position() position {
	return position{ev.depth, ev.calls, ev.binds, ev.callInput, ev.callFrame}
}

// resume continues after an error, where the evaluation was before. What it has used remains
// counted.
func (ev *evaluator) resume(at position) {
	ev.depth, ev.calls, ev.binds, ev.callInput, ev.callFrame = at.depth, at.calls, at.binds, at.callInput, at.callFrame
}

// The sizes that are charged for values that an evaluation makes, in bytes.
const (
	slotSize   = 16 // an item, or a variable
	memberSize = 32 // of an object
)

// checkEvery is how many steps pass between looks at the clock.
const checkEvery = 256

func newEvaluator(ctx context.Context, e *Expr, vars Vars) *evaluator {
	return &evaluator{
		ctx: ctx, conf: e.conf, vars: vars, clock: e.conf.clock, random: e.conf.random, pictures: e.pictures,
		lookAt: min(checkEvery, e.conf.maxSteps+1), maxUsed: e.conf.maxAllocation,
	}
}

func (ev *evaluator) run(root *node, input any) (any, error) {
	input = Force(input)
	if ev.conf.noContext {
		input = Undefined
	}
	if !isValue(input) {
		return nil, noValue("the input", input)
	}
	ev.input = input
	if _, ok := input.([]any); ok {
		input = &seq{items: []any{input}, sequence: true, outerWrapper: true}
	}
	v, err := ev.eval(root, input, &frame{})
	switch {
	case ev.bad != nil:
		return nil, ev.bad
	case err == nil:
		ev.used = 0 // everything but the result is garbage now
		v, err = ev.export(v)
	}
	if err != nil {
		return nil, ev.exportError(err)
	}
	return v, nil
}

// exportError exports the value that an error is about, as far as the budgets allow.
func (ev *evaluator) exportError(err error) error {
	e, ok := err.(*Error)
	if !ok || isNumber(e.Value) { // including NaN and infinities, which D1001 is about
		return err
	}
	if e.Value, err = ev.export(e.Value); err != nil {
		e.Value = nil
	}
	return e
}

const bytesOfItem = 8

// eval evaluates n with input as its context. A result that is a *Raw has not been
// decoded: callers that need its value must Force it.
func (ev *evaluator) eval(n *node, input any, env *frame) (any, error) {
	switch n.kind {
	case kindString, kindNumber, kindValue:
		if n.predicate == nil && n.group == nil {
			if ev.depth >= ev.conf.maxDepth {
				return nil, locate(spent(ErrDepth), n)
			}
			return n.lit, nil
		}
	}
	if err := ev.step(); err != nil {
		return nil, locate(err, n)
	}
	if ev.depth++; ev.depth > ev.conf.maxDepth {
		return nil, locate(spent(ErrDepth), n)
	}
	used, binds := ev.used, ev.binds
	var v any
	var err error
	if n.invariant != nil && !n.bareInvariant {
		v, err = ev.invariantValue(n, env, func() (any, error) { return ev.evalBare(n, input, env) })
	} else {
		v, err = ev.evalBare(n, input, env)
	}
	if err != nil {
		return nil, err
	}
	if n.kind == kindBlock {
		ev.binds = binds // its frame is no longer needed
	}
	ev.depth--
	if s, ok := v.(*seq); ok && s.sequence && !s.tupleStream {
		if n.keepArray {
			s.keepSingleton = true
		}
		v = unwrap(s)
	}
	if ev.used-used >= releaseFrom && ev.binds == binds {
		ev.release(used, v)
	}
	return v, nil
}

// evalBare evaluates n with what follows it.
func (ev *evaluator) evalBare(n *node, input any, env *frame) (any, error) {
	var v any
	var err error
	if n.bareInvariant {
		v, err = ev.invariantValue(n, env, func() (any, error) { return ev.evalKind(n, input, env) })
	} else {
		v, err = ev.evalKind(n, input, env)
	}
	if err != nil {
		return nil, err
	}
	for i := range n.predicate {
		if v, err = ev.filter(n.predicate[i].filter, v, env); err != nil {
			return nil, err
		}
	}
	if n.group != nil && n.kind != kindPath {
		if v, err = ev.group(n.group, n.groupPos, v, env); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// value is eval with Raw values decoded.
func (ev *evaluator) value(n *node, input any, env *frame) (any, error) {
	v, err := ev.eval(n, input, env)
	return Force(v), err
}

func (ev *evaluator) evalKind(n *node, input any, env *frame) (any, error) {
	switch n.kind {
	case kindPath:
		return ev.path(n, input, env)
	case kindName:
		return ev.lookup(input, n.text)
	case kindString, kindNumber, kindValue:
		return n.lit, nil
	case kindVariable:
		return ev.variable(n, input, env), nil
	case kindBinary:
		return ev.binary(n, input, env)
	case kindNegate:
		return ev.negate(n, input, env)
	case kindArray:
		return ev.array(n, input, env)
	case kindObject:
		return ev.object(n, input, env)
	case kindBlock:
		return ev.block(n, input, env)
	case kindBind:
		v, err := ev.eval(n.rhs, input, env)
		if err != nil {
			return nil, err
		}
		ev.use(slotSize)
		ev.binds++
		ev.bound++
		env.bind(n.lhs.text, v)
		return v, nil
	case kindCondition, kindDefault:
		return ev.condition(n, input, env)
	case kindCoalesce:
		v, err := ev.eval(n.lhs, input, env)
		if err != nil || !IsUndefined(v) {
			return v, err
		}
		return ev.eval(n.rhs, input, env)
	case kindWildcard:
		return ev.wildcard(input)
	case kindDescendant:
		return ev.descendants(input)
	case kindParent:
		v, ok := env.find(n.slot.label)
		if !ok {
			return Undefined, nil
		}
		return v, nil
	case kindFunction:
		return ev.function(n, input, env, nil)
	case kindPartial:
		return ev.partial(n, input, env)
	case kindLambda:
		ev.use(8 * slotSize)
		ev.closures++
		ev.captured++
		return &lambda{params: n.params, names: n.names, sig: n.sig, body: n.body, input: input, env: env}, nil
	case kindThunk:
		ev.captured++
		return &thunk{call: n.body, input: input, env: env}, nil
	case kindApply:
		return ev.apply(n, input, env)
	case kindRegex:
		return &matcher{re: n.re, source: n.text}, nil
	case kindTransform:
		ev.captured++
		return ev.transform(n, env), nil
	}
	return nil, errorToken("S0206", n.pos, n.text, nil)
}

// condition evaluates a ? b : c, or a ?: c, which has no b.
func (ev *evaluator) condition(n *node, input any, env *frame) (any, error) {
	v, err := ev.value(n.lhs, input, env)
	if err != nil {
		return nil, err
	}
	ok, err := ev.truth(v)
	switch {
	case err != nil:
		return nil, locate(err, n)
	case ok && n.kind == kindDefault:
		return v, nil
	case ok:
		return ev.eval(n.body, input, env)
	case n.rhs == nil:
		return Undefined, nil
	}
	return ev.eval(n.rhs, input, env)
}

// locate adds the place of n to an error, unless it has one.
func locate(err error, n *node) error {
	if e, ok := err.(*Error); ok {
		return e.at(n.pos, n.text)
	}
	return err
}

func (ev *evaluator) variable(n *node, input any, env *frame) any {
	if n.text == "" {
		if s, ok := input.(*seq); ok && s.outerWrapper {
			return s.items[0]
		}
		return input
	}
	if v, ok := env.find(n.text); ok {
		return v
	}
	if n.text == "$" {
		return ev.input
	}
	if v, ok := ev.vars.Lookup(n.text); ok {
		if !isValue(v) && ev.bad == nil {
			ev.bad = noValue("the variable $"+n.text, v)
		}
		return v
	}
	if n.builtin != nil {
		return n.builtin
	}
	return Undefined
}

// lookupVariable finds the value of a name, including the built-in functions.
func (ev *evaluator) lookupVariable(name string, env *frame) any {
	return ev.variable(&node{kind: kindVariable, text: name, builtin: ev.conf.builtin(name)}, Undefined, env)
}

func (ev *evaluator) negate(n *node, input any, env *frame) (any, error) {
	v, err := ev.value(n.lhs, input, env)
	if err != nil || IsUndefined(v) {
		return v, err
	}
	f, ok, err := number(v)
	if err != nil {
		return nil, locate(err, n)
	}
	if !ok {
		return nil, errorToken("D1002", n.pos, n.text, v)
	}
	return -f, nil
}

func (ev *evaluator) array(n *node, input any, env *frame) (any, error) {
	out := &seq{cons: n.consArray}
	if len(n.exprs) > 0 {
		out.items = make([]any, 0, len(n.exprs))
	}
	ev.use(slotSize * (2 + len(n.exprs)))
	var head any // an array that the others are added to
	for i, e := range n.exprs {
		v, err := ev.value(e, input, env)
		if err != nil {
			return nil, err
		}
		if IsUndefined(v) {
			continue
		}
		items, isArray := elements(v)
		if isArray && e.kind != kindArray {
			if len(n.exprs) == 1 {
				// The usual case, a range or a path: nothing else appends to these items.
				out.items = items[:len(items):len(items)]
				continue
			}
			if i == 0 && ev.conf.worth(len(items), growFrom) {
				head = v
				continue
			}
			if i == len(n.exprs)-1 && head == nil && ev.conf.worth(len(items), growFrom) {
				grown, err := ev.extendFront(out.items, v)
				if err != nil {
					return nil, locate(err, n)
				}
				grown.cons = out.cons
				return grown, nil
			}
			if err := ev.reserve(float64(len(items) * slotSize)); err != nil {
				return nil, locate(err, n)
			}
			out.items = append(out.items, items...)
		} else {
			out.items = append(out.items, v)
		}
	}
	if head != nil {
		grown, err := ev.extend(head, out.items)
		if err != nil {
			return nil, locate(err, n)
		}
		grown.cons = out.cons
		return grown, nil
	}
	return out, nil
}

func (ev *evaluator) block(n *node, input any, env *frame) (any, error) {
	in := ev.enter(env, nil)
	v := Undefined
	var err error
	for _, e := range n.exprs {
		if v, err = ev.eval(e, input, in.frame); err != nil {
			return nil, err
		}
	}
	ev.leave(in)
	return v, nil
}

// isInteger reports whether f has no fraction.
func isInteger(f float64) bool { return f == math.Trunc(f) && !math.IsInf(f, 0) }
