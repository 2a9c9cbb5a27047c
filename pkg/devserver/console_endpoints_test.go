package devserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/console"
)

// endpoints are the requests of the JSON API, with names and numbers filled in.
func (c *consoleTest) endpoints() (patterns, requests []string) {
	c.t.Helper()
	var index struct{ Endpoints []string }
	c.get("api/", &index)
	if len(index.Endpoints) < 20 {
		c.t.Fatalf("%d endpoints", len(index.Endpoints))
	}
	var executions struct{ Executions []console.Execution }
	c.get("api/executions?limit=1", &executions)
	execution, _ := json.Marshal(executions.Executions[0].ID)
	delivery, _ := json.Marshal(c.latest().ID)
	for _, pattern := range index.Endpoints {
		id := string(delivery)
		if strings.Contains(pattern, "executions/") {
			id = string(execution)
		}
		name := "m"
		if strings.Contains(pattern, "routes/") {
			name = "token"
		}
		requests = append(requests, strings.NewReplacer("{id}", id, "{name}", name, "{function}", "event").Replace(pattern))
	}
	return index.Endpoints, requests
}

// The documentation has every endpoint, and none that does not exist.
func TestConsoleDocumentation(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.deliver()
	patterns, _ := c.endpoints()
	text, err := os.ReadFile("../../docs/console.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile("`(GET|POST) (?:/_expressway/)?((?:api|health)[^?` ]*)").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[1]+" "+m[2])
	}
	var exist []string
	for _, pattern := range patterns {
		exist = append(exist, strings.NewReplacer("{id}", "ID", "{name}", "NAME", "{function}", "FUNCTION").Replace(pattern))
	}
	slices.Sort(documented)
	slices.Sort(exist)
	if !slices.Equal(documented, exist) {
		t.Errorf("docs/console.md has\n%s\nand there are\n%s", strings.Join(documented, "\n"), strings.Join(exist, "\n"))
	}
}

// Each endpoint and each page refuses other hosts and other sites, has the policy, and
// shows no secret; each POST needs the token.
func TestConsoleGuardsEachEndpoint(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.deliver()
	_, requests := c.endpoints()
	for _, page := range []string{"", "deliveries/1", "executions", "executions/2", "machines", "machines/m", "send", "nope", "assets/console.css"} {
		requests = append(requests, "GET "+page)
	}
	ask := func(request string, header ...string) (status int, text string, h http.Header) {
		method, path, _ := strings.Cut(request, " ")
		r, err := http.NewRequestWithContext(t.Context(), method, c.base+"/_expressway/"+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Expressway-Token", c.token)
		for i := 0; i < len(header); i += 2 {
			if header[i] == "Host" {
				r.Host = header[i+1]
			}
			r.Header.Set(header[i], header[i+1])
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body := make([]byte, 1<<20)
		n := 0
		if !strings.HasSuffix(path, "api/events") || response.StatusCode != 200 {
			for {
				k, err := response.Body.Read(body[n:])
				if n += k; err != nil || n == len(body) {
					break
				}
			}
		}
		return response.StatusCode, string(body[:n]), response.Header
	}
	for _, request := range requests {
		for what, header := range map[string][]string{
			"another host": {"Host", "evil.example"}, "a name that was made to resolve to this machine": {"Host", "127.0.0.1.evil.example:80"},
			"another origin": {"Origin", "https://evil.example"}, "an opaque origin": {"Origin", "null"}, "another site": {"Sec-Fetch-Site", "cross-site"},
		} {
			if status, text, h := ask(request, header...); status != http.StatusForbidden || !strings.HasPrefix(text, "Refused: ") || !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") {
				t.Errorf("%s from %s: %d %.200s %v", request, what, status, text, h)
			}
		}
		if strings.HasPrefix(request, "POST ") {
			if status, _, _ := ask(request, "X-Expressway-Token", "wrong"); status != http.StatusForbidden {
				t.Errorf("%s without the token: %d", request, status)
			}
			if status, _, _ := ask(request, "Sec-Fetch-Site", "same-site"); status != http.StatusForbidden {
				t.Errorf("%s from another port: %d", request, status)
			}
		}
		status, text, h := ask(request)
		if policy := h.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") && !strings.Contains(policy, "sandbox") {
			t.Errorf("%s has the policy %q", request, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", request, h)
		}
		if status >= 500 {
			t.Errorf("%s: %d %.200s", request, status, text)
		}
		for _, secret := range []string{canaryToken, canarySecret, "canary-token-5d41402abc4b&#43;a/76=", `canary-\"secret`, "canary-&#34;secret"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s has %q", request, secret)
			}
		}
	}
}

// What is not served is answered by a page, or by the API's form of an error.
func TestConsoleMissing(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	for request, want := range map[string]string{
		"GET nope": "404 text/html; charset=utf-8", "GET nope/deeper?q=<script>": "404 text/html; charset=utf-8",
		"GET api/nope": "404 application/json", "POST nope": "404 application/json", "GET assets/%2e%2e%2fconsole.go": "404 application/json",
		"GET api/deliveries/1/replay": "405 application/json", "DELETE api/deliveries": "405 application/json", "POST executions": "405 application/json",
	} {
		method, path, _ := strings.Cut(request, " ")
		response, body := send(t, method, c.base+"/_expressway/"+path, "", nil)
		if got := fmt.Sprint(response.StatusCode, " ", response.Header.Get("Content-Type")); got != want || !strings.HasPrefix(response.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %s, want %s: %v", request, got, want, response.Header)
		}
		var answer struct{ Error string }
		switch {
		case strings.HasSuffix(want, "json"):
			if err := json.Unmarshal(body, &answer); err != nil || answer.Error == "" {
				t.Errorf("%s: %s", request, body)
			}
		case !strings.Contains(string(body), "<h1>Not found</h1>") || strings.Contains(string(body), "<script>"):
			t.Errorf("%s: %s", request, body)
		}
		if allow := response.Header.Get("Allow"); (response.StatusCode == 405) != (allow != "") {
			t.Errorf("%s: Allow is %q", request, allow)
		}
	}
}

// A body that is larger than a POST may be is refused, and a broken one says why.
func TestConsoleLargeAndBrokenBodies(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.deliver()
	_, requests := c.endpoints()
	large := `{"x":"` + strings.Repeat("x", 9<<20) + `"}`
	for _, request := range requests {
		path, ok := strings.CutPrefix(request, "POST ")
		if !ok || strings.HasSuffix(path, "/end") {
			continue
		}
		var out struct{ Error string }
		if status := c.post(path, large, &out); status != http.StatusRequestEntityTooLarge && status != http.StatusBadRequest || out.Error == "" {
			t.Errorf("%s with 9 MiB: %d %+v", path, status, out)
		}
		for _, broken := range []string{"[", `{"nope":1}`, `"x"`} {
			if status := c.post(path, broken, &out); status != http.StatusBadRequest || out.Error == "" {
				t.Errorf("%s with %s: %d %+v", path, broken, status, out)
			}
		}
	}
}

// A Wait and the attempts of a task are visible: when, with which arguments, and how each
// ended.
func TestConsoleShowsWaitsAndRetries(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	const retries = `{"StartAt":"Nap","States":{"Nap":{"Type":"Wait","Seconds":0,"Next":"Call"},"Call":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke",
	  "Parameters":{"FunctionName":"f","Payload":{"n":7}},"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"MaxAttempts":1}],
	  "Catch":[{"ErrorEquals":["States.ALL"],"Next":"Done"}],"End":true},"Done":{"Type":"Succeed"}}}`
	if err := os.WriteFile(c.dir+"/retries.asl.json", []byte(retries), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.local.States.LoadDir(c.dir); err != nil {
		t.Fatal(err)
	}
	var run struct{ ID json.Number }
	c.post("api/machines/retries/run", `{"input":{}}`, &run)
	var e console.ExecutionView
	for deadline := time.Now().Add(20 * time.Second); e.Status != "SUCCEEDED"; time.Sleep(10 * time.Millisecond) {
		if c.get("api/executions/"+run.ID.String(), &e); time.Now().After(deadline) {
			t.Fatalf("%+v", e)
		}
	}
	if v := e.Visits[0]; v.Type != "Wait" || v.Left == nil || v.Status != "succeeded" {
		t.Errorf("the Wait: %+v", v)
	}
	v := e.Visits[1]
	if v.Status != "caught" || len(v.Attempts) != 2 || !strings.Contains(string(v.Attempts[1].Arguments), `"n":7`) || v.Attempts[0].Error == "" || v.Attempts[0].Ended == nil {
		t.Errorf("the task: %+v", v)
	}
	page := c.get("executions/"+run.ID.String()+"?state=Call", nil)
	for _, want := range []string{"Attempt 1", "Attempt 2", "lambda:invoke", v.Attempts[0].Error, "↻1", "Event history: "} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	var kinds []string
	for _, event := range e.History {
		var h struct{ Type string }
		_ = json.Unmarshal(event, &h)
		kinds = append(kinds, h.Type)
	}
	if got := strings.Join(kinds, " "); !strings.Contains(got, "WaitStateEntered WaitStateExited TaskStateEntered TaskScheduled") || strings.Count(got, "TaskScheduled") != 2 {
		t.Errorf("the history: %s", got)
	}
}
