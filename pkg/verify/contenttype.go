package verify

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// A typed verifier refuses media types that the sender does not send. No scheme signs
// Content-Type, so anyone who has one delivery could have its bytes read as another type:
// signed JSON that is read as a form has fields of the attacker's choice.
type typed struct {
	Verifier
	types []string
	mixed bool // accepts forms and JSON, and only the header says which
}

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

func newTyped(v Verifier, types []string) *typed {
	return &typed{v, types, slices.Contains(types, typeForm) && slices.Contains(types, typeJSON)}
}

func (v *typed) Verify(ctx context.Context, r *Request) error {
	if !v.allows(r.Header, r.Body) {
		return refuse(Malformed, "Content-Type")
	}
	return v.Verifier.Verify(ctx, r)
}

// allows reports whether a body may be read as the type in its header. An empty body is
// always allowed; without a header, the bytes are never read as a form.
func (v *typed) allows(h http.Header, body []byte) bool {
	values := h.Values("Content-Type")
	if len(body) == 0 || len(values) == 0 || len(values) == 1 && values[0] == "" {
		return true
	}
	media, parameters, err := mime.ParseMediaType(values[0])
	if err != nil || len(values) > 1 || !isUTF8(parameters["charset"]) {
		return false
	}
	if !slices.ContainsFunc(v.types, func(allowed string) bool { return allowed == media || allowed == typeJSON && isJSONType(media) }) {
		return false
	}
	return !v.mixed || media != typeForm || !beginsJSON(body)
}

func isJSONType(media string) bool { return media == typeJSON || strings.HasSuffix(media, "+json") }

// isUTF8 reports whether a charset is read like UTF-8.
func isUTF8(charset string) bool {
	return slices.Contains([]string{"", "utf-8", "utf8", "us-ascii", "ascii"}, strings.ToLower(charset))
}

func beginsJSON(body []byte) bool {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(body) > 0 && (body[0] == '{' || body[0] == '[')
}

func (c *checker) contentTypes(types []string) {
	for _, t := range types {
		media, parameters, err := mime.ParseMediaType(t)
		if err != nil || len(parameters) > 0 || media != t || strings.Contains(t, "*") {
			c.add("contentTypes", "%.60q is not a media type; write application/json, in lower case and without parameters", t)
		}
	}
}
