package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	forms    = regexp.MustCompile(`(?s)<section class="card"><h2>(.*?)</h2>(.*?)</section>`)
	target   = regexp.MustCompile(`data-post="/_expressway/api/([^"]+)"`)
	field    = regexp.MustCompile(`(?s)<textarea name="(body|event)"[^>]*>(.*?)</textarea>`)
	headered = regexp.MustCompile(`<input name="event" value="([^"]*)"`)
)

// A sendForm is a form of the console's page for sending, as a browser would send it.
type sendForm struct{ to, body string }

// A consoleClient calls the console's API as its pages do.
type consoleClient struct {
	t     *testing.T
	base  string
	token string
}

func newConsoleClient(t *testing.T, base string) *consoleClient {
	c := &consoleClient{t: t, base: base + "/_expressway/"}
	var got struct{ Token string }
	c.get("api/token", &got)
	c.token = got.Token
	return c
}

func (c *consoleClient) page(path string) string {
	c.t.Helper()
	response, err := http.Get(c.base + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		c.t.Fatalf("GET %s: got %d %s %v, want 200", path, response.StatusCode, text, err)
	}
	return string(text)
}

func (c *consoleClient) get(path string, to any) {
	c.t.Helper()
	if text := c.page(path); json.Unmarshal([]byte(text), to) != nil {
		c.t.Fatalf("GET %s: got %s, want JSON", path, text)
	}
}

func (c *consoleClient) post(path, body string, to any) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("X-Expressway-Token", c.token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || json.Unmarshal(text, to) != nil {
		c.t.Fatalf("POST %s %s: got %d %s %v, want 200 and JSON", path, body, response.StatusCode, text, err)
	}
}

// forms returns the forms of the page for sending by their headings, and why others have
// none.
func (c *consoleClient) forms() (list map[string]sendForm, cannot map[string]string) {
	c.t.Helper()
	list, cannot = map[string]sendForm{}, map[string]string{}
	for _, section := range forms.FindAllStringSubmatch(c.page("send"), -1) {
		heading, _, _ := strings.Cut(section[1], "<small>")
		name := strings.TrimSpace(html.UnescapeString(heading))
		to := target.FindStringSubmatch(section[2])
		if to == nil {
			cannot[name] = section[2]
			continue
		}
		values := map[string]any{}
		written := field.FindStringSubmatch(section[2])
		text := html.UnescapeString(written[2])
		if values[written[1]] = text; strings.HasPrefix(to[1], "send/") {
			values[written[1]] = json.RawMessage(text)
		}
		if event := headered.FindStringSubmatch(section[2]); event != nil {
			values["event"] = html.UnescapeString(event[1])
		}
		body, err := json.Marshal(values)
		if err != nil {
			c.t.Fatalf("%s: %v", name, err)
		}
		list[name] = sendForm{"api/" + to[1], string(body)}
	}
	return list, cannot
}

type sentDelivery struct {
	ID                              int
	Status, Decision, Error, Reason string
	OK                              bool
}

func (c *consoleClient) send(f sendForm) (d sentDelivery) {
	c.t.Helper()
	var sent struct{ ID int }
	c.post(f.to, f.body, &sent)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var got struct {
			sentDelivery
			Running bool
		}
		if c.get(fmt.Sprintf("api/deliveries/%d", sent.ID), &got); !got.Running || time.Now().After(deadline) {
			return got.sentDelivery
		}
	}
}

// resume answers a task of the execution of approval that waits in a state.
func (c *consoleClient) resume(state string) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var running struct{ Executions []struct{ ID int } }
		c.get("api/executions?machine=approval&status=RUNNING", &running)
		for _, e := range running.Executions {
			var waiting struct {
				Waits []struct{ State, Token string }
			}
			c.get(fmt.Sprintf("api/executions/%d/waits", e.ID), &waiting)
			for _, w := range waiting.Waits {
				if w.State != state {
					continue
				}
				body, err := json.Marshal(map[string]string{"token": w.Token, "action": "success", "output": "{}"})
				if err != nil {
					c.t.Fatal(err)
				}
				c.post(fmt.Sprintf("api/executions/%d/waits", e.ID), string(body), &struct{}{})
				return
			}
		}
	}
	c.t.Fatalf("no task reached the state %s in time", state)
}

// Whoever opens the page for sending and presses a button gets an answer of 2xx, before
// anything else has been sent; a form that cannot work says why.
func TestFormsOfTheSamples(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, part := range []string{"statemachines", "events", "expressway.yaml", "env.json", "mocks.json"} {
		if out, err := exec.Command("cp", "-r", filepath.Join(root, part), dir).CombinedOutput(); err != nil {
			t.Fatalf("copy the example: %v %s", err, out)
		}
	}
	t.Chdir(dir)
	shortGrace(t, "expressway.yaml", "expressway.yaml")
	base, stop := startConsole(t, "--env-vars", "env.json")
	defer stop()
	c := newConsoleClient(t, base)
	list, cannot := c.forms()
	check := func(name, want string) {
		t.Helper()
		f, ok := list[name]
		if !ok {
			t.Errorf("there is no form for %s", name)
			return
		}
		delete(list, name)
		if d := c.send(f); !strings.HasPrefix(d.Status, want) {
			t.Errorf("%s: %+v, want %s", name, d, want)
		}
	}
	check("payouts", "404") // as its note says: nothing waits yet
	if !strings.Contains(c.page("send"), "If no task waits under that key, the answer is 404.") {
		t.Error("the form of payouts does not say what it depends on")
	}
	check("github", "200")
	check("stripe", "200")
	check("slack", "200")
	check("orders-http", "201")
	check("refunds", "202")
	check("A message for orders-queue", "1 done")
	check("An event for payments", "SUCCEEDED")
	check("A request, as a Function URL delivers it", "401")
	if why := cannot["approvals"]; !strings.Contains(why, "Only a link made by a workflow works here.") || !strings.Contains(why, "status=RUNNING") {
		t.Errorf("the reason why approvals has no form = %q, want where to find links", why)
	}
	for name := range list {
		t.Errorf("the form %q is not tested", name)
	}
	// Once the refund is approved, its payout is waited for.
	c.resume("Ask")
	list, _ = c.forms()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		d := c.send(list["payouts"])
		if strings.HasPrefix(d.Status, "2") && d.Decision == "resumed" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the form of payouts did not resume its workflow in time: %+v", d)
		}
	}
	// The files are read as they are when the page is opened.
	if err := os.WriteFile("events/bodies/orders-http-two.json", []byte(`{"orderId":"second"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("events/bodies/refunds.json", "events/bodies/refunds-large.json"); err != nil {
		t.Fatal(err)
	}
	for route, want := range map[string]string{"orders-http": "o-1001", "refunds": "r-4001"} {
		var s struct{ Body string }
		if c.get("api/routes/"+route+"/sample", &s); !strings.Contains(s.Body, want) {
			t.Errorf("the sample of %s is %s, want %s in it", route, s.Body, want)
		}
	}
}
