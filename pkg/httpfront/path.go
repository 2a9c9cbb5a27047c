package httpfront

import (
	"net/url"
	"strings"
)

// setPath sets a path as the sender wrote it.
func (r *request) setPath(path string) {
	r.path, r.shownPath, r.called = path, path, path
}

// setDecodedPath sets the path of an HTTP API, which decodes the path before it passes it
// on (a % in it is a %), and prefixes it with a named stage.
func (r *request) setDecodedPath(path string) {
	r.called = escapePath(path)
	r.shownPath = path
	if r.stage != "$default" {
		r.shownPath, _ = cutSegments(path, r.stage)
	}
	r.path = escapePath(r.shownPath)
}

func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// calledPath returns the path that the sender called: the one that a REST API reports,
// with the stage or the base path of a custom domain, in the spelling of the event's own
// path.
func calledPath(said, path string) string {
	if said == "" || strings.HasSuffix(said, path) {
		return orDefault(said, path)
	}
	if decoded, err := url.PathUnescape(path); err == nil {
		if before, ok := strings.CutSuffix(said, decoded); ok {
			return before + path
		}
	}
	return said
}

// cutBase removes the longest of the configuration's base paths that is a
// prefix of the path.
func (r *request) cutBase(bases []string) {
	longest := ""
	for _, base := range bases {
		if _, ok := cutSegments(r.path, base); ok && len(base) > len(longest) {
			longest = base
		}
	}
	if longest != "" {
		r.path, _ = cutSegments(r.path, longest)
		r.shownPath, _ = cutSegments(r.shownPath, longest)
	}
}

// cutSegments removes whole segments from the beginning of a path: /prod is not a prefix
// of /production.
func cutSegments(path, segments string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, "/"+strings.Trim(segments, "/"))
	switch {
	case !ok || strings.Trim(segments, "/") == "":
		return path, false
	case rest == "":
		return "/", true
	case rest[0] == '/':
		return rest, true
	}
	return path, false
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
