package jsonata

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
)

// A suiteCase is one case of the official test suite; see its TESTSUITE.md.
type suiteCase struct {
	id        string
	Expr      exprText        `json:"expr"`
	ExprFile  string          `json:"expr-file"`
	Data      json.RawMessage `json:"data"`
	Dataset   *string         `json:"dataset"`
	Bindings  json.RawMessage `json:"bindings"`
	Result    json.RawMessage `json:"result"`
	Undefined bool            `json:"undefinedResult"`
	Code      string          `json:"code"`
	Token     string          `json:"token"`
	Error     *struct {
		Code    string `json:"code"`
		Token   string `json:"token"`
		Message string `json:"message"`
	} `json:"error"`
	TimeLimit int  `json:"timelimit"`
	Depth     int  `json:"depth"`
	Unordered bool `json:"unordered"`
}

// An exprText is an expression in a case. Half a surrogate pair, which a Go string
// cannot hold, stays an escape: in expressions it is part of string literals.
type exprText string

func (e *exprText) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if strings.Contains(s, "\uFFFD") {
		if err := json.Unmarshal(bytes.ReplaceAll(text, []byte(`\uD`), []byte(`\\uD`)), &s); err != nil {
			return err
		}
	}
	*e = exprText(s)
	return nil
}

type suite struct {
	cases    []suiteCase
	datasets map[string]any
}

func readSuite(t testing.TB) suite {
	t.Helper()
	dir := shared.Path(t, "jsonata-suite")
	s := suite{datasets: map[string]any{}}
	files, err := filepath.Glob(filepath.Join(dir, "datasets", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		s.datasets[strings.TrimSuffix(filepath.Base(file), ".json")] = decode(t, readFile(t, file))
	}
	files, err = filepath.Glob(filepath.Join(dir, "groups", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		id := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		text := readFile(t, file)
		var list []suiteCase
		if strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
			if err := json.Unmarshal(text, &list); err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			for i := range list {
				list[i].id = fmt.Sprintf("%s#%d", id, i)
			}
		} else {
			list = make([]suiteCase, 1)
			if err := json.Unmarshal(text, &list[0]); err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			list[0].id = id
		}
		for i := range list {
			if list[i].ExprFile != "" {
				list[i].Expr = exprText(readFile(t, filepath.Join(filepath.Dir(file), list[i].ExprFile)))
			}
		}
		s.cases = append(s.cases, list...)
	}
	return s
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func decode(t testing.TB, text []byte) any {
	t.Helper()
	v, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// run evaluates a case and returns what is wrong with the result, or "".
func (s suite) run(t testing.TB, c suiteCase, o Options) string {
	t.Helper()
	input := Undefined
	switch {
	case c.Data != nil:
		input = decode(t, c.Data)
	case c.Dataset != nil:
		input = s.datasets[*c.Dataset]
	}
	vars := map[string]any{}
	if c.Bindings != nil {
		if o, ok := decode(t, c.Bindings).(*Object); ok {
			for i := range o.Len() {
				k, v := o.At(i)
				vars[k] = v
			}
		}
	}
	// The limits of the package are for untrusted expressions; some cases are large.
	o.MaxAllocation, o.MaxTime = 2<<30, 2*time.Minute
	// A case's own limit is meant to be exceeded. If the case has a result, the limit says
	// how fast the reference is on its author's machine, which is too short for the race
	// detector.
	if c.TimeLimit > 0 && c.Result == nil {
		o.MaxTime = time.Duration(c.TimeLimit) * time.Millisecond
	}
	o.MaxEvalDepth = c.Depth
	var got any
	expr, err := o.Compile(string(c.Expr))
	if err == nil {
		got, err = expr.Eval(context.Background(), input, vars)
	}
	return c.check(t, got, err)
}

func (c suiteCase) check(t testing.TB, got any, err error) string {
	t.Helper()
	code, token := c.Code, c.Token
	if c.Error != nil {
		code, token = c.Error.Code, c.Error.Token
	}
	if code != "" {
		var e *Error
		switch {
		case !errors.As(err, &e):
			return fmt.Sprintf("got %s, %v; want error %s", show(got), err, code)
		case e.Code != code:
			return fmt.Sprintf("got error %v; want %s", err, code)
		case token != "" && e.Token != token:
			return fmt.Sprintf("got error %v about %q; want %q", err, e.Token, token)
		case c.Error != nil && c.Error.Message != "" && e.Message != c.Error.Message:
			return fmt.Sprintf("got message %q; want %q", e.Message, c.Error.Message)
		}
		return ""
	}
	if err != nil {
		return fmt.Sprintf("got error %v; want %s", err, c.Result)
	}
	if c.Undefined {
		if !IsUndefined(got) {
			return fmt.Sprintf("got %s; want undefined", show(got))
		}
		return ""
	}
	want := decode(t, c.Result)
	if c.Unordered {
		got, want = sorted(got), sorted(want)
	}
	ev := newEvaluator(context.Background(), MustCompile("1"), nil)
	if same, err := ev.equal(got, want, 0); err != nil || !same {
		return fmt.Sprintf("got %s; want %s", show(got), show(want))
	}
	return ""
}

func sorted(v any) any {
	items, ok := elements(v)
	if !ok {
		return v
	}
	items = slices.Clone(items)
	slices.SortFunc(items, func(a, b any) int { return strings.Compare(show(a), show(b)) })
	return items
}

func show(v any) string {
	if IsUndefined(v) {
		return "undefined"
	}
	b, err := AppendJSON(nil, v)
	if err != nil {
		return fmt.Sprintf("%T", v)
	}
	if len(b) > 300 {
		b = append(b[:300], "…"...)
	}
	return string(b)
}

// suiteFloor is how many cases of the suite must pass.
const suiteFloor = 1686

func TestSuite(t *testing.T) {
	t.Parallel()
	s := readSuite(t)
	leftOut := readLeftOut(t)
	passed := 0
	for _, c := range s.cases {
		problem := s.run(t, c, Options{})
		_, excused := leftOut[c.id]
		switch {
		case problem == "":
			passed++
			if excused {
				t.Errorf("%s passes, but is in testdata/left-out.json", c.id)
			}
		case !excused:
			t.Errorf("%s: %s: %s", c.id, c.Expr, problem)
		}
	}
	t.Logf("jsonata suite: %d/%d", passed, len(s.cases))
	if passed < suiteFloor {
		t.Errorf("%d cases pass, want at least %d", passed, suiteFloor)
	}
}

// readLeftOut returns the cases that do not pass, with the reason for each.
func readLeftOut(t testing.TB) map[string]string {
	t.Helper()
	reasons := map[string]string{}
	if err := json.Unmarshal(readFile(t, filepath.Join("testdata", "left-out.json")), &reasons); err != nil {
		t.Fatal(err)
	}
	return reasons
}
