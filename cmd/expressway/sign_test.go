package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/providertest"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// signEnv holds the secrets of the routes that are signed.
func signEnv(name string) string {
	return map[string]string{
		"S": "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")),
		"X": strings.Repeat("a7", 32), "T": "verify-token",
		"B": base64.StdEncoding.EncodeToString([]byte("a secret that no input holds!")),
		"E": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
	}[name]
}

// A curlRequest is what a printed command would send.
type curlRequest struct {
	method, target, body string
	headers              map[string]string // by name, in lower case
}

// curled runs a printed command in sh, where curl only shows its arguments.
func curled(t *testing.T, command string) curlRequest {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		skip(t, "no sh to run the command")
	}
	out, err := exec.CommandContext(t.Context(), sh, "-c", "curl() { printf '%s\\0' \"$@\"; }\n"+command).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, command)
	}
	args := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	r := curlRequest{headers: map[string]string{}}
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-sS", "-g", "--path-as-is":
		case "-w":
			i++
		case "-X":
			i++
			r.method = args[i]
		case "-H":
			i++
			name, value, found := strings.Cut(args[i], ": ")
			if !found {
				name = strings.TrimSuffix(name, ";")
			}
			r.headers[strings.ToLower(name)] = value
		case "--data-raw":
			i++
			r.body = args[i]
		case "--data-binary":
			i++
			text, err := os.ReadFile(strings.TrimPrefix(args[i], "@"))
			if err != nil {
				t.Fatal(err)
			}
			r.body = string(text)
		default:
			r.target = args[i]
		}
	}
	return r
}

// sentBy makes the event of what a printed command would send.
func sentBy(t *testing.T, command string) []byte {
	t.Helper()
	r := curled(t, command)
	u, err := url.Parse(r.target)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(map[string]any{
		"version": "2.0", "rawPath": u.EscapedPath(), "rawQueryString": u.RawQuery, "headers": r.headers,
		"body": base64.StdEncoding.EncodeToString([]byte(r.body)), "isBase64Encoded": true,
		"requestContext": map[string]any{"domainName": "x.lambda-url.us-east-1.on.aws", "http": map[string]string{"method": r.method}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func deliver(t *testing.T, path string, payload []byte) (status int, input string) {
	t.Helper()
	return deliverWith(t, path, signEnv, payload)
}

func deliverWith(t *testing.T, path string, getenv func(string) string, payload []byte) (status int, input string) {
	t.Helper()
	cfg, err := config.Options{Getenv: getenv}.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	store := dedupe.NewMemory(dedupe.MemoryOptions{})
	front, err := httpfront.New(cfg.Routes, bridge.New(echoStarter{}, bridge.Options{Log: log, Dedupe: store}), secrets.NewEnv(getenv), httpfront.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	out, _ := front.Invoke(t.Context(), payload)
	var response struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal(out, &response); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Body
}

// An echoStarter succeeds with the input as output.
type echoStarter struct{}

func (echoStarter) StartSync(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{Status: bridge.Succeeded, Output: s.Input}, nil
}

func (echoStarter) Start(_ context.Context, s bridge.Start) (bridge.Outcome, error) {
	return bridge.Outcome{Status: bridge.Running}, nil
}

func signCommandFor(t *testing.T, stdin, path string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr strings.Builder
	code = run(t.Context(), append([]string{"sign", "a", "--config", path}, args...), strings.NewReader(stdin), &stdout, &stderr, signEnv)
	return code, stdout.String(), stderr.String()
}

// The command that is printed for a provider is one that its route accepts; where none
// can be, it says why.
func TestSignEveryProvider(t *testing.T) {
	t.Parallel()
	body := filepath.Join(t.TempDir(), "it's a body.json")
	const sample = `{"id":"1","event_id":"e","note":"it's; $HOME \"x\"","value":[{"x":1}],"notificationItems":[{"NotificationRequestItem":{"pspReference":"p","eventCode":"A","success":"true","amount":{"value":1,"currency":"EUR"}}}]}`
	if err := os.WriteFile(body, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	form := filepath.Join(t.TempDir(), "it's a form.form")
	if err := os.WriteFile(form, []byte("note=it's;+$HOME"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range verify.Providers() {
		t.Run(p, func(t *testing.T) {
			t.Parallel()
			file, body := filepath.Join(t.TempDir(), "keys.pem"), body
			preset, _ := verify.Lookup(p)
			if preset.ContentTypes[0] == "application/x-www-form-urlencoded" {
				body = form
			}
			c, err := providertest.Signing(p)
			if err != nil {
				t.Fatal(err)
			}
			getenv := func(name string) string { return map[string]string{"S": c.Secret, "T": "a-verify-token"}[name] }
			path := oneRoute(t, "    http: POST /a/{id}\n    verify: "+c.YAML()+"\n    input: '{% $request.body %}'\n    "+c.Dedupe()+"\n")
			sign := func(more ...string) (code int, out, errs string) {
				var stdout, stderr strings.Builder
				args := append([]string{"sign", "a", "--config", path, "-d", body, "--param", "id=x y/z", "--url", "https://hooks.example.com"}, more...)
				code = run(t.Context(), args, strings.NewReader(""), &stdout, &stderr, getenv)
				return code, stdout.String(), stderr.String()
			}
			code, out, errs := sign()
			if c.With != c.Secret { // the sender has a private key
				if code != 1 || !strings.Contains(errs, "--keys FILE") || out != "" {
					t.Errorf("exit %d: %q, want why it cannot be signed, and what to do", code, errs)
				}
				c.Secret = "" // what the route has is not known yet, or of another sender
				if code, _, errs = sign("--keys", file); code != 0 || !strings.Contains(errs, "note: the route accepts these keys only if") {
					t.Fatalf("exit %d, want 0 and a note about the keys: %s", code, errs)
				}
				_, c.Secret, _ = strings.Cut(errs, "\n")
				c.Secret = strings.TrimSpace(c.Secret)
				code, out, errs = sign("--keys", file)
			}
			if code != 0 || errs != "" {
				t.Fatalf("exit %d, want 0 and no note: %s", code, errs)
			}
			if status, input := deliverWith(t, path, getenv, sentBy(t, out)); status != 200 || body != form && !strings.Contains(input, `it's; $HOME`) && p != "apple" {
				t.Errorf("answered %d %s\n%s", status, input, out)
			}
			args := []string{"sign", "a", "--config", path, "--sample", "--param", "id=1", "--url", "https://hooks.example.com", "--keys", file}
			var stdout, stderr strings.Builder
			if code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr, getenv); code != 0 || stderr.String() != "" {
				t.Fatalf("sign --sample: exit %d, want 0 and no note: %s", code, stderr.String())
			}
			if status, input := deliverWith(t, path, getenv, sentBy(t, stdout.String())); status != 200 {
				t.Errorf("--sample: answered %d %s\n%s", status, input, stdout.String())
			}
		})
	}
}

func TestSign(t *testing.T) {
	github := oneRoute(t, "    http: POST /a\n    verify: {provider: github, secrets: env:S}\n    input: {event: '{% $request.headers.\"x-github-event\" %}', id: '{% $exists($request.headers.\"x-github-delivery\") %}', body: '{% $request.body %}'}\n")
	code, out, errs := signCommandFor(t, `{"a":1}`, github, "-d", "-", "--event", "push")
	if code != 0 {
		t.Fatal(errs)
	}
	if status, input := deliver(t, github, sentBy(t, out)); status != 200 || input != `{"event":"push","id":true,"body":{"a":1}}` {
		t.Errorf("answered %d %s\n%s", status, input, out)
	}
	if !strings.HasPrefix(out, "curl -sS -w '\\n' -X POST http://127.0.0.1:8080/a \\\n") || strings.Contains(out, signEnv("S")) {
		t.Errorf("printed\n%s", out)
	}
	basic := oneRoute(t, "    http: GET /a/{rest...}\n    verify: {basic: {username: u}, secrets: [env:S, env:X]}\n    input: {p: '{% $request.params.rest %}', q: '{% $request.query.q %}', h: '{% $request.headers.\"x-h\" %}'}\n")
	_, out, errs = signCommandFor(t, "", basic, "--param", "rest=b c/d", "--query", "q=1%202", "-H", "X-H: it's")
	if status, input := deliver(t, basic, sentBy(t, out)); status != 200 || input != `{"p":"b c/d","q":"1 2","h":"it's"}` {
		t.Errorf("answered %d %s\n%s%s", status, input, out, errs)
	}
	ssm := oneRoute(t, "    http: POST /a\n    verify: {provider: github, secrets: 'ssm:/x'}\n")
	queue := oneRoute(t, "    sqs: q\n")
	for name, test := range map[string]struct {
		path string
		args []string
		err  string
	}{
		"no such route":      {github, nil, `has no route "b"; it has a`},
		"no http":            {queue, nil, "there is nothing to sign"},
		"no parameter":       {basic, nil, "the path /a/{rest...} has a parameter: pass --param rest=VALUE"},
		"no such parameter":  {github, []string{"--param", "x=y"}, "has no {x}"},
		"two bodies":         {github, []string{"--sample", "-d", "-"}, "--sample and --data cannot be combined"},
		"nobody's sample":    {basic, []string{"--param", "rest=x", "--sample"}, "is not a provider with a sample"},
		"no header":          {github, []string{"-H", "X"}, "--header must have the form 'Name: value'"},
		"a split header":     {github, []string{"-H", "X: a\nb"}, "--header must have"},
		"a space in a query": {github, []string{"--query", "a=1 2"}, "must be escaped"},
		"a fragment":         {github, []string{"--query", "a=#1"}, "must be escaped"},
		"no URL":             {github, []string{"--url", "localhost"}, "--url must be scheme and host"},
		"no file":            {github, []string{"-d", "nope.json"}, "nope.json"},
		"a binary body":      {github, []string{"-d", "-"}, "NUL bytes"},
		"no event name":      {basic, []string{"--param", "rest=x", "--event", "e"}, "does not name events in a header"},
		"a secret elsewhere": {ssm, nil, "--secret env:NAME"},
		"an unset secret":    {ssm, []string{"--secret", "env:NOPE"}, "env:NOPE"},
	} {
		args := append([]string{"sign", "a", "--config", test.path}, test.args...)
		if name == "no such route" {
			args[1] = "b"
		}
		var out, errs strings.Builder
		if code := run(t.Context(), args, strings.NewReader("\x00"), &out, &errs, signEnv); code != 1 || !strings.Contains(errs.String(), test.err) || out.String() != "" {
			t.Errorf("%s: exit %d, %q, want %q", name, code, errs.String(), test.err)
		}
	}
}

// skip leaves a test out for want of a program, but not in CI, which has them all.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// curl sends what was signed, and not what it makes of brackets, braces and dots.
func TestSignForCurl(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if _, errCurl := exec.LookPath("curl"); err != nil || errCurl != nil {
		skip(t, "no sh and curl to run the command")
	}
	sent := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case sent <- r.Method + " " + r.RequestURI:
		default:
		}
	}))
	t.Cleanup(server.Close)
	path := oneRoute(t, "    http: /a/{id}\n    verify: {provider: twilio, secrets: [env:S], url: 'https://hooks.example.com'}\n")
	for want, args := range map[string][]string{
		"POST /a/1?a[]=1&a[]=2&b=[1-3]": {"--param", "id=1", "--query", "a[]=1&a[]=2&b=[1-3]", "-d", "-", "-H", "Content-Type: application/x-www-form-urlencoded"},
		"GET /a/1?a={x,y}&b=it's":       {"--param", "id=1", "--query", "a={x,y}&b=it's"},
		"GET /a/..?a=/../b":             {"--param", "id=..", "--query", "a=/../b"},
		"GET /a/%7Bx%7D%23?a=%23":       {"--param", "id={x}#", "--query", "a=%23"},
	} {
		code, out, errs := signCommandFor(t, "Body=1", path, append(args, "--url", server.URL)...)
		if code != 0 {
			t.Fatal(errs)
		}
		text, err := exec.CommandContext(t.Context(), sh, "-c", out).CombinedOutput()
		if err != nil {
			t.Fatalf("%v, %s\n%s", err, text, out)
		}
		if got := <-sent; got != want {
			t.Errorf("sent %s, want %s\n%s", got, want, out)
		}
	}
}

// The README's first webhooks: what sign prints for the sample bodies, the sample routes
// and state machines answer as it says.
func TestSignedSamples(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"github": {[]string{"sign", "github", "-d", "events/bodies/github-push.json", "--param", "org=example-org", "--event", "push"}, `{"deployed":"example-org/storefront","commits":1}`},
		"stripe": {[]string{"sign", "stripe", "-d", "events/bodies/stripe-payment.json"}, `[{"ledger":1250},{"receipt":"pi_3QexpresswaySample01"}]`},
		"slack":  {[]string{"sign", "slack", "-d", "events/bodies/slack-order.form"}, `{"response_type":"in_channel","text":"Ordered: tea-250, cup-1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			code, command, errs := inProject(t, "", test.args...)
			if code != 0 {
				t.Fatal(errs)
			}
			var stdout, stderr strings.Builder
			code = run(t.Context(), []string{"invoke", "webhook", "-e", "-"}, strings.NewReader(string(sentBy(t, command))), &stdout, &stderr, func(string) string { return "" })
			out, errs := stdout.String(), stderr.String()
			var answer struct {
				StatusCode int
				Body       string
			}
			if err := json.Unmarshal([]byte(out), &answer); err != nil {
				t.Fatal(err)
			}
			if code != 0 || answer.StatusCode != 200 || answer.Body != test.want {
				t.Errorf("exit %d: %d %s, want 200 %s\n%s", code, answer.StatusCode, answer.Body, test.want, errs)
			}
		})
	}
}
