package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/template"
)

// initialized reports whether an earlier run of Init has done what is asked for: the folder
// has routes for it, and the template a function that reads them. If routes are missing,
// nothing is written, because what Init writes for another function or module would not fit
// the existing routes.
func (o *Options) initialized() (bool, error) {
	path := filepath.Join(o.Dir, ConfigFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	root, err := template.Parse(path, text)
	if err != nil {
		return false, err
	}
	deployed := o.IaC == "sam" && o.deploysRoutes()
	if missing := o.missing(root.Get("routes")); len(missing) > 0 {
		cure := "add one to it"
		if deployed {
			cure = "`expressway add` adds one"
		}
		return false, fmt.Errorf("%s already exists and has no route for %s: %s; to start over, move it away first", ConfigFile, strings.Join(missing, ", "), cure)
	}
	return deployed, nil
}

// missing returns the flags of what is asked for and in no route.
func (o *Options) missing(routes *template.Node) []string {
	has := func(fits func(*template.Node) bool) bool {
		return routes != nil && slices.ContainsFunc(routes.Items, fits)
	}
	var out []string
	for _, source := range o.From {
		if !has(func(r *template.Node) bool { return r.Get(source) != nil }) {
			out = append(out, "--from "+source)
		}
	}
	if !slices.Contains(o.From, sources.HTTP) {
		return out
	}
	for _, provider := range o.Providers {
		if !has(func(r *template.Node) bool { n := r.Get("verify", "provider"); return n != nil && n.Text == provider }) {
			out = append(out, "--provider "+provider)
		}
	}
	if o.Accept && !has(func(r *template.Node) bool { return r.Get("queue") != nil }) {
		out = append(out, "--queue-webhooks")
	}
	if o.Offload && !has(func(r *template.Node) bool { return r.Get("offload") != nil }) {
		out = append(out, "--offload")
	}
	return out
}

// deploysRoutes reports whether a function of the template has the configuration.
func (o *Options) deploysRoutes() bool {
	path := o.Template
	if path == "" {
		path = template.Find(o.Dir)
	}
	if path == "" {
		return false
	}
	t, err := template.Load(path, template.Options{})
	if err != nil {
		return false // newPlan reports it
	}
	t.Resolve()
	folder := filepath.Join(o.Dir, configDir)
	return slices.ContainsFunc(t.Functions(), func(f *template.Function) bool {
		return f.Folder() != "" && filepath.Clean(f.Folder()) == filepath.Clean(folder)
	})
}
