package verify

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Bounds of what a sender can make us read. The known providers' signature headers are
// shorter than 1 KiB, and a rotation sends two or three signatures.
const (
	maxHeader     = 8 << 10
	maxSignatures = 32
)

// headerValue returns the single value of a header. A header that occurs twice is
// malformed, because it cannot be known which of the two was signed. Values are used as
// they are; nothing is trimmed.
func headerValue(h http.Header, name string) (string, error) {
	values := h.Values(name)
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return "", refuse(Missing, name)
	case len(values) > 1 || len(values[0]) > maxHeader:
		return "", refuse(Malformed, name)
	}
	return values[0], nil
}

// splitList splits at a separator, trims the items and drops empty ones. It returns false
// if there are too many.
func splitList(value, separator string) ([]string, bool) {
	if strings.Count(value, separator) >= maxSignatures*2 {
		return nil, false
	}
	var items []string
	for item := range strings.SplitSeq(value, separator) {
		if item = strings.Trim(item, " \t"); item != "" {
			items = append(items, item)
		}
	}
	return items, len(items) <= maxSignatures
}

// parseKV reads `t=1,v1=aa,v1=bb`. A pair without `=` and a second timestamp are
// malformed; other keys are ignored, because senders add them.
func parseKV(value, separator, timestampKey, signatureKey string) (timestamp string, signatures []string, ok bool) {
	if strings.Count(value, separator) >= maxSignatures*2 {
		return "", nil, false
	}
	seen := false
	for item := range strings.SplitSeq(value, separator) {
		key, text, found := strings.Cut(strings.Trim(item, " \t"), "=")
		switch {
		case !found:
			return "", nil, false
		case key == timestampKey && timestampKey != "":
			if seen || text == "" {
				return "", nil, false
			}
			seen, timestamp = true, text
		case key == signatureKey:
			if len(signatures) == maxSignatures {
				return "", nil, false
			}
			signatures = append(signatures, text)
		}
	}
	return timestamp, signatures, (seen || timestampKey == "") && len(signatures) > 0
}

// A decoder turns the text of a signature or key into bytes.
type decoder func(string) ([]byte, error)

var errEncoding = errors.New("wrong encoding")

// decodeHex accepts upper case too: bytes are compared, not texts.
func decodeHex(s string) ([]byte, error) { return hex.DecodeString(s) }

// decodeBase64 is strict; the decoder of the standard library would skip line breaks.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errEncoding
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}

// decodeBase64URL accepts the URL alphabet with or without padding.
func decodeBase64URL(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errEncoding
	}
	if strings.HasSuffix(s, "=") {
		return base64.URLEncoding.Strict().DecodeString(s)
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}

// parseTime reads the time of a header. The text is signed, not the number, so a number
// must consist of digits only, without sign or spaces.
func parseTime(text, format string) (time.Time, bool) {
	switch format {
	case "unix", "unix_ms":
		// 15 digits of milliseconds reach beyond the year 30000 and cannot overflow.
		if text == "" || len(text) > 15 {
			return time.Time{}, false
		}
		var n int64
		for i := range len(text) {
			c := text[i]
			if c < '0' || c > '9' {
				return time.Time{}, false
			}
			n = n*10 + int64(c-'0')
		}
		if format == "unix_ms" {
			return time.UnixMilli(n), true
		}
		return time.Unix(n, 0), true
	case "http-date":
		if len(text) > 64 {
			return time.Time{}, false
		}
		t, err := http.ParseTime(text)
		return t, err == nil
	case "rfc3339":
		if len(text) > 64 {
			return time.Time{}, false
		}
		t, err := time.Parse(time.RFC3339, text)
		return t, err == nil
	}
	return time.Time{}, false
}

// formatTime is the inverse of parseTime, for signing.
func formatTime(t time.Time, format string) string {
	switch format {
	case "unix_ms":
		return formatInt(t.UnixMilli())
	case "http-date":
		return t.UTC().Format(http.TimeFormat)
	case "rfc3339":
		return t.UTC().Format(time.RFC3339)
	}
	return formatInt(t.Unix())
}

// signatureAndTime reads the two headers of Discord and SendGrid.
func signatureAndTime(r *Request, signatureName, timestampName string, decode decoder) (signature []byte, timestamp string, at time.Time, _ error) {
	value, err := headerValue(r.Header, signatureName)
	if err != nil {
		return nil, "", at, err
	}
	if signature, err = decode(value); err != nil {
		return nil, "", at, refuse(Malformed, signatureName)
	}
	if timestamp, err = headerValue(r.Header, timestampName); err != nil {
		return nil, "", at, err
	}
	at, ok := parseTime(timestamp, "unix")
	if !ok {
		return nil, "", at, refuse(Malformed, timestampName)
	}
	return signature, timestamp, at, nil
}
