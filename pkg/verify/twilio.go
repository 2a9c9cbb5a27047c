package verify

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what some senders sign with
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// twilioScheme is https://www.twilio.com/docs/usage/webhooks/webhooks-security: SHA-1 with
// the auth token, or SHA-256 with a shared key, which a header announces. The Spec's
// versions say which of the two a route takes.
var twilioScheme = scheme{
	name:     "twilio",
	verifier: newTwilio,
	signsURL: func(*Spec, *Preset) bool { return true },
}

var twilioTools = tools{
	sign: (*signer).twilio,
	signature: &Signature{
		Headers: []string{twilioSignature, twilioSettings}, Algorithm: "hmac-sha1, with a shared key hmac-sha256", Encoding: "base64",
		Signed: "{url}, then the form's names and values in order; for other bodies, bodySHA256 in the query", Keys: "the auth token, or a shared key",
	},
}

type twilio struct {
	keys         *keyring[[]byte]
	base         string
	sha1, sha256 bool
}

const (
	twilioSignature = "X-Twilio-Signature"
	twilioSettings  = "X-Twilio-Webhooks-Signature-Settings"
)

// maxParams bounds a form that is sorted; Twilio sends about fifty fields.
const maxParams = 10_000

func newTwilio(b *builder) (Verifier, error) {
	keys, err := newKeyring(b, keyDecoder("text"), keyForms("text"))
	if err != nil {
		return nil, err
	}
	versions := b.versions()
	return &twilio{keys, b.spec.URL, slices.Contains(versions, "sha1"), slices.Contains(versions, "sha256")}, nil
}

func (*twilio) Headers() []string {
	return []string{strings.ToLower(twilioSignature), strings.ToLower(twilioSettings)}
}

// hash returns the hash function of a delivery. Only the one that its headers announce is
// tried: a signature of one kind is never accepted as the other.
func (v *twilio) hash(h http.Header) (func() hash.Hash, error) {
	settings, err := headerValue(h, twilioSettings)
	switch {
	case len(h.Values(twilioSettings)) == 0:
		if !v.sha1 {
			return nil, err
		}
		return sha1.New, nil
	case err != nil:
		return nil, err
	}
	key, algorithm, _ := strings.Cut(settings, ",")
	if !v.sha256 || !strings.HasPrefix(key, "key=") || strings.Trim(algorithm, " ") != "algorithm=HMAC_SHA256" {
		return nil, refuse(Malformed, twilioSettings)
	}
	return sha256.New, nil
}

func (v *twilio) Verify(ctx context.Context, r *Request) error {
	value, err := headerValue(r.Header, twilioSignature)
	if err != nil {
		return err
	}
	newHash, err := v.hash(r.Header)
	if err != nil {
		return err
	}
	got, err := decodeBase64(value)
	if err != nil || len(got) != newHash().Size() {
		return refuse(Malformed, twilioSignature)
	}
	target := publicURL(v.base, r)
	params, err := twilioParams(r, target)
	if err != nil {
		return err
	}
	urls := twilioURLs(target)
	return v.keys.match(ctx, twilioSignature, func(key []byte) bool {
		for _, u := range urls {
			mac := hmac.New(newHash, key)
			_, _ = io.WriteString(mac, u)
			_, _ = io.WriteString(mac, params)
			if hmac.Equal(mac.Sum(nil), got) {
				return true
			}
		}
		return false
	})
}

// twilioParams returns what follows the URL: the form's fields sorted by name, each name
// with each of its distinct values in order. A body that is not a form must be covered by
// its digest in the query.
func twilioParams(r *Request, target string) (string, error) {
	if isForm(r.Header) {
		form, ok := parseForm(string(r.Body))
		if !ok {
			return "", refuse(Malformed, "body")
		}
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(form)) {
			values := form[name]
			slices.Sort(values)
			for _, value := range slices.Compact(values) {
				b.WriteString(name)
				b.WriteString(value)
			}
		}
		return b.String(), nil
	}
	var digests []string
	_, query, _ := strings.Cut(target, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if digest, ok := strings.CutPrefix(pair, "bodySHA256="); ok {
			digests = append(digests, digest)
		}
	}
	if len(digests) == 0 {
		if len(r.Body) == 0 {
			return "", nil // a GET has nothing but the URL
		}
		return "", refuse(Missing, "bodySHA256")
	}
	want, err := hex.DecodeString(digests[0])
	sum := sha256.Sum256(r.Body)
	if err != nil || len(digests) > 1 || !hmac.Equal(want, sum[:]) {
		return "", refuse(Mismatch, "bodySHA256")
	}
	return "", nil
}

// parseForm only splits at &. A semicolon, at which older parsers also split and which
// url.ParseQuery refuses, is an ordinary character.
func parseForm(text string) (url.Values, bool) {
	if strings.Count(text, "&") >= maxParams {
		return nil, false
	}
	form := url.Values{}
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(key)
		content, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			return nil, false
		}
		form.Add(name, content)
	}
	return form, true
}

// escapedQuery returns the query with its apostrophes escaped.
func escapedQuery(query string) string { return strings.ReplaceAll(query, "'", "%27") }

// scriptMarks undoes the escapes that url.QueryEscape makes and encodeURIComponent does
// not.
var scriptMarks = strings.NewReplacer("+", "%20", "%21", "!", "%27", "'", "%28", "(", "%29", ")", "%2A", "*")

// scriptQuery returns the query as JavaScript escapes it.
func scriptQuery(query string) string {
	var pairs []string
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(key)
		text, errText := url.QueryUnescape(value)
		if errName != nil || errText != nil {
			return query
		}
		pairs = append(pairs, scriptMarks.Replace(url.QueryEscape(name))+"="+scriptMarks.Replace(url.QueryEscape(text)))
	}
	return strings.Join(pairs, "&")
}

// twilioURLs returns the texts that Twilio may have signed for the URL, depending on the
// product: with the default port or without a port, even if the configured URL has its
// own. The query is escaped inconsistently, and behind a REST API or a load balancer it
// arrives in the gateway's spelling.
func twilioURLs(target string) []string {
	u, err := url.Parse(target)
	if err != nil {
		return []string{target}
	}
	prefix := u.Scheme + "://" + u.Host
	rest, ok := strings.CutPrefix(target, prefix)
	if !ok {
		return []string{target}
	}
	urls := []string{target}
	if port := u.Port(); port != "" {
		urls = append(urls, strings.TrimSuffix(prefix, ":"+port)+rest)
	} else if port = map[string]string{"https": ":443", "http": ":80"}[u.Scheme]; port != "" {
		urls = append(urls, prefix+port+rest)
	}
	for _, u := range urls {
		path, query, _ := strings.Cut(u, "?")
		for _, other := range []string{escapedQuery(query), scriptQuery(query)} {
			if other != query {
				urls = append(urls, path+"?"+other)
			}
		}
	}
	return urls
}

// twilio signs a form with the URL; the digest of any other body is added to the query. It
// is signed with SHA-1, unless the route only accepts SHA-256.
func (s *signer) twilio(r *Request) error {
	if len(r.Body) > 0 && !isForm(r.Header) {
		sum := sha256.Sum256(r.Body)
		pairs := slices.DeleteFunc(strings.Split(r.RawQuery, "&"), func(p string) bool {
			name, _, _ := strings.Cut(p, "=")
			return name == "" || name == "bodySHA256"
		})
		r.RawQuery = strings.Join(append(pairs, "bodySHA256="+hex.EncodeToString(sum[:])), "&")
		if r.URL != "" {
			base, _, _ := strings.Cut(r.URL, "?")
			r.URL = base + "?" + r.RawQuery
		}
		s.out.RawQuery = r.RawQuery
	}
	target := publicURL(s.spec.URL, r)
	params, err := twilioParams(r, target)
	if err != nil {
		return err
	}
	newHash := sha1.New
	if slices.Equal(s.spec.Versions, []string{"sha256"}) {
		newHash = sha256.New
		s.out.Header.Set(twilioSettings, "key=expressway,algorithm=HMAC_SHA256")
	}
	mac := hmac.New(newHash, []byte(s.secret))
	_, _ = io.WriteString(mac, target+params)
	s.out.Header.Set(twilioSignature, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}
