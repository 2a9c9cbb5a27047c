package asl

import (
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
	root string // as jsonpath.Split has it
	path *jsonpath.Path
}

func parseSource(text string) (*source, error) {
	root, rest := jsonpath.Split(text)
	path, err := jsonpath.Parse(rest)
	if err != nil {
		return nil, err
	}
	return &source{text, root, path}, nil
}

// rootValue is what the path starts from.
func (s *source) rootValue(f *frame, input any) (any, bool) {
	switch s.root {
	case "":
		return input, true
	case "$":
		return f.contextObject(), true
	}
	return f.vars.get(s.root)
}

func (s *source) eval(f *frame, input any) (value any, found bool) {
	root, ok := s.rootValue(f, input)
	if !ok {
		return nil, false
	}
	return s.path.Eval(root)
}

// A template is a compiled Payload Template: a value in which members whose names
// end in ".$" are replaced.
type template struct {
	literal any
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
	return t.source == nil && t.call == nil && !t.object && !t.array
}

// compileTemplate reads a payload template; add hears what is wrong, and where.
func compileTemplate(v any, at string, add func(at, message string)) *template {
	switch v := v.(type) {
	case *jsonata.Object:
		t := &template{object: true}
		dynamic := false
		for i := range v.Len() {
			key, item := v.At(i)
			name, isPath := strings.CutSuffix(key, ".$")
			var child *template
			if isPath {
				child = compileField(item, key, at+"/"+key, add)
			} else {
				child = compileTemplate(item, at+"/"+key, add)
			}
			dynamic = dynamic || !child.constant()
			t.keys, t.items = append(t.keys, name), append(t.items, child)
		}
		if !dynamic {
			return &template{literal: v}
		}
		return t
	case []any:
		t := &template{array: true}
		dynamic := false
		for i, item := range v {
			child := compileTemplate(item, fmt.Sprintf("%s/%d", at, i), add)
			dynamic = dynamic || !child.constant()
			t.items = append(t.items, child)
		}
		if !dynamic {
			return &template{literal: v}
		}
		return t
	}
	return &template{literal: v}
}

func compileField(v any, field, at string, add func(at, message string)) *template {
	text, ok := v.(string)
	if !ok {
		add(at, fmt.Sprintf("The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", field))
		return &template{}
	}
	if intrinsic.Is(text) {
		call, err := intrinsic.Parse(text)
		if err != nil {
			add(at, fmt.Sprintf("The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", field))
			return &template{}
		}
		t := &template{call: call, field: field, sources: map[string]*source{}}
		for _, p := range call.Paths() {
			s, err := parseSource(p)
			if err != nil {
				add(at, fmt.Sprintf("The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", field))
				continue
			}
			t.sources[p] = s
		}
		return t
	}
	s, err := parseSource(text)
	if err != nil || !strings.HasPrefix(text, "$") {
		add(at, fmt.Sprintf("The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", field))
		return &template{}
	}
	return &template{source: s, field: field}
}

func (t *template) eval(f *frame, input any) (any, *Error) {
	switch {
	case t.source != nil:
		v, ok := t.source.eval(f, input)
		if !ok {
			return nil, missingField(t.source, t.field, f, input)
		}
		return v, nil
	case t.call != nil:
		return t.evalCall(f, input)
	case t.object:
		o := jsonata.NewObject(len(t.keys))
		for i, item := range t.items {
			v, err := item.eval(f, input)
			if err != nil {
				return nil, err
			}
			o.Set(t.keys[i], v)
		}
		return o, nil
	case t.array:
		list := make([]any, len(t.items))
		for i, item := range t.items {
			v, err := item.eval(f, input)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	return t.literal, nil
}

func (t *template) evalCall(f *frame, input any) (any, *Error) {
	var missing *Error
	v, err := t.call.Eval(intrinsic.Env{
		Rand: f.run.env.Rand,
		UUID: f.run.env.UUID,
		Resolve: func(path string) (any, error) {
			s := t.sources[path]
			if v, ok := s.eval(f, input); ok {
				return v, nil
			}
			missing = missingField(s, t.field, f, input)
			return nil, missing
		},
	})
	switch e := err.(type) {
	case nil:
		return v, nil
	case *intrinsic.Error:
		if missing != nil {
			return nil, missing
		}
		return nil, &Error{Name: e.Name, Cause: f.where() + e.Cause}
	}
	return nil, &Error{Name: "States.IntrinsicFailure", Cause: f.where() + err.Error()}
}

// missingField is the service's text for a path in a template that finds nothing.
func missingField(s *source, field string, f *frame, input any) *Error {
	if s.root != "" && s.root != "$" {
		input, _ = f.vars.get(s.root)
	}
	text, _ := jsonata.AppendJSON(nil, input)
	return f.runtime(fmt.Sprintf("The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'", s.text, field, text))
}
