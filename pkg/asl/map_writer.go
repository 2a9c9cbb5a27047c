package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A resultWriter is the ResultWriter of a Map state. Without a resource, it only
// determines the form of the state's result.
type resultWriter struct {
	resource       string
	arguments      *template // Parameters, or Arguments
	transformation string    // NONE, COMPACT or FLATTEN
	lines          bool      // OutputType JSONL
}

// maxWritten bounds the results that wait to be written.
const maxWritten = 64 << 20

func (c *compiler) resultWriter(o *jsonata.Object) *resultWriter {
	if !o.Has("ResultWriter") {
		return nil
	}
	writer := c.object(o, "ResultWriter")
	config := c.object(writer, "WriterConfig")
	w := &resultWriter{
		resource: c.text(writer, "Resource"), arguments: c.callArguments(writer, "ResultWriter"),
		transformation: c.text(config, "Transformation"), lines: c.text(config, "OutputType") == "JSONL",
	}
	if w.transformation == "" && w.uploads() {
		w.transformation = "NONE" // with a configuration and without one
	}
	return w
}

func (w *resultWriter) uploads() bool { return w != nil && w.resource != "" }

// A resultWriting holds the results of one Map state on their way to its ResultWriter.
// Its methods do nothing if it is nil.
type resultWriting struct {
	f         *frame
	writer    *resultWriter
	arguments *jsonata.Object // of the calls, apart from Key and Body
	prefix    string          // of keys
	id, label string          // of the Map Run
	children  []mapChild
}

// A mapChild is an iteration, as a child execution.
type mapChild struct {
	name          string // empty until it starts
	input         any
	started, done time.Time
	status        string
	err           *Error
}

// startWriter evaluates where to write the results of n iterations.
func (f *frame) startWriter(ctx context.Context, v *view, n int) (*resultWriting, *Error) {
	w := &resultWriting{f: f, writer: f.state.writer, children: make([]mapChild, n), arguments: jsonata.NewObject(3)}
	w.id, w.label = f.run.env.UUID(), f.state.label
	if w.label == "" {
		w.label = f.run.env.UUID()
	}
	if w.writer.arguments == nil {
		return w, nil
	}
	out, err := w.writer.arguments.eval(ctx, v)
	if err != nil {
		return nil, err
	}
	arguments, _ := jsonata.Force(out).(*jsonata.Object)
	w.arguments = arguments.Without("Prefix")
	if w.prefix = textOf(arguments, "Prefix"); w.prefix != "" {
		w.prefix = strings.TrimSuffix(w.prefix, "/") + "/"
	}
	w.prefix += w.id + "/"
	return w, nil
}

func (w *resultWriting) uploads() bool { return w != nil && w.writer.uploads() }

func (w *resultWriting) started(i int, input any) {
	if w != nil {
		w.children[i] = mapChild{name: w.f.run.env.UUID(), input: input, started: w.f.run.env.Now(), status: "RUNNING"}
	}
}

func (w *resultWriting) ended(ctx context.Context, i int, err *Error) {
	if w == nil {
		return
	}
	c := &w.children[i]
	c.done, c.err = w.f.run.env.Now(), err
	switch {
	case err == nil:
		c.status = Succeeded
	case context.Cause(ctx) == errSibling:
		c.status = "ABORTED"
	case err.Name == "States.Timeout":
		c.status = TimedOut
	default:
		c.status = Failed
	}
}

// restored takes over an iteration that an earlier run of the execution has ended.
func (w *resultWriting) restored(ctx context.Context, i int, item any, c Checkpoint) {
	if w == nil {
		return
	}
	w.started(i, item)
	var err *Error
	if o, _ := jsonata.Force(c.Output).(*jsonata.Object); c.Failed {
		err = &Error{Name: o.Text("Error"), Cause: o.Text("Cause")}
	}
	w.ended(ctx, i, err)
}

// arn returns the ARN of a resource of the Map Run.
func (w *resultWriting) arn(kind string, id ...string) string {
	parts := strings.Split(w.f.run.ex.StateMachineARN, ":")
	if len(parts) > 6 {
		parts = append(parts[:5:5], kind, parts[6]+"/"+w.label)
	}
	return strings.Join(append(parts, id...), ":")
}

// finish returns the result of the state: where the results are, or the results in the
// form that the configuration asks for.
func (w *resultWriting) finish(ctx context.Context, m *iterations) (any, *Error) {
	lists := map[string][]any{"SUCCEEDED": {}, "FAILED": {}, "PENDING": {}}
	for i := range w.children {
		c := &w.children[i]
		switch {
		case c.name == "":
			c.input, c.status = m.items.list[i], "PENDING"
			lists["PENDING"] = append(lists["PENDING"], w.record(c, nil))
		case c.err != nil:
			lists["FAILED"] = append(lists["FAILED"], w.record(c, nil))
		default:
			lists["SUCCEEDED"] = w.transform(lists["SUCCEEDED"], c, m.results[i])
		}
	}
	if !w.uploads() {
		return w.shaped(m, lists), nil
	}
	files := jsonata.NewObject(3)
	for _, kind := range []string{"FAILED", "PENDING", "SUCCEEDED"} {
		list, err := w.file(ctx, kind, lists[kind])
		if err != nil {
			return nil, err
		}
		files.Set(kind, list)
	}
	manifest := jsonata.NewObject(3)
	bucket := textOf(w.arguments, "Bucket")
	manifest.Set("DestinationBucket", bucket)
	manifest.Set("MapRunArn", w.arn("mapRun", w.id))
	manifest.Set("ResultFiles", files)
	text, _ := jsonata.AppendJSON(nil, manifest)
	key := w.prefix + "manifest.json"
	if err := w.put(ctx, key, text); err != nil {
		return nil, err
	}
	details := jsonata.NewObject(2)
	details.Set("Bucket", bucket)
	details.Set("Key", key)
	result := jsonata.NewObject(2)
	result.Set("MapRunArn", w.arn("mapRun", w.id))
	result.Set("ResultWriterDetails", details)
	return result, nil
}

// shaped returns the result of a state that writes nothing.
func (w *resultWriting) shaped(m *iterations, lists map[string][]any) any {
	switch w.writer.transformation {
	case "NONE", "FLATTEN":
		return append(lists["SUCCEEDED"], lists["FAILED"]...)
	}
	return m.results
}

// transform adds a result to a list in the form of the configuration.
func (w *resultWriting) transform(list []any, c *mapChild, result any) []any {
	switch w.writer.transformation {
	case "COMPACT":
		return append(list, result)
	case "FLATTEN":
		if items, ok := jsonata.Force(result).([]any); ok {
			return append(list, items...)
		}
		return append(list, result)
	}
	return append(list, w.record(c, result))
}

// record describes a child execution, with its fields sorted by name, as in the service.
func (w *resultWriting) record(c *mapChild, result any) *jsonata.Object {
	o := jsonata.NewObject(15)
	if c.err != nil {
		o.Set("Cause", c.err.Cause)
		o.Set("Error", c.err.Name)
	}
	text := func(name string, v any) {
		json, _ := jsonata.AppendJSON(nil, v)
		o.Set(name, string(json))
		details := jsonata.NewObject(1)
		details.Set("Included", true)
		o.Set(name+"Details", details)
	}
	if c.name != "" {
		o.Set("ExecutionArn", w.arn("execution", c.name))
	}
	text("Input", c.input)
	if c.name != "" {
		o.Set("Name", c.name)
	}
	if c.status == Succeeded {
		text("Output", result)
	}
	const layout = "2006-01-02T15:04:05.000Z"
	if c.name != "" {
		o.Set("RedriveCount", json.Number("0"))
		if c.status == Succeeded {
			o.Set("RedriveStatus", "NOT_REDRIVABLE")
			o.Set("RedriveStatusReason", "Execution is SUCCEEDED and cannot be redriven")
		} else {
			o.Set("RedriveStatus", "REDRIVABLE_BY_MAP_RUN")
		}
		o.Set("StartDate", c.started.UTC().Format(layout))
	}
	o.Set("StateMachineArn", w.arn("stateMachine"))
	o.Set("Status", c.status)
	if c.name != "" {
		o.Set("StopDate", c.done.UTC().Format(layout))
	}
	return o
}

// file writes the results of one kind, and returns what the manifest says about the file:
// an empty list if there are no results.
func (w *resultWriting) file(ctx context.Context, kind string, list []any) ([]any, *Error) {
	if len(list) == 0 {
		return []any{}, nil
	}
	var text []byte
	name := kind + "_0.json"
	if !w.writer.lines {
		text, _ = jsonata.AppendJSON(nil, list)
	} else {
		name += "l"
		for _, item := range list {
			text, _ = jsonata.AppendJSON(text, item)
			text = append(text, '\n')
		}
	}
	key := w.prefix + name
	if err := w.put(ctx, key, text); err != nil {
		return nil, err
	}
	entry := jsonata.NewObject(2)
	entry.Set("Key", key)
	entry.Set("Size", json.Number(fmt.Sprint(len(text))))
	return []any{entry}, nil
}

func (w *resultWriting) put(ctx context.Context, key string, text []byte) *Error {
	arguments := w.arguments.Clone()
	arguments.Set("Key", key)
	arguments.Set("Body", string(text))
	if action, _ := Integration(w.writer.resource); action != "s3:putObject" {
		return &Error{Name: "States.ResultWriterFailed", Cause: fmt.Sprintf("The local engine writes results by s3:putObject, not by %s.", w.writer.resource)}
	}
	if _, err := w.f.s3Call(ctx, w.writer.resource, arguments); err != nil {
		return callFailed(ctx, "States.ResultWriterFailed",
			fmt.Sprintf("Writing the object %s to the bucket %s failed", key, textOf(w.arguments, "Bucket")), err)
	}
	return nil
}
