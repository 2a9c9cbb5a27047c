package config

import (
	"fmt"
	"net/http"
	"strings"
)

// patternOfAnotherRouter finds a path segment that is a parameter for other routers, but
// plain text or an error for net/http. It also returns the form that net/http accepts.
func patternOfAnotherRouter(path string) (segment, write string) {
	for segment := range strings.SplitSeq(path, "/") {
		name, rest := "", false
		switch inner, wrapped := between(segment); {
		case strings.HasPrefix(segment, ":"): // Express, Rails, gin
			name = strings.TrimRight(segment[1:], "?*+")
			rest = strings.HasSuffix(segment, "*") || strings.HasSuffix(segment, "+")
		case strings.HasPrefix(segment, "*"): // gin, API Gateway's greedy paths in other tools
			name, rest = segment[1:], true
		case wrapped == "<>": // Flask: <int:id>
			name = inner[strings.LastIndexByte(inner, ':')+1:]
		case wrapped == "[]": // Next.js: [id], [...rest]
			name = strings.TrimPrefix(inner, "...")
			rest = name != inner
		case wrapped == "{}" && strings.ContainsAny(inner, ":?"): // chi, gorilla: {id:[0-9]+}
			name = inner[:strings.IndexAny(inner, ":?")]
		case wrapped == "{}" && strings.HasSuffix(inner, "+"): // API Gateway: {proxy+}
			name, rest = strings.TrimSuffix(inner, "+"), true
		case wrapped == "{}" && strings.HasPrefix(inner, "*"): // Spring: {*rest}
			name, rest = inner[1:], true
		default:
			continue
		}
		if !isVariableName(name) {
			name = "id"
			if rest {
				name = "rest"
			}
		}
		if rest {
			name += "..."
		}
		return segment, "{" + name + "}"
	}
	return "", ""
}

// between returns the part of a segment between its first and last character, and those
// two characters.
func between(segment string) (inner, wrapped string) {
	if len(segment) < 2 {
		return "", ""
	}
	return segment[1 : len(segment)-1], segment[:1] + segment[len(segment)-1:]
}

// A patterns finds conflicts between the patterns of routes.
type patterns struct {
	mux    *http.ServeMux
	routes []*Route
	texts  []string // the patterns of the routes
}

// Mux returns the ServeMux in which the patterns of these routes were checked for conflicts. It
// passes the route of a request to the method Found(*Route) of the response writer, and answers
// requests without a route itself. Mux returns nil if the routes were not checked together, or
// have changed since. Reusing the ServeMux matters, because registering hundreds of patterns
// takes a tenth of a cold start.
func Mux(routes []*Route) *http.ServeMux {
	var known *patterns
	n := 0
	for _, r := range routes {
		if r == nil || r.HTTP == nil {
			continue
		}
		if known == nil {
			known = r.HTTP.known
		}
		if known == nil || r.HTTP.known != known || n == len(known.routes) || known.routes[n] != r || known.texts[n] != r.HTTP.Pattern {
			return nil
		}
		n++
	}
	if known == nil || n != len(known.routes) {
		return nil
	}
	return known.mux
}

// A found route reports itself.
type found struct{ route *Route }

func (f found) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	if w, ok := w.(interface{ Found(r *Route) }); ok {
		w.Found(f.route)
	}
}

// add returns what is wrong with the pattern of a route, by itself or together with those
// that were added before.
func (p *patterns) add(r *Route) string {
	problem := register(p.mux, r.HTTP.Pattern, found{r})
	if problem == "" {
		p.routes, p.texts = append(p.routes, r), append(p.texts, r.HTTP.Pattern)
		r.HTTP.known = p
		return ""
	}
	for _, other := range p.routes {
		pair := http.NewServeMux()
		register(pair, other.HTTP.Pattern, found{})
		if why := register(pair, r.HTTP.Pattern, found{}); why != "" && register(http.NewServeMux(), r.HTTP.Pattern, found{}) == "" {
			return fmt.Sprintf("the pattern of route %s conflicts with that of route %s: %s", r.Name, other.Name, conflict(why))
		}
	}
	return problem
}

// conflict returns the reason from net/http's message about two conflicting patterns, on
// one line and without positions in Go source.
func conflict(message string) string {
	if _, reason, found := strings.Cut(message, "):\n"); found {
		message = reason
	}
	return strings.Join(strings.Fields(message), " ")
}

// register returns the fault that net/http finds in a pattern, which it reports by a
// panic.
func register(mux *http.ServeMux, pattern string, to http.Handler) (problem string) {
	defer func() {
		if p := recover(); p != nil {
			problem = strings.TrimPrefix(fmt.Sprint(p), "parsing ")
		}
	}()
	mux.Handle(pattern, to)
	return ""
}
