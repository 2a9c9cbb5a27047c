package asl

import "github.com/expressway-dev/expressway/pkg/jsonata"

// maxVariables bounds the total size of an execution's variables, in bytes.
const maxVariables = 10 << 20

// A scope holds the variables of a flow; inner flows see outer ones.
type scope struct {
	outer  *scope
	values map[string]variable
	size   int // of all values in it
}

type variable struct {
	value any
	size  int
}

func (s *scope) get(name string) (any, bool) {
	for ; s != nil; s = s.outer {
		if v, ok := s.values[name]; ok {
			return v.value, true
		}
	}
	return nil, false
}

// set adds variables, and returns by how many bytes the scope has grown.
func (s *scope) set(o *jsonata.Object, known *sizes) (grown int) {
	if s.values == nil {
		s.values = make(map[string]variable, o.Len())
	}
	for i := range o.Len() {
		name, v := o.At(i)
		m := measuring(maxData, known)
		m.value(v)
		size := len(name) + maxData - m.left
		grown += size - s.values[name].size
		s.values[name] = variable{v, size}
		if known != nil && (known.held != nil || size >= knownFrom) {
			known.assigned(name, v)
		}
	}
	s.size += grown
	return grown
}

// commit makes the assigned variables visible to the following states.
func (f *frame) commit(assigned *jsonata.Object) *Error {
	f.assigned = assigned
	if assigned.Len() == 0 {
		return nil
	}
	if f.run.env.Journal != nil {
		f.unkept = merged(f.unkept, assigned)
	}
	if f.run.variables.Add(int64(f.vars.set(assigned, &f.sizes))) > maxVariables {
		return &Error{Name: "States.DataLimitExceeded", Cause: f.where() + "The variables of the execution exceed the maximum of 10 MiB."}
	}
	return nil
}

// merged returns the members of two objects; those of the second take precedence.
func merged(a, b *jsonata.Object) *jsonata.Object {
	if a.Len() == 0 {
		return b
	}
	a = a.Clone()
	for i := range b.Len() {
		a.Set(b.At(i))
	}
	return a
}

// leave drops the variables of a flow when it ends.
func (f *frame) leave() {
	if f.vars.size > 0 {
		f.run.variables.Add(-int64(f.vars.size))
	}
}
