package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/expressway-dev/expressway/internal/jsonataprograms"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A source makes cases: most from the grammar, some from random pieces of it, some programs
// with nested loops and, if the official suite is available, some from its expressions.
type source struct {
	gen   generator
	suite []testCase
}

func newSource(seed uint64) *source {
	return &source{gen: generator{r: rand.New(rand.NewPCG(seed, 1))}}
}

func (s *source) next() testCase {
	g := &s.gen
	g.dialect = g.chance(35)
	c := testCase{dialect: g.dialect}
	switch n := g.n(100); {
	case n < 8:
		c.expr, c.input = s.soup(), g.document()
	case n < 35 && len(s.suite) > 0:
		from := s.suite[g.n(len(s.suite))]
		c.expr, c.input = s.vary(from.expr), from.input
	case n < 40:
		c.expr, c.input = s.vary(g.expression()), g.document()
	case n < 50:
		c.dialect = false // programs begin with the input
		c.expr, c.input = "("+jsonataprograms.Variables+jsonataprograms.Fixed(jsonataprograms.Draw(g.n))+")", json.RawMessage(programDocument)
	case n < 65:
		c.expr, c.input = g.special(), g.document()
	case n < 70:
		c.expr, c.input = s.vary(g.special()), g.document()
	default:
		c.expr, c.input = g.expression(), g.document()
	}
	if strings.Contains(c.expr, "$eval") {
		c.dialect = false // Step Functions does not have it
	}
	if c.dialect {
		c.expr = "$d.(" + c.expr + ")"
	}
	return c
}

// programDocument is the document of programs, with numbers as the reference writes them.
var programDocument = func() []byte {
	text, err := plainNumbers([]byte(jsonataprograms.Document))
	if err != nil {
		panic(err) // a constant
	}
	return text
}()

// pieces are tokens of the grammar.
var pieces = strings.Fields(`. [ ] { } ( ) , @ # ; : ? + - * / % | = < > ^ & ! ~ .. := != >= <= ** ~> ?: ?? and or in true false null
	a b list deep n s $ $$ $x $i $sum $count $map $string function λ 0 1 2.5 1e3 -1 "a" 'b' "\u0061" "x\q" "y /* /*c*/ /a/ /b/i // ` + "`c` `d")

func (s *source) soup() string {
	g := &s.gen
	var b strings.Builder
	for range 1 + g.n(8) {
		b.WriteString(pick(g, pieces...))
		b.WriteString(pick(g, "", "", " "))
	}
	return b.String()
}

var tokens = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|` + "`[^`]*`" + `|\$?[\pL_][\pL\d_]*|\d+(?:\.\d+)?|\s+|\.\.|:=|!=|<=|>=|~>|\*\*|\?\?|\?:|(?s:.)`)

// vary changes an expression by a token or a few.
func (s *source) vary(expr string) string {
	g := &s.gen
	parts := tokens.FindAllString(expr, -1)
	if len(parts) == 0 || len(parts) > 300 {
		return expr
	}
	for range 1 + g.n(3) {
		i := g.n(len(parts))
		switch g.n(5) {
		case 0:
			parts[i] = ""
		case 1:
			parts[i] = pick(g, pieces...)
		case 2:
			parts[i] = parts[g.n(len(parts))]
		case 3:
			parts[i] += " " + pick(g, pieces...)
		case 4:
			parts[i] = "(" + g.expr(wantAny, 1) + ")"
		}
	}
	return strings.Join(parts, "")
}

// notVaried matches functions whose result differs each time, and expressions that take the
// reference too long.
var notVaried = regexp.MustCompile(`\$(now|millis|random|shuffle)|1e[4-9]|\d{5}|\\u[dD][89a-fA-F]`)

// readSuite reads the cases of the official suite.
func readSuite(dir string) ([]testCase, error) {
	files, err := filepath.Glob(filepath.Join(dir, "groups", "*", "*.json"))
	if err != nil {
		return nil, err
	}
	var cases []testCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
			text = []byte("[" + string(text) + "]")
		}
		var list []struct {
			Expr    string
			Data    json.RawMessage
			Dataset *string
		}
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, e := range list {
			c := testCase{expr: e.Expr, input: e.Data}
			if e.Dataset != nil {
				if c.input, err = os.ReadFile(filepath.Join(dir, "datasets", *e.Dataset+".json")); err != nil {
					return nil, err
				}
			}
			if len(c.input) == 0 {
				c.input = json.RawMessage("null")
			}
			if c.input, err = plainNumbers(c.input); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if len(c.input) < 20_000 && e.Expr != "" && !notVaried.MatchString(e.Expr) {
				cases = append(cases, c)
			}
		}
	}
	return cases, nil
}

// plainNumbers writes JSON text with numbers as JavaScript writes them: the reference
// loses the digits that we keep.
func plainNumbers(text []byte) ([]byte, error) {
	v, err := jsonata.Decode(text)
	if err != nil {
		return nil, err
	}
	return jsonata.AppendJSON(nil, plain(v))
}

func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return f
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case *jsonata.Object:
		for i := range v.Len() {
			k, e := v.At(i)
			v.Set(k, plain(e))
		}
	}
	return v
}
