package httpfront

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// Bounds of forms. Each field takes far more memory than the bytes of its name.
const (
	maxFields = 10_000
	maxParts  = 1000
	maxFiles  = 20
	// maxFileData is the largest file whose contents are in the form: even a third larger
	// in base64, it still fits into an execution's input.
	maxFileData = 128 << 10
)

// A form collects fields in order; a name that occurs several times has a list.
type form struct {
	*jsonata.Object
	lists map[string]*[]any
	count int
}

func newForm() *form { return &form{Object: jsonata.NewObject(8)} }

func (f *form) add(name string, value any) error {
	if f.count++; f.count > maxFields {
		return badBody("the form has more than " + strconv.Itoa(maxFields) + " fields")
	}
	if list := f.lists[name]; list != nil {
		*list = append(*list, value)
		return nil
	}
	have, seen := f.Get(name)
	if !seen {
		f.Set(name, value)
		return nil
	}
	if f.lists == nil {
		f.lists = map[string]*[]any{}
	}
	f.lists[name] = &[]any{have, value}
	return nil
}

// value returns the form's value, with its lists in place.
func (f *form) value() any {
	for name, list := range f.lists {
		f.Set(name, *list)
	}
	return f.Object
}

const errField = "the form has a field that cannot be decoded"

// readForm reads application/x-www-form-urlencoded.
func readForm(body []byte, charset string) (any, error) {
	f := newForm()
	for pair := range strings.SplitSeq(string(body), "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		name, ok1 := formText(k, charset)
		value, ok2 := formText(v, charset)
		if !ok1 || !ok2 {
			return nil, badBody(errField)
		}
		if err := f.add(name, value); err != nil {
			return nil, err
		}
	}
	return f.value(), nil
}

func formText(s, charset string) (string, bool) {
	decoded, err := url.QueryUnescape(s)
	if err != nil {
		return "", false
	}
	if utf8.ValidString(decoded) {
		return decoded, true // the standard for forms prescribes UTF-8, whatever the header claims
	}
	text, ok := toUTF8([]byte(decoded), charset)
	return string(text), ok
}

// readMultipart reads multipart/form-data. A file is {filename, contentType, size,
// sha256}, and data in base64 if it is small.
func readMultipart(body []byte, boundary string) (any, error) {
	if boundary == "" {
		return nil, badBody("the multipart body has no boundary")
	}
	in := multipart.NewReader(bytes.NewReader(body), boundary)
	f, files := newForm(), 0
	for n := 0; ; n++ {
		part, err := in.NextPart()
		if errors.Is(err, io.EOF) && (n > 0 || bytes.Contains(body, []byte("--"+boundary+"--"))) {
			return f.value(), nil
		}
		if err != nil {
			return nil, badBody("the multipart body is malformed or cut off")
		}
		name, filename := part.FormName(), part.FileName()
		if files += boolToInt(filename != ""); n >= maxParts || files > maxFiles {
			return nil, badBody("the multipart body has too many parts or files")
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, badBody("the multipart body is malformed or cut off")
		}
		_, parameters := mediaType(part.Header.Get("Content-Type"))
		var value any
		if filename != "" {
			value = fileValue(filename, part.Header.Get("Content-Type"), data)
		} else if text, ok := toUTF8(data, strings.ToLower(parameters["charset"])); ok {
			value = string(text)
		} else {
			return nil, badBody(errField)
		}
		if name == "" || !utf8.ValidString(name) {
			return nil, badBody("the multipart body has a part without a name")
		}
		if err := f.add(name, value); err != nil {
			return nil, err
		}
	}
}

func fileValue(filename, contentType string, data []byte) any {
	sum := sha256.Sum256(data)
	o := jsonata.NewObject(5)
	o.Set("filename", strings.ToValidUTF8(filename, "\uFFFD"))
	o.Set("contentType", strings.ToValidUTF8(contentType, "\uFFFD"))
	o.Set("size", json.Number(strconv.Itoa(len(data))))
	o.Set("sha256", hex.EncodeToString(sum[:]))
	if len(data) <= maxFileData {
		o.Set("data", base64.StdEncoding.EncodeToString(data))
	}
	return o
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
