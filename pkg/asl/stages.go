package asl

import (
	"context"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// step runs the current state once, through the stages of its query language:
//
//	JSONPath  InputPath → Parameters → the state itself → ResultSelector → ResultPath → OutputPath
//	JSONata   Arguments → the state itself → Output
//
// Assign is computed from the result, but takes effect after the output has been made:
// the output still sees the old values. Choice states have their own stages.
func (f *frame) step(ctx context.Context, raw any) (output any, next string, err *Error) {
	var assigned *jsonata.Object
	next = f.state.next
	switch {
	case f.state.kind == "Choice":
		output, assigned, next, err = f.choose(ctx, raw)
	case f.state.jsonata:
		output, assigned, err = f.stepJSONata(ctx, raw)
	default:
		output, assigned, err = f.stepJSONPath(ctx, raw)
	}
	if err != nil {
		return nil, "", err
	}
	if same(output, raw) {
		f.sizes.carry(output)
	} else if err := f.check(output); err != nil {
		return nil, "", err
	}
	if err := f.commit(assigned); err != nil {
		return nil, "", err
	}
	return output, next, nil
}

func (f *frame) stepJSONPath(ctx context.Context, raw any) (output any, assigned *jsonata.Object, err *Error) {
	s := f.state
	v := view{f: f}
	if v.input, err = f.selectInput(raw); err != nil {
		return nil, nil, err
	}
	f.stage(AfterInputPath, v.input)
	arguments, err := f.arguments(ctx, &v)
	if err != nil {
		return nil, nil, err
	}
	f.stage(AfterParameters, arguments)
	result, err := f.act(ctx, &v, arguments)
	if err != nil {
		return nil, nil, err
	}
	f.stage(RawResult, result)
	v = view{f: f, input: result}
	if v.input, err = f.selectResult(ctx, &v); err != nil {
		return nil, nil, err
	}
	f.stage(AfterResultSelector, v.input)
	if assigned, err = f.assignments(ctx, s.assign, &v); err != nil {
		return nil, nil, err
	}
	if output, err = f.placeResult(raw, v.input); err != nil {
		return nil, nil, err
	}
	f.stage(AfterResultPath, output)
	output, err = f.selectOutput(output)
	return output, assigned, err
}

func (f *frame) stepJSONata(ctx context.Context, raw any) (output any, assigned *jsonata.Object, err *Error) {
	s := f.state
	v := view{f: f, input: raw}
	arguments, err := f.arguments(ctx, &v)
	if err != nil {
		return nil, nil, err
	}
	f.stage(AfterArguments, arguments)
	result, err := f.act(ctx, &v, arguments)
	if err != nil {
		return nil, nil, err
	}
	f.stage(RawResult, result)
	if s.hasOwnResult() {
		v.result, v.hasResult = result, true
	}
	if assigned, err = f.assignments(ctx, s.assign, &v); err != nil {
		return nil, nil, err
	}
	output, err = f.compose(ctx, s.output, &v, result)
	return output, assigned, err
}

// hasOwnResult reports whether the state produces a result of its own and does not pass on
// its input.
func (s *state) hasOwnResult() bool {
	return s.kind == "Task" || s.kind == "Parallel" || s.kind == "Map"
}

// selectInput applies InputPath.
func (f *frame) selectInput(raw any) (any, *Error) {
	return f.project(f.state.inputPath, f.state.noInput, raw)
}

// arguments applies Parameters or Arguments, which yield what the state itself works on.
func (f *frame) arguments(ctx context.Context, v *view) (any, *Error) {
	s := f.state
	if s.arguments == nil || f.parked != nil { // they were already used before the wait
		return v.input, nil
	}
	out, err := s.arguments.eval(ctx, v)
	if err == nil && s.hasOwnResult() { // other states are checked at their output
		err = f.check(out)
	}
	return out, err
}

// act does the work of a state of its type.
func (f *frame) act(ctx context.Context, v *view, arguments any) (any, *Error) {
	s := f.state
	switch s.kind {
	case "Pass":
		if s.hasResult {
			return s.result, nil
		}
	case "Fail":
		return nil, f.fail(ctx, v)
	case "Wait":
		return arguments, f.wait(ctx, v)
	case "Task":
		return f.task(ctx, v, arguments)
	case "Parallel":
		return f.parallel(ctx, arguments)
	case "Map":
		return f.mapItems(ctx, v)
	}
	return arguments, nil
}

// selectResult applies ResultSelector.
func (f *frame) selectResult(ctx context.Context, v *view) (any, *Error) {
	if f.state.selector == nil || !f.state.hasOwnResult() {
		return v.input, nil
	}
	return f.state.selector.eval(ctx, v)
}

// placeResult applies ResultPath.
func (f *frame) placeResult(raw, result any) (any, *Error) {
	if f.state.hasOwnResult() || f.state.kind == "Pass" {
		return f.place(f.state.resultPath, f.state.noResult, raw, result)
	}
	return result, nil
}

// selectOutput applies OutputPath.
func (f *frame) selectOutput(v any) (any, *Error) {
	return f.project(f.state.outputPath, f.state.noOutput, v)
}

// compose applies Output, if there is one.
func (f *frame) compose(ctx context.Context, output *template, v *view, otherwise any) (any, *Error) {
	if output == nil {
		return otherwise, nil
	}
	return output.eval(ctx, v)
}

// assignments evaluates Assign; all values are computed before any is set.
func (f *frame) assignments(ctx context.Context, t *template, v *view) (*jsonata.Object, *Error) {
	if t == nil {
		return nil, nil
	}
	out, err := t.eval(ctx, v)
	if err != nil {
		return nil, err
	}
	o, ok := out.(*jsonata.Object)
	if !ok {
		return nil, f.runtime("Assign must be an object")
	}
	return o, f.check(o)
}

func (f *frame) project(path *source, null bool, v any) (any, *Error) {
	switch {
	case null:
		return jsonata.NewObject(0), nil
	case path == nil:
		return v, nil
	}
	seen := view{f: f, input: v}
	out, ok := path.eval(&seen)
	if !ok {
		return nil, invalidPath(&seen, path)
	}
	return out, nil
}

func (f *frame) place(path *source, null bool, input, result any) (any, *Error) {
	switch {
	case null:
		return input, nil
	case path == nil:
		return result, nil
	}
	out, err := path.path.Set(input, result)
	if err != nil {
		return nil, &Error{Name: "States.ResultPathMatchFailure", Cause: f.where() + err.Error()}
	}
	return out, nil
}

// check refuses a value that is larger than states may pass on.
func (f *frame) check(v any) *Error {
	ok, valid := fits(v, maxData, &f.sizes)
	switch {
	case !valid:
		return f.runtime("The value is not JSON.")
	case !ok:
		return f.dataLimit()
	}
	return nil
}

func (f *frame) dataLimit() *Error {
	what := f.state.name
	if f.state.kind == "Task" {
		what = taskName(f.state.resource)
	}
	return &Error{Name: "States.DataLimitExceeded", Cause: "The state/task '" + what + "' returned a result with a size exceeding the maximum number of bytes service limit."}
}

// choose runs a Choice state. The fields of the rule that matches are used, or those of
// the state itself if none matches.
func (f *frame) choose(ctx context.Context, raw any) (output any, assigned *jsonata.Object, next string, err *Error) {
	s := f.state
	v := view{f: f}
	if v.input, err = f.selectInput(raw); err != nil {
		return nil, nil, "", err
	}
	if !s.jsonata {
		f.stage(AfterInputPath, v.input)
	}
	next, assign, out := s.defaultNext, s.assign, s.output
	for _, r := range s.rules {
		ok, err := r.holds(ctx, &v)
		if err != nil {
			return nil, nil, "", err
		}
		if ok {
			next, assign, out = r.next, r.assign, r.output
			break
		}
	}
	if next == "" {
		return nil, nil, "", &Error{Name: "States.NoChoiceMatched", Cause: f.where() + "Failed to transition out of the state. The state's choices did not match the input and it has no Default."}
	}
	if assigned, err = f.assignments(ctx, assign, &v); err != nil {
		return nil, nil, "", err
	}
	if s.jsonata {
		output, err = f.compose(ctx, out, &v, v.input)
	} else {
		output, err = f.selectOutput(v.input)
	}
	return output, assigned, next, err
}

// fail returns the error of a Fail state.
func (f *frame) fail(ctx context.Context, v *view) *Error {
	e := &Error{}
	for _, field := range [...]struct {
		from *template
		to   *string
		name string
	}{{f.state.errorText, &e.Name, "ErrorPath"}, {f.state.causeText, &e.Cause, "CausePath"}} {
		if field.from == nil {
			continue
		}
		out, err := field.from.eval(ctx, v)
		if err != nil {
			return err
		}
		text, ok := jsonata.Force(out).(string)
		switch {
		case ok:
			*field.to = text
		case field.from.query != nil:
			return field.from.query.unexpected(v, "string", out)
		default:
			return f.runtime("The " + field.name + " field must refer to text")
		}
	}
	return e
}
