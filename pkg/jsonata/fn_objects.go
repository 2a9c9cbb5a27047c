package jsonata

func defineObjects(define definer) {
	define("keys", "<x-:a<s>>", 1, fnKeys)
	define("lookup", "<x-s:x>", 2, func(ev *evaluator, args []any) (any, error) {
		return ev.lookup(args[0], optionalString(args[1], "undefined"))
	})
	define("spread", "<x-:a<o>>", 1, func(ev *evaluator, args []any) (any, error) {
		return ev.spread(args[0], 0)
	})
	define("merge", "<a<o>:o>", 1, fnMerge).counts = true
	define("clone", "<(oa)-:o>", 1, func(ev *evaluator, args []any) (any, error) {
		if IsUndefined(args[0]) {
			return Undefined, nil
		}
		return ev.clone(args[0], 0)
	})
	define("exists", "<x:b>", 1, func(_ *evaluator, args []any) (any, error) { return !IsUndefined(args[0]), nil })
	define("type", "<x:s>", 1, func(_ *evaluator, args []any) (any, error) {
		if _, _, err := number(args[0]); err != nil {
			return nil, err // an infinity
		}
		return typeName(args[0]), nil
	})
	define("boolean", "<x-:b>", 1, func(ev *evaluator, args []any) (any, error) {
		if IsUndefined(args[0]) {
			return Undefined, nil
		}
		ok, err := ev.truth(args[0])
		return ok, err
	})
	define("not", "<x-:b>", 1, func(ev *evaluator, args []any) (any, error) {
		if IsUndefined(args[0]) {
			return Undefined, nil
		}
		ok, err := ev.truth(args[0])
		return !ok, err
	})
	define("error", "<s?:x>", 1, func(_ *evaluator, args []any) (any, error) {
		return nil, userError("D3137", args[0], defaultOfError)
	})
	define("assert", "<bs?:x>", 2, func(_ *evaluator, args []any) (any, error) {
		if ok, _ := args[0].(bool); ok {
			return Undefined, nil
		}
		return nil, userError("D3141", args[1], defaultOfAssert)
	})
	define("eval", "<sx?:x>", 2, fnEval).pure = false
}

// The messages of $error and $assert if the expression has none.
const (
	defaultOfError  = "$error() function evaluated"
	defaultOfAssert = "$assert() statement failed"
)

// userError returns an error whose message the expression chose.
func userError(code string, message any, def string) error {
	e := &Error{Code: code, Position: -1, Value: message, Message: optionalString(message, "")}
	if e.Message == "" {
		e.Message = def
	}
	return e
}

func typeName(v any) any {
	switch letter(v) {
	case 'l':
		return "null"
	case 'n':
		return "number"
	case 's':
		return "string"
	case 'b':
		return "boolean"
	case 'a':
		return "array"
	case 'f':
		return "function"
	case 'o':
		return "object"
	}
	return Undefined
}

// fnKeys returns the names of the members of an object, or of all objects of an array.
func fnKeys(ev *evaluator, args []any) (any, error) {
	if o, ok := args[0].(*Object); ok {
		n := o.Len()
		ev.use(2 * slotSize * n)
		ev.work(memberSize * n)
		out := &seq{sequence: true, items: make([]any, n)}
		for i, k := range o.keys {
			out.items[i] = k
		}
		return out, ev.step()
	}
	out := &seq{sequence: true}
	seen := newScalarSet(0)
	var visit func(v any, depth int) error
	visit = func(v any, depth int) error {
		if depth > maxDepth {
			return spent(ErrDepth)
		}
		if err := ev.step(); err != nil {
			return err
		}
		items, _ := elements(v)
		for _, item := range items {
			if err := visit(item, depth+1); err != nil {
				return err
			}
		}
		if o, ok := Force(v).(*Object); ok {
			ev.work(memberSize * o.Len())
			for i := range o.Len() {
				k, _ := o.At(i)
				if seen.add(k) {
					out.items = append(out.items, k)
					ev.use(2 * memberSize)
				}
			}
		}
		return nil
	}
	return out, visit(args[0], 0)
}

// spread makes an object of each member.
func (ev *evaluator) spread(v any, depth int) (any, error) {
	if err := ev.step(); err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, spent(ErrDepth)
	}
	v = Force(v)
	out := &seq{sequence: true}
	if items, ok := elements(v); ok {
		for _, item := range items {
			part, err := ev.spread(item, depth+1)
			if err != nil {
				return nil, err
			}
			if !IsUndefined(part) {
				out.items = append(out.items, toItems(part)...)
				out.sequence = false // joined as by $append
			}
		}
		return out, nil
	}
	o, ok := v.(*Object)
	if !ok {
		return v, nil
	}
	for i := range o.Len() {
		one := NewObject(1)
		one.Set(o.At(i))
		ev.use(3 * memberSize)
		out.items = append(out.items, one)
	}
	return out, nil
}

// fnEval evaluates the text of an expression, with the context and the variables of its
// caller.
func fnEval(ev *evaluator, args []any) (any, error) {
	src, ok := args[0].(string)
	if !ok {
		return Undefined, nil
	}
	input, env := ev.callInput, ev.callFrame
	if !IsUndefined(args[1]) {
		input = args[1]
		if _, isArray := elements(input); isArray && !isSequence(input) {
			input = &seq{items: []any{input}, sequence: true, outerWrapper: true}
		}
	}
	root, _, err := parse(src, ev.conf)
	if err != nil {
		return nil, errorf("D3120", err.Error())
	}
	ev.use(len(src) * slotSize)
	ev.work(len(src) << 6) // a step for each byte
	v, err := ev.eval(root, input, &frame{parent: env})
	if err != nil {
		if e, ok := err.(*Error); ok && e.limit == nil {
			return nil, errorf("D3121", e.Message)
		}
		return nil, err
	}
	return v, nil
}
