package jsonata

import "strconv"

// A resolver turns the parse tree into the tree that is evaluated: chains of dots become
// paths, predicates are attached to the steps that they filter, each % is linked to the
// step whose input it refers to, and calls in tail position become thunks.
type resolver struct {
	conf   *config
	labels int // the number of % so far
	nodes  *nodes
	loops  bool // there are lambdas, predicates that are not numbers, or steps that are not names
	// pictures holds the string literals that are arguments of date functions.
	pictures datePictures
}

// maxParents is how many % an expression may have.
const maxParents = 500

func (r *resolver) resolve(n *node) (*node, *Error) {
	out, err := r.resolveKind(n)
	if err != nil {
		return nil, err
	}
	if n.keepArray {
		out.keepArray = true
	}
	return out, nil
}

func (r *resolver) resolveKind(n *node) (*node, *Error) {
	switch n.kind {
	case kindBinary:
		return r.binary(n)
	case kindNegate:
		return r.negate(n)
	case kindArray:
		return n, r.all(n, n.exprs)
	case kindBlock:
		return r.block(n)
	case kindObject:
		return n, r.pairs(n, n.pairs)
	case kindFunction, kindPartial:
		if err := r.all(n, n.exprs); err != nil {
			return nil, err
		}
		if err := r.child(nil, &n.lhs); err != nil {
			return nil, err
		}
		r.notePictures(n)
		return n, nil
	case kindLambda:
		if err := r.child(nil, &n.body); err != nil {
			return nil, err
		}
		n.body.join = lambdaJoin(n)
		n.body = r.tailCall(n.body)
		r.loops = true
		return n, nil
	case kindCondition:
		if err := r.child(n, &n.lhs); err != nil {
			return nil, err
		}
		if err := r.child(n, &n.body); err != nil {
			return nil, err
		}
		return n, r.child(n, &n.rhs)
	case kindDefault, kindCoalesce:
		if err := r.child(n, &n.lhs); err != nil {
			return nil, err
		}
		return n, r.child(n, &n.rhs)
	case kindTransform:
		if err := r.child(nil, &n.lhs); err != nil {
			return nil, err
		}
		if err := r.child(nil, &n.body); err != nil {
			return nil, err
		}
		return n, r.child(nil, &n.rhs)
	case kindName:
		return r.namePath(n), nil
	case kindParent:
		if r.labels >= maxParents {
			return nil, errorToken("U1003", n.pos, n.text, nil)
		}
		n.slot = &slot{label: "!" + strconv.Itoa(r.labels), level: 1}
		r.labels++
		return n, nil
	case kindVariable:
		n.builtin = r.conf.builtin(n.text)
		return n, nil
	case kindOperator:
		switch n.text {
		case "and", "or", "in":
			n.kind = kindName
			return r.namePath(n), nil
		case "?":
			return n, nil
		}
		return nil, errorToken("S0201", n.pos, n.text, nil)
	case kindEnd:
		return nil, errorToken("S0207", n.pos, n.text, nil)
	}
	return n, nil
}

// notePictures adds the date pictures that are arguments of a call.
func (r *resolver) notePictures(call *node) {
	f := call.lhs.builtin
	if f == nil || f.name != "fromMillis" && f.name != "toMillis" && f.name != "now" {
		return
	}
	for _, a := range call.exprs {
		if a.kind == kindString {
			r.pictures.add(a.text)
		}
	}
}

func (r *resolver) namePath(n *node) *node {
	path := r.nodes.new(kindPath, n.pos, n.end, "")
	path.steps, path.keepSingleton, path.simple = r.nodes.list(n), n.keepArray, n.plain()
	return path
}

// child resolves a part of parent in place. A % in it that has not found its step is
// passed on to parent.
func (r *resolver) child(parent *node, part **node) *Error {
	if *part == nil {
		return nil
	}
	n, err := r.resolve(*part)
	if err != nil {
		return err
	}
	*part = n
	if parent != nil {
		pushAncestry(parent, n)
	}
	return nil
}

func (r *resolver) all(parent *node, parts []*node) *Error {
	for i := range parts {
		if err := r.child(parent, &parts[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) pairs(parent *node, pairs []pair) *Error {
	for i := range pairs {
		if err := r.child(parent, &pairs[i].key); err != nil {
			return err
		}
		if err := r.child(parent, &pairs[i].value); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) negate(n *node) (*node, *Error) {
	if err := r.child(nil, &n.lhs); err != nil {
		return nil, err
	}
	if f, ok := n.lhs.lit.(float64); ok && n.lhs.kind == kindNumber {
		n.lhs.lit = -f
		return n.lhs, nil
	}
	pushAncestry(n, n.lhs)
	return n, nil
}

func (r *resolver) block(n *node) (*node, *Error) {
	if err := r.all(n, n.exprs); err != nil {
		return nil, err
	}
	for _, e := range n.exprs {
		n.consArray = n.consArray || e.consArray || e.kind == kindPath && e.steps[0].consArray
	}
	return n, nil
}

func (r *resolver) binary(n *node) (*node, *Error) {
	switch n.text {
	case ".":
		return r.dot(n)
	case "[":
		return r.filter(n)
	case "{":
		if err := r.child(nil, &n.lhs); err != nil {
			return nil, err
		}
		left := n.lhs
		if left.group != nil {
			return nil, errorToken("S0210", n.pos, n.text, nil)
		}
		left.group, left.groupPos, left.simple = n.pairs, n.pos, false
		r.loops = true
		return left, r.pairs(nil, n.pairs)
	case "^":
		return r.sort(n)
	case "@":
		return r.focus(n)
	case "#":
		return r.index(n)
	case ":=":
		n.kind = kindBind
		return n, r.child(n, &n.rhs)
	case "~>":
		n.kind = kindApply
		if err := r.child(nil, &n.lhs); err != nil {
			return nil, err
		}
		if err := r.child(nil, &n.rhs); err != nil {
			return nil, err
		}
		n.keepArray = n.lhs.keepArray || n.rhs.keepArray
		return n, nil
	}
	n.op = operatorCode(n.text)
	if err := r.child(n, &n.lhs); err != nil {
		return nil, err
	}
	return n, r.child(n, &n.rhs)
}

// asPath makes n a path, if it is not one.
func (r *resolver) asPath(n *node) *node {
	if n.kind == kindPath {
		return n
	}
	path := r.nodes.new(kindPath, n.pos, n.end, "")
	path.steps = r.nodes.list(n)
	return path
}

func (r *resolver) dot(n *node) (*node, *Error) {
	if err := r.child(nil, &n.lhs); err != nil {
		return nil, err
	}
	path := n.lhs
	first := 0
	if path.kind == kindPath {
		first = len(path.steps)
	} else {
		path = r.asPath(n.lhs)
		path.simple = n.lhs.kind == kindVariable && n.lhs.plain()
		if n.lhs.kind == kindParent {
			path.seeking = []*slot{n.lhs.slot}
		}
	}
	if err := r.child(nil, &n.rhs); err != nil {
		return nil, err
	}
	rest := n.rhs
	if rest.kind == kindPath {
		path.steps = append(path.steps, rest.steps...)
		path.simple = path.simple && rest.simple
	} else {
		path.simple = path.simple && rest.kind == kindString && rest.plain()
		r.loops = r.loops || rest.kind != kindString && rest.kind != kindWildcard && rest.kind != kindDescendant
		if rest.predicate != nil {
			rest.stages, rest.predicate = rest.predicate, nil
		}
		path.steps = append(path.steps, rest)
	}
	// The first of the existing steps can be a literal that # or ^ turned into a path.
	for i, s := range path.steps {
		if i > 0 && i < first {
			continue
		}
		switch s.kind {
		case kindNumber, kindValue:
			return nil, errorToken("S0213", s.pos, s.text, s.lit)
		case kindString:
			s.kind = kindName // a quoted name
		}
		path.keepSingleton = path.keepSingleton || s.keepArray
	}
	if s := path.steps[0]; s.kind == kindArray {
		s.consArray = true
	}
	if s := path.steps[len(path.steps)-1]; s.kind == kindArray {
		s.consArray = true
	}
	if path.keepSingleton {
		path.simple = false
	}
	return path, resolveAncestry(path)
}

func (r *resolver) filter(n *node) (*node, *Error) {
	if err := r.child(nil, &n.lhs); err != nil {
		return nil, err
	}
	out := n.lhs
	step := out
	if out.kind == kindPath {
		step = out.steps[len(out.steps)-1]
		out.simple = false
	}
	if step.group != nil {
		return nil, errorToken("S0209", n.pos, n.text, nil)
	}
	if err := r.child(nil, &n.rhs); err != nil {
		return nil, err
	}
	for _, s := range n.rhs.seeking {
		if s.level == 1 {
			if err := seekParent(step, s); err != nil {
				return nil, err
			}
		} else {
			s.level--
		}
	}
	if n.rhs.seeking != nil {
		pushAncestry(step, n.rhs)
	}
	r.loops = r.loops || n.rhs.kind != kindNumber
	n.rhs.join = joinOf(n.rhs, joined{step.focus, step.index, step.focus == ""})
	n.rhs.independent = independent(n.rhs)
	if out.kind == kindPath {
		step.stages = append(step.stages, stage{filter: n.rhs})
	} else {
		step.predicate = append(step.predicate, stage{filter: n.rhs})
	}
	return out, nil
}

func (r *resolver) sort(n *node) (*node, *Error) {
	if err := r.child(nil, &n.lhs); err != nil {
		return nil, err
	}
	path := r.asPath(n.lhs)
	path.simple = false
	step := r.nodes.new(kindSort, n.pos, n.end, n.text)
	step.terms = n.terms
	r.loops = true
	for i := range step.terms {
		if err := r.child(step, &step.terms[i].expr); err != nil {
			return nil, err
		}
	}
	path.steps = append(path.steps, step)
	return path, resolveAncestry(path)
}

func (r *resolver) focus(n *node) (*node, *Error) {
	if err := r.child(nil, &n.lhs); err != nil {
		return nil, err
	}
	out := n.lhs
	step := out
	if out.kind == kindPath {
		step = out.steps[len(out.steps)-1]
		out.simple = false
	}
	if step.stages != nil || step.predicate != nil {
		return nil, errorToken("S0215", n.pos, n.text, nil)
	}
	if step.kind == kindSort {
		return nil, errorToken("S0216", n.pos, n.text, nil)
	}
	if n.keepArray {
		step.keepArray = true
	}
	step.focus, step.tuple = n.rhs.text, true
	return out, nil
}

func (r *resolver) index(n *node) (*node, *Error) {
	if err := r.child(nil, &n.lhs); err != nil {
		return nil, err
	}
	path := r.asPath(n.lhs)
	path.simple = false
	step := path.steps[len(path.steps)-1]
	if path != n.lhs && step.predicate != nil {
		step.stages, step.predicate = step.predicate, nil
	}
	if step.stages == nil {
		step.index = n.rhs.text
	} else {
		step.stages = append(step.stages, stage{index: n.rhs.text})
	}
	step.tuple = true
	return path, nil
}

// tailCall turns a call that is the last thing a lambda does into a thunk, so that it can
// be made after the lambda has returned.
func (r *resolver) tailCall(n *node) *node {
	if n == nil || n.predicate != nil || n.group != nil {
		return n
	}
	switch n.kind {
	case kindFunction:
		thunk := r.nodes.new(kindThunk, n.pos, n.end, "")
		thunk.body = n
		return thunk
	case kindCondition:
		n.body, n.rhs = r.tailCall(n.body), r.tailCall(n.rhs)
	case kindDefault, kindCoalesce:
		n.rhs = r.tailCall(n.rhs)
	case kindBlock:
		if last := len(n.exprs) - 1; last >= 0 {
			n.exprs[last] = r.tailCall(n.exprs[last])
		}
	}
	return n
}
