package verify

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// How long keys are kept. An issuer publishes a key some time before it signs with it,
// and keeps a withdrawn key published while tokens that were signed with it are valid.
const (
	keySetTTL    = time.Hour       // then the set is fetched again
	keySetStale  = 24 * time.Hour  // how long a set is used if its issuer does not answer
	keySetPause  = time.Minute     // between fetches because of an unknown key
	keySetOutage = 5 * time.Second // between fetches that fail
	maxKeySet    = 256 << 10       // bytes; Google's has 4 KiB
	maxKeys      = 64              // in one set
	minRSA       = 2048            // bits
	maxRSA       = 8192            // bits; the work of verifying grows with the key
)

// A keySet is an issuer's keys (RFC 7517), fetched when first needed. Tokens can name any
// key, so unknown names cause at most one fetch a minute.
type keySet struct {
	url   string
	fetch Fetch
	now   func() time.Time
	parse func(document []byte) ([]publishedKey, error)

	current atomic.Pointer[fetchedKeys]
	busy    chan struct{} // holds one token; whoever has the token fetches
	tried   time.Time     // guarded by busy
	failed  error         // the error of the last try; guarded by busy
}

type fetchedKeys struct {
	keys []publishedKey
	at   time.Time
}

// A publishedKey is a key for signatures.
type publishedKey struct {
	id, algorithm string // either may be empty
	public        crypto.PublicKey
}

func newKeySet(url string, fetch Fetch, now func() time.Time) *keySet {
	return &keySet{url: url, fetch: fetch, now: now, parse: parseKeySet, busy: make(chan struct{}, 1)}
}

// forToken returns the keys that may have signed t.
func (s *keySet) forToken(ctx context.Context, t *jwt.Token) (any, error) {
	id, named := t.Header["kid"].(string)
	if _, there := t.Header["kid"]; there && !named {
		return nil, refuse(Malformed, "kid")
	}
	algorithm := t.Method.Alg()
	set, err := s.get(ctx, func(k *fetchedKeys) bool { return len(k.matching(id, algorithm)) > 0 })
	if err != nil {
		return nil, err
	}
	found := set.matching(id, algorithm)
	if len(found) == 0 {
		return nil, refuse(Mismatch, "kid")
	}
	return jwt.VerificationKeySet{Keys: found}, nil
}

// matching returns the keys with the id, or all keys if the id is empty, that can verify
// the algorithm: a key is never used with an algorithm of another kind.
func (f *fetchedKeys) matching(id, algorithm string) []jwt.VerificationKey {
	var found []jwt.VerificationKey
	for _, k := range f.keys {
		if (id == "" || k.id == id) && (k.algorithm == "" || k.algorithm == algorithm) && fits(k.public, algorithm) {
			found = append(found, k.public)
		}
	}
	return found
}

func fits(key crypto.PublicKey, algorithm string) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return algorithm == map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[key.Curve.Params().BitSize]
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

// get returns the set. It is fetched again when it is old, or when enough returns false
// for it, as often as the pauses allow. One goroutine fetches; the others wait for it.
func (s *keySet) get(ctx context.Context, enough func(*fetchedKeys) bool) (*fetchedKeys, error) {
	if set := s.current.Load(); set != nil && s.now().Sub(set.at) < keySetTTL && enough(set) {
		return set, nil
	}
	select {
	case s.busy <- struct{}{}:
		defer func() { <-s.busy }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: key set: %w", ErrSecrets, ctx.Err())
	}
	set, now := s.current.Load(), s.now() // another goroutine may have fetched it in the meantime
	fresh := set != nil && now.Sub(set.at) < keySetTTL
	if fresh && enough(set) {
		return set, nil
	}
	pause := keySetPause
	if s.failed != nil {
		pause = keySetOutage
	}
	if s.tried.IsZero() || now.Sub(s.tried) >= pause || !fresh && s.failed == nil {
		keys, err := s.load(ctx)
		if err != nil && ctx.Err() != nil {
			return nil, fmt.Errorf("%w: key set: %w", ErrSecrets, err) // the caller's own deadline is not an outage
		}
		s.tried, s.failed = now, err
		if err == nil {
			set = &fetchedKeys{keys, now}
			s.current.Store(set)
			return set, nil
		}
	}
	if set != nil && now.Sub(set.at) < keySetStale && (s.failed == nil || enough(set)) {
		return set, nil
	}
	return nil, fmt.Errorf("%w: key set: %w", ErrSecrets, s.failed)
}

func (s *keySet) load(ctx context.Context) ([]publishedKey, error) {
	document, err := s.fetch(ctx, s.url)
	if err != nil {
		return nil, err
	}
	return s.parse(document)
}

// parseKeySet reads the signature keys of known kinds, and ignores the others, as RFC
// 7517, section 5, requires. A set without such a key is refused.
func parseKeySet(document []byte) ([]publishedKey, error) {
	if len(document) > maxKeySet {
		return nil, errors.New("is too large")
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, errors.New("is not JSON")
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("has more than %d keys", maxKeys)
	}
	var keys []publishedKey
	for _, raw := range set.Keys {
		if k, ok := parseJWK(raw); ok {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("has no key for signatures")
	}
	return keys, nil
}

type jsonWebKey struct {
	Type       string   `json:"kty"`
	ID         string   `json:"kid"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`
	Curve      string   `json:"crv"`
	N, E, X, Y string
}

func parseJWK(raw []byte) (publishedKey, bool) {
	var j jsonWebKey
	if json.Unmarshal(raw, &j) != nil || j.Use != "" && j.Use != "sig" ||
		len(j.Operations) > 0 && !slices.Contains(j.Operations, "verify") {
		return publishedKey{}, false
	}
	k := publishedKey{id: j.ID, algorithm: j.Algorithm}
	switch j.Type {
	case "RSA":
		k.public = j.rsa()
	case "EC":
		k.public = j.ec()
	case "OKP":
		if x, err := decodeBase64URL(j.X); err == nil && j.Curve == "Ed25519" && len(x) == ed25519.PublicKeySize {
			k.public = ed25519.PublicKey(x)
		}
	}
	return k, k.public != nil
}

// rsa returns an untyped nil if the members do not make a key.
func (j *jsonWebKey) rsa() crypto.PublicKey {
	n, errN := decodeBase64URL(j.N)
	e, errE := decodeBase64URL(j.E)
	if errN != nil || errE != nil || len(e) > 4 {
		return nil
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e).Int64()
	bits := modulus.BitLen()
	if bits < minRSA || bits > maxRSA || modulus.Bit(0) == 0 || exponent < 3 || exponent%2 == 0 || exponent > 1<<31-1 {
		return nil
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent)}
}

func (j *jsonWebKey) ec() crypto.PublicKey {
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[j.Curve]
	x, errX := decodeBase64URL(j.X)
	y, errY := decodeBase64URL(j.Y)
	if curve == nil || errX != nil || errY != nil || len(x) != len(y) {
		return nil
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y)) // on the curve, or an error
	if err != nil {
		return nil
	}
	return key
}
