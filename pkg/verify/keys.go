package verify

import (
	"context"
	"crypto/sha1" //nolint:gosec // what some senders sign with
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/expressway-dev/expressway/pkg/secrets"
)

// shortDuration writes a duration without Go's trailing zeros.
func shortDuration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if rest, ok := strings.CutSuffix(s, zero); ok {
			s = rest + zero[:1]
		}
	}
	return s
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// A keyring holds the keys of a route's secrets, which are decoded when they change, not
// for each request. All of its code is in secretRing, which is compiled once, and not for
// each type of key.
type keyring[K any] struct{ ring *secretRing }

func newKeyring[K any](b *builder, decode func(string) (K, error), forms string) (*keyring[K], error) {
	ring, err := newSecretRing(b, func(secret string) (any, error) { return decode(secret) }, forms)
	return &keyring[K]{ring}, err
}

func (k *keyring[K]) key(ctx context.Context, i int) (K, error) {
	v, err := k.ring.key(ctx, i)
	key, _ := v.(K)
	return key, err
}

func (k *keyring[K]) match(ctx context.Context, where string, try func(K) bool) error {
	return k.ring.match(ctx, where, func(key any) bool { return try(key.(K)) })
}

// A secretRing is a keyring of any type of key.
type secretRing struct {
	source  secrets.Source
	refs    []secrets.Reference
	decode  func(string) (any, error)
	forms   string // the forms that decode accepts, for errors
	vacant  string // the reference that may have no secret yet, or empty
	entries []atomic.Pointer[keyEntry]
}

type keyEntry struct {
	secret secrets.Secret
	key    any
}

// A lazySource fetches remote secrets on first use, and can say in advance whether it
// supports a reference. [secrets.Cache] is one.
type lazySource interface {
	Check(ref secrets.Reference) error
}

// newSecretRing decodes every secret that needs no service once, and fails if one is missing
// or not a key. Remote secrets are fetched on first use, so that a cold start does not
// wait for a service, or for its outage. The errors name references, never values.
func newSecretRing(b *builder, decode func(string) (any, error), forms string) (*secretRing, error) {
	k := &secretRing{b.source, b.refs, decode, forms, b.spec.HandshakeStore, make([]atomic.Pointer[keyEntry], len(b.refs))}
	var errs []error
	lazy, ok := b.source.(lazySource)
	for i, ref := range b.refs {
		var err error
		if ok && ref.Remote() {
			err = lazy.Check(ref)
		} else {
			_, err = k.key(context.Background(), i)
		}
		if err != nil {
			errs = append(errs, newKeyError(b.spec, ref, err))
		}
	}
	return k, errors.Join(errs...)
}

func (k *secretRing) key(ctx context.Context, i int) (any, error) {
	secret, err := k.source.Get(ctx, k.refs[i])
	if err == nil && secret.IsZero() {
		err = fmt.Errorf("%s: %w", k.refs[i], secrets.ErrMissing) // even if the source accepts it
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSecrets, err)
	}
	if e := k.entries[i].Load(); e != nil && e.secret == secret {
		return e.key, nil
	}
	key, err := k.decode(secret.Reveal())
	if err != nil {
		// The decoder's own error may quote the text.
		return nil, fmt.Errorf("%w: %s is not a key in a form that this scheme accepts: %s", ErrSecrets, k.refs[i], k.forms)
	}
	k.entries[i].Store(&keyEntry{secret, key})
	return key, nil
}

// match tries the keys in turn. A secret that is unavailable only matters if no other one
// matches: during a rotation, one of two may be gone. A version that does not exist, such
// as the previous one of a secret that was never rotated, only matters if there is no
// other secret to try.
func (k *secretRing) match(ctx context.Context, where string, try func(key any) bool) error {
	var failed, absent error
	tried := false
	for i := range k.refs {
		key, err := k.key(ctx, i)
		switch {
		case errors.Is(err, secrets.ErrNoVersion):
			absent = errors.Join(absent, err)
		case errors.Is(err, secrets.ErrMissing) && k.refs[i].String() == k.vacant:
			tried = true // no secret was handed over yet, so no signature can match it
		case err != nil:
			failed = errors.Join(failed, err)
		case try(key):
			return nil
		default:
			tried = true
		}
	}
	if failed != nil {
		return failed
	}
	if !tried && absent != nil {
		return absent
	}
	return refuse(Mismatch, where)
}

var errKey = errors.New("not a key")

// keyForms describes a keyEncoding in words.
func keyForms(encoding string) string {
	switch encoding {
	case "hex":
		return "hex digits, two a byte"
	case "base64":
		return "base64 with its padding"
	case "whsec":
		return "whsec_ and base64"
	}
	return "any text"
}

// keyDecoder returns the decoder of a keyEncoding.
func keyDecoder(encoding string) func(string) ([]byte, error) {
	var decode decoder
	switch encoding {
	case "sha1":
		return func(s string) ([]byte, error) {
			sum := sha1.Sum([]byte(s)) //nolint:gosec // Braintree's choice
			return sum[:], nil
		}
	case "", "text":
		return func(s string) ([]byte, error) { return []byte(s), nil }
	case "hex":
		decode = decodeHex
	case "base64":
		decode = decodeBase64
	case "whsec":
		decode = func(s string) ([]byte, error) {
			s = strings.TrimPrefix(s, "whsec_")
			if !strings.HasSuffix(s, "=") {
				s += strings.Repeat("=", -len(s)&3) // some issuers omit the padding
			}
			return decodeBase64(s)
		}
	}
	return func(s string) ([]byte, error) {
		key, err := decode(s)
		if err != nil || len(key) == 0 {
			return nil, errKey // with an empty key, anyone could make MACs
		}
		return key, nil
	}
}
