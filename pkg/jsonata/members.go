package jsonata

import "slices"

// The accessors of members treat a nil Object as an empty one, and decode a [Raw].

// Has reports whether there is a member of that name, even if it is null.
func (o *Object) Has(key string) bool { return o.find(key) >= 0 }

// Value returns the value of a member, or nil if there is none. [Object.Get] distinguishes
// a member that is null from one that is absent.
func (o *Object) Value(key string) any {
	v, _ := o.Get(key)
	return Force(v)
}

// Object returns a member that is an object, or nil.
func (o *Object) Object(key string) *Object {
	v, _ := o.Value(key).(*Object)
	return v
}

// List returns a member that is an array, or nil.
func (o *Object) List(key string) []any {
	v, _ := o.Value(key).([]any)
	return v
}

// Text returns a member that is a string, or "".
func (o *Object) Text(key string) string {
	v, _ := o.Value(key).(string)
	return v
}

// Without returns a copy without the named members, which shares the values of the
// others.
func (o *Object) Without(names ...string) *Object {
	c := NewObject(o.Len())
	for i := range o.Len() {
		if k, v := o.At(i); !slices.Contains(names, k) {
			c.Set(k, v)
		}
	}
	return c
}
