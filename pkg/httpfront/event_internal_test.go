package httpfront

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// A body is the bytes that were sent, however the event's text escapes them, and stays so when
// the runtime uses the memory of the event for the next one.
func TestBodyIsWhatWasSent(t *testing.T) {
	t.Parallel()
	character := rapid.SampledFrom([]string{"a", "Z", " ", "\"", "\\", "/", "\n", "\t", "\b", "\x00", "\x1f", "\x7f", "é", "\u2028", "€", "\uffff", "😀", "\U0010ffff", "\ufeff", "<", "abcdefg", "{\"a\": \"b\"}"})
	doors := []string{
		`{"version":"2.0","rawPath":"/a","requestContext":{"http":{"method":"POST"}},%s}`,
		`{"httpMethod":"POST","path":"/a","requestContext":{"requestId":"1"},%s}`,
		`{%[1]s,"httpMethod":"POST","path":"/a","requestContext":{"elb":{"targetGroupArn":"a"}}}`,
		`{"version":"2.0","path":"/a","method":"POST","requestContext":{"serviceNetworkArn":"a"},"headers":{"body":["x"]},%s}`,
	}
	rapid.Check(t, func(t *rapid.T) {
		body := strings.Repeat(character.Draw(t, "filling"), rapid.IntRange(0, 2000).Draw(t, "times")) + strings.Join(rapid.SliceOfN(character, 0, 40).Draw(t, "body"), "")
		text := quoted(t, body)
		encoded := rapid.Bool().Draw(t, "base64")
		if encoded {
			body = string(rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "bytes")) + body
			text = quoted(t, base64.StdEncoding.EncodeToString([]byte(body)))
		}
		member := `"body":` + text
		if rapid.Bool().Draw(t, "twice") { // the last one counts
			member = `"body":"another","b\u006fdy":` + text
		}
		member = fmt.Sprintf(`%s,"isBase64Encoded":%t`, member, encoded)
		payload := []byte(fmt.Sprintf(rapid.SampledFrom(doors).Draw(t, "door"), member))
		r, err := decodeEvent(payload)
		if err != nil {
			t.Fatalf("%s: %v", payload, err)
		}
		clear(payload)
		if string(r.body) != body {
			t.Fatalf("the body is %q, want %q", r.body, body)
		}
		if r.door == "" || r.method != "POST" || r.path != "/a" {
			t.Fatalf("%s: %s %s", r.door, r.method, r.path)
		}
	})
}

// quoted writes a text as JSON, with any escapes.
func quoted(t *rapid.T, s string) string {
	most := rapid.IntRange(0, 3).Draw(t, "escapes")
	var b strings.Builder
	b.WriteByte('"')
	n := 0
	for _, r := range s {
		short := strings.IndexRune("\"\\/\b\f\n\r\t", r)
		n++
		switch escape := most > 0 && n%(most*most) == 0; {
		case short >= 0 && (short < 2 || escape):
			b.WriteByte('\\')
			b.WriteByte(`"\/bfnrt`[short])
		case r > 0xffff && escape:
			x, y := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04X`, x, y)
		case r <= 0xffff && (r < ' ' || escape):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}
