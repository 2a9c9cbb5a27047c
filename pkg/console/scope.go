package console

import (
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A scope holds the variables of a state: before it, and after it. Both are shared with
// other states and must not be changed.
type scope struct{ before, after *jsonata.Object }

// inherit returns the variables of a state that another one led to: what that one left
// behind, or, at the beginning of an iteration or a branch, what there was around it.
func (v *Visit) inherit(from *Visit) scope {
	if v.Parent == from.ID {
		return scope{from.variables.before, from.variables.before}
	}
	return scope{from.variables.after, from.variables.after}
}

func (s scope) assign(set *jsonata.Object) scope {
	after := jsonata.NewObject(s.before.Len() + set.Len())
	for _, o := range []*jsonata.Object{s.before, set} {
		for i := range o.Len() {
			name, value := o.At(i)
			after.Set(name, value)
		}
	}
	return scope{s.before, after}
}

// maxVariables bounds the variables that are shown of one execution, in bytes: a loop may
// carry large ones through thousands of states.
const maxVariables = 8 << 20

// showVariables writes the variables of visits as JSON, as far as there is room.
func showVariables(visits []Visit) {
	room := maxVariables
	written := map[*jsonata.Object][]byte{}
	show := func(o *jsonata.Object) []byte {
		if o.Len() == 0 || room <= 0 {
			return nil
		}
		if _, ok := written[o]; !ok {
			written[o] = shown(o)
		}
		room -= len(written[o])
		return written[o]
	}
	for i := range visits {
		v := &visits[i]
		v.Before = show(v.variables.before)
		if v.Left != nil {
			v.After = show(v.variables.after)
		}
	}
}
