package httpfront_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

// A phrase is one case of vectors/verify-language.json: blocks of which one must work, and
// how their sender signs.
type phrase struct {
	vector
	Blocks  []json.RawMessage `json:"verify"`
	Private string            `json:"private_key"`
	Leak    []string
}

// TestVerifyLanguage signs each case with nothing of ours, and sends it through a route
// that has its block: it starts, and neither input nor log has what carried the proof.
// With another key, nothing starts.
func TestVerifyLanguage(t *testing.T) {
	t.Parallel()
	var file struct{ Vectors []phrase }
	if err := json.Unmarshal(shared.Read(t, "vectors/verify-language.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) < 13 {
		t.Fatalf("%d cases", len(file.Vectors))
	}
	for _, p := range file.Vectors {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			now := time.Unix(1_795_168_800, 0)
			for i, block := range p.Blocks {
				status, input := p.deliver(t, block, now, false)
				forged, _ := p.deliver(t, block, now, true)
				if status != 200 || forged != 401 {
					t.Logf("spelling %d: %d, and with another key %d", i, status, forged)
					continue
				}
				for _, proof := range p.proofs(t, now) {
					if strings.Contains(input, proof) {
						t.Errorf("spelling %d: the input has %q: %s", i, proof, input)
					}
				}
				return
			}
			t.Error("no spelling works")
		})
	}
}

// keys are the references and texts of the block's secrets.
func (p *phrase) keys() []string {
	if len(p.PublicKeys) > 0 {
		return p.PublicKeys
	}
	return p.Secrets
}

func (p *phrase) deliver(t *testing.T, block json.RawMessage, now time.Time, forged bool) (status int, input string) {
	t.Helper()
	var b map[string]any
	if err := json.Unmarshal(block, &b); err != nil {
		t.Fatal(err)
	}
	b["secrets"] = []string{"env:K"}
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	starter := starterFunc(func(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
		input = string(s.Input)
		return bridge.Outcome{Status: bridge.Succeeded, Output: json.RawMessage(`{}`)}, nil
	})
	env := func(string) string { return p.keys()[0] }
	cfg, err := config.Options{Getenv: env}.Parse("l.yaml", []byte("version: 1\nroutes:\n  - {name: a, http: '/{p...}', verify: "+string(text)+", start: m}\n"))
	if err != nil {
		return 0, "" // another spelling
	}
	log := slog.New(slog.DiscardHandler)
	f, err := httpfront.New(cfg.Routes, bridge.New(starter, bridge.Options{Log: log, Now: func() time.Time { return now }}), secrets.NewEnv(env), httpfront.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	signed := p.signed(t, now, forged)
	return invoke(t, f, signed.event(t, httpfront.FunctionURL)).StatusCode, input
}

// proofs are the texts that must not be seen.
func (p *phrase) proofs(t *testing.T, now time.Time) (texts []string) {
	signed := p.signed(t, now, false)
	for _, place := range p.Leak {
		kind, name, _ := strings.Cut(place, ":")
		if kind == "header" {
			texts = append(texts, signed.Request.Headers[name], strings.ToLower(name))
		} else {
			texts = append(texts, p.Secrets[0], `"`+name+`"`)
		}
	}
	return texts
}

// signed is the request with what its sender adds, made from the description alone.
func (p *phrase) signed(t *testing.T, now time.Time, forged bool) *vector {
	t.Helper()
	v := p.vector
	v.Request.Headers = map[string]string{}
	for name, value := range p.Request.Headers {
		v.Request.Headers[name] = value
	}
	secret := ""
	if len(p.Secrets) > 0 {
		secret = p.Secrets[0]
	}
	if forged {
		secret += "x"
	}
	stamp := map[string]string{"": fmt.Sprint(now.Unix()), "unix": fmt.Sprint(now.Unix()), "rfc3339": now.UTC().Format(time.RFC3339), "http-date": now.UTC().Format(http.TimeFormat)}[p.text("timestamp_format")]
	if name := p.text("timestamp_header"); name != "" {
		v.Request.Headers[name] = stamp
	}
	u, err := url.Parse(p.Request.URL)
	if err != nil {
		t.Fatal(err)
	}
	switch p.text("type") {
	case "static_token":
		p.placeToken(&v, u, secret)
		return &v
	case "jwt":
		v.Request.Headers[p.text("header")] = p.token(now, secret)
		return &v
	}
	message := p.content(u, stamp, secret)
	var sum []byte
	switch kind := p.text("type"); kind {
	case "hmac":
		mac := hmac.New(map[string]func() hash.Hash{"": sha256.New, "sha256": sha256.New, "sha1": sha1.New, "md5": md5.New}[p.text("algorithm")], []byte(secret))
		mac.Write(message)
		sum = mac.Sum(nil)
	case "hash":
		h := sha256.Sum256(message)
		sum = h[:]
	default:
		sum = p.private(t, kind, message)
		if forged {
			sum[len(sum)/2] ^= 1
		}
	}
	encoded := hex.EncodeToString(sum)
	if p.text("encoding") == "base64" {
		encoded = base64.StdEncoding.EncodeToString(sum)
	}
	v.Request.Headers[p.text("signature_header")] = p.text("signature_prefix") + encoded
	return &v
}

func (p *phrase) placeToken(v *vector, u *url.URL, secret string) {
	name := p.text("name")
	switch p.text("in") {
	case "query":
		v.Request.URL = strings.Replace(u.String(), name+"=x", name+"="+url.QueryEscape(secret), 1)
	case "form":
		v.Request.Body = strings.Replace(v.Request.Body, name+"=x", name+"="+url.QueryEscape(secret), 1)
	default:
		v.Request.Body = strings.Replace(v.Request.Body, `"`+name+`":"x"`, `"`+name+`":"`+secret+`"`, 1)
	}
}

// content is what is signed.
func (p *phrase) content(u *url.URL, stamp, secret string) []byte {
	form, _ := url.ParseQuery(p.Request.Body)
	sorted := ""
	var names []string
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		sorted += name + strings.Join(form[name], name)
	}
	pairs := []string{"{body}", p.Request.Body, "{timestamp}", stamp, "{url}", p.Request.URL, "{form}", sorted, "{secret}", secret}
	for name, values := range u.Query() {
		pairs = append(pairs, "{query:"+name+"}", values[0])
	}
	for name, value := range p.Request.Headers {
		pairs = append(pairs, "{header:"+name+"}", value)
	}
	return []byte(strings.NewReplacer(pairs...).Replace(p.text("signed_content")))
}

func (p *phrase) private(t *testing.T, kind string, message []byte) []byte {
	t.Helper()
	block, _ := pem.Decode([]byte(p.Private))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(message)
	var signature []byte
	switch key := key.(type) {
	case ed25519.PrivateKey:
		signature = ed25519.Sign(key, message)
	case *rsa.PrivateKey:
		if kind == "rsa-pss-sha256" {
			signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], nil)
		} else {
			signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
		}
	case *ecdsa.PrivateKey:
		signature, err = ecdsa.SignASN1(rand.Reader, key, sum[:])
	}
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// token is a JSON Web Token with the claims of the description.
func (p *phrase) token(now time.Time, secret string) string {
	claims := map[string]any{}
	if more, ok := p.Signing["claims"].(map[string]any); ok {
		for name, value := range more {
			claims[name] = value
		}
	}
	if p.Signing["iat"] != false {
		claims["iat"] = now.Unix()
	}
	if name := p.text("body_claim"); name != "" {
		sum := sha256.Sum256([]byte(p.Request.Body))
		claims[name] = hex.EncodeToString(sum[:])
	}
	var text bytes.Buffer
	_ = json.NewEncoder(&text).Encode(claims)
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(bytes.TrimSpace(text.Bytes()))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return p.text("prefix") + signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
