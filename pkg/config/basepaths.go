package config

import (
	"net/url"
	"path"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// readBasePaths reads paths of whole segments that begin with a slash.
func (d *document) readBasePaths(n ast.Node) []string {
	paths := d.texts(n, "basePaths")
	for _, p := range paths {
		u, err := url.Parse(p)
		switch {
		case err != nil || u.Path != p || strings.ContainsAny(p, "{}*"):
			d.add(n, "basePaths: %q is not a plain path, such as /hooks", p)
		case !strings.HasPrefix(p, "/") || path.Clean(p) != strings.TrimSuffix(p, "/"):
			d.add(n, "basePaths: write whole segments after a slash, such as /hooks or /hooks/v1, not %q", p)
		}
	}
	return paths
}
