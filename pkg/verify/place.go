package verify

import (
	"bytes"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// A Place is where a delivery carries something: in a header, or else in a member of the
// body. The zero value means nowhere.
type Place struct {
	// Header is a header's name.
	Header string
	// OtherHeader is read if Header is missing.
	OtherHeader string
	// Body is a dotted path of names into a JSON body.
	Body string
	// Form is a field's name, if the body is a form.
	Form string
	// Unsigned means that the signature does not cover the place: anyone who has one
	// signed delivery can resend it with another text there. It is a safe key only together
	// with the digest of the body.
	Unsigned bool
}

// maxPlaced bounds the ids and names that a sender can make us keep.
const maxPlaced = 256

// Of returns the scalar at the place as text; a number keeps its digits. It is empty if
// there is none, if it is longer than 256 bytes, or if it is not printable. The body is
// only read up to the place.
func (p Place) Of(header http.Header, body []byte) string {
	found := ""
	switch form := isForm(header); {
	case p.Header != "":
		values := header.Values(p.Header)
		if len(values) == 0 {
			values = header.Values(p.OtherHeader)
		}
		if len(values) == 1 {
			found = values[0]
		}
	case form && p.Form != "":
		found = formValue(body, p.Form)
	case !form && p.Body != "":
		found, _ = find(body, strings.Split(p.Body, "."))
	}
	for i := range len(found) {
		if c := found[i]; c < 0x20 || c == 0x7f {
			return ""
		}
	}
	if len(found) > maxPlaced || !utf8.ValidString(found) {
		return ""
	}
	return found
}

func isForm(h http.Header) bool {
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && media == "application/x-www-form-urlencoded"
}

// formValue returns the first value of a field, as in the parsed form.
func formValue(body []byte, name string) string {
	for range maxParams {
		pair, rest, more := bytes.Cut(body, []byte("&"))
		key, value, _ := bytes.Cut(pair, []byte("="))
		if k, err := url.QueryUnescape(string(key)); err == nil && k == name {
			v, err := url.QueryUnescape(string(value))
			if err != nil {
				return ""
			}
			return v
		}
		if body = rest; !more {
			break
		}
	}
	return ""
}
