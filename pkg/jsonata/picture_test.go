package jsonata

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
)

var testNow = time.Date(2026, 3, 4, 5, 6, 7, 8e6, time.UTC)

// pictureSuite returns the directory of the reference's test suite.
func pictureSuite(t *testing.T) string {
	t.Helper()
	return shared.Path(t, "jsonata-suite", "groups")
}

type pictureCase struct {
	Expr   string
	Result any
	Code   string
}

// pictureCases are the cases of a group that consist of one call with literal arguments.
func pictureCases(t *testing.T, group string) []pictureCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pictureSuite(t), group, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in group %s: %v", group, err)
	}
	var all []pictureCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []pictureCase
		if json.Unmarshal(text, &cases) != nil {
			cases = make([]pictureCase, 1)
			if err := json.Unmarshal(text, &cases[0]); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, cases...)
	}
	return all
}

var pictureCall = regexp.MustCompile(`(?s)^\$(\w+)\((-?[\d.eE+]+|'[^']*'|"[^"]*")(?:, ?('[^']*'|"[^"]*"))?(?:, ?('[^']*'|"[^"]*"|\{.*\}))?\)$`)

func unquote(s string) string {
	if len(s) < 2 {
		return s
	}
	return strings.ReplaceAll(s[1:len(s)-1], `\n`, "\n")
}

// callPicture runs a call with literal arguments; ok is false for any other expression.
func callPicture(t *testing.T, expr string) (got any, err error, ok bool) {
	t.Helper()
	m := pictureCall.FindStringSubmatch(expr)
	if m == nil {
		return nil, nil, false
	}
	number := func() float64 {
		var f float64
		if err := json.Unmarshal([]byte(m[2]), &f); err != nil {
			t.Fatalf("%s: %v", expr, err)
		}
		return f
	}
	picture := unquote(m[3])
	switch m[1] {
	case "formatNumber":
		var options *Object
		if m[4] != "" {
			v, err := Decode([]byte(strings.ReplaceAll(m[4], "'", `"`)))
			if err != nil {
				t.Fatalf("%s: %v", expr, err)
			}
			options, _ = v.(*Object)
		}
		got, err = formatNumber(number(), picture, options)
	case "formatInteger":
		got, err = formatInteger(number(), picture)
	case "parseInteger":
		got, err = parseInteger(unquote(m[2]), picture)
	case "fromMillis":
		if m[3] == "" {
			picture = isoPicture
		}
		got, err = fromMillis(nil, number(), picture, cmp.Or(unquote(m[4]), utc))
	case "toMillis":
		if m[3] == "" {
			got, err = toMillisISO(unquote(m[2]))
			break
		}
		got, err = toMillis(nil, unquote(m[2]), picture, testNow, nil)
	default:
		return nil, nil, false
	}
	return got, err, true
}

func TestPicturesSuite(t *testing.T) {
	t.Parallel()
	least := map[string]int{
		"function-formatNumber": 40, "function-formatInteger": 60, "function-parseInteger": 60,
		"function-fromMillis": 70, "function-tomillis": 40,
	}
	for group, want := range least {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			ran := 0
			for _, c := range pictureCases(t, group) {
				got, err, ok := callPicture(t, c.Expr)
				if !ok {
					continue
				}
				ran++
				checkPicture(t, c, got, err)
			}
			t.Logf("%d cases", ran)
			if ran < want {
				t.Errorf("ran %d cases, want at least %d", ran, want)
			}
		})
	}
}

func checkPicture(t *testing.T, c pictureCase, got any, err error) {
	t.Helper()
	if c.Code != "" {
		var e *Error
		if !errors.As(err, &e) || e.Code != c.Code {
			t.Errorf("%s: got %v, %v, want %s", c.Expr, got, err, c.Code)
		}
		return
	}
	want := c.Result
	if want == nil {
		want = Undefined
	}
	if err != nil || got != want {
		t.Errorf("%s: got %#v, %v, want %#v", c.Expr, got, err, want)
	}
}
