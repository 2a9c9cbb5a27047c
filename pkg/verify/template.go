package verify

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// A part is a literal or a field of a signed template.
type part struct {
	field string // "" for a literal, else a name of fieldNames or namedFields
	text  string // the literal text, or the name inside the field
}

// The fields without a name, and those with one.
var (
	fieldNames  = []string{"body", "timestamp", "url", "method", "path", "query", "form", "secret"}
	namedFields = []string{"header", "query", "form"}
)

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
		p, err := parseField(name[1:])
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
		rest = after
	}
	if !slices.ContainsFunc(parts, func(p part) bool { return p.field != "" }) {
		return nil, fmt.Errorf("has no field, so one signature would fit every request")
	}
	return parts, nil
}

func parseField(text string) (part, error) {
	if field, name, named := strings.Cut(text, ":"); named && slices.Contains(namedFields, field) {
		if name == "" || len(name) > 256 || field == "header" && !isToken(name) {
			return part{}, fmt.Errorf("has no name in {%s:…}", field)
		}
		return part{field + ":", name}, nil
	}
	if !slices.Contains(fieldNames, text) {
		return part{}, fmt.Errorf("has {%.20s}; it takes {body} {timestamp} {url} {method} {path} {query} {form} {header:NAME} {query:NAME} {form:NAME}", text)
	}
	return part{field: text}, nil
}

func uses(parts []part, field string) bool {
	return slices.ContainsFunc(parts, func(p part) bool { return p.field == field })
}

// expand collects the values of a template's fields, so that a missing header is found
// before anything is computed. The body is not copied.
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
		case "form":
			form, err := signedForm(r)
			if err != nil {
				return nil, err
			}
			values[i] = form
		default:
			v, err := namedValue(p, r)
			if err != nil {
				return nil, err
			}
			values[i] = v
		}
	}
	return values, nil
}

// namedValue returns the single value of a header, a query parameter or a form's field.
func namedValue(p part, r *Request) (string, error) {
	switch p.field {
	case "header:":
		return headerValue(r.Header, p.text)
	case "query:":
		value, ok, err := queried(r, p.text)
		if err == nil && !ok {
			err = refuse(Missing, p.text)
		}
		return value, err
	case "form:":
		return formField(r, p.text)
	}
	return "", nil // the body and the secret are written as they are
}

// formField returns the single value of a form's field.
func formField(r *Request, name string) (string, error) {
	if !isForm(r.Header) {
		return "", refuse(Malformed, "Content-Type")
	}
	form, ok := parseForm(string(r.Body))
	switch values := form[name]; {
	case !ok || len(values) > 1:
		return "", refuse(Malformed, name)
	case len(values) == 0 || values[0] == "":
		return "", refuse(Missing, name)
	default:
		return values[0], nil
	}
}

// signedForm returns the fields of a form sorted by name, with each value preceded by its
// name.
func signedForm(r *Request) (string, error) {
	if len(r.Body) == 0 {
		return "", nil
	}
	if !isForm(r.Header) {
		return "", refuse(Malformed, "Content-Type")
	}
	form, ok := parseForm(string(r.Body))
	if !ok {
		return "", refuse(Malformed, "body")
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			b.WriteString(name)
			b.WriteString(value)
		}
	}
	return b.String(), nil
}

// write feeds the signed content to a hash, which never fails.
func write(h io.Writer, parts []part, values []string, body, secret []byte) {
	for i, p := range parts {
		switch p.field {
		case "body":
			_, _ = h.Write(body)
		case "secret":
			_, _ = h.Write(secret)
		default:
			_, _ = io.WriteString(h, values[i])
		}
	}
}

// isToken reports whether s can be the name of a header (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if ('a' > c || c > 'z') && ('A' > c || c > 'Z') && ('0' > c || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != "" && len(s) <= 256
}
