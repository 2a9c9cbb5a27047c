package asl

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// An itemReader is the ItemReader of a Map state, as far as a test makes items of data:
// reading them from a bucket is a matter of Distributed Map.
type itemReader struct {
	inputType, delimiter string
	pointer              string   // ItemsPointer, a JSON pointer
	headers              []string // of CSV; nil where the first row has them
	most                 amount   // MaxItems
}

// delimiters are the values of CSVDelimiter.
var delimiters = map[string]rune{"": ',', "COMMA": ',', "PIPE": '|', "SEMICOLON": ';', "SPACE": ' ', "TAB": '\t'}

func (c *compiler) itemReader(o *jsonata.Object) *itemReader {
	if !hasKey(o, "ItemReader") {
		return nil
	}
	config := c.object(c.object(o, "ItemReader"), "ReaderConfig")
	r := &itemReader{
		inputType: c.text(config, "InputType"), delimiter: c.text(config, "CSVDelimiter"),
		pointer: c.text(config, "ItemsPointer"), most: c.amount(config, "MaxItems", 0),
	}
	if c.text(config, "CSVHeaderLocation") == "GIVEN" {
		r.headers = append([]string{}, c.texts(config, "CSVHeaders")...)
	}
	return r
}

// readItems is what the ItemReader of a Map state reads: in a test, what the test has
// for it.
func (f *frame) readItems(ctx context.Context, v *view) ([]any, *Error) {
	t, r := f.run.test, f.state.reader
	switch {
	case t == nil:
		return nil, readFailed(f, "The local engine reads no items from other services: give the Map state its items by ItemsPath, or by Items in JSONata.")
	case t.in.ItemReaderData == nil:
		return nil, nil
	}
	items, err := r.decode([]byte(*t.in.ItemReaderData))
	if err != nil {
		return nil, readFailed(f, "The ItemReader has no items: "+err.Error())
	}
	if r.pointer != "" {
		f.stage(AfterItemsPointer, items)
	}
	most, failed := r.most.whole(ctx, v)
	if failed != nil {
		return nil, failed
	}
	if most > 0 && most < len(items) {
		items = items[:most]
	}
	return items, nil
}

func readFailed(f *frame, cause string) *Error {
	return &Error{Name: "States.ItemReaderFailed", Cause: f.where() + cause}
}

// decode makes items of data as it is found in its source.
func (r *itemReader) decode(text []byte) ([]any, error) {
	switch r.inputType {
	case "CSV":
		return r.csv(text)
	case "JSONL":
		return jsonLines(text)
	case "", "JSON":
	default:
		return nil, fmt.Errorf("the local engine reads no data of the type %s", r.inputType)
	}
	v, err := jsonata.Decode(text)
	if err != nil {
		return nil, err
	}
	if v, err = pointed(v, r.pointer); err != nil {
		return nil, err
	}
	switch v := jsonata.Force(v).(type) {
	case []any:
		return v, nil
	case *jsonata.Object:
		items := make([]any, v.Len())
		for i := range v.Len() {
			key, value := v.At(i)
			pair := jsonata.NewObject(2)
			pair.Set("Key", key)
			pair.Set("Value", value)
			items[i] = pair
		}
		return items, nil
	}
	return nil, errors.New("the data is neither an array nor an object")
}

// pointed follows a JSON pointer ([RFC 6901]).
//
// [RFC 6901]: https://www.rfc-editor.org/rfc/rfc6901
func pointed(v any, pointer string) (any, error) {
	if pointer == "" {
		return v, nil
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		found := false
		switch at := jsonata.Force(v).(type) {
		case *jsonata.Object:
			v, found = at.Get(unescape.Replace(token))
		case []any:
			if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(at) {
				v, found = at[i], true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is nothing at the ItemsPointer %q", pointer)
		}
	}
	return v, nil
}

func jsonLines(text []byte) ([]any, error) {
	var items []any
	for line := range bytes.Lines(text) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		v, err := jsonata.Decode(line)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, nil
}

// csv makes an object of each row. Missing fields are empty, others are dropped.
func (r *itemReader) csv(text []byte) ([]any, error) {
	// A wide header makes every short row wide.
	const maxFields = 1 << 18
	rows := csv.NewReader(bytes.NewReader(text))
	rows.Comma, rows.FieldsPerRecord = delimiters[r.delimiter], -1
	headers := r.headers
	var items []any
	for {
		row, err := rows.Read()
		switch {
		case errors.Is(err, io.EOF):
			return items, nil
		case err != nil:
			return nil, err
		case headers == nil:
			headers = row
			continue
		case (len(items)+1)*len(headers) > maxFields:
			return nil, fmt.Errorf("the data has more than %d fields", maxFields)
		}
		item := jsonata.NewObject(len(headers))
		for i, name := range headers {
			field := ""
			if i < len(row) {
				field = row[i]
			}
			item.Set(name, field)
		}
		items = append(items, item)
	}
}

// An itemBatcher is the ItemBatcher of a Map state, which only tests make batches by.
type itemBatcher struct {
	items, bytes amount
	input        *template // BatchInput
}

func (c *compiler) itemBatcher(o *jsonata.Object) *itemBatcher {
	if !hasKey(o, "ItemBatcher") {
		return nil
	}
	batcher := c.object(o, "ItemBatcher")
	return &itemBatcher{
		items: c.amount(batcher, "MaxItemsPerBatch", 0), bytes: c.amount(batcher, "MaxInputBytesPerBatch", 0),
		input: c.template(batcher, "BatchInput", "ItemBatcher/BatchInput"),
	}
}

// batches are the inputs of iterations that have several items each.
func (b *itemBatcher) batches(ctx context.Context, v *view, items []any) ([]any, *Error) {
	most, err := b.items.whole(ctx, v)
	if err != nil {
		return nil, err
	}
	limit, err := b.bytes.whole(ctx, v)
	if err != nil {
		return nil, err
	}
	if most == 0 {
		most = max(len(items), 1)
	}
	if limit == 0 {
		limit = maxData
	}
	var input any
	if b.input != nil {
		if input, err = b.input.eval(ctx, v); err == nil {
			err = v.f.check(input)
		}
		if err != nil {
			return nil, err
		}
	}
	var list []any
	for len(items) > 0 {
		n := atMost(items, most, limit-size(input))
		batch := jsonata.NewObject(2)
		if b.input != nil {
			batch.Set("BatchInput", input)
		}
		batch.Set("Items", items[:n])
		list, items = append(list, batch), items[n:]
	}
	return list, nil
}

// atMost is how many of the items make a batch: one at least.
func atMost(items []any, most, limit int) int {
	n := 1
	limit -= size(items[0])
	for n < min(most, len(items)) {
		if limit -= size(items[n]) + len(","); limit < 0 {
			break
		}
		n++
	}
	return n
}

// size is the length of a value as JSON, looked at no further than a state may have.
func size(v any) int {
	m := measure{left: maxData, valid: true}
	m.value(v)
	return maxData - m.left
}
