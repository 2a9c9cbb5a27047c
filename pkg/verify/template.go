package verify

import (
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
)

// A part of a signed template: a literal, or a field.
type part struct {
	field string // "" for a literal, else "body", "timestamp", "url", "method", "path", "query", "header"
	text  string // the literal, or the header's name
}

// maxTemplate bounds the text of `signed`.
const maxTemplate = 1024

// parseTemplate reads `signed`, as in `v0:{timestamp}:{body}`.
func parseTemplate(text string) ([]part, error) {
	if len(text) > maxTemplate {
		return nil, fmt.Errorf("is longer than %d bytes", maxTemplate)
	}
	var parts []part
	for rest := text; rest != ""; {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			parts = append(parts, part{text: rest})
			break
		}
		if open > 0 {
			parts = append(parts, part{text: rest[:open]})
		}
		name, after, ok := strings.Cut(rest[open:], "}")
		if !ok || !strings.HasPrefix(name, "{") {
			return nil, fmt.Errorf("has an unmatched brace at byte %d", len(text)-len(rest)+open)
		}
		p := part{field: name[1:]}
		if header, found := strings.CutPrefix(p.field, "header:"); found {
			if !isToken(header) {
				return nil, fmt.Errorf("has no header name in {header:…}")
			}
			p = part{"header", header}
		} else if !slices.Contains([]string{"body", "timestamp", "url", "method", "path", "query"}, p.field) {
			return nil, fmt.Errorf("has {%.20s}; it takes {body} {timestamp} {url} {method} {path} {query} {header:NAME}", p.field)
		}
		parts = append(parts, p)
		rest = after
	}
	if !slices.ContainsFunc(parts, func(p part) bool { return p.field != "" }) {
		return nil, fmt.Errorf("has no field, so that one signature fits every request")
	}
	return parts, nil
}

func uses(parts []part, field string) bool {
	return slices.ContainsFunc(parts, func(p part) bool { return p.field == field })
}

// expand gathers the values of a template's fields, so that a missing header is
// found before anything is computed. The body is not copied.
func expand(parts []part, r *Request, url, path, timestamp string) ([]string, error) {
	values := make([]string, len(parts))
	for i, p := range parts {
		switch p.field {
		case "":
			values[i] = p.text
		case "timestamp":
			values[i] = timestamp
		case "url":
			values[i] = url
		case "method":
			values[i] = r.Method
		case "path":
			values[i] = path
		case "query":
			values[i] = r.RawQuery
		case "header":
			v, err := headerValue(r.Header, p.text)
			if err != nil {
				return nil, err
			}
			values[i] = v
		}
	}
	return values, nil
}

// write feeds the signed content to a hash.
func write(h hash.Hash, parts []part, values []string, body []byte) {
	for i, p := range parts {
		if p.field == "body" {
			h.Write(body)
			continue
		}
		_, _ = io.WriteString(h, values[i]) // a hash never fails
	}
}

// isToken says whether s can be a header's name (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if ('a' > c || c > 'z') && ('A' > c || c > 'Z') && ('0' > c || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != "" && len(s) <= 256
}
