package jsonata

// A frame holds the variables of a block, a lambda or a tuple.
type frame struct {
	parent *frame
	names  []string
	values []any
	tuple  *tupleBinding
}

// A reusable frame is used again once its expression has been evaluated, unless a
// function or a thunk that was made meanwhile may still refer to it.
type reusable struct {
	*frame
	captured int
}

// enter returns a frame within another one.
func (ev *evaluator) enter(parent *frame, tuple *tupleBinding) reusable {
	f := ev.spare
	if f == nil {
		return reusable{&frame{parent: parent, tuple: tuple}, ev.captured}
	}
	ev.spare = f.parent
	f.parent, f.tuple = parent, tuple
	return reusable{f, ev.captured}
}

// leave gives a frame back. It is not called after an error.
func (ev *evaluator) leave(s reusable) {
	if s.captured != ev.captured || ev.conf.indexes == indexNone {
		return
	}
	clear(s.values)
	s.names, s.values, s.tuple = s.names[:0], s.values[:0], nil
	s.parent, ev.spare = ev.spare, s.frame
}

func (f *frame) bind(name string, value any) {
	for i, n := range f.names {
		if n == name {
			f.values[i] = value
			return
		}
	}
	f.names = append(f.names, name)
	f.values = append(f.values, value)
}

// find looks a name up in the frames only.
func (f *frame) find(name string) (any, bool) {
	for ; f != nil; f = f.parent {
		for i, n := range f.names {
			if n == name {
				return f.values[i], true
			}
		}
		for b := f.tuple; b != nil; b = b.next {
			if b.name == name {
				return b.value, true
			}
		}
	}
	return nil, false
}
