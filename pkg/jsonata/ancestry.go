package jsonata

// pushAncestry makes parent search for what n is still searching for.
func pushAncestry(parent, n *node) {
	parent.seeking = append(parent.seeking, n.seeking...)
	if n.kind == kindParent {
		parent.seeking = append(parent.seeking, n.slot)
	}
}

// resolveAncestry finds the step that each % in the last step of a path refers to.
func resolveAncestry(path *node) *Error {
	last := path.steps[len(path.steps)-1]
	slots := last.seeking
	if last.kind == kindParent {
		slots = append(slots[:len(slots):len(slots)], last.slot)
	}
	for _, s := range slots {
		for i := len(path.steps) - 2; s.level > 0; {
			if i < 0 {
				path.seeking = append(path.seeking, s)
				break
			}
			step := path.steps[i]
			i--
			// Steps that bind a focus keep the context, so all but the first of them do
			// not form a level of their own.
			for i >= 0 && step.focus != "" && path.steps[i].focus != "" {
				step = path.steps[i]
				i--
			}
			if err := seekParent(step, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// seekParent goes back over one step: at level 0, the step is found.
func seekParent(n *node, s *slot) *Error {
	switch n.kind {
	case kindName, kindWildcard:
		s.level--
		if s.level == 0 {
			if n.ancestor != nil {
				s.label = n.ancestor.label
			}
			n.ancestor = s
			n.tuple = true
		}
	case kindParent:
		s.level++
	case kindBlock:
		if len(n.exprs) > 0 {
			n.tuple = true
			return seekParent(n.exprs[len(n.exprs)-1], s)
		}
	case kindPath:
		n.tuple = true
		n.simple = false
		i := len(n.steps) - 1
		if err := seekParent(n.steps[i], s); err != nil {
			return err
		}
		for i--; s.level > 0 && i >= 0; i-- {
			if err := seekParent(n.steps[i], s); err != nil {
				return err
			}
		}
	default:
		return errorToken("S0217", n.pos, kindNames[n.kind], nil)
	}
	return nil
}
