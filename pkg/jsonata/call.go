package jsonata

// A lambda is a function that the expression defines, with the variables and the context
// of the place where it was defined.
type lambda struct {
	params []string
	names  []string // params, but of duplicate names only the last is kept
	sig    *signatureSpec
	body   *node
	input  any
	env    *frame
}

// A thunk is a call in tail position that has not been made yet.
type thunk struct {
	call  *node
	input any
	env   *frame
}

// A builtin is a function that is written in Go. Its arguments have passed the signature;
// there is one for each parameter, and missing ones are Undefined.
type builtin struct {
	name  string
	sig   *signatureSpec
	arity int // the most arguments that $map and similar functions pass to it
	// counts: call counts its own work, which is not proportional to its arguments.
	counts bool
	// places: the function is used to compute places of items in an array, and depends
	// only on its arguments.
	places bool
	// pure: the result depends only on the arguments.
	pure bool
	call func(ev *evaluator, args []any) (any, error)
}

// A Function is a function as a value: a result of an evaluation, or one made by
// [NewFunction]. JSON cannot represent it. A function that an expression made refers to the
// state of that evaluation: two evaluations must not call it at the same time.
type Function struct{ value any }

// hole is a ? in a partial application.
type hole struct{}

// A partial is a built-in function with some of its arguments.
type partial struct {
	f    any
	args []any
}

// isFunction reports whether a value can be called.
func isFunction(v any) bool {
	switch v.(type) {
	case *lambda, *builtin, *partial, *matcher, *Function:
		return true
	}
	return false
}

// arity returns how many arguments a function takes.
func arity(f any) int {
	switch f := f.(type) {
	case *lambda:
		return len(f.params)
	case *builtin:
		return f.arity
	case *matcher:
		return 2
	case *Function:
		return arity(f.value)
	case *partial:
		n := 0
		for _, a := range f.args {
			if _, ok := a.(hole); ok {
				n++
			}
		}
		return n
	}
	return 0
}

// procedureName returns the name under which a call's function was looked up.
func procedureName(n *node) string {
	if n.lhs.kind == kindPath {
		return n.lhs.steps[0].text
	}
	return n.lhs.text
}

// procedure evaluates the function of a call. A name without a dollar sign is a common
// mistake with an error of its own.
func (ev *evaluator) procedure(n *node, code string, input any, env *frame) (any, error) {
	f, err := ev.value(n.lhs, input, env)
	if err != nil {
		return nil, err
	}
	if IsUndefined(f) && n.lhs.kind == kindPath {
		name := n.lhs.steps[0].text
		if v := ev.lookupVariable(name, env); name != "" && scriptTruth(Force(v)) {
			return nil, errorToken(code, n.pos, name, nil)
		}
	}
	return f, nil
}

// function makes a call; piped, if not nil, is its first argument.
func (ev *evaluator) function(n *node, input any, env *frame, piped *any) (any, error) {
	f, err := ev.procedure(n, "T1005", input, env)
	if err != nil {
		return nil, err
	}
	args, err := ev.arguments(n, input, env, piped)
	if err != nil {
		return nil, err
	}
	v, err := ev.call(f, args, input, env)
	if err != nil {
		if e, ok := err.(*Error); ok {
			return nil, e.at(n.pos, procedureName(n))
		}
		return nil, err
	}
	return v, nil
}

func (ev *evaluator) arguments(n *node, input any, env *frame, piped *any) ([]any, error) {
	args := make([]any, 0, len(n.exprs)+2)
	if piped != nil {
		args = append(args, *piped)
	}
	for _, a := range n.exprs {
		// A lambda's parameter may be passed on untouched, so it is not decoded here.
		v, err := ev.eval(a, input, env)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	ev.use(slotSize * len(args))
	return args, nil
}

// call applies f to args, and then makes the calls that f ends in. The context is the
// default of arguments in signatures that say so. f may keep args.
func (ev *evaluator) call(f any, args []any, input any, env *frame) (any, error) {
	if ev.calls++; ev.calls > ev.conf.maxDepth {
		return nil, spent(ErrDepth)
	}
	var at *node // the current call, after the first
	for {
		v, err := ev.callOnce(f, args, input, env)
		if err != nil {
			if e, ok := err.(*Error); ok && at != nil {
				return nil, e.at(at.pos, procedureName(at))
			}
			return nil, err
		}
		t, ok := v.(*thunk)
		if !ok {
			ev.calls--
			return v, nil
		}
		at = t.call
		if at.invariant != nil && !at.bareInvariant { // not evaluated as an expression, because that would unwrap the sequence
			ev.calls--
			return ev.invariantValue(at, t.env, func() (any, error) { return ev.evalBare(at, t.input, t.env) })
		}
		if f, err = ev.procedure(at, "T1005", t.input, t.env); err != nil {
			return nil, err
		}
		if args, err = ev.arguments(at, t.input, t.env, nil); err != nil {
			return nil, err
		}
		// The context remains that of the first call, as in the reference.
	}
}

func (ev *evaluator) callOnce(f any, args []any, input any, env *frame) (any, error) {
	if err := ev.step(); err != nil {
		return nil, err
	}
	switch f := f.(type) {
	case *lambda:
		return ev.callLambda(f, args, input)
	case *builtin:
		return ev.callBuiltin(f, args, input, env)
	case *partial:
		full := make([]any, len(f.args))
		for i, a := range f.args {
			if _, ok := a.(hole); ok {
				a = Undefined
				if len(args) > 0 {
					a, args = args[0], args[1:]
				}
			}
			full[i] = a
		}
		return ev.call(f.f, full, input, env)
	case *matcher:
		return f.callAsFunction(ev, args)
	case *Function:
		return ev.callOnce(f.value, args, input, env)
	}
	return nil, errorf("T1006", f)
}

func (ev *evaluator) callLambda(f *lambda, args []any, input any) (any, error) {
	args, err := f.sig.validate(args, input)
	if err != nil {
		return nil, err
	}
	for len(args) < len(f.params) {
		args = append(args, Undefined)
	}
	size := slotSize * (6 + len(f.params))
	binds, closures := ev.binds, ev.closures
	ev.use(size)
	ev.work(bytesOfItem * len(f.params))
	in := ev.enter(f.env, nil)
	names, values := in.names, in.values
	in.names, in.values = f.names[:len(f.names):len(f.names)], args[:len(f.names):len(f.names)] // := must not write into the tree
	v, err := ev.eval(f.body, f.input, in.frame)
	ev.binds = binds
	if in.captured == ev.captured {
		in.names, in.values = names, values
		ev.leave(in)
	}
	if ev.closures == closures { // nothing refers to the frame any longer
		ev.used -= int64(size)
	}
	return v, err
}

func (ev *evaluator) callBuiltin(f *builtin, args []any, input any, env *frame) (any, error) {
	args, err := f.sig.validate(args, input)
	if err != nil {
		return nil, f.named(err)
	}
	if !f.counts {
		ev.workOn(args)
	}
	for len(args) < f.sig.len() {
		args = append(args, Undefined)
	}
	outerInput, outerFrame := ev.callInput, ev.callFrame
	ev.callInput, ev.callFrame = input, env
	v, err := f.call(ev, args)
	ev.callInput, ev.callFrame = outerInput, outerFrame
	if err != nil {
		return nil, f.named(err)
	}
	return v, nil
}

// workOn counts the work of a function that goes through all of its arguments.
func (ev *evaluator) workOn(args []any) {
	for _, a := range args {
		switch a := a.(type) {
		case string:
			ev.work(len(a))
		case []any:
			ev.work(bytesOfItem * len(a))
		case *seq:
			ev.work(bytesOfItem * len(a.items))
		}
	}
}

// named adds the name of the function to an error that has none.
func (f *builtin) named(err error) error {
	if e, ok := err.(*Error); ok && e.Token == "" && f.name != "" {
		e.Token = f.name
		e.describe()
	}
	return err
}

// callback calls a function that was passed as an argument; it has no context.
func (ev *evaluator) callback(f any, args ...any) (any, error) {
	v, err := ev.call(f, args, nil, ev.callFrame)
	return Force(v), err
}

// item calls a callback with a value, its index or key, and the whole array or object: as
// many of these as the callback has parameters.
func (ev *evaluator) item(f any, value, key, whole any) (any, error) {
	switch n := arity(f); {
	case n >= 3:
		return ev.callback(f, value, key, whole)
	case n == 2:
		return ev.callback(f, value, key)
	}
	return ev.callback(f, value)
}

// apply is the operator ~>: a call with one more argument, or the composition of two functions.
func (ev *evaluator) apply(n *node, input any, env *frame) (any, error) {
	left, err := ev.value(n.lhs, input, env)
	if err != nil {
		return nil, err
	}
	if n.rhs.kind == kindFunction {
		return ev.function(n.rhs, input, env, &left)
	}
	f, err := ev.value(n.rhs, input, env)
	if err != nil {
		return nil, err
	}
	if !isFunction(f) {
		return nil, errorToken("T2006", n.pos, n.text, f)
	}
	if isFunction(left) {
		return compose(left, f), nil
	}
	v, err := ev.call(f, []any{left}, nil, env)
	if err != nil {
		return nil, locate(err, n)
	}
	return v, nil
}

// compose returns λ($x){ $g($f($x)) }.
func compose(f, g any) *builtin {
	return &builtin{arity: 1, call: func(ev *evaluator, args []any) (any, error) {
		v, err := ev.callback(f, argument(args, 0))
		if err != nil {
			return nil, err
		}
		return ev.callback(g, unwrap(v))
	}}
}

// partial binds some of a function's arguments.
func (ev *evaluator) partial(n *node, input any, env *frame) (any, error) {
	args := make([]any, 0, len(n.exprs))
	for _, a := range n.exprs {
		if a.kind == kindOperator {
			args = append(args, hole{})
			continue
		}
		v, err := ev.value(a, input, env)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	f, err := ev.procedure(n, "T1007", input, env)
	if err != nil {
		return nil, err
	}
	ev.use(slotSize * (4 + 2*len(args)))
	if l, ok := f.(*lambda); ok {
		ev.use(2 * slotSize * len(l.params))
		ev.work(len(l.params) << 6)
		return partialLambda(l, args), nil
	}
	if !isFunction(f) {
		return nil, errorToken("T1008", n.pos, procedureName(n), f)
	}
	return &partial{f: f, args: args}, nil
}

func partialLambda(l *lambda, args []any) *lambda {
	p := &lambda{body: l.body, input: l.input}
	bound := &frame{parent: l.env}
	for i, name := range l.params {
		v := Undefined
		if i < len(args) {
			v = args[i]
		}
		if _, ok := v.(hole); ok {
			p.params = append(p.params, name)
			continue
		}
		bound.names = append(bound.names, name)
		bound.values = append(bound.values, v)
	}
	bound.names = lastOfEach(bound.names)
	p.env, p.names = bound, lastOfEach(p.params)
	return p
}
