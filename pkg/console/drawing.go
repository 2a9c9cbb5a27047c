package console

import (
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/expressway-dev/expressway/pkg/console/graph"
)

// overlay returns what an execution did, for its drawing.
func overlay(visits []Visit) *graph.Overlay {
	o := &graph.Overlay{States: map[string]graph.State{}, Taken: map[[2]string]bool{}}
	names := make(map[int64]string, len(visits))
	for _, v := range visits {
		names[v.ID] = v.State
		s := o.States[v.State]
		s.Status = v.Status
		switch v.Status {
		case "running":
			s.Running++
		case "failed":
			s.Failed++
		default:
			s.Succeeded++
		}
		// Of several iterations, the failed one is the most interesting.
		if s.Failed > 0 {
			s.Status = "failed"
		} else if s.Running > 0 {
			s.Status = "running"
		}
		o.States[v.State] = s
		if from := names[v.From]; from != "" {
			o.Taken[[2]string{from, v.State}] = true
		}
	}
	return o
}

// drawing returns the graph of a definition as part of a page.
func drawing(definition string, o *graph.Overlay) template.HTML {
	g, err := graph.Parse([]byte(definition))
	if err != nil {
		return template.HTML(`<p class="none">` + template.HTMLEscapeString(err.Error()) + "</p>") //nolint:gosec // escaped
	}
	if o == nil {
		o = &graph.Overlay{}
	}
	return template.HTML(g.SVG(*o, false)) //nolint:gosec // the package escapes names
}

// stateNames are the names of a definition's states, also of those inside others, in the
// order of the drawing.
func stateNames(definition string) []string {
	g, err := graph.Parse([]byte(definition))
	if err != nil {
		return nil
	}
	var names []string
	var walk func(g *graph.Graph)
	walk = func(g *graph.Graph) {
		for _, n := range g.Nodes {
			names = append(names, n.Name)
			for _, inside := range n.Inside {
				walk(inside)
			}
		}
	}
	walk(g)
	return names
}

// graphStyle gives drawings the colours of pages.
const graphStyle = `.graph{font:inherit}` + graph.Shapes

func (c *Console) graphRoutes() {
	c.files["graph.css"] = asset{[]byte(graphStyle), "text/css; charset=utf-8"}
	c.endpoint(http.MethodGet, "api/machines/{name}/graph", func(w http.ResponseWriter, r *http.Request) {
		m, err := c.machine(r)
		if err != nil {
			c.problem(w, err)
			return
		}
		c.draw(w, r, m.Definition, graph.Overlay{})
	})
	c.endpoint(http.MethodGet, "api/executions/{id}/graph", func(w http.ResponseWriter, r *http.Request) {
		e, err := c.execution(r)
		if err != nil {
			c.problem(w, err)
			return
		}
		c.draw(w, r, e.definition, *overlay(e.Visits()))
	})
}

// draw answers with a drawing in the format that the query asks for.
func (c *Console) draw(w http.ResponseWriter, r *http.Request, definition string, o graph.Overlay) {
	g, err := graph.Parse([]byte(definition))
	if err != nil {
		c.problem(w, err)
		return
	}
	kind, text := "image/svg+xml", ""
	switch r.URL.Query().Get("format") {
	case "", "svg":
		// A drawing that is opened on its own contains its colours.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
		text = g.SVG(o, true)
	case "mermaid":
		kind, text = "text/plain; charset=utf-8", g.Mermaid()
	case "dot":
		kind, text = "text/plain; charset=utf-8", g.DOT()
	default:
		c.problem(w, refusal{http.StatusBadRequest, "the format must be svg, mermaid or dot"})
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(c.o.Secrets.blank([]byte(text)))
}

// A bar is one visit in a timeline.
type bar struct {
	Visit
	// From and Wide are where it begins and how wide it is, in percent of the timeline.
	From, Wide string
	Took       string
}

// timeline places visits between the first state's beginning and the end.
func timeline(e Execution, visits []Visit, now time.Time) (bars []bar, total string) {
	if len(visits) == 0 {
		return nil, ""
	}
	begin := visits[0].Entered // the time before that belongs to no state
	end := begin
	for _, v := range visits {
		if v.Left != nil && v.Left.After(end) {
			end = *v.Left
		}
		if v.Entered.After(end) {
			end = v.Entered
		}
	}
	switch {
	case e.Stopped == nil && now.After(end):
		end = now
	case e.Stopped != nil && e.Stopped.After(end):
		end = *e.Stopped
	}
	span := max(end.Sub(begin), time.Microsecond)
	const least = 0.6 // the least that can be seen
	for _, v := range visits {
		left := end
		if v.Left != nil {
			left = *v.Left
		}
		from := 100 * float64(v.Entered.Sub(begin)) / float64(span)
		wide := max(100*float64(left.Sub(v.Entered))/float64(span), least)
		from = min(max(from, 0), 100-least)
		bars = append(bars, bar{v, fmt.Sprintf("%.2f%%", from), fmt.Sprintf("%.2f%%", min(wide, 100-from)), duration(left.Sub(v.Entered))})
	}
	return bars, duration(end.Sub(begin))
}
