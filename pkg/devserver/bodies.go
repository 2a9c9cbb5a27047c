package devserver

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/console"
)

// maxBody is how large a file may be to become a sample.
const maxBody = 64 << 10

// bodies are where the project's own samples are, below the folder of fixtures.
const bodies = "bodies"

// sampleOf returns what the sender of a route sends: the project's own sample, or else
// the one of the provider.
func (e *engine) sampleOf(r *config.Route) console.Sample {
	s := sampleOf(r)
	for _, name := range []string{r.Name, r.HTTP.Verify.Provider} {
		if body, isForm, ok := e.body(name); ok {
			if s.Body = body; isForm {
				s.ContentType = form
			}
			break
		}
	}
	switch {
	case r.Resume == nil:
	case r.HTTP.Link:
		s.Body, s.Cannot = "", "Only a link made by a workflow works here. It is in the arguments of the waiting execution, which can be resumed on its page."
	case r.Resume.Lookup != nil:
		s.Note = "This completes the task that waits under the key in the body. If no task waits under that key, the answer is 404."
	}
	return s
}

// body reads the first file below bodies that is named after a route or a provider:
// NAME.json, NAME-paid.json, NAME.form.
func (e *engine) body(name string) (text string, isForm, ok bool) {
	if name == "" || e.fixtures == "" {
		return "", false, false
	}
	folder := filepath.Join(e.fixtures, bodies)
	files, err := os.ReadDir(folder) // in the order of names
	if err != nil {
		return "", false, false
	}
	file := ""
	for _, entry := range files {
		stem := strings.TrimSuffix(entry.Name(), filepath.Ext(entry.Name()))
		if !entry.Type().IsRegular() || stem != name && e.namedAfter(stem) != name {
			continue
		}
		if file == "" || stem == name {
			file = entry.Name()
		}
	}
	if file == "" {
		return "", false, false
	}
	content, err := readStart(filepath.Join(folder, file), maxBody+1)
	if err != nil || len(content) > maxBody || !utf8.Valid(content) {
		return "", false, false
	}
	return indent(strings.TrimSpace(string(content))), filepath.Ext(file) == ".form", true
}

// namedAfter returns the route or provider that a file is named after: the longest name
// that it begins with, as orders-http-paid belongs to orders-http and not to orders.
func (e *engine) namedAfter(stem string) (name string) {
	for _, r := range e.local.current.Load().routes {
		names := []string{r.Name}
		if r.HTTP != nil {
			names = append(names, r.HTTP.Verify.Provider)
		}
		for _, n := range names {
			if n != "" && len(n) > len(name) && strings.HasPrefix(stem, n+"-") {
				name = n
			}
		}
	}
	return name
}

func readStart(path string, n int64) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // of the project's own folder
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(file, n))
	return content, errors.Join(err, file.Close())
}
