package jsonata

// A frame holds the variables of a block, a lambda or a tuple.
type frame struct {
	parent *frame
	names  []string
	values []any
	tuple  *tupleBinding
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
