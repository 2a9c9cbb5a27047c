package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

type object = map[string]any

// bodyObject builds the value of a small body, a handshake or a sample. Duplicate names,
// invalid UTF-8 and data after the document are refused.
func bodyObject(body []byte) (object, error) {
	if utf8.Valid(body) {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		v, err := decodeValue(d, 0)
		if o, ok := v.(object); ok && err == nil {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				return o, nil
			}
		}
	}
	return nil, refuse(Malformed, "body")
}

var errBody = errors.New("malformed body")

func decodeValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	open, nested := t.(json.Delim)
	switch {
	case !nested:
		return t, nil
	case depth >= maxDepth:
		return nil, errBody
	case open == '[':
		list := []any{}
		for d.More() {
			v, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	o := object{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if _, twice := o[name]; twice {
			return nil, errBody
		}
		if o[name], err = decodeValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = d.Token()
	return o, err
}

// member returns the member at a path of names, or nil if there is none.
func member(v any, names ...string) any {
	for _, name := range names {
		o, ok := v.(object)
		if !ok {
			return nil
		}
		v = o[name]
	}
	return v
}

// text returns a scalar as the sender wrote it; a number keeps its digits.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}
