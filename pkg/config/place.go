package config

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// A keyPlace is the position of a key's value. The key is a dotted path, and empty for the
// route itself.
type keyPlace struct {
	key          string
	line, column int32
}

func (d *document) keep(r *Route, key string, n ast.Node) {
	line, column := d.place(n)
	r.places = append(r.places, keyPlace{key, int32(line), int32(column)})
}

// Problem returns a problem at the value of one of the route's keys, such as start or
// verify.secrets.0. If the file does not have the key, the position is that of the
// nearest key that contains it, or else of the route.
func (r *Route) Problem(key, message string) Problem {
	for {
		for _, p := range r.places {
			if p.key == key {
				return Problem{r.file, int(p.line), int(p.column), message}
			}
		}
		if key == "" { // a route that was not read from a file
			return Problem{File: r.file, Line: 1, Column: 1, Message: message}
		}
		key = key[:max(strings.LastIndexByte(key, '.'), 0)]
	}
}

// Place returns the position of the value of one of the route's keys, as file:line:column;
// it is empty for routes that were not read from a file.
func (r *Route) Place(key string) string {
	if len(r.places) == 0 {
		return ""
	}
	p := r.Problem(key, "")
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}
