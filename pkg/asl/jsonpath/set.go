package jsonpath

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A MatchError says that [Path.Set] met a value that the path cannot enter.
type MatchError struct {
	Path  string // as written
	Step  string // the member's name, or the element's index
	Value any    // the value to which the step was to be applied
}

// Error returns the service's sentence for a ResultPath that cannot be applied.
func (e *MatchError) Error() string {
	text, err := jsonata.AppendJSON(nil, e.Value)
	if err != nil {
		text = []byte("a value that is not JSON")
	}
	return fmt.Sprintf("Unable to apply step %q to input %s", e.Step, text)
}

// Set returns root with value at the place that the path names, as [ResultPath] does:
// missing members are created, with their parents; an element must already exist; a path
// through anything else, including null, is a *[MatchError]. Only the objects and arrays
// along the path are copied, so that root, and values that share parts with it, stay
// unchanged. The path "$" yields value itself. A path that is not [Path.IsReference] is
// an error.
//
// [ResultPath]: https://states-language.net/spec.html#using-paths
func (p *Path) Set(root, value any) (any, error) {
	if !p.IsReference() {
		return nil, fmt.Errorf("%s is not a reference path", p.text)
	}
	return p.set(p.steps, root, true, value)
}

func (p *Path) set(steps []step, at any, present bool, value any) (any, error) {
	if len(steps) == 0 {
		return value, nil
	}
	s, rest := &steps[0], steps[1:]
	if s.kind == element {
		list, ok := jsonata.Force(at).([]any)
		if !ok || s.index >= len(list) {
			return nil, &MatchError{p.text, strconv.Itoa(s.index), at}
		}
		v, err := p.set(rest, list[s.index], true, value)
		if err != nil {
			return nil, err
		}
		list = slices.Clone(list)
		list[s.index] = v
		return list, nil
	}
	o, ok := jsonata.Force(at).(*jsonata.Object)
	if !ok && present {
		return nil, &MatchError{p.text, s.name, at}
	}
	child, there := o.Get(s.name)
	v, err := p.set(rest, child, there, value)
	if err != nil {
		return nil, err
	}
	if o != nil {
		o = o.Clone()
	} else {
		o = jsonata.NewObject(1)
	}
	o.Set(s.name, v)
	return o, nil
}
