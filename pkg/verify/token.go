package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// tokenScheme is for a static secret that the sender includes in each request.
var tokenScheme = scheme{
	name:     "token",
	verifier: func(b *builder) (Verifier, error) { return b.newToken(tokenPlace(*b.spec.Token)) },
	fields: func(s *Spec) []Field {
		t := &Token{}
		s.Token = t
		return []Field{
			{To: &t.Reference}, // Meta's hub.verify_token
			{Key: "header", To: &t.Header},
			{Key: "query", To: &t.Query},
			{Key: "body", To: &t.Body},
		}
	},
	check: func(c *checker, s *Spec) {
		t := s.Token
		if set := len(strings.Join([]string{t.Header, t.Query, t.Body}, "")); set > max(len(t.Header), len(t.Query), len(t.Body)) {
			c.add("token", "has more than one of header, query and body")
		}
		if t.Header != "" {
			c.header("token.header", t.Header)
		}
		if strings.HasSuffix(t.Body, "/") || len(t.Body) > 256 || len(t.Query) > 256 {
			c.add("token.body", "is not the name of a member or field, or a JSON pointer such as /data/token")
		}
	},
	warn: func(c *checker, s *Spec, _ *Preset) {
		if s.Token.Query != "" {
			c.add("token.query", "a secret in the URL is written to the access logs of every server on the way")
		}
	},
	challenge: func(s *Spec) string {
		if s.Token.Query == "" && s.Token.Body == "" && http.CanonicalHeaderKey(orDefault(s.Token.Header, authorization)) == authorization {
			return "Bearer"
		}
		return ""
	},
}

var tokenTools = tools{
	sign: func(s *signer, r *Request) error { return s.tokenAt(tokenPlace(*s.spec.Token), r) },
	defaults: func(s *Spec) []Default {
		if s.Token.Header != "" || s.Token.Query != "" || s.Token.Body != "" {
			return nil
		}
		return []Default{{"token.header", authorization, "the default: with or without Bearer"}}
	},
}

// tokenPresetScheme is for a provider that sends its token in a place of its own.
var tokenPresetScheme = scheme{
	name:     "token",
	verifier: func(b *builder) (Verifier, error) { return b.newToken(b.preset.tokenPlace(&b.spec)) },
}

var tokenPresetTools = tools{
	sign: func(s *signer, r *Request) error { return s.tokenAt(s.provider.tokenPlace(&s.spec), r) },
	describe: func(p Preset) Signature {
		s := Signature{Algorithm: "equality", Signed: "nothing: the token itself is sent", Keys: "the tokens"}
		if p.Token.Header != "" {
			s.Headers = []string{p.Token.Header}
		}
		return s
	},
}

// tokenPlace returns the preset's place, unless the Spec has a header of its own.
func (p *Preset) tokenPlace(s *Spec) TokenPlace {
	if s.Token != nil && s.Token.Header != "" {
		return TokenPlace{Header: s.Token.Header, Whole: true}
	}
	return *p.Token
}

// A TokenPlace is where a provider sends its token: in Header, Query or Body, exactly one
// of which is set.
type TokenPlace struct {
	// Header carries it. Whole means that `Bearer ` is part of the token.
	Header string
	Whole  bool
	// Query is a query parameter.
	Query string
	// Body is a path of names in a JSON body, or the single name of a form's field.
	Body []string
	// Form is the field of a form that holds the JSON in which Body is a path; empty if the
	// body itself is the JSON or the form.
	Form string
}

func tokenPlace(t Token) TokenPlace {
	switch {
	case t.Query != "":
		return TokenPlace{Query: t.Query}
	case strings.HasPrefix(t.Body, "/"):
		path := strings.Split(t.Body[1:], "/")
		for i, name := range path {
			path[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		}
		return TokenPlace{Body: path}
	case t.Body != "":
		return TokenPlace{Body: []string{t.Body}}
	}
	return TokenPlace{Header: orDefault(t.Header, authorization)}
}

// where returns the place that errors name.
func (p TokenPlace) where() string {
	switch {
	case p.Header != "":
		return p.Header
	case p.Query != "":
		return p.Query
	}
	return p.Body[len(p.Body)-1]
}

// of returns the token in a request.
func (p TokenPlace) of(r *Request) (string, error) {
	value, err := "", error(nil)
	switch {
	case p.Header != "":
		value, err = headerValue(r.Header, p.Header)
		if err == nil && !p.Whole && http.CanonicalHeaderKey(p.Header) == authorization {
			if bare, ok := credentials(value, "Bearer"); ok {
				value = bare
			}
		}
	case p.Query != "":
		value, _, err = queried(r, p.Query)
	case p.Form != "":
		if value, err = formField(r, p.Form); err == nil {
			value, err = memberText([]byte(value), p.Body)
		}
	case isForm(r.Header):
		if len(p.Body) > 1 {
			return "", refuse(Missing, p.where())
		}
		value, err = formField(r, p.Body[0])
	default:
		value, err = memberText(r.Body, p.Body)
	}
	if err == nil && value == "" && p.Header == "" {
		err = refuse(Missing, p.where())
	}
	return value, err
}

// memberText returns the string in a JSON object at a path of names, each of which must
// occur once.
func memberText(body []byte, path []string) (string, error) {
	leaf := wanted(path[len(path)-1])
	root := leaf
	for _, name := range slices.Backward(path[:len(path)-1]) {
		root = wanted(name, root)
	}
	if err := scanObject(body, root); err != nil {
		return "", err
	}
	return leaf.string(), nil
}

// A token verifier compares a static secret.
type token struct {
	place TokenPlace
	keys  *keyring[[sha256.Size]byte]
}

func (b *builder) newToken(place TokenPlace) (Verifier, error) {
	keys, err := newKeyring(b, digestOf, "")
	if err != nil {
		return nil, err
	}
	return &token{place, keys}, nil
}

func (v *token) Headers() []string {
	if v.place.Header == "" {
		return nil
	}
	return []string{strings.ToLower(v.place.Header)}
}

func (v *token) Verify(ctx context.Context, r *Request) error {
	value, err := v.place.of(r)
	if err != nil {
		return err
	}
	got, _ := digestOf(value)
	return v.keys.match(ctx, v.place.where(), func(want [sha256.Size]byte) bool { return hmac.Equal(got[:], want[:]) })
}

// Redact implements redactor.
func (v *token) Redact(r *Request) (rawQuery string, body []byte) {
	switch p := v.place; {
	case p.Query != "":
		return withoutPair(r.RawQuery, p.Query), r.Body
	case p.Form != "":
		value, _ := formField(r, p.Form)
		form, _ := parseForm(string(r.Body))
		form.Set(p.Form, string(withoutMember([]byte(value), p.Body)))
		return r.RawQuery, []byte(form.Encode())
	case p.Header != "":
		return r.RawQuery, r.Body
	case isForm(r.Header):
		return r.RawQuery, []byte(withoutPair(string(r.Body), p.Body[0]))
	default:
		return r.RawQuery, withoutMember(r.Body, p.Body)
	}
}

func (s *signer) token(header string) {
	_ = s.tokenAt(TokenPlace{Header: orDefault(header, authorization)}, nil)
}

func (s *signer) tokenAt(p TokenPlace, r *Request) error {
	switch {
	case p.Header != "":
		text := s.secret
		if http.CanonicalHeaderKey(p.Header) == authorization && !p.Whole {
			text = "Bearer " + text
		}
		s.out.Header.Set(p.Header, text)
		return nil
	case p.Query != "":
		pair := url.QueryEscape(p.Query) + "=" + url.QueryEscape(s.secret)
		if rest := withoutPair(r.RawQuery, p.Query); rest != "" {
			pair = rest + "&" + pair
		}
		s.out.RawQuery = pair
		return nil
	case p.Form != "" || isForm(r.Header):
		return s.writeForm(p, r)
	}
	return s.write(func(body object) error { return setMember(body, p.Body, s.secret) })
}

// writeForm writes the token into a form. A JSON sample becomes the value of the field
// that holds JSON.
func (s *signer) writeForm(p TokenPlace, r *Request) error {
	if p.Form == "" {
		form, ok := parseForm(string(s.out.Body))
		if !ok {
			return errors.New("the body is not a form, and this scheme writes the signature into one")
		}
		form.Set(p.Body[0], s.secret)
		s.out.Body = []byte(form.Encode())
		return nil
	}
	if isForm(r.Header) {
		value, err := formField(r, p.Form)
		if err != nil {
			value = "{}"
		}
		s.out.Body = []byte(value)
	}
	err := s.write(func(body object) error { return setMember(body, p.Body, s.secret) })
	if err == nil {
		s.out.Body = []byte(url.Values{p.Form: {string(s.out.Body)}}.Encode())
		s.out.Header.Set("Content-Type", typeForm)
	}
	return err
}

func setMember(o object, path []string, text string) error {
	for _, name := range path[:len(path)-1] {
		below, ok := o[name].(object)
		if !ok {
			below = object{}
			o[name] = below
		}
		o = below
	}
	o[path[len(path)-1]] = text
	return nil
}
