package verify_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// The keys of the tests, made once because making RSA keys is slow.
var testKeys = sync.OnceValue(func() (k struct {
	rsa, other *rsa.PrivateKey
	small      *rsa.PrivateKey
	ec         *ecdsa.PrivateKey
	ed         ed25519.PrivateKey
},
) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	var err error
	k.rsa, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	k.other, err = rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	k.small, err = rsa.GenerateKey(rand.Reader, 1024)
	must(err)
	k.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	_, k.ed, err = ed25519.GenerateKey(rand.Reader)
	must(err)
	return k
})

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwk writes a public key as RFC 7517 does, with further members.
func jwk(t testing.TB, id string, key crypto.PublicKey, more map[string]any) map[string]any {
	t.Helper()
	m := map[string]any{"kid": id, "use": "sig"}
	switch key := key.(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", b64(key.N.Bytes()), b64(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		half := (len(point) - 1) / 2
		m["kty"], m["crv"], m["x"], m["y"] = "EC", key.Curve.Params().Name, b64(point[1:1+half]), b64(point[1+half:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64(key)
	default:
		t.Fatalf("no key: %T", key)
	}
	for name, value := range more {
		m[name] = value
	}
	return m
}

// An issuer serves a key set over HTTP, and counts how often it is asked.
type issuer struct {
	*httptest.Server
	mu      sync.Mutex
	keys    []map[string]any
	handler http.HandlerFunc // instead of the keys
	asked   atomic.Int32
}

func newIssuer(t testing.TB, keys ...map[string]any) *issuer {
	t.Helper()
	i := &issuer{keys: keys}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.asked.Add(1)
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.handler != nil {
			i.handler(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": i.keys})
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) set(handler http.HandlerFunc, keys ...map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handler, i.keys = handler, keys
}

// sign makes a token. Its header is as given, over alg and kid.
func sign(t testing.TB, method jwt.SigningMethod, key any, id string, header, claims map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, jwt.MapClaims(claims))
	if id != "" {
		token.Header["kid"] = id
	}
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const (
	testIssuer   = "https://issuer.example"
	testAudience = "https://hooks.example.com/partner"
)

// claims returns valid claims at the epoch with changes; nil removes a claim.
func claims(changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": testIssuer, "aud": testAudience, "exp": epoch.Add(time.Hour).Unix(), "iat": epoch.Unix(), "sub": "1",
	}
	for name, value := range changes {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

func newJWT(t testing.TB, j verify.JWT, now func() time.Time, fetch verify.Fetch) verify.Verifier {
	t.Helper()
	if j.Issuer == "" {
		j.Issuer, j.Audience = testIssuer, testAudience
	}
	v, err := verify.New(verify.Spec{JWT: &j}, environment{}.source(), verify.Options{Now: now, Fetch: fetch})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func bearer(token string) *verify.Request {
	return &verify.Request{Method: "POST", Path: "/", Header: headers("Authorization", "Bearer "+token), Body: []byte("{}")}
}

func TestJWT(t *testing.T) {
	t.Parallel()
	k := testKeys()
	published := newIssuer(t,
		jwk(t, "rsa", &k.rsa.PublicKey, map[string]any{"alg": "RS256"}),
		jwk(t, "ec", &k.ec.PublicKey, nil),
		jwk(t, "ed", k.ed.Public(), nil),
		jwk(t, "small", &k.small.PublicKey, nil),
		jwk(t, "encryption", &k.other.PublicKey, map[string]any{"use": "enc"}),
		map[string]any{"kty": "oct", "kid": "oct", "k": b64([]byte(strings.Repeat("k", 32)))},
	)
	all := []string{"RS256", "PS256", "ES256", "EdDSA"}
	rs := func(changes map[string]any) string {
		return sign(t, jwt.SigningMethodRS256, k.rsa, "rsa", nil, claims(changes))
	}
	good := rs(nil)
	forged := func(header, payload string) string {
		return b64([]byte(header)) + "." + b64([]byte(payload)) + "." + strings.Split(good, ".")[2]
	}
	publicAsSecret := func() string { // the published modulus, taken for an HMAC key
		return sign(t, jwt.SigningMethodHS256, []byte(b64(k.rsa.N.Bytes())), "rsa", nil, claims(nil))
	}
	tests := map[string]struct {
		token string
		want  verify.Reason
	}{
		"RS256":                       {good, ""},
		"ES256":                       {sign(t, jwt.SigningMethodES256, k.ec, "ec", nil, claims(nil)), ""},
		"EdDSA":                       {sign(t, jwt.SigningMethodEdDSA, k.ed, "ed", nil, claims(nil)), ""},
		"without kid":                 {sign(t, jwt.SigningMethodRS256, k.rsa, "", nil, claims(nil)), ""},
		"one of several audiences":    {rs(map[string]any{"aud": []string{"x", testAudience}}), ""},
		"expired within the skew":     {rs(map[string]any{"exp": epoch.Add(-59 * time.Second).Unix()}), ""},
		"not before within the skew":  {rs(map[string]any{"nbf": epoch.Add(59 * time.Second).Unix()}), ""},
		"expired":                     {rs(map[string]any{"exp": epoch.Add(-61 * time.Second).Unix()}), verify.Stale},
		"not yet":                     {rs(map[string]any{"nbf": epoch.Add(61 * time.Second).Unix()}), verify.Stale},
		"exp a minute ago":            {rs(map[string]any{"exp": epoch.Add(-60 * time.Second).Unix()}), verify.Stale},
		"nbf in a minute":             {rs(map[string]any{"nbf": epoch.Add(60 * time.Second).Unix()}), ""},
		"issued within the skew":      {rs(map[string]any{"iat": epoch.Add(60 * time.Second).Unix()}), ""},
		"issued in the future":        {rs(map[string]any{"iat": epoch.Add(61 * time.Second).Unix()}), verify.Stale},
		"iat as text":                 {rs(map[string]any{"iat": "yesterday"}), verify.Malformed},
		"without iat":                 {rs(map[string]any{"iat": nil}), ""},
		"exp with a fraction":         {rs(map[string]any{"exp": float64(epoch.Unix()) + 0.5}), ""},
		"exp beyond all time":         {rs(map[string]any{"exp": json.Number("1e400")}), verify.Stale},
		"exp below zero":              {rs(map[string]any{"exp": -1}), verify.Stale},
		"aud in a list of mixed":      {rs(map[string]any{"aud": []any{1, testAudience}}), verify.Malformed},
		"aud in other case":           {rs(map[string]any{"aud": strings.ToUpper(testAudience)}), verify.Mismatch},
		"aud with a slash":            {rs(map[string]any{"aud": testAudience + "/"}), verify.Mismatch},
		"kid empty":                   {sign(t, jwt.SigningMethodRS256, k.rsa, "", map[string]any{"kid": ""}, claims(nil)), ""},
		"kid of a key of other kind":  {sign(t, jwt.SigningMethodRS256, k.rsa, "ec", nil, claims(nil)), verify.Mismatch},
		"RS256 named ES256":           {forged(`{"alg":"ES256","kid":"ec"}`, `{}`), verify.Mismatch},
		"alg in lower case":           {forged(`{"alg":"rs256","kid":"rsa"}`, `{}`), verify.Malformed},
		"alg NONE":                    {forged(`{"alg":"NONE"}`, `{}`), verify.Malformed},
		"without alg":                 {forged(`{"kid":"rsa"}`, `{}`), verify.Malformed},
		"key in the header":           {sign(t, jwt.SigningMethodRS256, k.other, "rsa", map[string]any{"jwk": jwk(t, "rsa", &k.other.PublicKey, nil)}, claims(nil)), verify.Mismatch},
		"without exp":                 {rs(map[string]any{"exp": nil}), verify.Missing},
		"exp as text":                 {rs(map[string]any{"exp": "tomorrow"}), verify.Malformed},
		"without iss":                 {rs(map[string]any{"iss": nil}), verify.Missing},
		"other iss":                   {rs(map[string]any{"iss": testIssuer + "/"}), verify.Mismatch},
		"without aud":                 {rs(map[string]any{"aud": nil}), verify.Missing},
		"no aud in the list":          {rs(map[string]any{"aud": []string{}}), verify.Missing},
		"other aud":                   {rs(map[string]any{"aud": "https://hooks.example.com/other"}), verify.Mismatch},
		"other key":                   {sign(t, jwt.SigningMethodRS256, k.other, "rsa", nil, claims(nil)), verify.Mismatch},
		"key for encryption":          {sign(t, jwt.SigningMethodRS256, k.other, "encryption", nil, claims(nil)), verify.Mismatch},
		"key too short":               {sign(t, jwt.SigningMethodRS256, k.small, "small", nil, claims(nil)), verify.Mismatch},
		"unknown kid":                 {sign(t, jwt.SigningMethodRS256, k.rsa, "gone", nil, claims(nil)), verify.Mismatch},
		"kid is not text":             {sign(t, jwt.SigningMethodRS256, k.rsa, "", map[string]any{"kid": 1}, claims(nil)), verify.Malformed},
		"algorithm not in the list":   {sign(t, jwt.SigningMethodRS512, k.rsa, "rsa", nil, claims(nil)), verify.Mismatch},
		"algorithm not of the key":    {sign(t, jwt.SigningMethodPS256, k.rsa, "rsa", nil, claims(nil)), verify.Mismatch},
		"alg none":                    {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "rsa", nil, claims(nil)), verify.Mismatch},
		"alg none with a signature":   {forged(`{"alg":"none"}`, `{}`), verify.Mismatch},
		"HMAC with the public key":    {publicAsSecret(), verify.Mismatch},
		"HMAC with the set's oct key": {sign(t, jwt.SigningMethodHS256, []byte(strings.Repeat("k", 32)), "oct", nil, claims(nil)), verify.Mismatch},
		"critical extension":          {sign(t, jwt.SigningMethodRS256, k.rsa, "rsa", map[string]any{"crit": []string{"b64"}, "b64": false}, claims(nil)), verify.Malformed},
		"payload changed":             {forged(`{"alg":"RS256","kid":"rsa"}`, `{"iss":"x"}`), verify.Mismatch},
		"two parts":                   {good[:strings.LastIndexByte(good, '.')], verify.Malformed},
		"five parts":                  {good + ".a.b", verify.Malformed},
		"not base64":                  {"!." + good, verify.Malformed},
		"a line break":                {good + "\n", verify.Malformed},
		"padding":                     {good + "==", verify.Malformed},
		"dots":                        {strings.Repeat(".", 5000), verify.Malformed},
		"huge":                        {strings.Repeat("a", 1<<20), verify.Malformed},
		"empty":                       {"", verify.Malformed},
	}
	v := newJWT(t, verify.JWT{JWKS: published.URL, Algorithms: all}, clockAt(epoch), verify.NewFetch(nil))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkReason(t, v, bearer(test.token), test.want)
		})
	}
	for name, header := range map[string]http.Header{
		"no header": headers(), "basic": headers("Authorization", "Basic "+good), "bare": headers("Authorization", good),
		"twice": headers("Authorization", "Bearer "+good, "Authorization", "Bearer "+good),
	} {
		if err := v.Verify(t.Context(), &verify.Request{Header: header}); verify.ReasonOf(err) == "" {
			t.Errorf("%s: Verify = %v, want a refusal", name, err)
		}
	}
	// RS256 alone is the default.
	only := newJWT(t, verify.JWT{JWKS: published.URL}, clockAt(epoch), verify.NewFetch(nil))
	checkReason(t, only, bearer(good), "")
	checkReason(t, only, bearer(tests["ES256"].token), verify.Mismatch)
}

// TestJWTReasons checks the words in the log, which name the claim.
func TestJWTReasons(t *testing.T) {
	t.Parallel()
	k := testKeys()
	published := newIssuer(t, jwk(t, "rsa", &k.rsa.PublicKey, nil))
	v := newJWT(t, verify.JWT{JWKS: published.URL}, clockAt(epoch), verify.NewFetch(nil))
	for want, changes := range map[string]map[string]any{
		"unverified: stale: claim exp":    {"exp": 1},
		"unverified: stale: claim nbf":    {"nbf": epoch.Add(time.Hour).Unix()},
		"unverified: stale: claim iat":    {"iat": epoch.Add(time.Hour).Unix()},
		"unverified: missing: claim exp":  {"exp": nil},
		"unverified: missing: claim iss":  {"iss": nil},
		"unverified: missing: claim aud":  {"aud": nil},
		"unverified: mismatch: claim iss": {"iss": testIssuer + "/"},
		"unverified: mismatch: claim aud": {"aud": []string{"secret-audience"}},
	} {
		if err := v.Verify(t.Context(), bearer(sign(t, jwt.SigningMethodRS256, k.rsa, "rsa", nil, claims(changes)))); err == nil || err.Error() != want {
			t.Errorf("Verify = %v, want %s", err, want)
		}
	}
}

// TestPubSubPush is a push of Google Pub/Sub as Google describes it; anyone's subscription
// gets a token of that issuer for this audience, and only the account identifies the owner:
// https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions.
func TestPubSubPush(t *testing.T) {
	t.Parallel()
	k := testKeys()
	google := newIssuer(t, jwk(t, "7d680d8c70d44e947133cbd499ebc1a61c3d5abc", &k.rsa.PublicKey, map[string]any{"alg": "RS256"}))
	v := newJWT(t, verify.JWT{
		JWKS: google.URL + "/oauth2/v3/certs", Issuer: "https://accounts.google.com", Audience: "https://hooks.example.com/pubsub",
		Claims: map[string]string{"email": "push@shop.iam.gserviceaccount.com", "email_verified": "true"},
	}, clockAt(epoch), verify.NewFetch(nil))
	for name, test := range map[string]struct {
		email    any
		verified any
		want     verify.Reason
	}{
		"ours":           {"push@shop.iam.gserviceaccount.com", true, ""},
		"somebody's":     {"push@other.iam.gserviceaccount.com", true, verify.Mismatch},
		"not verified":   {"push@shop.iam.gserviceaccount.com", false, verify.Mismatch},
		"without email":  {nil, true, verify.Missing},
		"email is a map": {map[string]any{}, true, verify.Mismatch},
	} {
		token := sign(t, jwt.SigningMethodRS256, k.rsa, "7d680d8c70d44e947133cbd499ebc1a61c3d5abc", nil, claims(map[string]any{
			"iss": "https://accounts.google.com", "aud": "https://hooks.example.com/pubsub", "azp": "113774264463038321964",
			"sub": "113774264463038321964", "email": test.email, "email_verified": test.verified,
		}))
		t.Run(name, func(t *testing.T) { checkReason(t, v, bearer(token), test.want) })
	}
}

// TestCognitoToken is what an API Gateway authorizer takes: a token of a user pool.
func TestCognitoToken(t *testing.T) {
	t.Parallel()
	k := testKeys()
	pool := newIssuer(t,
		jwk(t, "one=", &k.other.PublicKey, map[string]any{"alg": "RS256"}),
		jwk(t, "two=", &k.rsa.PublicKey, map[string]any{"alg": "RS256"}))
	const issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE"
	v := newJWT(t, verify.JWT{
		JWKS: pool.URL + "/.well-known/jwks.json", Issuer: issuer, Audience: "client", Claims: map[string]string{"token_use": "id"},
	}, clockAt(epoch), verify.NewFetch(nil))
	token := func(use string) *verify.Request {
		return bearer(sign(t, jwt.SigningMethodRS256, k.rsa, "two=", nil,
			claims(map[string]any{"iss": issuer, "aud": "client", "token_use": use, "auth_time": epoch.Unix()})))
	}
	checkReason(t, v, token("id"), "")
	checkReason(t, v, token("access"), verify.Mismatch)
}

func TestJWTSharedSecret(t *testing.T) {
	t.Parallel()
	const old, current = "old-secret-old-secret-old-secret", "new-secret-new-secret-new-secret"
	spec := verify.Spec{JWT: &verify.JWT{Issuer: testIssuer, Audience: testAudience}}
	v := newVerifier(t, spec, epoch, current, old)
	hs := func(key string, changes map[string]any) *verify.Request {
		return bearer(sign(t, jwt.SigningMethodHS256, []byte(key), "", nil, claims(changes)))
	}
	checkReason(t, v, hs(current, nil), "")
	checkReason(t, v, hs(old, nil), "")
	checkReason(t, v, hs("a-secret-that-nobody-knows-of-at-all", nil), verify.Mismatch)
	checkReason(t, v, hs(old, map[string]any{"exp": 1}), verify.Stale)
	checkReason(t, v, hs(current, map[string]any{"aud": "x"}), verify.Mismatch)
	checkReason(t, v, bearer(sign(t, jwt.SigningMethodRS256, testKeys().rsa, "", nil, claims(nil))), verify.Mismatch)
	checkReason(t, v, bearer(sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "", nil, claims(nil))), verify.Mismatch)
	spec.Secrets = []string{"env:S0"}
	if _, err := verify.New(spec, environment{"short"}.source(), verify.Options{Now: clockAt(epoch)}); !errors.Is(err, verify.ErrSecrets) {
		t.Errorf("New with a short key = %v, want ErrSecrets", err)
	}
}

func FuzzJWT(f *testing.F) {
	k := testKeys()
	document, err := json.Marshal(map[string]any{"keys": []any{jwk(f, "1", &k.rsa.PublicKey, nil)}})
	if err != nil {
		f.Fatal(err)
	}
	good := sign(f, jwt.SigningMethodRS256, k.other, "1", nil, claims(nil))
	f.Add(good)
	f.Add(good + ".")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add(b64([]byte(`{"alg":"HS256","kid":1,"crit":[]}`)) + ".e30.AAAA")
	f.Add("...")
	keys := newJWT(f, verify.JWT{JWKS: "https://issuer.example/keys", Algorithms: []string{"RS256", "ES256", "EdDSA"}}, clockAt(epoch),
		func(context.Context, string) ([]byte, error) { return document, nil })
	shared := newVerifier(f, verify.Spec{JWT: &verify.JWT{Issuer: testIssuer, Audience: testAudience}}, epoch, strings.Repeat("k", 32))
	f.Fuzz(func(t *testing.T, token string) {
		for _, v := range []verify.Verifier{keys, shared} {
			if err := v.Verify(t.Context(), bearer(token)); verify.ReasonOf(err) == "" {
				t.Errorf("Verify(%q) = %v, want a refusal", token, err)
			}
		}
	})
}

// TestJWTOfOneObject has tokens whose header or claims are more than one JSON object, or
// have a name twice: another reader could see other claims.
func TestJWTOfOneObject(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef0123456789abcdef"
	v := newVerifier(t, verify.Spec{JWT: &verify.JWT{Issuer: "i", Audience: "a"}}, epoch, key)
	const head, claims = `{"alg":"HS256","typ":"JWT"}`, `{"iss":"i","aud":"a","exp":1700000100}`
	for name, test := range map[string]struct {
		head, claims string
		want         verify.Reason
	}{
		"one":                 {head, claims, ""},
		"two claims":          {head, claims + `{"iss":"x"}`, verify.Malformed},
		"two claims, a space": {head, claims + ` {}`, verify.Malformed},
		"trailing text":       {head, claims + `x`, verify.Malformed},
		"two headers":         {head + `{"alg":"none"}`, claims, verify.Malformed},
		"a name twice":        {head, `{"iss":"x","iss":"i","aud":"a","exp":1700000100}`, verify.Malformed},
		"alg twice":           {`{"alg":"none","alg":"HS256"}`, claims, verify.Malformed},
		"surrounding space":   {" " + head + "\n", claims + "\n", ""},
	} {
		signed := b64([]byte(test.head)) + "." + b64([]byte(test.claims))
		token := signed + "." + b64(mac(key, signed))
		checkNamed(t, name, v, post("{}", "Authorization", "Bearer "+token), test.want)
	}
}
