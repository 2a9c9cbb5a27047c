package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

const helloRoute = "version: 1\nroutes:\n  - {name: hello, http: POST /hello, verify: {provider: github, secrets: [\"env:SECRET\"]}, start: hello}\n"

// In a folder of its own, with a route and a state machine.
func inHello(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.Mkdir("statemachines", 0o750); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"expressway.yaml":              helloRoute,
		"env.json":                     `{"Parameters":{"SECRET":"a-secret-of-the-route"}}`,
		"statemachines/hello.asl.json": `{"StartAt":"Greet","States":{"Greet":{"Type":"Pass","Result":{"greeting":"hi"},"End":true}}}`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What the console saves as a fixture is a file that invoke takes, without the secret.
func TestSavedFixtureIsInvoked(t *testing.T) {
	inHello(t)
	base, stop := startConsole(t, "--env-vars", "env.json")
	defer stop()
	ask := func(method, path, body string, to any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, base+"/_expressway/api/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if method == http.MethodPost {
			var token struct{ Token string }
			response, err := http.Get(base + "/_expressway/api/token")
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if err := json.NewDecoder(response.Body).Decode(&token); err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Expressway-Token", token.Token)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK || json.Unmarshal(text, to) != nil {
			t.Fatalf("%s %s: got %d %s %v, want 200 and JSON", method, path, response.StatusCode, text, err)
		}
	}
	var sent struct{ ID int }
	ask(http.MethodPost, "routes/hello/send", `{}`, &sent)
	var saved struct{ Path, Command string }
	ask(http.MethodPost, fmt.Sprintf("deliveries/%d/save", sent.ID), `{"name":"hello"}`, &saved)
	if want := "expressway invoke webhook -e events/webhook-hello.json"; saved.Command != want {
		t.Errorf("the command is %q, want %q", saved.Command, want)
	}
	var out, errs strings.Builder
	code := run(t.Context(), append(strings.Fields(saved.Command)[1:], "--env-vars", "env.json"), nil, &out, &errs, func(string) string { return "" })
	if code != 0 || !strings.Contains(out.String(), `"statusCode":200`) || !strings.Contains(out.String(), `{\"greeting\":\"hi\"}`) {
		t.Errorf("exit %d, want 0 and the greeting: %s %s", code, out.String(), errs.String())
	}
}

// A graph is drawn without a server, in each format, and an unknown name says which there
// are.
func TestGraph(t *testing.T) {
	inHello(t)
	draw := func(args ...string) (code int, out, errs string) {
		var o, e strings.Builder
		code = run(t.Context(), append([]string{"graph"}, args...), nil, &o, &e, func(string) string { return "" })
		return code, o.String(), e.String()
	}
	for format, want := range map[string]string{"svg": `aria-label="Pass state Greet"`, "mermaid": "flowchart TD", "dot": "digraph {"} {
		code, out, errs := draw("hello", "-o", format)
		if code != 0 || !strings.Contains(out, want) || !strings.Contains(out, "Greet") {
			t.Errorf("%s: exit %d, want 0 and a picture: %s %s", format, code, out, errs)
		}
		if format == "svg" && xml.Unmarshal([]byte(out), new(struct{})) != nil {
			t.Error("the drawing is not well-formed")
		}
	}
	if code, _, errs := draw("hallo"); code == 0 || !strings.Contains(errs, "the state machines are hello") {
		t.Errorf("exit %d, want a failure that names the state machines: %s", code, errs)
	}
}

// The console's address is the first thing that is said.
func TestDevSaysTheConsoleFirst(t *testing.T) {
	inHello(t)
	read, write := io.Pipe()
	done := make(chan int, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- run(ctx, []string{"dev", "--http", "127.0.0.1:0", "--states", "127.0.0.1:0", "--env-vars", "env.json"}, nil, write, write, func(string) string { return "" })
		_ = write.Close()
	}()
	first := make([]byte, 200)
	n, err := read.Read(first)
	if err != nil || !strings.HasPrefix(string(first[:n]), "console         http://127.0.0.1:") || !strings.HasSuffix(string(first[:n]), "/_expressway/\n") {
		t.Errorf("got %v %q, want the console's address", err, first[:n])
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
}
