package asl

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// delimiters are the values of CSVDelimiter.
var delimiters = map[string]rune{"": ',', "COMMA": ',', "PIPE": '|', "SEMICOLON": ';', "SPACE": ' ', "TAB": '\t'}

// decode makes items from data in the format of its source.
func (r *itemReader) decode(text []byte) (items mapSource, err error) {
	switch r.inputType {
	case "CSV":
		items.list, err = r.csv(text)
		return items, err
	case "JSONL":
		items.list, err = jsonLines(text)
		return items, err
	case "", "JSON":
	default:
		return items, fmt.Errorf("the local engine does not read data of the type %s", r.inputType)
	}
	v, err := jsonata.Decode(text)
	if err != nil {
		return items, err
	}
	if v, err = pointed(v, r.pointer); err != nil {
		return items, err
	}
	items, ok := sourceOf(v)
	if !ok {
		return items, errors.New("the data is neither an array nor an object")
	}
	return items, nil
}

// A mapSource holds the items of a Map state.
type mapSource struct {
	list []any
	// keyed is set for the members of an object: then each item has a Key and a Value.
	keyed bool
	// sources are the URIs of the items: one for all, or one for each; none if the items
	// come from the state's data.
	sources []string
}

// sourceOf makes items from an array, or from the members of an object.
func sourceOf(v any) (mapSource, bool) {
	switch v := jsonata.Force(v).(type) {
	case []any:
		return mapSource{list: v}, true
	case *jsonata.Object:
		return mapSource{list: pairs(v), keyed: true}, true
	}
	return mapSource{}, false
}

// item returns what the context object says about an item.
func (s *mapSource) item(i int) mapItem {
	item := mapItem{index: i, value: s.list[i], source: "STATE_DATA"}
	if pair, ok := s.list[i].(*jsonata.Object); ok && s.keyed {
		item.value, _ = pair.Get("Value")
		key, _ := pair.Get("Key")
		item.key, _ = key.(string)
		item.keyed = true
	}
	switch n := len(s.sources); {
	case n == 1:
		item.source = s.sources[0]
	case i < n:
		item.source = s.sources[i]
	}
	return item
}

// pairs makes an item from each member of an object, with a Key and a Value.
func pairs(o *jsonata.Object) []any {
	items := make([]any, o.Len())
	for i := range items {
		key, value := o.At(i)
		pair := jsonata.NewObject(2)
		pair.Set("Key", key)
		pair.Set("Value", value)
		items[i] = pair
	}
	return items
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

// csv makes an object from each row. Missing fields are empty, and surplus fields are
// dropped.
func (r *itemReader) csv(text []byte) ([]any, error) {
	// A wide header makes every short row wide.
	maxFields := max(1<<18, len(text))
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	rows := csv.NewReader(bytes.NewReader(text))
	rows.Comma, rows.FieldsPerRecord = delimiters[r.delimiter], -1
	headers := r.headers
	if repeats(headers) {
		return nil, errDuplicates
	}
	var items []any
	for {
		row, err := rows.Read()
		switch {
		case errors.Is(err, io.EOF):
			return items, nil
		case err != nil:
			return nil, err
		case headers == nil:
			if headers = row; repeats(headers) {
				return nil, errDuplicates
			}
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

// errDuplicates has the service's text.
var errDuplicates = readFailed("CSV headers cannot contain duplicates.")

func repeats(headers []string) bool {
	seen := make(map[string]bool, len(headers))
	for _, h := range headers {
		if seen[h] {
			return true
		}
		seen[h] = true
	}
	return false
}
