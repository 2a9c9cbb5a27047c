package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"
)

// secretHeaders are blanked by their names, as is every header whose name contains one of
// secretWords, even if the route is not known.
var (
	secretHeaders = []string{"authorization", "proxy-authorization", "cookie", "set-cookie"}
	secretWords   = []string{"signature", "secret", "token", "api-key", "apikey", "password", "hmac", "credential"}
)

func isSecret(header string) bool {
	name := strings.ToLower(header)
	return slices.Contains(secretHeaders, name) || slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(name, word) })
}

// requestOf returns the request of an HTTP event, without secrets.
func requestOf(e *anyEvent) *Request {
	h := e.headers()
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	sort.Strings(names)
	r := &Request{Method: e.method(), Path: e.path(), Query: blankQuery(e.RawQueryString), Headers: []Header{}, Body: bodyOf(e.rawBody())}
	for _, name := range names {
		for _, value := range h[name] {
			if isSecret(name) {
				r.Headers = append(r.Headers, Header{Name: name, Blanked: true})
			} else {
				r.Headers = append(r.Headers, Header{Name: name, Value: value})
			}
		}
	}
	return r
}

// blankQuery blanks the parameters whose names say that they carry secrets.
func blankQuery(query string) string {
	parts := strings.Split(query, "&")
	for i, part := range parts {
		name, value, ok := strings.Cut(part, "=")
		if unescaped, err := url.QueryUnescape(name); err == nil && ok && value != "" && isSecret(unescaped) {
			parts[i] = name + "=" + blank
		}
	}
	return strings.Join(parts, "&")
}

// blank replaces a secret.
const blank = "•••"

// minSecret is the shortest value that is blanked wherever it occurs; a shorter one would
// blank parts of words, and is not a secret.
const minSecret = 6

// Secrets holds values that the console never shows, wherever a sender or a workflow put
// them. The zero value is empty. It is safe for concurrent use.
type Secrets struct {
	mu    sync.RWMutex
	forms map[string]bool
	list  [][]byte // all forms, longest first
}

// Add adds a value.
func (s *Secrets) Add(value string) {
	if len(value) < minSecret {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.forms == nil {
		s.forms = map[string]bool{}
	}
	for _, form := range formsOf(value) {
		if !s.forms[form] {
			s.forms[form] = true
			s.list = append(s.list, []byte(form))
		}
	}
	slices.SortFunc(s.list, func(a, b []byte) int { return len(b) - len(a) })
}

// formsOf returns a value as it is, and in its forms in JSON, HTML and URLs. Bodies and
// causes are JSON text inside JSON text, which histories nest once more.
func formsOf(value string) []string {
	const nested = 3
	forms := []string{value}
	if strings.Contains(value, "/") { // which some senders escape in JSON
		forms = append(forms, strings.ReplaceAll(value, "/", `\/`))
	}
	level := forms
	for range nested {
		var next []string
		for _, text := range level {
			for _, q := range []string{quoteJSON(text, true), quoteJSON(text, false)} {
				if !slices.Contains(forms, q) && !slices.Contains(next, q) {
					next = append(next, q)
				}
			}
		}
		forms = append(forms, next...)
		level = next
	}
	for _, text := range forms[:len(forms):len(forms)] {
		escaped := html.EscapeString(text)
		if forms = append(forms, escaped); strings.Contains(text, "+") { // which only html/template escapes
			forms = append(forms, strings.ReplaceAll(escaped, "+", "&#43;"))
		}
	}
	return append(forms, url.QueryEscape(value), url.PathEscape(value))
}

// quoteJSON writes text as JSON does, without the quotation marks.
func quoteJSON(text string, escapeHTML bool) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(escapeHTML)
	_ = encoder.Encode(text) // a text cannot fail
	return string(bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSpace(b.Bytes()), []byte(`"`)), []byte(`"`)))
}

// blank returns text with all values blanked.
func (s *Secrets) blank(text []byte) []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secret := range s.list {
		if bytes.Contains(text, secret) {
			text = bytes.ReplaceAll(text, secret, []byte(blank))
		}
	}
	return text
}

// size writes a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
