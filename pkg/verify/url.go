package verify

import (
	"errors"
	"net/url"
	"strings"
)

// publicURL returns the URL that the sender called. A path in base replaces the stage or
// base path behind it, because the provider was given that path.
func publicURL(base string, r *Request) string {
	if r.URL != "" {
		return r.URL
	}
	u := publicOrigin(base) + publicPath(base, r)
	if r.RawQuery != "" {
		u += "?" + r.RawQuery
	}
	return u
}

// publicOrigin returns base without its path.
func publicOrigin(base string) string { return base[:len(base)-len(pathOf(base))] }

// publicPath returns the path that the sender called.
func publicPath(base string, r *Request) string {
	own := strings.TrimSuffix(pathOf(base), "/")
	if own == "" {
		return r.Path
	}
	return own + orDefault(r.RoutedPath, r.Path)
}

// pathOf returns the path of a base URL, or "" if it has none.
func pathOf(base string) string {
	_, rest, _ := strings.Cut(base, "://")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return ""
}

// checkURL checks verify.url: scheme, host, port and, if the provider was given a
// different one from what reaches the function, a path.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must be scheme and host, such as https://hooks.example.com")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, strings.Contains(text, "#"):
		return errors.New("must have only scheme, host, port and path; the query is taken from the request")
	}
	return nil
}
