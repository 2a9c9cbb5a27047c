package httpfront_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// binaryEvent is an event whose body comes as base64.
func binaryEvent(contentType string, body []byte, headers ...string) []byte {
	payload := event("POST", "/a", contentType, base64.StdEncoding.EncodeToString(body), headers...)
	return []byte(strings.Replace(string(payload), `"isBase64Encoded":false`, `"isBase64Encoded":true`, 1))
}

const typeAndBody = open + "    input: {type: '{% $request.bodyType %}', body: '{% $request.body %}'}\n"

func gzipped(t testing.TB, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compressed(t testing.TB, body string, w func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	c := w(&b)
	_, _ = io.WriteString(c, body)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func utf16le(s string) []byte {
	var out []byte
	for _, r := range s {
		out = append(out, byte(r), byte(r>>8))
	}
	return out
}

func TestCharsetsAndEncodings(t *testing.T) {
	t.Parallel()
	zipped := compressed(t, `{"a":1}`, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	bare := compressed(t, `{"a":1}`, func(w io.Writer) io.WriteCloser { c, _ := flate.NewWriter(w, 9); return c })
	tests := map[string]struct {
		contentType string
		body        []byte
		headers     []string
		want        string // empty for 400
	}{
		"byte order mark":            {"application/json", []byte("\xEF\xBB\xBF{\"a\":1}"), nil, `{"type":"json","body":{"a":1}}`},
		"byte order mark, no type":   {"", []byte("\xEF\xBB\xBF[1]"), nil, `{"type":"json","body":[1]}`},
		"JSON in UTF-16":             {"application/json; charset=utf-16le", utf16le(`{"a":"é"}`), nil, `{"type":"json","body":{"a":"é"}}`},
		"JSON in UTF-16 by its mark": {"application/json", append([]byte{0xFF, 0xFE}, utf16le(`{"a":"é"}`)...), nil, `{"type":"json","body":{"a":"é"}}`},
		"JSON in Latin-1":            {"application/json; charset=ISO-8859-1", []byte("{\"a\":\"\xe9\"}"), nil, `{"type":"json","body":{"a":"é"}}`},
		"JSON that only claims to":   {"application/json; charset=ISO-8859-1", []byte(`{"a":"é"}`), nil, `{"type":"json","body":{"a":"é"}}`},
		"JSON in no charset":         {"application/json", []byte("{\"a\":\"\xe9\"}"), nil, ""},
		"JSON in half UTF-16":        {"application/json; charset=utf-16", []byte("\x00{\x00}\x00"), nil, ""},
		"the last of two names":      {"application/json", []byte(`{"a":1,"a":2}`), nil, `{"type":"json","body":{"a":1,"a":2}}`},
		"text/json":                  {"text/json", []byte(`{"a":1}`), nil, `{"type":"json","body":{"a":1}}`},
		"text in Latin-1":            {"text/plain; charset=latin1", []byte("caf\xe9"), nil, `{"type":"text","body":"café"}`},
		"text in UTF-16":             {"text/plain; charset=utf-16", append([]byte{0xFE, 0xFF}, 0, 'h', 0xD8, 0x3D, 0xDE, 0x00), nil, `{"type":"text","body":"h😀"}`},
		"text with half a pair":      {"text/plain; charset=utf-16be", []byte{0xD8, 0x3D}, nil, `{"type":"binary","body":"2D0="}`},
		"text in another charset":    {"text/plain; charset=koi8-r", []byte("\xd4\xc5"), nil, `{"type":"binary","body":"1MU="}`},
		"ASCII in another charset":   {"text/plain; charset=koi8-r", []byte("te"), nil, `{"type":"text","body":"te"}`},
		"form in Latin-1":            {"application/x-www-form-urlencoded; charset=iso-8859-1", []byte("a=caf%E9&%E9=1"), nil, `{"type":"form","body":{"a":"café","é":"1"}}`},
		"XML":                        {"application/soap+xml", []byte(`<a/>`), nil, `{"type":"text","body":"<a/>"}`},
		"lines of JSON":              {"application/x-ndjson", []byte("1\n2\n"), nil, `{"type":"text","body":"1\n2\n"}`},
		"gzip":                       {"application/json", gzipped(t, []byte(`{"a":1}`)), []string{"content-encoding", "gzip"}, `{"type":"json","body":{"a":1}}`},
		"gzip of a form":             {"application/x-www-form-urlencoded", gzipped(t, []byte("a=1")), []string{"content-encoding", "X-GZIP"}, `{"type":"form","body":{"a":"1"}}`},
		"deflate":                    {"application/json", zipped, []string{"content-encoding", "deflate"}, `{"type":"json","body":{"a":1}}`},
		"deflate without zlib":       {"application/json", bare, []string{"content-encoding", "deflate"}, `{"type":"json","body":{"a":1}}`},
		"identity":                   {"application/json", []byte(`1`), []string{"content-encoding", "identity"}, `{"type":"json","body":1}`},
		"nothing, compressed":        {"application/json", nil, []string{"content-encoding", "gzip"}, `{"type":"empty","body":null}`},
		"claims to be gzip":          {"application/json", []byte(`{"a":1}`), []string{"content-encoding", "gzip"}, ""},
		"gzip cut off":               {"application/json", gzipped(t, []byte(`{"a":1}`))[:15], []string{"content-encoding", "gzip"}, ""},
		"twice":                      {"application/json", gzipped(t, gzipped(t, []byte(`1`))), []string{"content-encoding", "gzip, gzip"}, ""},
		"unknown":                    {"application/json", []byte(`1`), []string{"content-encoding", "br"}, ""},
		"JSON that is a form":        {"application/json", []byte(`a=1`), nil, ""},
		"form that is JSON":          {"application/x-www-form-urlencoded", []byte(`{"a":"b&c"}`), nil, `{"type":"form","body":{"{\"a\":\"b":"","c\"}":""}}`},
	}
	f := front(t, route(typeAndBody), starterFunc(echo))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, f, binaryEvent(test.contentType, test.body, test.headers...))
			if test.want == "" {
				if got.StatusCode != 400 || !strings.Contains(got.Body, bridge.BadRequest) {
					t.Errorf("got %d %s, want 400 %s", got.StatusCode, got.Body, bridge.BadRequest)
				}
			} else if got.StatusCode != 200 || got.Body != test.want {
				t.Errorf("got %d %s, want 200 %s", got.StatusCode, got.Body, test.want)
			}
		})
	}
}

// The signature is over what was sent; the workflow gets what it says.
func TestSignatureOverCompressedBody(t *testing.T) {
	t.Parallel()
	f := front(t, "  - {name: a, http: POST /a, verify: {provider: github, secrets: ['env:SECRET']}, start: m, input: '{% $request.body %}'}\n", starterFunc(echo))
	sent := gzipped(t, []byte(`{"a":1}`))
	got := invoke(t, f, binaryEvent("application/json", sent, "content-encoding", "gzip", "x-hub-signature-256", signed(string(sent))))
	if got.StatusCode != 200 || got.Body != `{"a":1}` {
		t.Errorf("signed as sent = %d %s, want 200", got.StatusCode, got.Body)
	}
	got = invoke(t, f, binaryEvent("application/json", sent, "content-encoding", "gzip", "x-hub-signature-256", signed(`{"a":1}`)))
	if got.StatusCode != 401 {
		t.Errorf("signed before = %d, want 401", got.StatusCode)
	}
}

func TestDecompressionBomb(t *testing.T) {
	t.Parallel()
	bomb := gzipped(t, make([]byte, 64<<20)) // some 64 KB
	start := time.Now()
	got := invoke(t, front(t, route(typeAndBody), never(t)), binaryEvent("application/json", bomb, "content-encoding", "gzip"))
	if got.StatusCode != 413 || !strings.Contains(got.Body, bridge.InputTooLarge) {
		t.Errorf("got %d %s, want 413", got.StatusCode, got.Body)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %v", took)
	}
}

// A part is one of a multipart body.
type part struct{ name, filename, contentType, data string }

func multipartBody(t testing.TB, parts []part) (contentType string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		disposition := fmt.Sprintf("form-data; name=%q", p.name)
		if p.filename != "" {
			disposition += fmt.Sprintf("; filename=%q", p.filename)
		}
		h.Set("Content-Disposition", disposition)
		if p.contentType != "" {
			h.Set("Content-Type", p.contentType)
		}
		out, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(out, p.data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	f := front(t, route(typeAndBody), starterFunc(echo))
	contentType, body := multipartBody(t, []part{
		{"to", "", "", "a@example.com"},
		{"to", "", "", "b@example.com"},
		{"note", "", "text/plain; charset=iso-8859-1", "caf\xe9"},
		{"file", `..\..\etc/passwd`, "image/png", "\x89PNG"},
		{"empty", "", "", ""},
	})
	got := invoke(t, f, binaryEvent(contentType, body))
	want := `{"type":"form","body":{"to":["a@example.com","b@example.com"],"note":"café","file":{"filename":"passwd","contentType":"image/png","size":4,` +
		`"sha256":"0f4636c78f65d3639ece5a064b5ae753e3408614a14fb18ab4d7540d2c248543","data":"iVBORw=="},"empty":""}}`
	if diff := cmp.Diff(want, got.Body); diff != "" {
		t.Errorf("%d (-want +got):\n%s", got.StatusCode, diff)
	}
	// A file that is too large for an input is there by its name and digest.
	contentType, body = multipartBody(t, []part{{"f", "big.bin", "", strings.Repeat("x", 200<<10)}})
	var large struct{ Body struct{ F map[string]any } }
	if err := json.Unmarshal([]byte(invoke(t, f, binaryEvent(contentType, body)).Body), &large); err != nil {
		t.Fatal(err)
	}
	if large.Body.F["size"] != float64(200<<10) || large.Body.F["sha256"] == "" || large.Body.F["data"] != nil {
		t.Errorf("large file = %v, want size and digest without data", large.Body.F)
	}
	for name, test := range map[string]struct {
		contentType string
		body        []byte
	}{
		"no boundary":   {"multipart/form-data", []byte("--x\r\n")},
		"cut off":       {contentType, body[:len(body)-20]},
		"nothing in it": {contentType, []byte("x")},
	} {
		if got := invoke(t, f, binaryEvent(test.contentType, test.body)); got.StatusCode != 400 {
			t.Errorf("%s: %d %s, want 400", name, got.StatusCode, got.Body)
		}
	}
	for name, parts := range map[string][]part{
		"without a name": {{"", "", "", "x"}},
		"many files":     bytesParts(21, "f"),
		"many parts":     bytesParts(1001, ""),
		"not text":       {{"a", "", "", "\xff"}},
	} {
		contentType, body := multipartBody(t, parts)
		if got := invoke(t, f, binaryEvent(contentType, body)); got.StatusCode != 400 || !strings.Contains(got.Body, bridge.BadRequest) {
			t.Errorf("%s: %d %s, want 400", name, got.StatusCode, got.Body)
		}
	}
}

func bytesParts(n int, filename string) []part {
	out := make([]part, n)
	for i := range out {
		out[i] = part{fmt.Sprint("n", i), filename, "", "x"}
	}
	return out
}

// SNS calls its JSON text.
func TestSNSBodyIsJSON(t *testing.T) {
	t.Parallel()
	for _, v := range loadVectors(t) {
		if v.Provider != "aws-sns" || v.ID == "sns-subscription-confirmation" {
			continue
		}
		var message struct{ TopicArn, MessageId string }
		if err := json.Unmarshal([]byte(v.Request.Body), &message); err != nil {
			t.Fatal(err)
		}
		f := frontOf(t, "  - {name: h, http: '/{p...}', verify: {provider: sns, topics: '"+message.TopicArn+"'}, start: m, input: '{% $request.body.MessageId %}'}\n", echo, getenv, v.clock(), fetchOf(&v))
		v.Request.Headers["Content-Type"] = "text/plain; charset=UTF-8"
		if got := invoke(t, f, v.event(t, "http-api")); got.StatusCode != 200 || got.Body != `"`+message.MessageId+`"` {
			t.Errorf("%s: %d %s, want the message's id", v.ID, got.StatusCode, got.Body)
		}
	}
}

// FuzzBody sends any body under any type and encoding.
func FuzzBody(f *testing.F) {
	contentType, body := multipartBody(f, []part{{"a", "", "", "b"}, {"f", "x.bin", "", "data"}})
	f.Add(contentType, "", body)
	f.Add("application/json; charset=utf-16", "gzip", gzipped(f, []byte(`{"a":1}`)))
	f.Add("application/x-www-form-urlencoded; charset=latin1", "deflate", []byte("a=%e9&a=1"))
	f.Add("text/plain; charset=utf-16le", "", []byte{0xFF, 0xFE, 0x3D, 0xD8})
	front := front(f, route(typeAndBody), starterFunc(echo))
	f.Fuzz(func(t *testing.T, contentType, encoding string, body []byte) {
		got := invoke(t, front, binaryEvent(contentType, body, "content-encoding", encoding))
		switch got.StatusCode {
		case 400, 413:
		case 200:
			if !json.Valid([]byte(got.Body)) {
				t.Errorf("the input is not JSON: %q", got.Body)
			}
		default:
			t.Errorf("status %d %s", got.StatusCode, got.Body)
		}
	})
}
