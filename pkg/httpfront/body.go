package httpfront

import (
	"encoding/base64"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// content is the result of reading a request's body. The body is read once, when
// something asks for it.
type content struct {
	read     bool
	value    any
	bodyType string
	err      error
}

func (e *endpoint) readBody(r *request) (body any, bodyType string, err error) {
	if c := &r.content; !c.read {
		c.read = true
		c.value, c.bodyType, c.err = readBody(r, e.jsonText)
	}
	return r.content.value, r.content.bodyType, r.content.err
}

func badBody(reason string) error { return bridge.NewFailure(bridge.BadRequest, reason, nil) }

// readBody makes $request.body and its bodyType. A body that is not what its content type
// says is a BadRequest; without a content type, it is tried as JSON, then as text, then
// as binary. If jsonText is set, the sender labels its JSON as text.
func readBody(r *request, jsonText bool) (body any, bodyType string, err error) {
	text, err := inflate(r.header.Values("Content-Encoding"), r.body)
	if err != nil {
		return nil, "", err
	}
	if len(text) == 0 {
		return nil, "empty", nil
	}
	media, parameters := mediaType(r.header.Get("Content-Type"))
	charset := strings.ToLower(parameters["charset"])
	switch kind(media) {
	case "json":
		return readJSON(text, charset)
	case "form":
		form, err := readForm(text, charset)
		return form, "form", err
	case "multipart":
		form, err := readMultipart(text, parameters["boundary"])
		return form, "form", err
	case "text":
		if jsonText {
			return readJSON(text, charset)
		}
		if s, ok := toUTF8(text, charset); ok {
			return string(s), "text", nil
		}
	case "":
		s := withoutBOM(text)
		if raw, err := jsonata.ParseRaw(s); err == nil {
			return raw, "json", nil
		}
		if utf8.Valid(s) {
			return string(s), "text", nil
		}
	}
	return base64.StdEncoding.EncodeToString(text), "binary", nil
}

// readJSON reads UTF-8, which RFC 8259 requires, whatever charset is claimed; only if the
// text is not UTF-8 does the claim or a byte order mark decide. If two members have the
// same name, the last one is used, as in Step Functions, which gets the same bytes.
func readJSON(text []byte, charset string) (any, string, error) {
	raw, err := jsonata.ParseRaw(withoutBOM(text))
	if err != nil {
		if other, ok := toUTF8(text, charset); ok {
			if converted, failed := jsonata.ParseRaw(other); failed == nil {
				raw, err = converted, nil
			}
		}
	}
	if err != nil {
		return nil, "", badBody("the body is not JSON: " + err.Error())
	}
	return raw, "json", nil
}

// mediaType reads a content type; parameters are often wrong, but the type before them is
// still used.
func mediaType(contentType string) (media string, parameters map[string]string) {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(contentType, ";")
		media = strings.ToLower(strings.TrimSpace(media))
	}
	return media, parameters
}

// kind sorts media types: json, form, multipart, text, other, or "" for none.
func kind(media string) string {
	switch media {
	case "":
		return ""
	case "application/json", "text/json", "text/x-json", "application/x-json", "application/csp-report":
		return "json"
	case "application/x-www-form-urlencoded":
		return "form"
	case "multipart/form-data":
		return "multipart"
	case "application/xml", "application/graphql", "application/x-ndjson", "application/yaml", "application/javascript":
		return "text"
	}
	switch {
	case strings.HasSuffix(media, "+json"):
		return "json"
	case strings.HasPrefix(media, "text/"), strings.HasSuffix(media, "+xml"), strings.HasSuffix(media, "+yaml"):
		return "text"
	}
	return "other"
}
