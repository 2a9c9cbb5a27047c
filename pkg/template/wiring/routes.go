package wiring

import (
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/template"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// The kinds of function, as the Handler of the layer names them.
const (
	webhook = sources.Webhook
	queue   = sources.Queue
	event   = sources.Event
)

// A route is one entry of routes, as it is written: its meaning depends on the
// environment of the function that runs it.
type route struct {
	node *template.Node
	pos  template.Pos
	name string
	kind string
	// source is the key that determined the kind.
	source string
}

// A Configuration is expressway.yaml with the places of its parts.
type Configuration struct {
	File   string
	routes []*route
	root   *template.Node
}

// NewConfiguration reads the file for its places; pkg/config reports mistakes in it.
func NewConfiguration(file string, source []byte) (*Configuration, error) {
	root, err := template.Parse(file, source)
	if err != nil {
		return nil, err
	}
	c := &Configuration{File: file, root: root}
	if routes := root.Get("routes"); routes != nil {
		for _, n := range routes.Items {
			r := &route{node: n, pos: n.Pos}
			if len(n.Members) > 0 {
				r.pos = n.Members[0].Key
			}
			if name := n.Get("name"); name != nil {
				r.name = name.Text
			}
			for _, s := range sources.All() {
				if n.Get(s.Key) != nil {
					r.kind, r.source = s.Function, s.Key
				}
			}
			c.routes = append(c.routes, r)
		}
	}
	return c, nil
}

// at returns the place of a key, or of the route.
func (r *route) at(path ...string) template.Pos {
	pos, n := r.pos, r.node
	for _, name := range path {
		m := n.Member(name)
		if m == nil {
			return pos
		}
		pos, n = m.Key, m.Value
	}
	return pos
}

func (r *route) text(path ...string) string {
	if n := r.node.Get(path...); n != nil {
		return n.Text
	}
	return ""
}

func (r *route) async() bool { return r.text("mode") == "async" }

// dedupes reports whether the route remembers deliveries.
func (r *route) dedupes() bool {
	n := r.node.Get("dedupe")
	return n != nil && (n.Kind != template.Bool || n.Text == "true")
}

// claim returns how long a delivery may be in progress.
func (r *route) claim() time.Duration {
	if d, err := time.ParseDuration(r.text("dedupe", "claim")); err == nil {
		return d
	}
	return 5 * time.Minute
}

// timeout returns the route's own timeout, or 0.
func (r *route) timeout() time.Duration {
	d, err := time.ParseDuration(r.text("timeout"))
	if err != nil {
		return 0
	}
	return d
}

// pattern returns the method and the path of an http route; the method is "" if the
// pattern takes all.
func (r *route) pattern() (method, path string) {
	h := config.HTTP{Pattern: r.text("http")}
	return h.Method(), h.Path()
}

// handshakes returns the methods, in addition to the route's own, by which senders ask
// for consent.
func (r *route) handshakes() []string {
	var methods []string
	preset, _ := verify.Lookup(r.text("verify", "provider"))
	if preset.Handshake != nil {
		methods = append(methods, preset.Handshake.Methods...)
	}
	if r.node.Get("cloudevents") != nil || r.node.Get("cors") != nil {
		methods = append(methods, "OPTIONS")
	}
	return methods
}

// secrets returns the references of verify, with their places.
func (r *route) secrets() []*template.Node {
	var out []*template.Node
	v := r.node.Get("verify")
	for _, key := range []string{"secrets", "token", "keys"} {
		n := v.Get(key)
		switch {
		case n == nil:
		case n.Kind == template.List:
			out = append(out, n.Items...)
		case n.Kind == template.String:
			out = append(out, n)
		case key == "keys" && n.Get("roots") != nil:
			out = append(out, n.Get("roots").Items...)
		}
	}
	return slices.DeleteFunc(out, func(n *template.Node) bool { return n.Kind != template.String })
}

// workKeys are the keys of an http route with queue that its queue function reads, and
// sharedKeys those that both functions read.
var (
	workKeys   = []string{"start", "mode", "timeout", "includedData", "catch", "concurrency", "deadLetterQueue", "retry"}
	sharedKeys = []string{"name", "queue", "dedupe"}
)

// accepts reports whether the route's deliveries are accepted into a queue.
func (r *route) accepts() bool { return r.kind == webhook && r.node.Get("queue") != nil }

// reads reports whether the function of a kind reads a key of the route.
func (r *route) reads(kind, key string) bool {
	return !r.accepts() || slices.Contains(sharedKeys, key) || slices.Contains(workKeys, key) == (kind == queue)
}

// scalars calls do for every text of the route that is not an expression, and that the
// function of a kind reads.
func (r *route) scalars(kind string, do func(*template.Node)) {
	var walk func(*template.Node)
	walk = func(n *template.Node) {
		if n.Kind == template.String && !strings.HasPrefix(strings.TrimSpace(n.Text), "{%") {
			do(n)
		}
		for _, item := range n.Items {
			walk(item)
		}
		for _, m := range n.Members {
			walk(m.Value)
		}
	}
	for _, m := range r.node.Members {
		if r.reads(kind, m.Name) {
			walk(m.Value)
		}
	}
}

// variables returns the names in ${NAME} of a text, without those that have a default.
func variables(text string) (names []string) {
	for {
		_, rest, found := strings.Cut(text, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return names
		}
		if !strings.Contains(name, ":-") {
			names = append(names, name)
		}
		text = after
	}
}

// expand replaces ${NAME} and ${NAME:-default} by the values in a function's environment.
func expand(n *template.Node, f *template.Function) *template.Value {
	if n == nil {
		return nil
	}
	if f == nil {
		return template.NotKnown(n.Pos, "the environment of the function")
	}
	var parts []*template.Value
	text := n.Text
	for {
		before, rest, found := strings.Cut(text, "${")
		parts = append(parts, template.Text(n.Pos, before))
		ref, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return template.Concat(n.Pos, parts...)
		}
		name, fallback, _ := strings.Cut(ref, ":-")
		v := f.Variable(name)
		switch s, known := v.String(); {
		case v == nil, known && s == "":
			if strings.Contains(ref, ":-") {
				v = template.Text(n.Pos, fallback)
			} else {
				v = template.NotKnown(n.Pos, "the variable "+name)
			}
		}
		parts = append(parts, v)
		text = after
	}
}
