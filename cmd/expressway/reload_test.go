package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Everything that is saved is read again, also by an editor that renames; what is broken
// leaves the last good version in use, and says where it is broken.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	machine := func(answer string) string {
		return `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":"` + answer + `","End":true}}}`
	}
	write := func(name, text string) {
		t.Helper()
		// As editors do: another file, renamed.
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+"~", path); err != nil {
			t.Fatal(err)
		}
	}
	write("statemachines/m.asl.json", machine("one"))
	write("expressway.yaml", "version: 1\nroutes:\n  - {name: a, http: POST /a, verify: none, start: m}\n")
	base, stop := startConsole(t)
	defer stop()
	post := func(path string) string {
		r, err := http.Post(base+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, _ := io.ReadAll(r.Body)
		return strings.TrimSpace(string(text))
	}
	eventually := func(what string, ok func() bool) {
		t.Helper()
		began := time.Now()
		for !ok() {
			if time.Since(began) > time.Minute {
				t.Fatalf("not within a minute: %s", what)
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Logf("%s: %s", what, time.Since(began).Round(time.Millisecond))
	}
	problems := func() string {
		r, err := http.Get(base + "/_expressway/api/problems")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		var out struct{ Problems []struct{ Text string } }
		if err := json.NewDecoder(r.Body).Decode(&out); err != nil {
			t.Fatal(err)
		}
		if len(out.Problems) == 0 {
			return ""
		}
		return out.Problems[0].Text
	}
	if got := post("/a"); got != `"one"` {
		t.Fatalf("got %s", got)
	}
	write("statemachines/m.asl.json", machine("two"))
	eventually("a state machine", func() bool { return post("/a") == `"two"` })
	write("expressway.yaml", "version: 1\nroutes:\n  - {name: a, http: POST /a, verify: none, start: m}\n  - {name: b, http: POST /b, verify: none, start: n}\n")
	write("statemachines/n.asl.json", machine("three"))
	eventually("a route and a new state machine", func() bool { return post("/b") == `"three"` })
	write("statemachines/m.asl.json", "{\n  \"StartAt\": \"A\",\n  \"States\": {\"A\": {\"Type\": \"Nap\"}}}")
	eventually("a broken save", func() bool { return strings.Contains(problems(), "m.asl.json:3:") })
	if got := post("/a"); got != `"two"` {
		t.Errorf("with a broken save: %s, want what was good", got)
	}
	write("expressway.yaml", "version: 1\nroutes: 5\n")
	eventually("two broken saves", func() bool {
		return strings.Contains(problems(), "expressway.yaml:2:") && strings.Contains(problems(), "m.asl.json:3:")
	})
	if got := post("/b"); got != `"three"` {
		t.Errorf("with a broken configuration: %s, want what was good", got)
	}
	write("expressway.yaml", "version: 1\nroutes:\n  - {name: a, http: POST /a, verify: none, start: m}\n")
	write("statemachines/m.asl.json", machine("four"))
	eventually("all good again", func() bool { return problems() == "" && post("/a") == `"four"` })
}

// startConsole runs dev in the working directory, and returns the address of its routes.
func startConsole(t *testing.T, args ...string) (base string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"dev", "--http", "127.0.0.1:0", "--states", "127.0.0.1:0"}, args...), nil, write, write, func(string) string { return "" })
		_ = write.Close()
	}()
	var out strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(out.String(), "Ctrl-C stops") {
		n, err := read.Read(buffer)
		if err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		out.Write(buffer[:n])
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	base = regexp.MustCompile(`webhooks +(http://\S+)`).FindStringSubmatch(out.String())[1]
	return base, func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("exit %d", code)
		}
	}
}
