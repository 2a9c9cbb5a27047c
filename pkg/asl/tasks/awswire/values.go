package awswire

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl/awsmodel"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// text returns a scalar as text, for paths, queries, headers and XML.
func text(m *awsmodel.Member, v any, path string, format string) (string, error) {
	switch m.Type.Kind {
	case awsmodel.Time:
		at, err := parseTime(v, path)
		if err != nil {
			return "", err
		}
		return formatTime(at, m.Format, format), nil
	case awsmodel.Boolean:
		switch b := v.(type) {
		case bool:
			return strconv.FormatBool(b), nil
		case string:
			if b == "true" || b == "false" {
				return b, nil
			}
		}
		return "", &FieldError{path, "must be a boolean"}
	case awsmodel.Integer, awsmodel.Float:
		n, err := number(v, path)
		return n.String(), err
	}
	return plain(v, path)
}

// plain returns a value as the text of a member; an object or an array becomes JSON.
func plain(v any, path string) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	out, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		return "", &FieldError{path, "is not JSON"}
	}
	return string(out), nil
}

// number accepts numbers, and strings that contain one.
func number(v any, path string) (json.Number, error) {
	switch n := v.(type) {
	case json.Number:
		return n, nil
	case float64:
		return json.Number(jsonata.AppendNumber(nil, n)), nil
	case string:
		if _, err := strconv.ParseFloat(n, 64); err == nil && jsonata.Valid([]byte(n)) == nil {
			return json.Number(n), nil
		}
	}
	return "", &FieldError{path, "must be a number"}
}

// parseTime accepts RFC 3339 and seconds since 1970.
func parseTime(v any, path string) (time.Time, error) {
	if s, ok := v.(string); ok {
		if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return at, nil
		}
	}
	if n, err := number(v, path); err == nil {
		if seconds, err := n.Float64(); err == nil && math.Abs(seconds) < 1e12 {
			whole, part := math.Modf(seconds)
			return time.Unix(int64(whole), int64(math.Round(part*1e3))*1e6).UTC(), nil
		}
	}
	return time.Time{}, &FieldError{path, "must be a timestamp, such as 2026-01-31T12:00:00Z"}
}

// formatTime writes a time in the member's format, or else in the protocol's default
// format.
func formatTime(at time.Time, format, protocol string) string {
	if format == "" {
		format = protocol
	}
	switch format {
	case "rfc822":
		return at.UTC().Format(http.TimeFormat)
	case "iso8601":
		return at.UTC().Format("2006-01-02T15:04:05.999Z07:00")
	}
	return strconv.FormatFloat(float64(at.UnixMilli())/1e3, 'f', -1, 64)
}

// instant returns a time in the form of Step Functions, that of Java's Instant.
func instant(at time.Time) string {
	s := at.UTC().Format("2006-01-02T15:04:05")
	if ms := at.Nanosecond() / 1e6; ms != 0 {
		s += "." + strconv.Itoa(1000 + ms)[1:]
	}
	return s + "Z"
}

// readTime reads a time of a response in any of the formats; ok is false if it has none
// of them.
func readTime(s string) (at time.Time, ok bool) {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		return time.UnixMilli(int64(math.Round(seconds * 1e3))), true
	}
	for _, layout := range []string{time.RFC3339Nano, http.TimeFormat, time.RFC1123Z, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// fromText converts text of a response, from headers and XML, to a scalar.
func fromText(kind byte, s string) any {
	switch kind {
	case awsmodel.Boolean:
		return strings.EqualFold(strings.TrimSpace(s), "true")
	case awsmodel.Integer, awsmodel.Float:
		s = strings.TrimSpace(s)
		if jsonata.Valid([]byte(s)) == nil {
			return json.Number(s)
		}
	case awsmodel.Time:
		if at, ok := readTime(strings.TrimSpace(s)); ok {
			return instant(at)
		}
	}
	return s
}
