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
				t.Fatalf("this has not happened within a minute: %s", what)
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
		t.Errorf("with a broken save: %s, want the last valid one", got)
	}
	write("expressway.yaml", "version: 1\nroutes: 5\n")
	eventually("two broken saves", func() bool {
		return strings.Contains(problems(), "expressway.yaml:2:") && strings.Contains(problems(), "m.asl.json:3:")
	})
	if got := post("/b"); got != `"three"` {
		t.Errorf("with a broken configuration: %s, want the last valid one", got)
	}
	write("expressway.yaml", "version: 1\nroutes:\n  - {name: a, http: POST /a, verify: none, start: m}\n")
	write("statemachines/m.asl.json", machine("four"))
	eventually("all good again", func() bool { return problems() == "" && post("/a") == `"four"` })
}

// A template is read again too, with the definitions that it names: what it deploys, what a
// definition says after its substitutions, and the values that a function's environment gives to a route.
func TestReloadTemplate(t *testing.T) {
	t.Chdir(t.TempDir())
	const head = "Transform: AWS::Serverless-2016-10-31\nResources:\n"
	machine := func(id, answer string) string {
		return "  " + id + ":\n    Type: AWS::Serverless::StateMachine\n    Properties:\n      Type: EXPRESS\n      DefinitionUri: orders/" + id + ".asl.yaml\n" +
			"      DefinitionSubstitutions: {Answer: " + answer + "}\n"
	}
	function := func(machine string) string {
		return "  Hooks:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: provided.al2023\n      Handler: webhook\n      CodeUri: .\n" +
			"      Environment: {Variables: {MACHINE: !Ref " + machine + "}}\n"
	}
	const definition = "StartAt: A\nStates:\n  A: {Type: Pass, Result: \"${Answer}\", End: true}\n"
	save := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	save("orders/First.asl.yaml", definition)
	save("template.yaml", head+machine("First", "one")+function("First"))
	save("expressway.yaml", "version: 1\nroutes:\n  - {name: a, http: POST /a, verify: none, start: \"${MACHINE}\"}\n")
	base, stop := startConsole(t)
	defer stop()
	get := func(path string) string {
		r, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, _ := io.ReadAll(r.Body)
		return string(text)
	}
	answers := func(want string) {
		t.Helper()
		got := ""
		for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
			r, err := http.Post(base+"/a", "application/json", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(r.Body)
			_ = r.Body.Close()
			if got = strings.TrimSpace(string(text)); got == want {
				return
			}
		}
		t.Fatalf("not within 20 s: %s, but %s; problems %s", want, got, get("/_expressway/api/problems"))
	}
	problem := func(want string) {
		t.Helper()
		for began := time.Now(); !strings.Contains(get("/_expressway/api/problems"), want); time.Sleep(20 * time.Millisecond) {
			if time.Since(began) > 20*time.Second {
				t.Fatalf("this problem is not reported within 20 s: %s; reported are: %s", want, get("/_expressway/api/problems"))
			}
		}
	}
	answers(`"one"`)
	save("template.yaml", head+machine("First", "two")+function("First"))
	answers(`"two"`)
	save("orders/Second.asl.yaml", definition)
	save("template.yaml", head+machine("First", "two")+machine("Second", "three")+function("Second"))
	answers(`"three"`)
	save("orders/Second.asl.yaml", strings.Replace(definition, "${Answer}", "${Answer}, four", 1))
	answers(`"three, four"`)
	save("template.yaml", head+machine("First", "two")+machine("Second", "three")+function("Second")+"  First:\n    Type: x\n")
	problem("template.yaml:22:3")
	answers(`"three, four"`) // the last good one runs on
	save("orders/Second.asl.yaml", "StartAt: A\nStates:\n  A: {Type: Nap}\n")
	save("template.yaml", head+machine("First", "two")+machine("Second", "three")+function("Second"))
	problem("Second.asl.yaml:3:")
	answers(`"three, four"`)
	save("orders/Second.asl.yaml", strings.Replace(definition, "${Answer}", "five", 1))
	answers(`"five"`)
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
	for !strings.Contains(out.String(), "Press Ctrl-C to stop") {
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
			t.Errorf("exit %d, want 0", code)
		}
	}
}
