package httpfront

import (
	"net/url"
	"strings"
)

// setPath takes a path as the sender wrote it.
func (r *request) setPath(path string) {
	r.path, r.shownPath, r.called = path, path, path
}

// setDecodedPath takes the path of an HTTP API, which decodes it before it hands it on
// (a % in it is a %), and puts a named stage before it.
func (r *request) setDecodedPath(path string) {
	r.called = escapePath(path)
	r.shownPath = path
	if r.stage != "$default" {
		r.shownPath, _ = cutSegments(path, r.stage)
	}
	r.path = escapePath(r.shownPath)
}

func escapePath(path string) string { return (&url.URL{Path: path}).EscapedPath() }

// calledPath is the path that the sender called: what a REST API says it was, with the
// stage or the base path of a custom domain, and in the spelling of the event's own path.
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

// cutBase cuts the longest of the configuration's base paths that the path begins with.
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

// cutSegments cuts whole segments from the beginning of a path: /prod is not a part of
// /production.
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
