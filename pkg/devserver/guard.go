package devserver

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// A guard protects endpoints that check no credentials from web pages. A page of
// another site can reach them in two ways: it makes its own name resolve to this
// machine (DNS rebinding), which the Host header shows, or it sends a request across
// origins, which Origin and Sec-Fetch-Site show. SDKs and command lines send neither
// of the last two.
type guard struct {
	// Allowed are host names, without a port, that are accepted in addition to loopback names
	// and addresses.
	Allowed []string
	// AnyAddress accepts every IP address as the host. A page cannot rebind an address,
	// so this is safe for a listener that is meant to be reached from other machines.
	AnyAddress bool
}

// dockerHost is the name that a container uses for the machine that runs it.
const dockerHost = "host.docker.internal"

// syncPrefix is the prefix that SDKs add to the host of StartSyncExecution.
const syncPrefix = "sync-"

// Check returns why a request is refused, with what to do about it, or nil.
func (g guard) Check(r *http.Request) error {
	if r.Host == "" {
		return errors.New("the request names no host: send a Host header that names this machine")
	}
	if !g.allows(r.Host) {
		return fmt.Errorf("the host %q is not a name of this machine; start with --allow-host %s to accept it", r.Host, hostName(r.Host))
	}
	if origin := r.Header.Get("Origin"); origin != "" && !g.sameOrigin(origin, r.Host) {
		return fmt.Errorf("requests from web pages of %q are refused", origin)
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "same-origin", "none":
		return nil
	case "same-site":
		// This is another port of this machine: a link may lead here, but a form may not.
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return nil
		}
	}
	return fmt.Errorf("requests from web pages of other sites are refused (Sec-Fetch-Site: %s)", r.Header.Get("Sec-Fetch-Site"))
}

// sameOrigin reports whether a page of the origin came from the host to which it now sends
// a request.
func (g guard) sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, host) || slices.ContainsFunc(g.Allowed, func(name string) bool {
		return strings.EqualFold(name, u.Hostname())
	})
}

func (g guard) allows(host string) bool {
	name := strings.ToLower(hostName(host))
	if g.known(name) {
		return true
	}
	bare, prefixed := strings.CutPrefix(name, syncPrefix)
	return prefixed && g.known(bare)
}

// known reports whether a name can only mean this machine, or was allowed.
func (g guard) known(name string) bool {
	if name == "localhost" || strings.HasSuffix(name, ".localhost") || name == dockerHost {
		return true
	}
	if slices.ContainsFunc(g.Allowed, func(a string) bool { return strings.EqualFold(a, name) }) {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && (g.AnyAddress || address.Unmap().IsLoopback())
}

// hostName returns the host of a Host header, without port, brackets and final dot.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.Trim(host, "[]"), ".")
}

// Wrap returns a handler that refuses the requests that Check refuses.
func (g guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := g.Check(r); err != nil {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
			w.Header().Set("Cache-Control", "no-store")
			http.Error(w, "Refused: "+err.Error(), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
