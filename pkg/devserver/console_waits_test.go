package devserver_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/console"
)

const asks = `{"StartAt":"Ask","States":{"Ask":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:ask",
	"HeartbeatSeconds":600,"Next":"Again"},"Again":{"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:ask","End":true}}}`

type consoleWait struct {
	State, Token     string
	Since            time.Time
	HeartbeatSeconds float64
}

// waits reads the tasks that wait, until there is one of a state.
func (c *consoleTest) waits(id, state string) consoleWait {
	c.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var in struct{ Waits []consoleWait }
		c.get("api/executions/"+id+"/waits", &in)
		if len(in.Waits) == 1 && in.Waits[0].State == state {
			return in.Waits[0]
		}
	}
	c.t.Fatalf("nothing waits in %s", state)
	return consoleWait{}
}

// The console shows waiting tasks and their tokens, and resumes them, fails them and keeps
// them waiting.
func TestConsoleAnswersTokens(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	name := "ask"
	if _, err := c.local.States.CreateActivity(&name, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "asks.asl.json"), []byte(asks), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.local.States.LoadDir(c.dir); err != nil {
		t.Fatal(err)
	}
	run := func() string {
		var started struct{ ID json.Number }
		if status := c.post("api/machines/asks/run", `{"input":{}}`, &started); status != 200 {
			t.Fatalf("run: %d", status)
		}
		return started.ID.String()
	}
	first, second := run(), run()
	wait := c.waits(first, "Ask")
	if len(wait.Token) < 100 || wait.Since.IsZero() || wait.HeartbeatSeconds != 600 {
		t.Errorf("waits: %+v", wait)
	}
	page := c.get("executions/"+first, nil)
	for _, want := range []string{wait.Token, `aria-label="Waiting in Ask"`, `value="success"`, `value="failure"`, `value="heartbeat"`} {
		if !strings.Contains(strings.ReplaceAll(page, "&#43;", "+"), want) {
			t.Errorf("the page of the execution has no %s", want)
		}
	}
	other := c.get("executions", nil) + c.get("", nil) + c.get("api/executions", nil) + c.get("api/executions/"+second, nil) + c.get("executions/"+second, nil)
	if strings.Contains(strings.ReplaceAll(other, "&#43;", "+"), wait.Token) {
		t.Error("the token is shown where its task does not wait")
	}
	answer := func(id, token, rest string) int {
		return c.post("api/executions/"+id+"/waits", `{"token":"`+token+`",`+rest+`}`, nil)
	}
	for what, got := range map[string][2]int{
		"an unknown action":             {answer(first, wait.Token, `"action":"end"`), 400},
		"a token of another execution":  {answer(second, wait.Token, `"action":"success"`), 409},
		"a guessed token":               {answer(first, "guess", `"action":"success"`), 409},
		"an output that is not JSON":    {answer(first, wait.Token, `"action":"success","output":"{"`), 422},
		"a heartbeat":                   {answer(first, wait.Token, `"action":"heartbeat"`), 200},
		"no execution":                  {answer("9999", wait.Token, `"action":"heartbeat"`), 404},
		"a POST without the page's own": {postWithout(c, "api/executions/"+first+"/waits", `{"token":"`+wait.Token+`","action":"success"}`), 403},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", what, got[0], got[1])
		}
	}
	if status := answer(first, wait.Token, `"action":"success","output":"{\"paid\":true}"`); status != 200 {
		t.Errorf("resume: %d", status)
	}
	again := c.waits(first, "Again")
	if status := answer(first, wait.Token, `"action":"success"`); status != 409 {
		t.Errorf("resume once more: %d, want 409", status)
	}
	if status := answer(first, again.Token, `"action":"failure","error":"Refused","cause":"by hand"`); status != 200 {
		t.Errorf("fail: %d", status)
	}
	var x struct{ Status, Error, Cause string }
	for deadline := time.Now().Add(10 * time.Second); x.Status != "FAILED" && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		c.get("api/executions/"+first, &x)
	}
	if x.Status != "FAILED" || x.Error != "Refused" || x.Cause != "by hand" {
		t.Errorf("the execution: %+v", x)
	}
	if page := c.get("executions/"+first, nil); strings.Contains(page, `aria-label="Waiting`) {
		t.Error("the page of an execution that ended shows a wait")
	}
}

// A task token that a delivery brings in its body is shown where its task waits, and in
// nothing that is shown of deliveries: pages, API, log lines, commands, fixtures.
func TestConsoleBlanksTokensOfDeliveries(t *testing.T) {
	t.Parallel()
	c := newConsole(t, `  - {name: resumes, http: POST /resume, verify: {token: {header: X-Api-Key}, secrets: ["env:TOKEN"]}, resume: {token: '{% $request.body.deep.token %}'}, dedupe: {key: '{% $request.body.deep.token %}'}}
  - {name: form, http: POST /form, verify: {token: {header: X-Api-Key}, secrets: ["env:TOKEN"]}, resume: {token: '{% $request.body.token %}'}}
`)
	name := "ask"
	if _, err := c.local.States.CreateActivity(&name, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "asks.asl.json"), []byte(asks), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.local.States.LoadDir(c.dir); err != nil {
		t.Fatal(err)
	}
	var run struct{ ID json.Number }
	if status := c.post("api/machines/asks/run", `{"input":{}}`, &run); status != 200 {
		t.Fatalf("run: %d", status)
	}
	execution := run.ID.String()
	tokens := []string{c.waits(execution, "Ask").Token}
	deliver := func(token string) console.Delivery {
		body, _ := json.Marshal(map[string]any{"deep": map[string]string{"token": token}, "echo": "before " + token + " after"})
		escaped := strings.ReplaceAll(string(body), "/", `\/`) // as PHP does
		send(t, "POST", c.base+"/resume", "application/json", []byte(escaped), "X-Api-Key", canaryToken)
		return c.latest()
	}
	first := deliver(tokens[0])
	if first.Decision != "resumed" {
		t.Fatalf("%+v", first)
	}
	if again := deliver(tokens[0]); again.Decision != "replayed" {
		t.Errorf("%+v", again)
	}
	tokens = append(tokens, c.waits(execution, "Again").Token)
	form := []byte(url.Values{"token": {tokens[1]}}.Encode())
	send(t, "POST", c.base+"/form", "application/x-www-form-urlencoded", form, "X-Api-Key", canaryToken)
	if d := c.latest(); d.Decision != "resumed" {
		t.Fatalf("%+v", d)
	}
	var saved struct{ Path string }
	c.post(fmt.Sprintf("api/deliveries/%d/save", first.ID), `{"name":"resumed"}`, &saved)
	fixture, err := os.ReadFile(saved.Path)
	if err != nil {
		t.Fatal(err)
	}
	shown := c.everything()
	shown["deliveries: the fixture"] = string(fixture)
	for path, text := range shown {
		if !strings.Contains(path, "deliveries") && path != "" {
			continue
		}
		for _, token := range tokens {
			for _, form := range []string{token, strings.ReplaceAll(token, "/", `\/`), strings.ReplaceAll(token, "/", `\\/`), url.QueryEscape(token)} {
				if strings.Contains(strings.ReplaceAll(text, "&#43;", "+"), form) {
					t.Errorf("%s has the token %.20s…", path, form)
				}
			}
		}
	}
	// What is not shown is filled in again where the delivery is edited.
	if status := c.post("api/machines/asks/run", `{"input":{}}`, &run); status != 200 {
		t.Fatalf("run: %d", status)
	}
	fresh := deliver(c.waits(run.ID.String(), "Ask").Token)
	edited, _ := json.Marshal(map[string]string{"body": `{"deep":{"token":"•••"},"n":2}`})
	c.post(fmt.Sprintf("api/deliveries/%d/replay", fresh.ID), string(edited), nil)
	if d := c.latest(); d.Error != "Expressway.TaskGone" {
		t.Errorf("the edited delivery brings another token: %s %s %s", d.Decision, d.Error, d.Cause)
	}
}

// postWithout is a POST as a page elsewhere could make it.
func postWithout(c *consoleTest, path, body string) int {
	response, _ := send(c.t, "POST", c.base+"/_expressway/"+path, "application/json", []byte(body))
	return response.StatusCode
}
