package devserver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/devserver"
)

// A web page elsewhere reaches nothing, by its name or by its origin; SDKs, containers
// and command lines do.
func TestGuard(t *testing.T) {
	t.Parallel()
	allow := devserver.Guard{Allowed: []string{"build.example"}}
	open := devserver.Guard{AnyAddress: true}
	tests := map[string]struct {
		guard                      devserver.Guard
		method, host, origin, site string
		want                       string // "" for accepted
	}{
		"loopback":                         {method: "POST", host: "127.0.0.1:8083"},
		"loopback, another":                {method: "POST", host: "127.9.9.9:8083"},
		"IPv6":                             {method: "POST", host: "[::1]:8083"},
		"no port":                          {method: "POST", host: "127.0.0.1"},
		"localhost":                        {method: "POST", host: "LocalHost:8083"},
		"a final dot":                      {method: "POST", host: "localhost.:8083"},
		"below localhost":                  {method: "POST", host: "states.localhost:8083"},
		"with sync-":                       {method: "POST", host: "sync-127.0.0.1:8083"},
		"localhost with sync-":             {method: "POST", host: "sync-localhost:8083"},
		"from a container":                 {method: "POST", host: "host.docker.internal:8083"},
		"from a container, sync-":          {method: "POST", host: "sync-host.docker.internal:8083"},
		"allowed":                          {guard: allow, method: "POST", host: "build.example:8083"},
		"allowed, sync-":                   {guard: allow, method: "POST", host: "sync-Build.example:8083"},
		"an address, open":                 {guard: open, method: "POST", host: "172.17.0.1:8083"},
		"own origin":                       {method: "POST", host: "127.0.0.1:8080", origin: "http://127.0.0.1:8080", site: "same-origin"},
		"typed in":                         {method: "GET", host: "127.0.0.1:8080", site: "none"},
		"a link of another port":           {method: "GET", host: "127.0.0.1:8080", site: "same-site"},
		"allowed origin":                   {guard: allow, method: "POST", host: "127.0.0.1:8080", origin: "https://build.example"},
		"rebinding":                        {method: "POST", host: "evil.example:8083", want: "--allow-host evil.example"},
		"rebinding, sync-":                 {method: "POST", host: "sync-evil.example", want: "is not a name of this machine"},
		"a name that begins like loopback": {method: "GET", host: "127.0.0.1.evil.example", want: "is not a name of this machine"},
		"a name that ends like localhost":  {method: "GET", host: "evillocalhost", want: "is not a name of this machine"},
		"sync- twice":                      {method: "GET", host: "sync-sync-localhost", want: "is not a name of this machine"},
		"another address":                  {method: "POST", host: "172.17.0.1:8083", want: "is not a name of this machine"},
		"a name, open":                     {guard: open, method: "POST", host: "evil.example", want: "is not a name of this machine"},
		"no host":                          {method: "GET", host: "", want: "names no host"},
		"foreign origin":                   {method: "POST", host: "127.0.0.1:8083", origin: "https://evil.example", want: `web pages of "https://evil.example"`},
		"another port's origin":            {method: "POST", host: "127.0.0.1:8083", origin: "http://127.0.0.1:3000", want: "web pages of"},
		"no origin":                        {method: "POST", host: "127.0.0.1:8083", origin: "null", want: "web pages of"},
		"cross-site":                       {method: "GET", host: "127.0.0.1:8083", site: "cross-site", want: "cross-site"},
		"a form of another port":           {method: "POST", host: "127.0.0.1:8083", site: "same-site", want: "same-site"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reached := false
			h := test.guard.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
			r := httptest.NewRequestWithContext(t.Context(), test.method, "/", nil)
			r.Host = test.host
			for name, value := range map[string]string{"Origin": test.origin, "Sec-Fetch-Site": test.site} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if reached != (test.want == "") || !strings.Contains(w.Body.String(), test.want) || !reached && w.Code != http.StatusForbidden {
				t.Errorf("reached %v, %d %s; want %q", reached, w.Code, w.Body, test.want)
			}
		})
	}
}
