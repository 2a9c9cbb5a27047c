package httpfront_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// throughDoors are the events that the front doors make of a request.
var throughDoors = map[string]func(r *verify.Request) map[string]any{
	"HTTP API": func(r *verify.Request) map[string]any {
		return map[string]any{
			"version": "2.0", "rawPath": r.Path, "rawQueryString": r.RawQuery, "headers": joined(r.Header), "isBase64Encoded": true, "body": base64.StdEncoding.EncodeToString(r.Body),
			"requestContext": map[string]any{"domainName": "a.execute-api.us-east-1.amazonaws.com", "stage": "$default", "http": map[string]string{"method": r.Method, "path": r.Path}},
		}
	},
	"Function URL": func(r *verify.Request) map[string]any {
		return map[string]any{
			"version": "2.0", "rawPath": r.Path, "rawQueryString": r.RawQuery, "headers": joined(r.Header), "isBase64Encoded": true, "body": base64.StdEncoding.EncodeToString(r.Body),
			"requestContext": map[string]any{"domainName": "a.lambda-url.us-east-1.on.aws", "stage": "$default", "http": map[string]string{"method": r.Method, "path": r.Path}},
		}
	},
	"REST API": func(r *verify.Request) map[string]any {
		query, _ := url.ParseQuery(r.RawQuery)
		return map[string]any{
			"resource": "/{proxy+}", "httpMethod": r.Method, "path": r.Path, "multiValueHeaders": r.Header, "multiValueQueryStringParameters": query, "isBase64Encoded": true,
			"body": base64.StdEncoding.EncodeToString(r.Body), "requestContext": map[string]any{"stage": "prod", "path": r.Path, "requestId": "r", "identity": map[string]any{}},
		}
	},
	"load balancer": func(r *verify.Request) map[string]any {
		query := map[string][]string{}
		for pair := range strings.SplitSeq(r.RawQuery, "&") { // as the sender wrote them
			name, value, _ := strings.Cut(pair, "=")
			query[name] = append(query[name], value)
		}
		return map[string]any{
			"httpMethod": r.Method, "path": r.Path, "multiValueHeaders": lowered(r.Header), "multiValueQueryStringParameters": query, "isBase64Encoded": true,
			"body": base64.StdEncoding.EncodeToString(r.Body), "requestContext": map[string]any{"elb": map[string]any{"targetGroupArn": "arn"}},
		}
	},
}

func joined(h http.Header) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		out[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return out
}

func lowered(h http.Header) map[string][]string {
	out := map[string][]string{}
	for name, values := range h {
		out[strings.ToLower(name)] = values
	}
	return out
}

// TestAttacksThroughEveryDoor has a genuine delivery of every provider start a workflow
// behind each front door, and every request that an attacker can derive from it starts none.
func TestAttacksThroughEveryDoor(t *testing.T) {
	t.Parallel()
	var started atomic.Int64
	starter := starterFunc(func(context.Context, bridge.Start) (bridge.Outcome, error) {
		started.Add(1)
		return bridge.Outcome{Status: bridge.Succeeded, Output: []byte(`{}`)}, nil
	})
	senders, env := map[string]providertest.Sender{}, map[string]string{}
	var routes strings.Builder
	for _, name := range verify.Providers() {
		s, err := providertest.Signing(name)
		if err != nil {
			t.Fatal(err)
		}
		variable := "OF_" + strings.ReplaceAll(strings.ToUpper(name), "-", "_")
		senders[name], env[variable] = s, s.Secret
		fmt.Fprintf(&routes, "  - {name: %s, http: 'POST /%s', verify: %s, %s, start: m}\n", name, name, strings.ReplaceAll(s.YAML(), providertest.Reference, "env:"+variable), s.Dedupe())
	}
	now := func() time.Time { return providertest.Now }
	parts := bridge.Options{Now: now, Dedupe: dedupe.NewMemory(dedupe.MemoryOptions{})}
	nothing := httpfront.Options{Fetch: func(context.Context, string) ([]byte, error) { return nil, context.Canceled }}
	f := newFront(t, routes.String(), starter, func(name string) string { return env[name] }, parts, nothing)
	total, at := 0, providertest.Now
	for door, event := range throughDoors {
		at = at.Add(-time.Second) // so that no door gets a duplicate
		for name, s := range senders {
			genuine, err := s.Request("/"+name, at)
			if err != nil {
				t.Fatal(err)
			}
			deliver := func(r *verify.Request) (status int, starts int64) {
				payload, err := json.Marshal(event(r))
				if err != nil {
					t.Fatal(err)
				}
				before := started.Load()
				return invoke(t, f, payload).StatusCode, started.Load() - before
			}
			if status, starts := deliver(genuine); status != 200 || starts != 1 {
				t.Errorf("%s, %s: the genuine delivery: status %d, %d starts", door, name, status, starts)
				continue
			}
			attacks, err := s.Attacks(genuine, at)
			if err != nil {
				t.Fatal(err)
			}
			p, _ := verify.Lookup(name)
			list := p.HMAC != nil && (p.HMAC.Separator != "" || p.HMAC.Format != "")
			for _, attack := range attacks {
				if list && strings.HasSuffix(attack.Name, ": twice") {
					continue // a door that joins headers makes a list of it, which has the right signature
				}
				total++
				if status, starts := deliver(attack.Request); status != 401 || starts != 0 {
					t.Errorf("%s, %s: %s: status %d, %d starts", door, name, attack.Name, status, starts)
				}
			}
		}
	}
	t.Logf("%d attacks through %d doors", total, len(throughDoors))
}
