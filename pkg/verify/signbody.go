package verify

import (
	"bytes"
	"encoding/json"
	"errors"
)

// write changes the JSON body. Numbers keep their digits; the order of names and the
// white space change.
func (s *signer) write(change func(object) error) error {
	body, err := bodyObject(s.out.Body)
	if err != nil {
		return errors.New("the body is not a JSON object, and this scheme writes the signature into one")
	}
	if err := change(body); err != nil {
		return err
	}
	s.out.Body, err = encodeBody(body)
	return err
}

func encodeBody(body object) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(body)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// items returns the objects of a list in the body.
func items(body object, name, inner string) ([]object, error) {
	list, _ := body[name].([]any)
	var found []object
	for _, item := range list {
		if inner != "" {
			item = member(item, inner)
		}
		o, ok := item.(object)
		if !ok {
			return nil, errors.New(name + " has an item that does not belong to this scheme")
		}
		found = append(found, o)
	}
	if len(found) == 0 {
		return nil, errors.New("the body has no " + name)
	}
	return found, nil
}
