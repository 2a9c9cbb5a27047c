package verify

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// A KeyError reports a secret of a Spec that cannot be used, when [New] or
// [NewHandshaker] looks it up. It wraps [ErrSecrets].
type KeyError struct {
	// Field is the dotted path below verify, such as secrets.0.
	Field string
	// Hint says what to do, if that is known.
	Hint string
	// Err names the reference, and never the secret.
	Err error
}

// Error returns the field, what is wrong with it, and what to do.
func (e *KeyError) Error() string {
	text := "verify." + e.Field + ": " + strings.TrimPrefix(e.Err.Error(), ErrSecrets.Error()+": ")
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

func (e *KeyError) Unwrap() error { return e.Err }

func newKeyError(s Spec, ref secrets.Reference, err error) *KeyError {
	e := &KeyError{Field: "secrets", Err: err}
	for field, text := range s.ReferencesByField() {
		if text == ref.String() {
			e.Field = field
			break
		}
	}
	if errors.Is(err, secrets.ErrMissing) && ref.Scheme == secrets.Env {
		e.Hint = "set the environment variable " + ref.Name + ", in the function's environment or by --env-vars FILE"
	}
	return e
}

// ReferencesByField returns the references that are written in the Spec, each with the
// dotted path of its field, such as secrets.0.
func (s *Spec) ReferencesByField() iter.Seq2[string, string] {
	return func(yield func(field, reference string) bool) {
		if s.Signature != nil && s.Signature.Keys != nil {
			for i, text := range s.Signature.Keys.Roots {
				if !yield(fmt.Sprintf("signature.keys.roots.%d", i), text) {
					return
				}
			}
		}
		for i, text := range s.Secrets {
			if !yield(fmt.Sprintf("secrets.%d", i), text) {
				return
			}
		}
		if s.Token != nil && s.Token.Reference != "" {
			yield("token", s.Token.Reference)
		}
	}
}

// KeyErrors returns all [KeyError]s in err, in order.
func KeyErrors(err error) []*KeyError {
	var one *KeyError
	if many, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // of errors.Join
		var found []*KeyError
		for _, e := range many.Unwrap() {
			found = append(found, KeyErrors(e)...)
		}
		return found
	}
	if errors.As(err, &one) {
		return []*KeyError{one}
	}
	return nil
}
