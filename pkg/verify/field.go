package verify

import "strings"

// A Field is a key of a block, such as hmac.header, and where its value goes. Whoever reads
// a Spec from a file reads the block of any scheme by its fields.
type Field struct {
	// Key is empty for the value of a block that is text instead of a mapping.
	Key string
	// To is a *string, *bool, *[]string, *[Duration] or *map[string]string, or, for a
	// block inside the block, a func() []Field that makes it.
	To any
	// Name is the field's name in messages; empty means its path, such as hmac.header.
	Name string
}

// Blocks returns the keys of all blocks with fields.
func Blocks() []string {
	var keys []string
	for _, b := range blocks {
		if b.scheme != nil && b.scheme.fields != nil {
			keys = append(keys, b.key)
		}
	}
	return keys
}

// listed names what a Spec has one of, as in a sentence.
func listed() string {
	keys := append([]string{"provider"}, Blocks()...)
	last := len(keys) - 1
	return strings.Join(keys[:last], ", ") + " or " + keys[last]
}

// Block makes the block of a key in the Spec, and returns its fields; nil if there is no
// such block.
func (s *Spec) Block(key string) []Field {
	for _, b := range blocks {
		if b.key == key && b.scheme != nil && b.scheme.fields != nil {
			return b.scheme.fields(s)
		}
	}
	return nil
}

func (t *Timestamp) fields() []Field {
	return []Field{
		{Key: "header", To: &t.Header},
		{Key: "format", To: &t.Format},
		{Key: "tolerance", To: &t.Tolerance},
	}
}
