package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A machines draws machines in which branches, iterations, tasks and catchers extend lists
// from outside.
type machines struct {
	t     *rapid.T
	names []string // the variables in scope
	n     int
}

// expression draws an expression.
func (g *machines) expression(also ...string) string {
	lists := append(append([]string{"$states.input.y", "$states.input"}, g.names...), also...)
	a, b := rapid.SampledFrom(lists).Draw(g.t, "a"), rapid.SampledFrom(lists).Draw(g.t, "b")
	text := rapid.SampledFrom([]string{
		"$append(A, 1)", "$append(A, 2.50)", "$append(A, $states.input.x)", "[A, 3]", "[4, A]", "$append({'n': 1.0}, A)", "$append(A, B)", "$append(B, [A])", "A", "[A, B]", "$append(A, [B])",
		"{'y': $append(A, 5), 'z': A, 'x': 1.50}", "{'y': $append(A, 6), 'z': $append(A, 7), 'x': [B]}", "$merge([$states.input, {'y': $append(A, 8)}])", "A[[0..30]]", "[1..20]", "($c := $append(A, 9); $append($c, $append(B, $c)))",
		"$append(A, $error('no'))", "$append(A, $states.context.Execution.Name)", "$append(A, {'y': B})", "A[0]", "$append($states.input.many, A)", "{'many': $states.input.many, 'y': A, 'x': B}", "$count(A)",
	}).Draw(g.t, "expression")
	text = strings.NewReplacer("A", a, "B", b).Replace(text)
	return "{% " + text + " %}"
}

var (
	// copied makes each expression copy its result, so that nothing is known of it.
	copied   = strings.NewReplacer("{% ", "{% $lookup($parse($string({'v': ", " %}", "})), 'v') %}")
	uncopied = strings.NewReplacer("$lookup($parse($string({'v': ", "", "})), 'v')", "")
	// entered is the number of an event, which depends on what runs concurrently.
	entered = regexp.MustCompile(`#\d+`)
)

func (g *machines) field(name string, also ...string) string {
	switch name {
	case "Assign":
		if rapid.Bool().Draw(g.t, "assigns") {
			v := rapid.SampledFrom(g.names).Draw(g.t, "variable")
			return fmt.Sprintf(`"Assign":{%q:%q},`, v[1:], g.expression(also...))
		}
	default:
		if rapid.Bool().Draw(g.t, name) {
			return fmt.Sprintf(`%q:%q,`, name, g.expression(also...))
		}
	}
	return ""
}

// flow draws the states of a flow, which has variables of its own.
func (g *machines) flow(depth, most int) string {
	outer := g.names
	defer func() { g.names = outer }()
	g.n++
	own := fmt.Sprintf("v%d", g.n)
	id := func(i int) string { return fmt.Sprintf("%sS%d", own, i) }
	var b strings.Builder
	fmt.Fprintf(&b, `{"StartAt":%q,"States":{`, id(0))
	fmt.Fprintf(&b, `%q:{"Type":"Pass","Assign":{"%s":"{%% [1..%d] %%}","%sw":"{%% [] %%}"},"Next":%q}`, id(0), own, rapid.SampledFrom([]int{2, 18, 70}).Draw(g.t, "items"), own, id(1))
	outerOnly := outer
	g.names = []string{"$" + own, "$" + own + "w"} // which it may assign
	all := append(append([]string{}, outerOnly...), g.names...)
	n := rapid.IntRange(1, most).Draw(g.t, "states")
	for i := 1; i <= n; i++ {
		kind := rapid.SampledFrom([]string{"Pass", "Pass", "Task", "Fails", "Parallel", "Map", "Wait"}).Draw(g.t, "kind")
		if depth == 0 && (kind == "Parallel" || kind == "Map") {
			kind = "Pass"
		}
		fmt.Fprintf(&b, `,%q:{`, id(i))
		switch kind {
		case "Pass":
			b.WriteString(`"Type":"Pass",` + g.field("Assign", all...) + g.field("Output", all...))
		case "Wait":
			b.WriteString(`"Type":"Wait","Seconds":1,` + g.field("Assign", all...) + g.field("Output", all...))
		case "Task":
			b.WriteString(`"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:echo",` + g.field("Arguments", all...) + g.field("Assign", append(all, "$states.result")...) + g.field("Output", append(all, "$states.result.y")...))
		case "Fails":
			b.WriteString(`"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:fail",` + g.field("Arguments", all...) + `"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":2}],"Catch":[{"ErrorEquals":["States.ALL"],` + g.field("Assign", all...) + g.field("Output", all...) + fmt.Sprintf(`"Next":%q}],`, id(i+1)))
		case "Parallel":
			was := g.names
			g.names = all
			b.WriteString(`"Type":"Parallel","Branches":[` + g.flow(depth-1, 4) + `,` + g.flow(depth-1, 4) + `],`)
			g.names = was
			b.WriteString(g.field("Assign", append(all, "$states.result", "$states.result[0]")...) + g.field("Output", append(all, "$states.result")...))
		case "Map":
			was := g.names
			g.names = all
			selector := ""
			if rapid.Bool().Draw(g.t, "selector") {
				selector = fmt.Sprintf(`"ItemSelector":{"y":%q,"x":"{%% $states.context.Map.Item.Value %%}"},`, g.expression())
			}
			b.WriteString(`"Type":"Map","Items":"{% [1..3] %}",` + selector + `"ItemProcessor":` + g.flow(depth-1, 4) + `,`)
			g.names = was
			b.WriteString(g.field("Assign", append(all, "$states.result", "$states.result[1]")...) + g.field("Output", append(all, "$states.result")...))
		}
		fmt.Fprintf(&b, `"Next":%q}`, id(i+1))
	}
	fmt.Fprintf(&b, `,%q:{"Type":"Succeed"}}}`, id(n+1))
	return b.String()
}

// watched holds values with the text that they had.
type watched struct {
	mu     sync.Mutex
	values []any
	texts  []string
}

func (w *watched) add(v any) {
	text, err := jsonata.AppendJSON(nil, v)
	if err != nil {
		panic(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.values, w.texts = append(w.values, v), append(w.texts, string(text))
}

// RunTask implements [TaskRunner].
func (w *watched) RunTask(_ context.Context, task Task) (any, error) {
	w.add(task.Parameters)
	if strings.HasSuffix(task.Resource, ":fail") {
		return nil, &Error{Name: "E", Cause: "fails"}
	}
	o := jsonata.NewObject(2)
	o.Set("x", json.Number("7.50"))
	o.Set("y", task.Parameters)
	return o, nil
}

// Branches, iterations, attempts and catchers that extend the same lists have the same result
// as with copies, and do not change the values that a task or the history was given.
func TestKnownValuesInNestedFlows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		g := &machines{t: t}
		definition := `{"QueryLanguage":"JSONata",` + g.flow(2, 16)[1:]
		var results [2]string
		for i, definition := range []string{definition, copied.Replace(definition)} {
			m, err := Parse([]byte(definition))
			if err != nil {
				t.Fatalf("%s: %v", definition, err)
			}
			var w watched
			at := time.Unix(1, 0)
			result := m.Run(t.Context(), Environment{
				Tasks: &w, Now: func() time.Time { return at }, Sleep: func(context.Context, time.Duration) error { return nil }, Observe: func(e Event) {
					for _, v := range []any{e.Input, e.Output} {
						if v != nil {
							w.add(v)
						}
					}
					if e.Assigned != nil {
						w.add(e.Assigned)
					}
				},
			}, Execution{Input: []byte(`{"x":1.0,"y":[],"many":[` + strings.Repeat("1.50,", 2*plainFrom) + `1]}`)})
			results[i] = entered.ReplaceAllString(uncopied.Replace(fmt.Sprint(result.Status, result.Error, string(result.Output))), "#")
			for j, v := range w.values {
				if text, _ := jsonata.AppendJSON(nil, v); string(text) != w.texts[j] {
					t.Fatalf("%s: %s is now %s", definition, w.texts[j], text)
				}
			}
		}
		if results[0] != results[1] {
			t.Fatalf("%s: the result is\n%s\nand with copies\n%s", definition, results[0], results[1])
		}
	})
}
