// Package jsontest converts JSON text from and to values of pkg/jsonata, for tests.
package jsontest

import (
	"testing"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Decode returns the value of JSON text.
func Decode(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonata.Decode([]byte(text))
	if err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
	return v
}

// Encode returns the JSON text of a value.
func Encode(t testing.TB, v any) string {
	t.Helper()
	text, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return string(text)
}
