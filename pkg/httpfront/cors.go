package httpfront

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/pkg/config"
)

// cors answers browsers by the CORS protocol of the Fetch standard. It opens a route to
// pages of other origins, and does not verify anything.
type cors struct {
	*config.CORS
	methods, headers, expose, maxAge string
}

func newCORS(h *config.HTTP, verified []string) *cors {
	c := &cors{CORS: h.CORS, expose: strings.Join(h.CORS.ExposeHeaders, ", ")}
	headers := h.CORS.Headers
	if len(headers) == 0 {
		headers = append([]string{"content-type"}, verified...)
	}
	methods := h.CORS.Methods
	if len(methods) == 0 && h.Method() != "" {
		methods = []string{h.Method()}
	}
	c.headers, c.methods = strings.Join(headers, ", "), strings.Join(methods, ", ")
	if h.CORS.MaxAge > 0 {
		c.maxAge = strconv.Itoa(int(h.CORS.MaxAge.Seconds()))
	}
	return c
}

// preflight answers a browser that asks whether it may send a request.
func (c *cors) preflight(hr *http.Request) *answer {
	a := emptyAnswer(http.StatusNoContent)
	a.header.Set("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
	if !c.Allows(hr.Header.Get("Origin")) {
		return a
	}
	methods := c.methods
	if methods == "" {
		methods = hr.Header.Get("Access-Control-Request-Method") // the pattern matches all methods
	}
	a.header.Set("Access-Control-Allow-Methods", methods)
	a.header.Set("Access-Control-Allow-Headers", c.headers)
	if c.maxAge != "" {
		a.header.Set("Access-Control-Max-Age", c.maxAge)
	}
	return a
}

// allow lets the page that asked read the answer; headers that the workflow sets take
// precedence.
func (c *cors) allow(hr *http.Request, h http.Header) {
	if h.Get("Access-Control-Allow-Origin") != "" {
		return
	}
	origin := hr.Header.Get("Origin")
	if c.AnyOrigin() {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		if !slices.Contains(h["Vary"], "Origin") && !strings.HasPrefix(h.Get("Vary"), "Origin,") {
			h.Add("Vary", "Origin")
		}
		if origin == "" || !c.Allows(origin) {
			return
		}
		h.Set("Access-Control-Allow-Origin", origin)
	}
	if c.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if c.expose != "" {
		h.Set("Access-Control-Expose-Headers", c.expose)
	}
}

// isPreflight reports whether a request is a browser's preflight and not any other
// OPTIONS.
func isPreflight(hr *http.Request) bool {
	return hr.Method == http.MethodOptions && hr.Header.Get("Origin") != "" && validMethod(hr.Header.Get("Access-Control-Request-Method"))
}
