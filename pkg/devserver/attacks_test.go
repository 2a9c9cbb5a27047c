package devserver_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// TestAttacksOnTheLocalServer sends a genuine delivery of every provider over HTTP, and
// what an attacker can make of it, as far as an HTTP client sends that.
func TestAttacksOnTheLocalServer(t *testing.T) {
	t.Parallel()
	dir, env := t.TempDir(), map[string]string{}
	senders := map[string]providertest.Sender{}
	var routes strings.Builder
	routes.WriteString("version: 1\nroutes:\n")
	for _, name := range verify.Providers() {
		s, err := providertest.Signing(name)
		if err != nil {
			t.Fatal(err)
		}
		variable := "OF_" + strings.ReplaceAll(strings.ToUpper(name), "-", "_")
		senders[name], env[variable] = s, s.Secret
		fmt.Fprintf(&routes, "  - {name: %s, http: 'POST /%s', verify: %s, %s, start: m}\n", name, name, strings.ReplaceAll(s.YAML(), providertest.Reference, "env:"+variable), s.Dedupe())
	}
	for name, text := range map[string]string{"expressway.yaml": routes.String(), "m.asl.json": `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	recorder := console.NewRecorder(console.Options{})
	log := slog.New(recorder.Log(slog.DiscardHandler))
	local, err := devserver.NewLocal(devserver.Options{
		Config: filepath.Join(dir, "expressway.yaml"), StateMachines: dir, Log: log, Recorder: recorder, Getenv: func(name string) string { return env[name] },
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := devserver.Listen(local, devserver.ListenOptions{HTTP: "127.0.0.1:0", States: "127.0.0.1:0", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	transport := &http.Transport{}
	t.Cleanup(func() {
		cancel()
		transport.CloseIdleConnections()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	client := &http.Client{Transport: transport}
	post := func(r *verify.Request) (status int, sent bool) {
		q, err := http.NewRequestWithContext(t.Context(), r.Method, "http://"+server.Webhooks()+r.Path+"?"+r.RawQuery, bytes.NewReader(r.Body))
		if err != nil {
			return 0, false
		}
		q.Header = r.Header
		response, err := client.Do(q)
		if err != nil {
			return 0, false // bytes that no header has
		}
		_ = response.Body.Close()
		return response.StatusCode, true
	}
	total := 0
	for name, s := range senders {
		genuine, err := s.Request("/"+name, providertest.Now)
		if err != nil {
			t.Fatal(err)
		}
		if status, _ := post(genuine); status != http.StatusOK {
			t.Errorf("%s: the genuine delivery: status %d", name, status)
			continue
		}
		attacks, err := s.Attacks(genuine, providertest.Now)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := verify.Lookup(name)
		list := p.HMAC != nil && (p.HMAC.Separator != "" || p.HMAC.Format != "")
		for i, attack := range attacks {
			if list && strings.HasSuffix(attack.Name, ": twice") || testing.Short() && i%5 != 0 {
				continue // a Function URL joins headers, which makes a list with the right signature
			}
			status, sent := post(attack.Request)
			if sent {
				total++
			}
			if sent && status != http.StatusUnauthorized {
				t.Errorf("%s: %s: status %d", name, attack.Name, status)
			}
		}
	}
	t.Logf("%d attacks", total)
}
