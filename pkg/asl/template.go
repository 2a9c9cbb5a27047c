package asl

import (
	"context"
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/pkg/asl/intrinsic"
	"github.com/expressway-dev/expressway/pkg/asl/jsonpath"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A source is a path into the state's input, the context object ("$$.a") or a
// variable ("$name.a").
type source struct {
	text string
	root string // as returned by jsonpath.Split
	path *jsonpath.Path
	// context are the parts of the context object in which the path can find something.
	context contextPart
}

func parseSource(text string) (*source, error) {
	root, rest := jsonpath.Split(text)
	path, err := jsonpath.Parse(rest)
	if err != nil {
		return nil, err
	}
	return &source{text, root, path, contextWithin(rest, path)}, nil
}

// contextWithin returns the parts of the context object that a path may lead into.
func contextWithin(text string, path *jsonpath.Path) contextPart {
	name, ok := strings.CutPrefix(text, "$.")
	if !ok || !path.IsReference() { // a filter or a function may refer to other parts
		return wholeContext
	}
	if end := strings.IndexAny(name, ".["); end >= 0 {
		name = name[:end]
	}
	return contextPartOf(name)
}

// within returns the path relative to its root: $.a for $$.a, too.
func (s *source) within() string {
	if s.root == "$" {
		return s.text[1:]
	}
	return s.text
}

// rootValue returns the value from which the path starts, with the given parts of the
// context object.
func (s *source) rootValue(v *view, parts contextPart) (any, bool) {
	switch s.root {
	case "":
		return v.input, true
	case "$":
		return v.f.contextObject(parts), true
	}
	return v.f.vars.get(s.root)
}

func (s *source) eval(v *view) (value any, found bool) {
	root, ok := s.rootValue(v, s.context)
	if !ok {
		return nil, false
	}
	return s.path.Eval(root)
}

// evalTemplate is eval for paths in a Payload Template.
func (s *source) evalTemplate(v *view) (value any, found bool) {
	root, ok := s.rootValue(v, s.context)
	if !ok {
		return nil, false
	}
	return s.path.EvalTemplate(root)
}

// A template is a compiled Payload Template: a value in which members whose names end in
// ".$" are replaced; or, in JSONata, strings that are expressions.
type template struct {
	literal any
	query   *expression
	source  *source
	call    *intrinsic.Call
	sources map[string]*source // the paths of call
	field   string             // the member's name with its ".$", for messages
	keys    []string
	items   []*template
	object  bool
	array   bool
}

func (t *template) constant() bool {
	return t.source == nil && t.call == nil && t.query == nil && !t.object && !t.array
}

func (t *template) eval(ctx context.Context, v *view) (any, *Error) {
	switch {
	case t.query != nil:
		return t.query.eval(ctx, v)
	case t.source != nil:
		found, ok := t.source.evalTemplate(v)
		if !ok {
			return nil, missingField(v, t.source, t.field)
		}
		return found, nil
	case t.call != nil:
		return t.evalCall(v)
	case t.object:
		o := jsonata.NewObject(len(t.keys))
		for i, item := range t.items {
			child, err := item.eval(ctx, v)
			if err != nil {
				return nil, err
			}
			o.Set(t.keys[i], child)
		}
		return o, nil
	case t.array:
		list := make([]any, len(t.items))
		for i, item := range t.items {
			child, err := item.eval(ctx, v)
			if err != nil {
				return nil, err
			}
			list[i] = child
		}
		return list, nil
	}
	return t.literal, nil
}

func (t *template) evalCall(v *view) (any, *Error) {
	var missing error
	seen := *v // so that only the views of calls escape to the heap
	out, err := t.call.Eval(intrinsic.Env{
		Rand: v.f.run.env.Rand,
		UUID: v.f.run.env.UUID,
		Resolve: func(path string) (any, error) {
			s := t.sources[path]
			if found, ok := s.evalTemplate(&seen); ok {
				return found, nil
			}
			missing = missingArgument(fmt.Sprintf("The JsonPath argument for the field '%s' could not be found in the input '%s'", s.text, s.searched(&seen)))
			return nil, missing
		},
	})
	switch e := err.(type) {
	case nil:
		return out, nil
	case *intrinsic.Error:
		if missing != nil {
			return nil, v.f.runtime(e.Cause)
		}
		return nil, &Error{Name: e.Name, Cause: v.f.where() + e.Cause}
	}
	return nil, &Error{Name: intrinsic.Failure, Cause: v.f.where() + err.Error()}
}

// missingField returns the service's text for a path in a template that finds nothing.
func missingField(v *view, s *source, field string) *Error {
	return v.f.runtime(fmt.Sprintf("The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'", s.text, field, s.searched(v)))
}

// A missingArgument is the service's text for a path in a call that finds nothing.
type missingArgument string

func (m missingArgument) Error() string { return string(m) }

// searched returns the value that the path was applied to, as JSON.
func (s *source) searched(v *view) []byte {
	input := v.input
	if s.root != "" && s.root != "$" {
		input, _ = v.f.vars.get(s.root)
	}
	text, _ := jsonata.AppendJSON(nil, input)
	return text
}

// invalidPath returns the service's text for a path of a state that finds nothing.
func invalidPath(v *view, s *source) *Error {
	root, ok := s.rootValue(v, wholeContext)
	if !ok {
		return v.f.runtime("Invalid path '" + s.text + "' : The variable '" + s.root + "' is not defined")
	}
	return v.f.runtime("Invalid path '" + s.text + "' : " + s.path.Explain(root))
}
