// Package jsonpath evaluates the JSONPath dialect of the States Language, which is that
// of [Jayway JsonPath], on the values of pkg/jsonata.
//
// A path is compiled once by [Parse] and may then be used from many goroutines:
//
//	$  $.name  $['name']  $["name"]  $.['name']   a member
//	$[0]  $[-1]                                   an element, also from the end
//	$['a','b']  $[0,2]  $[1:3]  $[::2]  $.*  $[*] several of them
//	$..name  $..[0]  $..*                         at any depth
//	$[?(@.price < 10 && @.tags contains 'new')]   by a condition
//	$.items.length()  $.prices.sum()              a function, at the end of the path
//
// A path is either definite or indefinite. A definite path names at most one value, which
// is the result. The result of an indefinite path is the list of all matches in document
// order, which may be empty. That is why, for an object without items, `$.items[*]` is
// [], while `$.items` is an error of the state.
//
// The package knows nothing about states: the context object ("$$") and variables
// ("$name") are other roots, which [Split] separates.
//
// Where Jayway is surprising, this package is too: a condition applied to an object tests
// that object and not its members, a regular expression must match the whole text, and
// `['a','b']` at the end of a path makes one object of the two members. Regular
// expressions are RE2's. There is one difference: a test that an indefinite path exists
// checks whether it matches anything (in Jayway it is always true).
//
// [Jayway JsonPath]: https://github.com/json-path/JsonPath
package jsonpath

import (
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Limits that keep hostile paths and documents cheap.
const (
	// maxLength is the length of a path in bytes that Parse accepts.
	maxLength = 16 << 10
	// maxNesting is how deep conditions, parentheses and literals in a path may nest.
	maxNesting = 32
	// maxVisits is the number of values that one Eval visits before it gives up; several
	// `..` in one path multiply.
	maxVisits = 2_000_000
)

// A SyntaxError says where a path is wrong.
type SyntaxError struct {
	Path   string
	Offset int // in bytes, from 0
	Reason string
}

// Error names the reason and the offset. The path itself is left to the caller.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid path at offset %d: %s", e.Offset, e.Reason)
}

// A Path is a compiled path. It is immutable, and safe to use from many goroutines.
type Path struct {
	text     string
	steps    []step
	fn       *call // the function at the end, if any
	simple   bool  // it only has members and elements, so no list is needed
	single   bool  // the steps yield at most one value
	relative bool  // starts with @, inside a condition
}

type kind uint8

const (
	member   kind = iota // .name
	element              // [n]
	members              // ['a','b']
	elements             // [0,2]
	slice                // [a:b:c]
	wildcard             // *
	descend              // .. : applies the following step at every depth
	filter               // [?(…)]
)

type step struct {
	kind    kind
	name    string
	index   int
	names   []string
	indexes []int
	slice   bounds
	cond    condition
}

// String returns the path in Jayway's normal form, `$['a'][0]`, as the service's messages show
// it. Parsing it gives an equal path, unless it is longer than 16 KiB.
func (p *Path) String() string {
	var b strings.Builder
	p.print(&b)
	return b.String()
}

// Text returns the source text of the path.
func (p *Path) Text() string { return p.text }

// Definite reports whether the path names at most one value, so that Eval returns that
// value and not a list. A function always yields one value.
func (p *Path) Definite() bool { return p.single || p.fn != nil }

// IsReference reports whether the path is a [Reference Path]: members and elements
// only, so that it names one place, which may be written to.
//
// [Reference Path]: https://states-language.net/spec.html#ref-paths
func (p *Path) IsReference() bool {
	if !p.simple || p.fn != nil {
		return false
	}
	for i := range p.steps {
		if p.steps[i].kind == element && p.steps[i].index < 0 {
			return false
		}
	}
	return true
}

// Eval returns what the path names in root. For a definite path, found says whether it is
// there; an indefinite path is always found, and its value is a []any that the caller may
// keep. Results share their structure with root and must not be changed. An indefinite path
// is not found only if more than two million values would have to be visited.
func (p *Path) Eval(root any) (value any, found bool) { return p.eval(root, false) }

// EvalTemplate is [Path.Eval] for the paths of Payload Templates, as the service evaluates
// them: an index at the end of a path that is past the end of its array is null, and found.
func (p *Path) EvalTemplate(root any) (value any, found bool) { return p.eval(root, true) }

func (p *Path) eval(root any, pad bool) (value any, found bool) {
	if p.simple && p.fn == nil {
		return follow(p.steps, root, pad)
	}
	ev := evaluator{root: root, budget: maxVisits, pad: pad}
	v, ok := ev.path(p, root)
	if ev.budget <= 0 {
		return nil, false
	}
	return v, ok
}

// Split separates the root from a path: root is "" for the state's input ("$.a"), "$" for
// the context object ("$$.a"), or the name of a variable ("$name.a"). The path is the
// rest, with one "$" in front, for [Parse].
func Split(text string) (root, path string) {
	if len(text) < 2 || text[0] != '$' || text[1] == '.' || text[1] == '[' {
		return "", text
	}
	if text[1] == '$' {
		return "$", text[1:]
	}
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		return text[1:], "$"
	}
	return text[1:end], "$" + text[end:]
}

// follow follows members and elements, which is the common case, without allocation.
func follow(steps []step, v any, pad bool) (any, bool) {
	for i := range steps {
		s := &steps[i]
		var ok bool
		if s.kind == member {
			var o *jsonata.Object
			if o, ok = jsonata.Force(v).(*jsonata.Object); ok {
				v, ok = o.Get(s.name)
			}
		} else {
			var list []any
			if list, ok = jsonata.Force(v).([]any); ok {
				v, ok = at(list, s.index)
				ok = ok || pad && i == len(steps)-1
			}
		}
		if !ok {
			return nil, false
		}
	}
	return v, true
}

// at returns list[i], counting from the end if i is negative.
func at(list []any, i int) (any, bool) {
	if i < 0 {
		i += len(list)
	}
	if i < 0 || i >= len(list) {
		return nil, false
	}
	return list[i], true
}
