package intrinsic

import (
	"crypto/md5"  //nolint:gosec // the service offers it
	"crypto/sha1" //nolint:gosec // the service offers it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/asl/jsonpath/javatext"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// format fills the placeholders of a template, which may be a literal or come from a
// path.
func format(ev *evaluation, c *Call, args []any) (any, error) {
	parts := c.template
	if parts == nil {
		template, err := textArg(args, 0)
		if err != nil {
			return nil, err
		}
		if !ev.charge(template) {
			return nil, errTooLarge
		}
		if parts, err = splitTemplate(template); err != nil {
			return nil, err
		}
	}
	if len(parts) != len(args) { // both are one more than the number of placeholders or values
		return nil, because("The number of arguments for the template, %d, does not match its number of {}, %d", len(args)-1, len(parts)-1)
	}
	out := append([]byte(nil), parts[0]...)
	for i, part := range parts[1:] {
		if !ev.charge(args[i+1]) {
			return nil, errTooLarge
		}
		out = append(javatext.Append(out, args[i+1]), part...)
	}
	return string(out), nil
}

var errBrace = because("A brace in a template must be escaped or be part of {}")

// splitTemplate splits a template at its placeholders and undoes the escapes. A backslash
// before anything that needs no escape is kept, because templates also come from paths.
func splitTemplate(template string) ([]string, error) {
	var parts []string
	var part []byte
	for i := 0; i < len(template); i++ {
		switch c := template[i]; c {
		case '\\':
			if i+1 < len(template) && strings.IndexByte(`'{}\`, template[i+1]) >= 0 {
				i++
			}
			part = append(part, template[i])
		case '{':
			if i+1 >= len(template) || template[i+1] != '}' {
				return nil, errBrace
			}
			i++
			parts, part = append(parts, string(part)), nil
		case '}':
			return nil, errBrace
		default:
			part = append(part, c)
		}
	}
	return append(parts, string(part)), nil
}

// stringToJSON reads blank text as null, as the service does.
func stringToJSON(ev *evaluation, _ *Call, args []any) (any, error) {
	if jsonata.Force(args[0]) == nil {
		return nil, nil
	}
	text, err := textArg(args, 0)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if !ev.charge(text) {
		return nil, errTooLarge
	}
	v, err := jsonata.Decode([]byte(text))
	if err != nil {
		return nil, because("%s", err)
	}
	if v == json.Number("-0") {
		return json.Number("0"), nil // an integer in Java
	}
	return v, nil
}

func jsonToString(ev *evaluation, _ *Call, args []any) (any, error) {
	if !ev.charge(args[0]) {
		return nil, errTooLarge
	}
	text, err := jsonata.AppendJSON(nil, args[0])
	return string(text), err
}

// stringSplit splits at each character of the second text. Empty pieces are omitted, as
// in Java's StringTokenizer.
func stringSplit(ev *evaluation, _ *Call, args []any) (any, error) {
	text, err := textArg(args, 0)
	if err != nil {
		return nil, err
	}
	separators, err := textArg(args, 1)
	if err != nil {
		return nil, err
	}
	if !ev.charge(text) || !ev.charge(separators) {
		return nil, errTooLarge
	}
	separates := oneOf(separators)
	n := 0
	for range strings.FieldsFuncSeq(text, separates) {
		n++
	}
	out := make([]any, 0, n)
	for piece := range strings.FieldsFuncSeq(text, separates) {
		out = append(out, piece)
	}
	return out, nil
}

// oneOf returns a function that reports whether a character is one of the text.
func oneOf(text string) func(rune) bool {
	var ascii [utf8.RuneSelf]bool
	others := map[rune]bool{}
	for _, r := range text {
		if r < utf8.RuneSelf {
			ascii[r] = true
		} else {
			others[r] = true
		}
	}
	return func(r rune) bool { return r < utf8.RuneSelf && ascii[r] || others[r] }
}

func limited(args []any) (string, error) {
	text, err := textArg(args, 0)
	if err == nil && utf8.RuneCountInString(text) > maxCharacters {
		err = because("The text is longer than %d characters", maxCharacters)
	}
	return text, err
}

func base64Encode(_ *evaluation, _ *Call, args []any) (any, error) {
	text, err := limited(args)
	return base64.StdEncoding.EncodeToString([]byte(text)), err
}

func base64Decode(_ *evaluation, _ *Call, args []any) (any, error) {
	text, err := limited(args)
	if err != nil {
		return nil, err
	}
	// Java's decoder accepts text with all of its padding or with none, and refuses line
	// breaks, which Go's skips.
	encoding := base64.RawStdEncoding
	if strings.HasSuffix(text, "=") {
		encoding = base64.StdEncoding
	}
	out, err := encoding.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, because("The text is not valid Base64")
	}
	return strings.ToValidUTF8(string(out), "\uFFFD"), nil
}

var hashes = map[string]func() hash.Hash{
	"MD5":     md5.New,
	"SHA-1":   sha1.New,
	"SHA-256": sha256.New,
	"SHA-384": sha512.New384,
	"SHA-512": sha512.New,
}

// hashOf accepts any value: values other than strings are hashed as JSON.
func hashOf(ev *evaluation, _ *Call, args []any) (any, error) {
	data, isText := jsonata.Force(args[0]).(string)
	if !isText {
		if !ev.charge(args[0]) {
			return nil, errTooLarge
		}
		text, err := jsonata.AppendJSON(nil, args[0])
		if err != nil {
			return nil, err
		}
		data = string(text)
	}
	if utf8.RuneCountInString(data) > maxCharacters {
		return nil, because("The data is longer than %d characters", maxCharacters)
	}
	algorithm, err := textArg(args, 1)
	if err != nil {
		return nil, err
	}
	newHash, ok := hashes[algorithm]
	if !ok {
		return nil, because("The algorithm must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512")
	}
	h := newHash()
	h.Write([]byte(data))
	return hex.EncodeToString(h.Sum(nil)), nil
}
