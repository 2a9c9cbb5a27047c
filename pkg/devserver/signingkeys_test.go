package devserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// With keys of your own, what is sent again gets a new signature, also for a sender that signs
// with a private key; but only if the route accepts these keys.
func TestConsoleResendWithKeys(t *testing.T) {
	t.Parallel()
	now := time.Now()
	keys, err := verify.MakeKeys(now)
	if err != nil {
		t.Fatal(err)
	}
	spec := verify.Spec{Provider: "discord", Secrets: []string{"env:OWN"}}
	public, err := verify.PublicHalf(spec, keys)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keys.pem")
	if err := os.WriteFile(file, []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newConsoleWith(t, map[string]string{"OWN": public, "EXPRESSWAY_SIGNING_KEYS": file},
		"  - {name: own, http: POST /own, verify: {provider: discord, secrets: [\"env:OWN\"]}, start: m, input: '{% $request.body %}'}\n")
	const body = `{"type":2,"id":"d1"}`
	request := &verify.Request{Method: http.MethodPost, Path: "/own", Header: http.Header{}, Body: []byte(body)}
	signed, err := verify.SignRequest(spec, keys, request, now)
	if err != nil {
		t.Fatal(err)
	}
	var headers []string
	for name := range signed.Header {
		headers = append(headers, name, signed.Header.Get(name))
	}
	send(t, http.MethodPost, c.base+"/own", "application/json", []byte(body), headers...)
	first := c.latest()
	if first.Status != "200" {
		t.Fatalf("signed by the sender: %+v", first)
	}
	signatures := map[string]bool{signature(c, first.ID): true}
	for again, want := range map[string]string{"": body, `{"body":"{\"type\":2,\"id\":\"edited\"}"}`: `{"type":2,"id":"edited"}`} {
		var out struct{ Unverified bool }
		time.Sleep(time.Until(now.Add(1100 * time.Millisecond))) // the signature contains the time in seconds
		c.post(fmt.Sprintf("api/deliveries/%d/replay", first.ID), again, &out)
		d := c.latest()
		if d.ID == first.ID || d.Status != "200" || out.Unverified || strings.Contains(d.Origin, "unverified") {
			t.Errorf("sent again with %q: unverified %t, %+v", again, out.Unverified, d)
		}
		var execution struct{ Input json.RawMessage }
		c.get(fmt.Sprintf("api/executions/%d", d.Records[0].Execution), &execution)
		if got := strings.Join(strings.Fields(string(execution.Input)), ""); got != want {
			t.Errorf("sent again with %q: the input is %s, want %s", again, got, want)
		}
		signatures[signature(c, d.ID)] = true
	}
	if len(signatures) != 3 {
		t.Errorf("%d signatures, want one for each delivery", len(signatures))
	}
	// The route "foreign" has the public half of another key.
	send(t, http.MethodPost, c.base+"/foreign", "application/json", []byte(body), headers...)
	var out struct{ Unverified bool }
	c.post(fmt.Sprintf("api/deliveries/%d/replay", c.latest().ID), `{"body":"{\"type\":2,\"id\":\"d3\"}"}`, &out)
	if d := c.latest(); d.Status != "200" || !out.Unverified || !strings.Contains(d.Origin, "unverified") {
		t.Errorf("keys that the route does not accept: %+v", d)
	}
}

// signature is the signature of a delivery as the function got it.
func signature(c *consoleTest, id int) string {
	d, ok := c.recorder.Delivery(id)
	var event struct{ Headers map[string]string }
	if err := json.Unmarshal(d.Event(), &event); err != nil || !ok {
		c.t.Errorf("delivery %d: %t, %v", id, ok, err)
	}
	return event.Headers["x-signature-ed25519"]
}
