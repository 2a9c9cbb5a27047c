package jsonata

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func errorCode(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestToMillisISO(t *testing.T) {
	t.Parallel()
	// The results of JavaScript's Date.parse with the timezone UTC; -1 means D3110.
	tests := map[string]float64{
		"2018":                      1514764800000,
		"2018-02":                   1517443200000,
		"2017-02-30":                1488412800000,
		"2018Z":                     1514764800000,
		"2018-02T10:00:00Z":         1517479200000,
		"2018-01-01T24:00:00Z":      1514851200000,
		"2018-01-01T10:00:00":       1514800800000,
		"2018-01-01T10:00:00.1":     1514800800100,
		"2018-01-01T10:00:00.1239Z": 1514800800123,
		"2018-01-01T10:00:00+0100":  1514797200000,
		"2018-01-01T10:00:00+23:59": 1514714460000,
		"0000":                      -62167219200000,
		"0050-01-01":                -60589296000000,
		"9999-12-31T23:59:59.999Z":  253402300799999,
		"2018-13":                   -1,
		"2018-01-00":                -1,
		"2018-01-01T24:00:01Z":      -1,
		"2018-01-01T10:00Z":         -1,
		"2018-01-01T10:00:00+2400":  -1,
		"2018-01-01+0100":           -1,
		"":                          -1,
	}
	for s, want := range tests {
		got, err := toMillisISO(s)
		if want == -1 {
			if errorCode(err) != "D3110" {
				t.Errorf("%q: got %v, %v, want D3110", s, got, err)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", s, got, err, want)
		}
	}
}

func TestToMillisFromNow(t *testing.T) {
	t.Parallel()
	got, err := toMillis(nil, "13:45", "[H]:[m]", testNow, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := fromMillis(nil, got.(float64), isoPicture, utc)
	if want := "2026-03-04T13:45:00.000Z"; err != nil || text != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}

func TestPictureLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0", maxPicture+1)
	calls := map[string]func() (any, error){
		"D3150 number":     func() (any, error) { return formatNumber(1, long, nil) },
		"D3150 fraction":   func() (any, error) { return formatNumber(1, "0."+long[:200], nil) },
		"D3150 integer":    func() (any, error) { return formatInteger(1, long) },
		"D3150 roman":      func() (any, error) { return formatInteger(1e15, "I") },
		"D3150 width":      func() (any, error) { return fromMillis(nil, 0, "[Y,1000000000]", utc) },
		"D3150 components": func() (any, error) { return toMillis(nil, "1", strings.Repeat("[Yw]", 1000), testNow, nil) },
		"D3001 infinity":   func() (any, error) { return formatInteger(math.Inf(1), "w") },
		"D1001 range":      func() (any, error) { return fromMillis(nil, 1e300, isoPicture, utc) },
		"D3030 zone":       func() (any, error) { return fromMillis(nil, 0, isoPicture, "Z") },
		"D3030 words":      func() (any, error) { return parseInteger("one potato", "w") },
		"D1001 letters":    func() (any, error) { return parseInteger(strings.Repeat("z", 1000), "a") },
	}
	for name, call := range calls {
		code, _, _ := strings.Cut(name, " ")
		if got, err := call(); errorCode(err) != code {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func FuzzPictures(f *testing.F) {
	for _, picture := range []string{
		"#,##0.00;(#)", "0.0e0", "%#", "000;o", "Ww;o", "#:###,##0", "I", "A", "###\u0661", "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]",
		"[FNn,3-3], [D1o] [MNn] [Y,2-2] [h]:[m] [P]", "[X0001]-W[W01]-[F1] [w] [xN]", "[Yw] [z]", "[[a]]",
	} {
		f.Add(1234.5, picture, "2018-03-27")
		f.Add(-1e21, picture, "nineteen hundred and eighty-four")
	}
	f.Fuzz(func(t *testing.T, value float64, picture, text string) {
		for _, s := range []func() (string, error){
			func() (string, error) { return formatNumber(value, picture, nil) },
			func() (string, error) { return formatInteger(value, picture) },
			func() (string, error) { return fromMillis(nil, value, picture, text) },
		} {
			if out, err := s(); err == nil && len(out) > 1<<20 {
				t.Fatalf("%q: %d bytes", picture, len(out))
			}
		}
		for _, n := range []func() (any, error){
			func() (any, error) { return parseInteger(text, picture) },
			func() (any, error) { return toMillis(nil, text, picture, testNow, nil) },
			func() (any, error) { return toMillisISO(text) },
		} {
			v, err := n()
			if f, ok := v.(float64); err == nil && ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
				t.Fatalf("%q, %q: got %v", text, picture, f)
			}
		}
	})
}
