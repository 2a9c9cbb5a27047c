package providertest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// sampleBody has what the schemes that sign inside a body need.
const sampleBody = `{"id":"1","event_id":"e","type":"sample","value":[{"id":"a"}],"notificationItems":[{"NotificationRequestItem":{"pspReference":"p","eventCode":"A","success":"true","amount":{"value":1,"currency":"EUR"}}}]}`

const formType = "application/x-www-form-urlencoded"

// Request returns a genuine delivery of the sender.
func (s Sender) Request(path string, now time.Time) (*verify.Request, error) {
	return s.signed(s.Spec, s.With, path, now)
}

func (s Sender) signed(spec verify.Spec, with, path string, now time.Time) (*verify.Request, error) {
	r := &verify.Request{Method: http.MethodPost, Path: path, RawQuery: "a=1", Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(sampleBody)}
	if p, _ := verify.Lookup(s.Spec.Provider); p.ContentTypes[0] == formType {
		r.Header.Set("Content-Type", formType)
		r.Body = []byte("a=1&b=2")
	}
	if p, _ := verify.Lookup(s.Spec.Provider); strings.Contains(p.Signature().Signed, "{query:data.id}") {
		r.RawQuery = "data.id=7"
	}
	out, err := verify.SignRequest(spec, with, r, now)
	if err != nil {
		return nil, err
	}
	maps.Copy(r.Header, out.Header)
	r.RawQuery, r.Body = out.RawQuery, out.Body
	return r, nil
}

// An Attack is a request that cannot be made without the sender's key, or that no
// sender makes. A route must refuse it.
type Attack struct {
	Name    string
	Request *verify.Request
}

// An attacker collects the variants of one genuine request.
type attacker struct {
	genuine *verify.Request
	attacks []Attack
}

func (a *attacker) add(name string, change func(r *verify.Request)) {
	r := *a.genuine
	r.Header, r.Body = r.Header.Clone(), bytes.Clone(r.Body)
	change(&r)
	a.attacks = append(a.attacks, Attack{name, &r})
}

// Attacks returns what is made of a genuine request: changed, duplicated, missing and moved
// parts, other keys, weaker algorithms, and types that are read otherwise.
func (s Sender) Attacks(genuine *verify.Request, now time.Time) ([]Attack, error) {
	p, _ := verify.Lookup(s.Spec.Provider)
	a := &attacker{genuine: genuine}
	for _, name := range s.headers(genuine) {
		// In a list of signatures, the right one may be there twice.
		a.onHeader(name, p.HMAC != nil && (p.HMAC.Separator != "" || p.HMAC.Format != ""))
	}
	a.onBody(p)
	a.onTypes(p)
	a.onTokens(s.Secret)
	return a.attacks, errors.Join(a.otherKeys(s, now), a.weaker(s, p, now))
}

// headers returns the headers that carry a signature, a time or a credential.
func (s Sender) headers(r *verify.Request) []string {
	p, _ := verify.Lookup(s.Spec.Provider)
	var names []string
	for _, name := range p.Signature().Headers {
		// The address of a certificate is not signed; a route with its own certificates
		// fetches none.
		if r.Header.Get(name) != "" && name != "Paypal-Cert-Url" {
			names = append(names, http.CanonicalHeaderKey(name))
		}
	}
	return names
}

func (a *attacker) onHeader(name string, list bool) {
	value := a.genuine.Header.Get(name)
	for _, at := range []int{0, len(value) / 2, len(value) - 1} {
		a.add(fmt.Sprintf("%s: a bit of byte %d changed", name, at), func(r *verify.Request) {
			r.Header.Set(name, value[:at]+string(rune(value[at]^1))+value[at+1:])
		})
	}
	for what, other := range map[string][]string{
		"missing": nil, "empty": {""}, "twice": {value, value}, "a list of itself": {value + "," + value}, "cut": {value[:len(value)-1]},
		"a space in the middle": {value[:len(value)/2] + " " + value[len(value)/2:]}, "a null": {value + "\x00"}, "only what precedes": {beforeSignature(value)},
	} {
		if list && what == "a list of itself" || len(value) == 1 && what == "a space in the middle" {
			continue // HTTP has no blanks around a value
		}
		a.add(name+": "+what, func(r *verify.Request) {
			r.Header.Del(name)
			if other != nil {
				r.Header[name] = other
			}
		})
	}
	a.add(name+": in the query", func(r *verify.Request) {
		r.Header.Del(name)
		r.RawQuery += "&" + url.Values{name: {value}, strings.ToLower(name): {value}}.Encode()
	})
	if at := strings.IndexByte(value, '='); at > 0 && value[:at] != strings.ToUpper(value[:at]) && isWord(value[:at]) {
		a.add(name+": its prefix in capitals", func(r *verify.Request) { r.Header.Set(name, strings.ToUpper(value[:at])+value[at:]) })
	}
}

func isWord(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && len(s) < 20
}

// beforeSignature returns a prefix or the pairs before a signature, without the signature.
func beforeSignature(value string) string {
	if at := strings.LastIndexAny(value, "=, |"); at >= 0 && at < len(value)-1 {
		return value[:at+1]
	}
	return "="
}

func (a *attacker) onBody(p verify.Preset) {
	signed := p.Signature().Signed
	if !strings.Contains(signed, "{body}") && !strings.Contains(signed, "digest of the body") {
		return // parts of it, or nothing
	}
	body := a.genuine.Body
	for _, at := range []int{0, len(body) / 2, len(body) - 1} {
		a.add(fmt.Sprintf("body: a bit of byte %d changed", at), func(r *verify.Request) { r.Body[at] ^= 1 })
	}
	a.add("body: longer", func(r *verify.Request) { r.Body = append(r.Body, ' ') })
	a.add("body: shorter", func(r *verify.Request) { r.Body = r.Body[:len(r.Body)-1] })
	a.add("body: none", func(r *verify.Request) { r.Body = nil })
}

// onTypes sends the same bytes with types that the sender does not use.
func (a *attacker) onTypes(p verify.Preset) {
	for _, media := range []string{formType, "application/json", "text/plain", "text/html", "multipart/form-data; boundary=x", "application/json; charset=utf-7", "application/octet-stream", "a b"} {
		base, _, _ := strings.Cut(media, ";")
		sends := slices.Contains(p.ContentTypes, base) && !strings.Contains(media, "utf-7")
		looksLikeJSON := bytes.HasPrefix(a.genuine.Body, []byte("{"))
		if !sends || media == formType && looksLikeJSON && slices.Contains(p.ContentTypes, "application/json") {
			a.add("as "+media, func(r *verify.Request) { r.Header.Set("Content-Type", media) })
		}
	}
	a.add("two types", func(r *verify.Request) { r.Header["Content-Type"] = []string{p.ContentTypes[0], "text/html"} })
}

var compact = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)

// onTokens changes the algorithm of a token, wherever it is, and signs it with what is
// public.
func (a *attacker) onTokens(public string) {
	variants := func(token string) map[string]string {
		parts := strings.Split(token, ".")
		out := map[string]string{}
		header := map[string]any{}
		if text, err := base64.RawURLEncoding.DecodeString(parts[0]); err != nil || json.Unmarshal(text, &header) != nil {
			return nil
		}
		for _, algorithm := range []any{"none", "None", "NONE", "", nil, "HS256", "RS256", "ES256", "PS256", "EdDSA", []string{"none"}} {
			if algorithm == header["alg"] {
				continue
			}
			changed := maps.Clone(header)
			changed["alg"] = algorithm
			text, _ := json.Marshal(changed) // it was JSON
			input := base64.RawURLEncoding.EncodeToString(text) + "." + parts[1]
			out[fmt.Sprintf("alg %v, no signature", algorithm)] = input + "."
			out[fmt.Sprintf("alg %v", algorithm)] = input + "." + parts[2]
			if algorithm == "HS256" && strings.Contains(public, "PUBLIC KEY") {
				mac := hmac.New(sha256.New, []byte(public))
				mac.Write([]byte(input))
				out["the public key as a shared one"] = input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
			}
		}
		out["no signature"] = parts[0] + "." + parts[1] + "."
		out["a key of its own"] = withHeader(header, parts, "jwk", map[string]string{"kty": "oct", "k": "AAAA"})
		out["a key's address"] = withHeader(header, parts, "jku", "https://evil.example/keys")
		return out
	}
	for name, values := range a.genuine.Header {
		for what, token := range variants(compact.FindString(strings.Join(values, " "))) {
			a.add(name+": "+what, func(r *verify.Request) { r.Header.Set(name, compact.ReplaceAllString(values[0], token)) })
		}
	}
	for what, token := range variants(string(compact.Find(a.genuine.Body))) {
		a.add("body: "+what, func(r *verify.Request) { r.Body = compact.ReplaceAll(r.Body, []byte(token)) })
	}
}

func withHeader(header map[string]any, parts []string, name string, value any) string {
	changed := maps.Clone(header)
	changed[name] = value
	text, _ := json.Marshal(changed) // as above
	return base64.RawURLEncoding.EncodeToString(text) + "." + parts[1] + "." + parts[2]
}

// otherKeys signs rightly with another key of the same form.
func (a *attacker) otherKeys(s Sender, now time.Time) error {
	other := ""
	switch {
	case s.With != s.Secret:
		var err error
		if other, err = otherKeys(); err != nil {
			return err
		}
	default:
		// The last characters of base64 and hex stay valid if the middle changes.
		at := len(s.Secret) / 2
		other = s.Secret[:at] + string(s.Secret[at]^1) + s.Secret[at+1:]
		if s.Secret[at] == '9' || s.Secret[at] == 'a' || s.Secret[at] == 'z' {
			other = s.Secret[:at] + "b" + s.Secret[at+1:]
		}
	}
	r, err := s.signed(s.Spec, other, a.genuine.Path, now)
	if err != nil {
		return err
	}
	a.attacks = append(a.attacks, Attack{"another key", r})
	return nil
}

// weaker signs with the sender's own key, by an algorithm that the sender does not use.
func (a *attacker) weaker(s Sender, p verify.Preset, now time.Time) error {
	if p.HMAC == nil {
		return nil
	}
	for _, algorithm := range []string{"md5", "sha1", "sha256", "sha512"} {
		h := *p.HMAC
		if h.Algorithm == algorithm || h.Algorithm == "" && algorithm == "sha256" {
			continue
		}
		h.Algorithm = algorithm
		r, err := s.signed(verify.Spec{HMAC: &h, URL: s.Spec.URL, Secrets: s.Spec.Secrets}, s.With, a.genuine.Path, now)
		if err != nil {
			continue // it signs headers that only the preset sets
		}
		a.attacks = append(a.attacks, Attack{"signed with " + algorithm, r})
	}
	return nil
}
