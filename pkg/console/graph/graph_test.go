package graph_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/console/graph"
)

var update = flag.Bool("update", false, "write the golden files")

// parse reads a definition of testdata or of the sample.
func parse(t testing.TB, text string) *graph.Graph {
	t.Helper()
	g, err := graph.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Equal definitions have equal drawings, whatever draws them.
func TestGolden(t *testing.T) {
	t.Parallel()
	files := []string{"testdata/all.asl.json"}
	samples, _ := filepath.Glob("../../../statemachines/*.asl.json")
	for _, file := range append(files, samples...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		overlay := graph.Overlay{}
		if strings.Contains(file, "all.asl") {
			overlay = graph.Overlay{
				States: map[string]graph.State{
					"Validate": {Status: "succeeded", Succeeded: 1}, "Kind?": {Status: "succeeded", Succeeded: 1},
					"Fetch all": {Status: "failed", Failed: 1}, "Get one": {Status: "failed", Succeeded: 2, Failed: 1},
				},
				Taken: map[[2]string]bool{{"Validate", "Kind?"}: true, {"Kind?", "Fetch all"}: true},
			}
		}
		name := strings.TrimSuffix(filepath.Base(file), ".asl.json")
		for format, got := range map[string]string{
			"svg":     parse(t, string(text)).SVG(overlay, true),
			"mermaid": parse(t, string(text)).Mermaid(),
			"dot":     parse(t, string(text)).DOT(),
		} {
			golden := filepath.Join("testdata", name+"."+format)
			if *update {
				if err := os.WriteFile(golden, []byte(strings.ReplaceAll(got, "><", ">\n<")), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), strings.ReplaceAll(got, "><", ">\n<")); diff != "" {
				t.Errorf("%s (-want +got; -update writes it):\n%s", golden, diff)
			}
		}
	}
}

// A drawing shows what a definition says: conditions, errors, retries, what tasks call.
func TestLabels(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/all.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	drawn := parse(t, string(text)).SVG(graph.Overlay{}, false)
	for _, want := range []string{
		`$.kind = &#34;a&#34;`, "$.n &gt; 3", "$.ready = true", "otherwise", "States.ALL", "↻5", "lambda:invoke", "Wait · 30 s", "Fail · OrderRejected", "dynamodb:getItem",
		`class="edge catch"`, `aria-label="Parallel state Both"`,
	} {
		if !strings.Contains(drawn, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(drawn, "<style") {
		t.Error("a part of a page has an inline style, which the page's policy refuses")
	}
	for rule, want := range map[string]string{
		`{"Not":{"Variable":"$.a","IsPresent":true},"Next":"B"}`:                                                   "not ($.a is present)",
		`{"Variable":"$.a","IsNull":false,"Next":"B"}`:                                                             "$.a is not null",
		`{"Or":[{"Variable":"$.a","StringMatches":"x*"},{"Variable":"$.b","NumericLessThanEquals":2}],"Next":"B"}`: `$.a like "x*" or $.b ≤ 2`,
		`{"Variable":"$.a","StringEqualsPath":"$.b","Next":"B"}`:                                                   `$.a = "$.b"`,
		`{"Condition":"{% $states.input.n > 1 %}","Next":"B"}`:                                                     "$states.input.n > 1",
	} {
		g := parse(t, `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[`+rule+`]},"B":{"Type":"Succeed"}}}`)
		if got := g.Edges[0].Labels[0]; got != want {
			t.Errorf("%s: %q, want %q", rule, got, want)
		}
	}
}

// chain is a machine of n states with choices back and ahead.
func chain(n int) string {
	var b strings.Builder
	b.WriteString(`{"StartAt":"S0","States":{`)
	for i := range n {
		fmt.Fprintf(&b, `"S%d":{"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":%d,"Next":"S%d"},{"Variable":"$.b","NumericEquals":1,"Next":"S%d"}],"Default":"S%d"},`,
			i, i, (i*7+3)%n, max(i-3, 0), min(i+1, n))
	}
	fmt.Fprintf(&b, `"S%d":{"Type":"Succeed"}}}`, n)
	return b.String()
}

// Five hundred states are drawn in a second, also where every one leads everywhere.
func TestLarge(t *testing.T) {
	t.Parallel()
	g := parse(t, chain(500))
	began := time.Now()
	drawn := g.SVG(graph.Overlay{}, true)
	took := time.Since(began)
	t.Logf("500 states, 1500 edges: %s, %d bytes", took, len(drawn))
	if took > 20*time.Second { // a machine that does much else is slow, and a square is slower
		t.Errorf("took %s", took)
	}
}

// Whatever names and labels are, the drawing is well-formed XML in which they are text.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	const evil = `</text><script>alert(1)</script>\"'&\u0000`
	g := parse(t, `{"StartAt":"`+evil+`","States":{"`+evil+`":{"Type":"Task","Resource":"`+evil+`","Retry":[{"ErrorEquals":["`+evil+`"],"MaxAttempts":1e99}],"Catch":[{"ErrorEquals":["`+evil+`"],"Next":"B"}],"Next":"B"},"B":{"Type":"`+evil+`","End":true}}}`)
	drawn := g.SVG(graph.Overlay{States: map[string]graph.State{"B": {Status: "failed"}}}, true)
	if strings.Contains(drawn, "<script") || strings.Contains(drawn, "\x00") {
		t.Error("a name is markup")
	}
	wellFormed(t, drawn)
	if m := g.Mermaid(); strings.Contains(m, "<script") || strings.Count(m, "\n") != strings.Count(g.Mermaid(), "\n") {
		t.Errorf("mermaid: %s", m)
	}
}

func wellFormed(t testing.TB, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%.2000s", err, text)
		}
	}
}

// Every definition that can be read is drawn in bounded time, well-formed and the same each
// time.
func FuzzDraw(f *testing.F) {
	all, err := os.ReadFile("testdata/all.asl.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(all))
	f.Add(chain(5))
	f.Add(`{"StartAt":1,"States":{"A":[],"B":{"Next":"B","Type":"Map","Iterator":{"States":{"A":{"Next":"A"}}}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 20000 {
			return
		}
		g, err := graph.Parse([]byte(text))
		if err != nil {
			return
		}
		drawn := g.SVG(graph.Overlay{}, true)
		wellFormed(t, drawn)
		again, _ := graph.Parse([]byte(text))
		if again.SVG(graph.Overlay{}, true) != drawn || again.DOT() != g.DOT() {
			t.Error("the same definition is drawn in two ways")
		}
		g.Mermaid()
	})
}
