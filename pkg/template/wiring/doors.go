package wiring

import (
	"fmt"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/template"
)

// checkDoors finds requests that are not let through, and answers that arrive too late.
func (k *checker) checkDoors(m *member) {
	var doors []*template.Door
	for _, d := range k.doors {
		if k.of(d.Function) == m {
			doors = append(doors, d)
		}
	}
	k.checkDoorTimeouts(m, doors)
	if len(doors) == 0 {
		return // the API may belong to another stack
	}
	bases := []string{""}
	if n := k.configuration.root.Get("basePaths"); n != nil {
		for _, item := range n.Items {
			bases = append(bases, item.Text)
		}
	}
	for _, r := range m.routes {
		method, path := r.pattern()
		if i := strings.IndexByte(path, '/'); i > 0 {
			path = path[i:] // a pattern may begin with a host
		}
		if !through(doors, bases, method, path) {
			k.add(Error, "door-missing", r.at("http"),
				fmt.Sprintf("no API event of %s lets %s through", m.ID, strings.TrimSpace(method+" "+path)),
				fmt.Sprintf("Add an event with Path: %s and Method: %s to Events of %s (%s)", apiPath(path), orAny(method), m.ID, m.Pos))
			continue
		}
		for _, handshake := range r.handshakes() {
			if handshake == "OPTIONS" && onlyHTTPAPIs(doors) {
				continue // an HTTP API with CORS answers it itself
			}
			if method != "" && method != handshake && !through(doors, bases, handshake, path) {
				k.add(Error, "door-missing", r.at("http"),
					fmt.Sprintf("the sender of the route %s asks for consent by %s, and no API event of %s accepts %s %s", r.name, handshake, m.ID, handshake, path),
					fmt.Sprintf("Add an event with Path: %s and Method: %s to Events of %s (%s)", apiPath(path), handshake, m.ID, m.Pos))
			}
		}
	}
}

func onlyHTTPAPIs(doors []*template.Door) bool {
	for _, d := range doors {
		if d.Kind != "http-api" {
			return false
		}
	}
	return true
}

func orAny(method string) string {
	if method == "" {
		return "ANY"
	}
	return method
}

// apiPath returns a path of a route in the syntax of API Gateway.
func apiPath(path string) string {
	path = strings.ReplaceAll(path, "{$}", "")
	return strings.ReplaceAll(path, "...}", "+}")
}

func through(doors []*template.Door, bases []string, method, path string) bool {
	for _, d := range doors {
		if !letsMethod(d.Method, method) {
			continue
		}
		door, known := d.Path.String()
		if d.Path == nil || !known {
			return true
		}
		for _, base := range bases {
			if covers(segments(door), segments(strings.TrimSuffix(base, "/")+path)) {
				return true
			}
		}
	}
	return false
}

func letsMethod(v *template.Value, method string) bool {
	s, known := v.String()
	s = strings.ToUpper(s)
	return v == nil || !known || s == "ANY" || s == "*" || s == "X-AMAZON-APIGATEWAY-ANY-METHOD" || method == "" || s == method || s == "$DEFAULT"
}

func segments(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// covers reports whether some request matches both a door's path, with {name} and
// {name+}, and a route's path, with {name} and {name...}.
func covers(door, route []string) bool {
	for i := 0; ; i++ {
		switch {
		case i < len(door) && strings.HasSuffix(door[i], "+}"):
			return i < len(route)
		case i < len(route) && strings.HasSuffix(route[i], "...}"):
			return true
		case i == len(door) || i == len(route):
			return len(door) == len(route)
		case !strings.HasPrefix(door[i], "{") && !strings.HasPrefix(route[i], "{") && door[i] != route[i] && !(route[i] == "{$}" && door[i] == ""):
			return false
		}
	}
}

func (k *checker) checkDoorTimeouts(m *member, doors []*template.Door) {
	timeout, known := m.Timeout()
	own := time.Duration(timeout) * time.Second
	said := false
	for _, d := range doors {
		limit, ok := d.Limit.Int()
		if !ok {
			continue
		}
		wait := time.Duration(limit) * time.Millisecond
		if known && own > wait && !said {
			said = true
			k.add(Warning, "timeout-order", m.At("Timeout"),
				fmt.Sprintf("%s may work for %s, and the API event %s waits %s: the sender gets the API's 503 or 504 while the workflow continues", m.ID, own, d.ID, wait),
				fmt.Sprintf("Set Timeout to at most %d", limit/1000))
		}
		for _, r := range m.routes {
			if t := r.timeout(); t > wait {
				k.add(Warning, "timeout-order", r.at("timeout"),
					fmt.Sprintf("the route %s waits %s, and the API event %s of %s waits %s", r.name, t, d.ID, m.ID, wait), fmt.Sprintf("Set timeout below %s", wait))
			}
		}
	}
}

func (k *checker) checkRouteTimeout(m *member, r *route) {
	timeout, known := m.Timeout()
	if own := time.Duration(timeout) * time.Second; known && r.timeout() > own {
		k.add(Warning, "timeout-order", r.at("timeout"),
			fmt.Sprintf("the route %s waits %s in %s, whose timeout is %s: Lambda ends it first", r.name, r.timeout(), m.ID, own),
			fmt.Sprintf("Set timeout below %s, or Timeout of %s above %d", own, m.ID, int(r.timeout().Seconds())))
	}
}
