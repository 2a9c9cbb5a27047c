package graph_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/console/graph"
)

// An area is a state or a label of a drawing.
type area struct {
	name       string
	x, y, w, h float64
	label      bool
	within     []*area // the states that it is inside of
}

func (a *area) String() string {
	return fmt.Sprintf("%q (%.0f,%.0f %.0f×%.0f)", a.name, a.x, a.y, a.w, a.h)
}

// overlaps reports whether areas have more than a border in common.
func (a *area) overlaps(b *area) bool {
	const border = 0.5
	return a.x+border < b.x+b.w && b.x+border < a.x+a.w && a.y+border < b.y+b.h && b.y+border < a.y+a.h
}

// holds reports whether a part of a line from a place to the next one is in an area.
func (a *area) holds(from, to [2]float64) bool {
	const border = 0.5
	return max(from[0], to[0]) > a.x+border && min(from[0], to[0]) < a.x+a.w-border && max(from[1], to[1]) > a.y+border && min(from[1], to[1]) < a.y+a.h-border
}

// A line is an edge of a drawing: its pieces, straight or curved, as places on them.
type line struct {
	from, to string
	pieces   [][][2]float64
	within   []*area
}

// A picture is what a drawing shows, by the numbers that are written into it.
type picture struct {
	width, height float64
	areas         []*area
	lines         []*line
}

var numbers = regexp.MustCompile(`-?[\d.]+`)

func floats(t testing.TB, text string) []float64 {
	t.Helper()
	var list []float64
	for _, n := range numbers.FindAllString(text, -1) {
		f, err := strconv.ParseFloat(n, 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

// look reads a drawing.
func look(t testing.TB, drawn string) *picture {
	t.Helper()
	type scope struct {
		x, y   float64
		class  string
		state  string
		within []*area
		path   *line
	}
	p := &picture{}
	stack := []scope{{}}
	decoder := xml.NewDecoder(strings.NewReader(drawn))
	var last *area // the state that was drawn last, which a group after it may be inside of
	title := ""
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return p
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			attributes := map[string]string{}
			for _, a := range e.Attr {
				attributes[a.Name.Local] = a.Value
			}
			s := stack[len(stack)-1]
			number := func(name string) float64 { return floats(t, attributes[name])[0] }
			switch class := attributes["class"]; {
			case e.Name.Local == "svg":
				p.width, p.height = number("width"), number("height")
			case e.Name.Local == "g":
				if by := floats(t, attributes["transform"]); len(by) == 2 && s.class == "" {
					if len(stack) > 2 {
						s.within = append(slices.Clone(s.within), last)
					}
					s.x, s.y = s.x+by[0], s.y+by[1]
				}
				s.class, s.state = class, attributes["data-state"]
			case e.Name.Local == "rect":
				a := &area{s.state, s.x + number("x"), s.y + number("y"), number("width"), number("height"), strings.HasPrefix(s.class, "label"), s.within}
				p.areas = append(p.areas, a)
				if a.label {
					a.name = title
				} else {
					last = a
				}
			case e.Name.Local == "path" && strings.HasPrefix(class, "edge"):
				s.path = &line{pieces: trace(t, s.x, s.y, attributes["d"]), within: s.within}
				p.lines = append(p.lines, s.path)
			}
			stack = append(stack, s)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			title = string(e)
			if path := stack[len(stack)-1].path; path != nil && path.from == "" {
				path.from, path.to, _ = strings.Cut(title, " → ")
			}
		}
	}
}

var commands = regexp.MustCompile(`[MLCQV][^MLCQV]*`)

// trace returns places on the pieces of a path, about every six pixels.
func trace(t testing.TB, dx, dy float64, d string) (pieces [][][2]float64) {
	t.Helper()
	var at [2]float64
	for _, command := range commands.FindAllString(d, -1) {
		n := floats(t, command)
		if command[0] == 'V' {
			n = []float64{at[0], n[0]}
		}
		points := [][2]float64{at}
		for i := 0; i < len(n); i += 2 {
			points = append(points, [2]float64{n[i], n[i+1]})
		}
		at = points[len(points)-1]
		if command[0] == 'M' {
			continue
		}
		length := 0.0
		for i := 1; i < len(points); i++ {
			length += abs(points[i][0]-points[i-1][0]) + abs(points[i][1]-points[i-1][1])
		}
		steps := int(length/6) + 1
		if len(points) == 2 { // straight, along an axis
			if points[0][0] != points[1][0] && points[0][1] != points[1][1] {
				t.Errorf("%s is oblique", command)
			}
			steps = 1
		}
		var places [][2]float64
		for s := range steps + 1 {
			between := slices.Clone(points)
			for k := len(between) - 1; k > 0; k-- { // De Casteljau's
				for i := range k {
					for c := range 2 {
						between[i][c] += (between[i+1][c] - between[i][c]) * float64(s) / float64(steps)
					}
				}
			}
			places = append(places, [2]float64{between[0][0] + dx, between[0][1] + dy})
		}
		pieces = append(pieces, places)
	}
	return pieces
}

func abs(x float64) float64 { return max(x, -x) }

// faults says what of a picture covers what it must not.
func (p *picture) faults() (list []string) {
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	byTop := slices.Clone(p.areas)
	slices.SortFunc(byTop, func(a, b *area) int { return int(a.y - b.y) })
	for i, a := range byTop {
		if a.x < 0 || a.y < 0 || a.x+a.w > p.width || a.y+a.h > p.height {
			say("%s is outside the drawing of %.0f×%.0f", a, p.width, p.height)
		}
		for _, outer := range a.within {
			if a.x < outer.x || a.y < outer.y || a.x+a.w > outer.x+outer.w || a.y+a.h > outer.y+outer.h {
				say("%s sticks out of %s", a, outer)
			}
		}
		for _, b := range byTop[i+1:] {
			if b.y > a.y+a.h {
				break
			}
			if a.overlaps(b) && !slices.Contains(a.within, b) && !slices.Contains(b.within, a) {
				say("%s covers %s", a, b)
			}
		}
	}
	for _, l := range p.lines {
		own := map[*area]bool{} // the labels on it
		for _, piece := range l.pieces {
			near := l.near(piece, byTop)
			for i, place := range piece[1:] {
				if place[0] < 0 || place[1] < 0 || place[0] > p.width || place[1] > p.height {
					say("the edge from %s to %s leaves the drawing", l.from, l.to)
					break
				}
				for _, a := range near {
					if !a.holds(piece[i], place) || own[a] {
						continue
					}
					if own[a] = true; !a.label {
						say("the edge from %s to %s passes through %s", l.from, l.to, a)
					}
				}
			}
		}
		labels := 0
		for a := range own {
			if a.label {
				labels++
			}
		}
		if labels > 1 {
			say("the edge from %s to %s passes through %d labels", l.from, l.to, labels)
		}
	}
	return list
}

// near are the areas that a piece of a line may pass through.
func (l *line) near(piece [][2]float64, areas []*area) (near []*area) {
	least, most := piece[0], piece[0]
	for _, place := range piece {
		for c := range 2 {
			least[c], most[c] = min(least[c], place[c]), max(most[c], place[c])
		}
	}
	for _, a := range areas {
		if a.x < most[0] && a.x+a.w > least[0] && a.y < most[1] && a.y+a.h > least[1] && !slices.Contains(l.within, a) {
			near = append(near, a)
		}
	}
	return near
}

func hold(t testing.TB, name, definition string) *picture {
	t.Helper()
	g := parse(t, definition)
	p := look(t, g.SVG(graph.Overlay{}, false))
	for i, fault := range p.faults() {
		if i < 5 {
			t.Errorf("%s: %s", name, fault)
		}
	}
	if len(p.lines) == 0 || len(p.areas) == 0 {
		t.Errorf("%s: nothing was drawn", name)
	}
	return p
}

// In published state machines, nothing is covered by anything else.
func TestRoomInMachines(t *testing.T) {
	t.Parallel()
	samples, _ := filepath.Glob("../../../statemachines/*.asl.json")
	for _, file := range append(samples, "testdata/all.asl.json") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hold(t, file, string(text))
	}
	hold(t, "a chain", chain(120)) // with edges beside the ranks
	files, err := filepath.Glob(filepath.Join(shared.Path(t, "machines"), "*.json"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		var m struct{ Definition json.RawMessage }
		if err := json.Unmarshal(shared.Read(t, "machines", filepath.Base(file)), &m); err != nil {
			t.Fatal(err)
		}
		if len(m.Definition) == 0 {
			continue
		}
		p := hold(t, filepath.Base(file), string(m.Definition))
		if p.width > 1150 {
			t.Logf("%s is %.0f wide", filepath.Base(file), p.width)
		}
	}
}

// states draws the states of a machine, or of what is inside a state.
func states(t *rapid.T, prefix string, depth int) map[string]any {
	n := rapid.IntRange(1, 9-3*depth).Draw(t, "states")
	name := func(i int) string { return fmt.Sprintf("%s%d", prefix, i) }
	texts := rapid.SampledFrom([]string{"a", "$.order.status", "a condition of some length which fills lines", "注文の状態を確認する", "States.ALL"})
	some := func() string { return name(rapid.IntRange(0, n-1).Draw(t, "to")) }
	all := map[string]any{}
	for i := range n {
		s := map[string]any{"Next": some()}
		switch rapid.IntRange(0, 5).Draw(t, "type") {
		case 0:
			var rules []any
			for range rapid.IntRange(1, 8).Draw(t, "rules") {
				rules = append(rules, map[string]any{"Condition": texts.Draw(t, "condition"), "Next": some()})
			}
			s = map[string]any{"Type": "Choice", "Choices": rules, "Default": some()}
		case 1:
			s["Type"], s["Resource"] = "Task", texts.Draw(t, "resource")
			s["Catch"] = []any{map[string]any{"ErrorEquals": []any{texts.Draw(t, "error")}, "Next": some()}, map[string]any{"ErrorEquals": []any{"b"}, "Next": some()}}
			s["Retry"] = []any{map[string]any{"ErrorEquals": []any{"c"}}}
		case 2:
			s = map[string]any{"Type": "Task", "Resource": "r", "End": true, "Catch": []any{map[string]any{"ErrorEquals": []any{"d"}, "Next": some()}}}
		case 3:
			s["Type"] = "Pass"
			if depth < 2 {
				var branches []any
				for b := range rapid.IntRange(1, 3).Draw(t, "branches") {
					branches = append(branches, states(t, fmt.Sprintf("%s%d%c", prefix, i, 'a'+b), depth+1))
				}
				s["Type"], s["Branches"] = "Parallel", branches
			}
		case 4:
			s["Type"] = "Succeed"
			delete(s, "Next")
		default:
			s["Type"] = "Pass"
		}
		all[name(i)] = s
	}
	return map[string]any{"StartAt": name(0), "States": all}
}

// Whatever a state machine is, no label covers a label or a state, no state covers
// another, and no edge passes through a state, or through another edge's label.
func TestRoom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text, err := json.Marshal(states(r, "S", 0))
		if err != nil {
			t.Fatal(err)
		}
		g, err := graph.Parse(text)
		if err != nil {
			r.Fatal(err)
		}
		for _, fault := range look(t, g.SVG(graph.Overlay{}, false)).faults() {
			r.Errorf("%s\n%s", fault, text)
		}
	})
}

// A fault is noticed: two states at one place, a label on a state, an edge across both.
func TestRoomIsMissed(t *testing.T) {
	t.Parallel()
	p := look(t, `<svg width="200" height="200"><g transform="translate(10 10)">
<path class="edge next" d="M0 0C0 50 100 50 100 100V180"><title>A → B</title></path>
<g class="node" data-state="A"><rect x="40" y="30" width="40" height="40"/></g>
<g class="node" data-state="B"><rect x="60" y="60" width="40" height="40"/></g>
<g class="label next"><title>x</title><rect x="90" y="90" width="40" height="20"/></g>
<g class="label next"><title>y</title><rect x="90" y="150" width="40" height="20"/></g></g></svg>`)
	faults := strings.Join(p.faults(), "\n")
	for _, want := range []string{`"A" (50,40 40×40) covers "B"`, `covers "x"`, "A to B passes through \"A\"", "passes through 2 labels"} {
		if !strings.Contains(faults, want) {
			t.Errorf("no %s in\n%s", want, faults)
		}
	}
}
