package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An itemReader is the ItemReader of a Map state. Its calls are tasks of the environment,
// like those of a Task state.
type itemReader struct {
	resource  string
	arguments *template // Parameters, or Arguments

	inputType, delimiter string
	pointer              string   // ItemsPointer, a JSON pointer
	headers              []string // for CSV; nil if the first row has them
	flatten              bool     // Transformation: the objects of a list are read too
	most                 amount   // MaxItems
}

func (c *compiler) itemReader(o *jsonata.Object) *itemReader {
	if !o.Has("ItemReader") {
		return nil
	}
	reader := c.object(o, "ItemReader")
	config := c.object(reader, "ReaderConfig")
	r := &itemReader{
		resource: c.text(reader, "Resource"), arguments: c.callArguments(reader, "ItemReader"),
		inputType: c.text(config, "InputType"), delimiter: c.text(config, "CSVDelimiter"),
		pointer: c.text(config, "ItemsPointer"), most: c.amount(config, "MaxItems", anyWhole),
		flatten: c.text(config, "Transformation") == "LOAD_AND_FLATTEN",
	}
	if c.text(config, "CSVHeaderLocation") == "GIVEN" {
		r.headers = append([]string{}, c.texts(config, "CSVHeaders")...)
	}
	return r
}

// callArguments compiles the arguments that a part of a Map state passes to its resource.
func (c *compiler) callArguments(part *jsonata.Object, name string) *template {
	field := "Parameters"
	if c.jsonata {
		field = "Arguments"
	}
	return c.template(part, field, name+"/"+field)
}

// readItems returns what the ItemReader of a Map state reads or, in a test, what the test
// provides.
func (f *frame) readItems(ctx context.Context, v *view) (mapSource, *Error) {
	t, r := f.run.test, f.state.reader
	if t != nil && t.in.ItemReaderData == nil {
		return mapSource{}, nil
	}
	most, failed := r.most.whole(ctx, v)
	switch {
	case failed != nil:
		return mapSource{}, failed
	case most < 0:
		return mapSource{}, readFailed("field MaxItems must be positive") // as recorded
	}
	var items mapSource
	if t != nil {
		var err error
		if items, err = r.decode([]byte(*t.in.ItemReaderData)); err != nil {
			return mapSource{}, readFailed("The ItemReader has no items: " + err.Error())
		}
		if r.pointer != "" {
			f.stage(AfterItemsPointer, items.list)
		}
	} else if items, failed = f.fetchItems(ctx, v, most); failed != nil {
		return mapSource{}, failed
	}
	if most > 0 && most < len(items.list) {
		items.list = items.list[:most]
	}
	return items, nil
}

func readFailed(cause string) *Error {
	return &Error{Name: "States.ItemReaderFailed", Cause: cause}
}

// fetchItems reads the items from S3. It stops soon after it has most items, unless most
// is 0.
func (f *frame) fetchItems(ctx context.Context, v *view, most int) (mapSource, *Error) {
	r := f.state.reader
	arguments := jsonata.NewObject(2)
	if r.arguments != nil {
		out, err := r.arguments.eval(ctx, v)
		if err != nil {
			return mapSource{}, err
		}
		arguments, _ = jsonata.Force(out).(*jsonata.Object)
	}
	bucket := "s3://" + textOf(arguments, "Bucket")
	switch action, _ := Integration(r.resource); action {
	case "s3:getObject":
		items, err := f.readObject(ctx, arguments)
		items.sources = []string{bucket + "/" + textOf(arguments, "Key")}
		return items, err
	case "s3:listObjectsV2":
		list, err := f.listObjects(ctx, arguments, most)
		if err != nil || !r.flatten {
			return mapSource{list: list, sources: []string{bucket}}, err
		}
		return f.loadObjects(ctx, bucket, textOf(arguments, "Bucket"), list, most)
	}
	return mapSource{}, readFailed(fmt.Sprintf("The local engine reads items by s3:getObject and s3:listObjectsV2, not by %s.", r.resource))
}

// loadObjects returns the items of all objects of a list, one object after the other.
func (f *frame) loadObjects(ctx context.Context, uri, bucket string, objects []any, most int) (mapSource, *Error) {
	all := mapSource{}
	for _, object := range objects {
		key := textOf(object, "Key")
		one := jsonata.NewObject(2)
		one.Set("Bucket", bucket)
		one.Set("Key", key)
		items, err := f.readObject(ctx, one)
		if err != nil {
			return all, err
		}
		for range items.list {
			all.sources = append(all.sources, uri+"/"+key)
		}
		if all.list = append(all.list, items.list...); most > 0 && len(all.list) >= most {
			break
		}
		if len(all.list) > maxItems {
			return all, readFailed(fmt.Sprintf("The local engine reads at most %d items.", maxItems))
		}
	}
	return all, nil
}

// maxItems bounds the items that several calls read.
const maxItems = 1 << 20

// s3Call makes a call for the Map state, which is answered by the state's mock if it has
// one.
func (f *frame) s3Call(ctx context.Context, resource string, arguments any) (any, error) {
	out, err := f.run.env.Tasks.RunTask(ctx, Task{Resource: resource, State: f.state.name, Attempt: f.retries, Parameters: arguments})
	if err != nil {
		return nil, err
	}
	return jsonata.Force(jsonata.FromGo(out)), nil
}

// callFailed returns the failure of the whole state for the error of a call.
func callFailed(ctx context.Context, name, what string, err error) *Error {
	if ctx.Err() != nil {
		return &Error{Name: "States.Timeout", fatal: true}
	}
	cause := err.Error()
	if e, ok := errors.AsType[*Error](err); ok {
		cause = strings.TrimSuffix(e.Name+": "+e.Cause, ": ")
	}
	return &Error{Name: name, Cause: what + ": " + cause}
}

// readObject returns the items that an object holds. A mock may answer with the object,
// its text, or the list of items.
func (f *frame) readObject(ctx context.Context, arguments *jsonata.Object) (items mapSource, _ *Error) {
	r := f.state.reader
	resource := r.resource
	if r.flatten {
		resource = strings.TrimSuffix(resource, "listObjectsV2") + "getObject"
	}
	at := fmt.Sprintf("Reading the object %s of the bucket %s failed", textOf(arguments, "Key"), textOf(arguments, "Bucket"))
	out, err := f.s3Call(ctx, resource, arguments)
	if err != nil {
		return items, callFailed(ctx, "States.ItemReaderFailed", at, err)
	}
	text := ""
	switch out := out.(type) {
	case []any:
		return mapSource{list: out}, nil
	case string:
		text = out
	case *jsonata.Object:
		text = textOf(out, "Body")
	}
	if strings.TrimSpace(text) == "" {
		return items, nil
	}
	if items, err = r.decode([]byte(text)); err == nil {
		return items, nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return items, e
	}
	return items, readFailed(at + ": " + err.Error())
}

// listObjects returns the contents of a bucket, page by page.
func (f *frame) listObjects(ctx context.Context, arguments *jsonata.Object, most int) ([]any, *Error) {
	var list []any
	next := any(nil)
	for {
		page := jsonata.NewObject(arguments.Len() + 1)
		for i := range arguments.Len() {
			page.Set(arguments.At(i))
		}
		if next != nil {
			page.Set("ContinuationToken", next)
		}
		out, err := f.s3Call(ctx, f.state.reader.resource, page)
		if err != nil {
			return nil, callFailed(ctx, "States.ItemReaderFailed", "Listing the bucket "+textOf(arguments, "Bucket")+" failed", err)
		}
		if items, ok := out.([]any); ok { // of a mock
			return items, nil
		}
		answer, _ := out.(*jsonata.Object)
		objects := answer.List("Contents")
		for _, object := range objects {
			list = append(list, listed(object))
		}
		if len(list) > maxItems {
			return nil, readFailed(fmt.Sprintf("The local engine reads at most %d items.", maxItems))
		}
		more := answer.Value("NextContinuationToken")
		if more == nil || len(objects) == 0 || most > 0 && len(list) >= most {
			return list, nil
		}
		next = more
	}
}

// listed returns an object of a bucket as an item: its tag is spelt differently from the
// API, and its time is in seconds.
func listed(object any) any {
	from, ok := jsonata.Force(object).(*jsonata.Object)
	if !ok {
		return object
	}
	item := jsonata.NewObject(from.Len())
	for _, field := range [][2]string{{"ETag", "Etag"}, {"Key", "Key"}, {"LastModified", "LastModified"}, {"Size", "Size"}, {"StorageClass", "StorageClass"}} {
		v, ok := from.Get(field[0])
		if !ok {
			continue
		}
		if text, isText := jsonata.Force(v).(string); isText && field[0] == "LastModified" {
			if t, err := time.Parse(time.RFC3339, text); err == nil {
				v = json.Number(strconv.FormatInt(t.Unix(), 10))
			}
		}
		item.Set(field[1], v)
	}
	return item
}

// textOf returns a member of an object as text, or "" if there is none.
func textOf(v any, member string) string {
	o, _ := jsonata.Force(v).(*jsonata.Object)
	out, ok := o.Get(member)
	if !ok {
		return ""
	}
	return plain(out)
}
