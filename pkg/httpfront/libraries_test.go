package httpfront_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

// TestLibraries sends what the providers' libraries have judged through each door. What
// is not to be accepted is 401 with one body; a query comes through the doors that keep it.
func TestLibraries(t *testing.T) {
	t.Parallel()
	groups, err := providertest.ReadJudged("../verify/testdata/libraries.json")
	if err != nil {
		t.Fatal(err)
	}
	events, refusals := 0, map[string]bool{}
	for _, g := range groups {
		f := judgedFront(t, g)
		for _, c := range g.Cases {
			v, ok := judgedVector(g, c)
			if !ok {
				continue
			}
			doors := []httpfront.Door{httpfront.FunctionURL}
			if !strings.Contains(c.Path, "%") {
				doors = append(doors, httpfront.HTTPAPI) // which decodes the path
			}
			if c.Query == "" {
				doors = append(doors, httpfront.REST, httpfront.ALB)
			}
			for _, door := range doors {
				events++
				got := invoke(t, f, v.event(t, door))
				if want := c.Accept == (c.Differs == ""); (got.StatusCode != http.StatusUnauthorized) != want {
					t.Errorf("%s, %s: %s: status %d, want accepted = %v", g.Provider, door, c.Name, got.StatusCode, want)
				}
				if got.StatusCode == http.StatusUnauthorized {
					var problem map[string]any
					if err := json.Unmarshal([]byte(got.Body), &problem); err != nil {
						t.Fatal(err)
					}
					delete(problem, "requestId")
					refusals[fmt.Sprint(problem)] = true
				}
			}
		}
	}
	if len(refusals) != 1 {
		t.Errorf("refused in %d ways, want the same one whatever is wrong: %v", len(refusals), refusals)
	}
	t.Logf("%d events", events)
	if events < 3000 {
		t.Errorf("%d events, want at least 3000", events)
	}
}

// judgedFront has one route, of the group's provider, at every path.
func judgedFront(t *testing.T, g providertest.Judged) *httpfront.Front {
	t.Helper()
	block := "provider: " + g.Provider
	if g.URL != "" {
		block += ", url: '" + g.URL + "'"
	}
	if len(g.Versions) > 0 {
		block += ", versions: [" + strings.Join(g.Versions, ", ") + "]"
	}
	v := vector{Secrets: g.Secrets}
	cfg, err := config.Options{Getenv: v.getenv}.Parse("v.yaml", []byte("version: 1\nroutes:\n  - name: a\n    http: /{path...}\n    start: m\n    input: {}\n    verify: {"+block+
		", secrets: ["+strings.Join(v.references(), ", ")+"]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	starter := starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
		return bridge.Outcome{ExecutionARN: executionARN, Status: bridge.Succeeded, Output: json.RawMessage(`{}`)}, nil
	})
	log := slog.New(slog.DiscardHandler)
	now := func() time.Time { return time.Unix(1_790_000_000, 0) }
	f, err := httpfront.New(cfg.Routes, bridge.New(starter, bridge.Options{Log: log, Now: now}), secrets.NewEnv(v.getenv), httpfront.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// judgedVector is the case as one, unless a header comes twice, which most doors cannot show.
func judgedVector(g providertest.Judged, c providertest.JudgedCase) (*vector, bool) {
	base, path := g.URL, c.Path
	if base == "" {
		base = "https://hooks.example.com"
	}
	if path == "" {
		path = "/hook"
	}
	v := &vector{Provider: g.Provider, Secrets: g.Secrets}
	v.Request.Method, v.Request.URL, v.Request.Headers = http.MethodPost, base+path, map[string]string{}
	if c.Query != "" {
		v.Request.URL += "?" + c.Query
	}
	for _, h := range c.Headers {
		name := http.CanonicalHeaderKey(h[0])
		if _, twice := v.Request.Headers[name]; twice {
			return nil, false
		}
		v.Request.Headers[name] = h[1]
	}
	body := []byte(c.Body)
	if c.BodyBase64 != nil {
		body = c.BodyBase64
	}
	v.Request.Body, v.Request.BodyEncoding = base64.StdEncoding.EncodeToString(body), "base64"
	return v, true
}
