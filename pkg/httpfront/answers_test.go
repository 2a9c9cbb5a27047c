package httpfront_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/secrets"
)

func route(keys string) string {
	return "  - name: a\n    start: m\n" + keys
}

const open = "    http: POST /a\n    verify: none\n"

func ask(t testing.TB, keys string, starter starterFunc, payload []byte) response {
	t.Helper()
	return invoke(t, front(t, route(keys), starter), payload)
}

func post(body string, headers ...string) []byte {
	return event("POST", "/a", "application/json", body, headers...)
}

// What respond makes of a success.
func TestRespond(t *testing.T) {
	t.Parallel()
	h := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	tests := map[string]struct {
		respond string
		output  string
		want    response
	}{
		"TwiML keeps its type": {
			`{headers: {Content-Type: text/xml}, body: "<Response><Message>Hi</Message></Response>"}`, `{}`,
			response{StatusCode: 200, Headers: h("Content-Type", "text/xml"), Body: "<Response><Message>Hi</Message></Response>"},
		},
		"text from the output": {
			`{body: "{% $execution.output.t %}"}`, `{"t":"hé"}`,
			response{StatusCode: 200, Headers: h("Content-Type", "text/plain; charset=utf-8"), Body: "hé"},
		},
		"an output that is text": {
			`{body: "{% $execution.output %}"}`, `"hi \u0041"`,
			response{StatusCode: 200, Headers: h("Content-Type", "text/plain; charset=utf-8"), Body: "hi A"},
		},
		"JSON keeps its digits": {
			`{body: "{% $execution.output %}"}`, `{"n": 9007199254740993}`,
			response{StatusCode: 200, Headers: h("Content-Type", "application/json"), Body: `{"n": 9007199254740993}`},
		},
		"binary": {
			`{base64: true, body: "{% $execution.output.png %}", headers: {content-type: image/png}}`, `{"png":"/wD+"}`,
			response{StatusCode: 200, Headers: h("Content-Type", "image/png"), Body: "/wD+", IsBase64Encoded: true},
		},
		"base64 by expression": {
			`{base64: "{% $execution.output.b %}", body: "aGk="}`, `{"b":false}`,
			response{StatusCode: 200, Headers: h("Content-Type", "text/plain; charset=utf-8"), Body: "aGk="},
		},
		"redirect": {
			`{status: 303, headers: {Location: '{% "https://shop.example.com/orders/" & $execution.output.id %}'}, body: ""}`, `{"id":"7"}`,
			response{StatusCode: 303, Headers: h("Location", "https://shop.example.com/orders/7")},
		},
		"cookies": {
			`{cookies: ["a=1; Secure; HttpOnly", "{% $execution.output.c %}"], headers: {Vary: [Accept, Cookie]}, body: ""}`, `{"c":"b=2"}`,
			response{StatusCode: 200, Headers: h("Vary", "Accept, Cookie"), Cookies: []string{"a=1; Secure; HttpOnly", "b=2"}},
		},
		"one cookie": {
			`{cookies: "{% $execution.output.c[0] %}", body: ""}`, `{"c":["b=2"]}`,
			response{StatusCode: 200, Headers: h(), Cookies: []string{"b=2"}},
		},
		"no content": {
			`{status: 204}`, `{"x":1}`,
			response{StatusCode: 204, Headers: h()},
		},
		"not modified": {
			`{status: 304, headers: {ETag: '"v1"'}, body: x}`, `{}`,
			response{StatusCode: 304, Headers: h("Etag", `"v1"`)},
		},
		"a length is the gateway's": {
			`{headers: "{% $execution.output %}", body: x}`, `{"content-length":"9999","transfer-encoding":"chunked","x-n":1}`,
			response{StatusCode: 200, Headers: h("Content-Type", "text/plain; charset=utf-8", "X-N", "1"), Body: "x"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, open+"    respond: "+test.respond+"\n", succeedWith(test.output), post(`{}`))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for name, test := range map[string]struct {
		respond, output string
		status          int
		error           string
	}{
		"a header cannot split the answer":   {`{headers: {X-Id: "{% $execution.output %}"}}`, `"a\r\nSet-Cookie: b=c"`, 502, bridge.BadResponse},
		"nor can its name":                   {`{headers: "{% $execution.output %}"}`, `{"X-A\r\nX-B":"c"}`, 502, bridge.BadResponse},
		"nor can a cookie":                   {`{cookies: ["{% $execution.output %}"]}`, `"a=b\r\nX: y"`, 502, bridge.BadResponse},
		"a header is not an object":          {`{headers: {X-Id: "{% $execution.output %}"}}`, `{}`, 502, bridge.BadResponse},
		"an interim status is not an answer": {`{status: "{% $execution.output %}"}`, `101`, 502, bridge.BadResponse},
		"a fraction is not a status":         {`{status: "{% $execution.output %}"}`, `200.5`, 502, bridge.BadResponse},
		"invalid base64":                     {`{base64: true, body: "{% $execution.output %}"}`, `"*"`, 502, bridge.BadResponse},
		"base64 of an object":                {`{base64: true, body: "{% $execution.output %}"}`, `{}`, 502, bridge.BadResponse},
		"base64 neither true nor false":      {`{base64: "{% $execution.output %}", body: x}`, `"true"`, 502, bridge.BadResponse},
		"an expression that yields nothing":  {`{body: "{% $execution.output.none %}"}`, `{}`, 500, bridge.ExpressionFailed},
		"an expression that cannot evaluate": {`{body: "{% $execution.output + 1 %}"}`, `"x"`, 500, bridge.ExpressionFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, open+"    respond: "+test.respond+"\n", succeedWith(test.output), post(`{}`))
			if got.StatusCode != test.status || !strings.Contains(got.Body, `"error":"`+test.error+`"`) || !strings.Contains(got.Body, executionARN) {
				t.Errorf("got %d %s, want %d %s with the execution's ARN", got.StatusCode, got.Body, test.status, test.error)
			}
		})
	}
}

// A workflow may answer as a Lambda function does.
func TestProxyShapedOutputs(t *testing.T) {
	t.Parallel()
	got := ask(t, open, succeedWith(`{"statusCode":"302","headers":{"Location":"/x","Content-Length":5},"multiValueHeaders":{"X-A":["1","2"]},"cookies":["a=b"],"body":null}`), post(`{}`))
	want := response{StatusCode: 302, Headers: map[string]string{"Location": "/x", "X-A": "1, 2"}, Cookies: []string{"a=b"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, output := range []string{
		`{"statusCode":200,"cookies":"a=b"}`, `{"statusCode":200,"cookies":["a\nb"]}`, `{"statusCode":200,"headers":[]}`,
		`{"statusCode":200,"multiValueHeaders":{"A":[["x"]]}}`, `{"statusCode":null}`, `{"statusCode":true}`, `{"statusCode":600}`,
		`{"statusCode":200,"body":"*","isBase64Encoded":true}`, `{"statusCode":200,"isBase64Encoded":"yes"}`,
	} {
		if got := ask(t, open, succeedWith(output), post(`{}`)); got.StatusCode != 502 || !strings.Contains(got.Body, bridge.BadResponse) {
			t.Errorf("%s: got %d %s, want 502 %s", output, got.StatusCode, got.Body, bridge.BadResponse)
		}
	}
	if got := ask(t, open+"    respond: {status: 201}\n", succeedWith(`{"statusCode":418}`), post(`{}`)); got.StatusCode != 201 || got.Body != `{"statusCode":418}` {
		t.Errorf("with respond = %d %s, want respond to win", got.StatusCode, got.Body)
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	provider := func(name string) string {
		return "    http: POST /a\n    verify: {provider: " + name + ", secrets: ['env:SECRET']}\n    mode: async\n"
	}
	slack := func() []byte { return signedEvent(t, "slack", "/a", `{"type":"event_callback","event_id":"Ev1"}`) }
	if got := ask(t, provider("slack"), echo, slack()); got.StatusCode != 200 || got.Body != "" || got.Headers["Content-Type"] != "" {
		t.Errorf("Slack's acknowledgement = %+v, want 200 and nothing", got)
	}
	if got := ask(t, provider("slack")+"    accepted: {status: 200, body: {text: '{% \"On it: \" & $execution.arn %}'}}\n", echo, slack()); got.Body != `{"text":"On it: `+executionARN+`"}` {
		t.Errorf("accepted = %d %s", got.StatusCode, got.Body)
	}
	if got := ask(t, open+"    mode: async\n    accepted: {headers: {Location: '{% $execution.name %}'}}\n", echo, post(`{}`)); got.StatusCode != 202 || got.Headers["Location"] != "a-req-1" || got.Body != `{"executionArn":"`+executionARN+`"}` {
		t.Errorf("accepted, in part = %+v", got)
	}
	if got := ask(t, open+"    mode: async\n", refuseWith(bridge.Throttled), post(`{}`)); got.StatusCode != 503 {
		t.Errorf("not started = %d, want 503", got.StatusCode)
	}
}

func TestOnDeadline(t *testing.T) {
	t.Parallel()
	late := refuseWith(bridge.Deadline)
	if got := ask(t, open+"    onDeadline: acknowledge\n", late, post(`{}`)); got.StatusCode != 200 || got.Body != "" {
		t.Errorf("acknowledge = %d %q, want 200 and nothing", got.StatusCode, got.Body)
	}
	graph := "    http: POST /a\n    verify: {provider: microsoft-graph, secrets: ['env:SECRET']}\n    onDeadline: acknowledge\n"
	if got := ask(t, graph, late, post(`{"value":[{"clientState":"s3cret"}]}`)); got.StatusCode != 202 || got.Body != "" {
		t.Errorf("the provider's acknowledgement = %d %q, want Graph's 202", got.StatusCode, got.Body)
	}
	const own = "    onDeadline: {status: 202, headers: {Retry-After: 30}, body: {late: '{% $failure.error %}'}}\n"
	if got := ask(t, open+own, late, post(`{}`)); got.StatusCode != 202 || got.Headers["Retry-After"] != "30" || got.Body != `{"late":"Expressway.Deadline"}` {
		t.Errorf("onDeadline = %+v", got)
	}
	// It takes precedence over a catch of all names, and matches nothing else.
	if got := ask(t, open+own+"    catch: [{errors: States.ALL, status: 500}]\n", late, post(`{}`)); got.StatusCode != 202 {
		t.Errorf("with a catch for all = %d, want 202", got.StatusCode)
	}
	if got := ask(t, open+own, end(bridge.TimedOut, "States.Timeout", ""), post(`{}`)); got.StatusCode != 504 {
		t.Errorf("a workflow's own timeout = %d, want 504", got.StatusCode)
	}
}

// A catch answers what never reached the bridge, too.
func TestCatchOfRefusals(t *testing.T) {
	t.Parallel()
	github := "    http: POST /a\n    verify: {provider: github, secrets: ['env:SECRET']}\n"
	forged := post(`{"secret":"in the body"}`, "x-hub-signature-256", signed("other"), "x-github-delivery", "d-7")
	never := func(context.Context, bridge.Start) (bridge.Outcome, error) {
		t.Error("something was started")
		return bridge.Outcome{}, nil
	}
	const constant = `{"title":"The request could not be verified","status":401,"error":"Expressway.Unverified","requestId":"req-1"}`
	for name, test := range map[string]struct {
		catch  string
		status int
		body   string
	}{
		"nothing is said":      {"", 401, constant},
		"all names":            {"{errors: States.ALL, status: 200, body: ok}", 401, constant},
		"by name":              {"{errors: States.ALL, status: 200}, {errors: [Expressway.Unverified], status: 403, body: {who: '{% $request.headers.\"x-github-delivery\" %}', why: '{% $failure.cause %}'}}", 403, `{"who":"d-7","why":"the request could not be verified"}`},
		"the body is not read": {"{errors: [Expressway.Unverified], status: 200, body: '{% $request.body.secret %}'}", 401, constant},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, github+"    catch: ["+test.catch+"]\n", never, forged)
			if got.StatusCode != test.status || got.Body != test.body {
				t.Errorf("got %d %s, want %d %s", got.StatusCode, got.Body, test.status, test.body)
			}
		})
	}
	large := event("POST", "/a", "text/plain", strings.Repeat("x", 7<<20))
	if got := ask(t, open+"    catch: [{errors: [Expressway.InputTooLarge], status: 422, body: '{% $failure.error %}'}]\n", never, large); got.StatusCode != 422 || got.Body != bridge.InputTooLarge {
		t.Errorf("too large, caught = %d %s", got.StatusCode, got.Body)
	}
	broken := []byte(strings.Replace(string(post("*")), `"isBase64Encoded":false`, `"isBase64Encoded":true`, 1))
	if got := ask(t, open+"    catch: [{errors: [Expressway.BadRequest], status: 422}]\n", never, broken); got.StatusCode != 422 {
		t.Errorf("bad base64, caught = %d, want 422", got.StatusCode)
	}
	if got := ask(t, open+"    catch: [{errors: [Expressway.BadRequest], status: 422}]\n", never, post("{")); got.StatusCode != 422 {
		t.Errorf("bad JSON, caught = %d, want 422", got.StatusCode)
	}
}

func TestHeadAndOptions(t *testing.T) {
	t.Parallel()
	f := front(t, "  - {name: g, http: GET /g, verify: none, start: m}\n  - {name: p, http: POST /g, verify: none, start: m}\n", succeedWith(`{"a":1}`))
	if got := invoke(t, f, event("HEAD", "/g", "", "")); got.StatusCode != 200 || got.Body != "" || got.Headers["Content-Type"] != "application/json" {
		t.Errorf("HEAD = %+v, want GET's answer without its body", got)
	}
	if got := invoke(t, f, event("OPTIONS", "/g", "", "")); got.StatusCode != 204 || got.Headers["Allow"] != "GET, HEAD, POST, OPTIONS" || got.Body != "" {
		t.Errorf("OPTIONS = %+v", got)
	}
	if got := invoke(t, f, event("OPTIONS", "/g", "", "", "webhook-request-origin", "events.example.com")); got.StatusCode != 405 {
		t.Errorf("OPTIONS of CloudEvents = %d, want 405 where nothing is granted", got.StatusCode)
	}
	if got := invoke(t, f, event("OPTIONS", "/nope", "", "")); got.StatusCode != 404 {
		t.Errorf("OPTIONS of no path = %d, want 404", got.StatusCode)
	}
	if got := invoke(t, f, event("HEAD", "/nope", "", "")); got.StatusCode != 404 || got.Body != "" {
		t.Errorf("HEAD of an unknown path = %d %q, want 404 without a body", got.StatusCode, got.Body)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	routes := `  - name: a
    http: POST /a
    verify: {token: {header: X-Api-Key}, secrets: ["env:TOKEN"]}
    start: m
    cors: {origins: [https://app.example.com], exposeHeaders: [X-Id], credentials: true, maxAge: 10m}
  - {name: b, http: GET /a, verify: none, start: m, cors: {origins: "*", methods: [GET, PUT], headers: [x-b]}}
  - {name: c, http: PUT /a, verify: none, start: m}
  - {name: rest, http: "/{path...}", verify: none, start: m}
`
	f := front(t, routes, succeedWith(`{}`))
	preflight := func(method, origin string) response {
		return invoke(t, f, event("OPTIONS", "/a", "", "", "origin", origin, "access-control-request-method", method))
	}
	const vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
	for name, test := range map[string]struct {
		got  response
		want map[string]string
	}{
		"allowed": {preflight("POST", "https://app.example.com"), map[string]string{
			"Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Methods": "POST",
			"Access-Control-Allow-Headers": "content-type, x-api-key", "Access-Control-Allow-Credentials": "true",
			"Access-Control-Max-Age": "600", "Access-Control-Expose-Headers": "X-Id", "Vary": vary,
		}},
		"another origin": {preflight("POST", "https://evil.example"), map[string]string{"Vary": vary}},
		"any origin": {preflight("GET", "https://evil.example"), map[string]string{
			"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, PUT", "Access-Control-Allow-Headers": "x-b", "Vary": vary,
		}},
	} {
		if diff := cmp.Diff(response{StatusCode: 204, Headers: test.want}, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := preflight("PUT", "https://app.example.com"); got.StatusCode != 200 {
		t.Errorf("a route without cors = %d, want the request to go to the route that takes OPTIONS", got.StatusCode)
	}
	got := invoke(t, f, event("POST", "/a", "", "", "origin", "https://app.example.com", "x-api-key", "wrong"))
	if got.StatusCode != 401 || got.Headers["Access-Control-Allow-Origin"] != "https://app.example.com" || got.Headers["Vary"] != "Origin" {
		t.Errorf("a refusal = %+v, want one that the page can read", got)
	}
	got = invoke(t, f, event("POST", "/a", "", "", "origin", "https://evil.example", "x-api-key", "t0ken"))
	if got.StatusCode != 200 || got.Headers["Access-Control-Allow-Origin"] != "" || got.Headers["Vary"] != "Origin" {
		t.Errorf("another origin's request = %+v, want an answer that its page cannot read", got)
	}
}

// A rotatingSource has new secrets once it is asked to look again.
type rotatingSource struct {
	secrets   []string
	refreshed int
	may       bool
}

func (s *rotatingSource) Get(context.Context, secrets.Reference) (secrets.Secret, error) {
	return secrets.New(s.secrets[min(s.refreshed, len(s.secrets)-1)]), nil
}

func (s *rotatingSource) Refresh(_ context.Context, refs ...secrets.Reference) bool {
	if len(refs) != 1 || !s.may {
		return false
	}
	s.refreshed++
	return true
}

// A secret that was rotated meanwhile is found by the first delivery that it signs.
func TestRotatedSecret(t *testing.T) {
	t.Parallel()
	const body = `{}`
	for name, test := range map[string]struct {
		ref    string
		secret string
		may    bool
		status int
		asked  int
	}{
		"rotated":            {"ssm:/gh", "s3cret", true, 200, 1},
		"wrong":              {"ssm:/gh", "other", true, 401, 1},
		"asked not long ago": {"ssm:/gh", "s3cret", false, 401, 0},
		"of the environment": {"env:GH", "s3cret", true, 401, 0},
	} {
		cfg, err := config.Options{Getenv: getenv}.Parse("t.yaml", []byte("version: 1\nroutes:\n  - {name: a, http: POST /a, verify: {provider: github, secrets: ['"+test.ref+"']}, start: m}\n"))
		if err != nil {
			t.Fatal(err)
		}
		source := &rotatingSource{secrets: []string{"old", test.secret}, may: test.may}
		log := slog.New(slog.DiscardHandler)
		f, err := httpfront.New(cfg.Routes, bridge.New(starterFunc(echo), bridge.Options{Log: log}), source, httpfront.Options{Log: log})
		if err != nil {
			t.Fatal(err)
		}
		got := invoke(t, f, event("POST", "/a", "application/json", body, "x-hub-signature-256", signed(body)))
		if got.StatusCode != test.status || source.refreshed != test.asked {
			t.Errorf("%s: %d, asked %d times, want %d, %d", name, got.StatusCode, source.refreshed, test.status, test.asked)
		}
	}
}

// A 401 says how to authenticate, where HTTP has a word for it.
func TestChallenge(t *testing.T) {
	t.Parallel()
	for block, want := range map[string]string{
		"{basic: {username: u}, secrets: ['env:SECRET']}":           `Basic realm="a", charset="UTF-8"`,
		"{token: {}, secrets: ['env:SECRET']}":                      `Bearer realm="a"`,
		"{token: {header: authorization}, secrets: ['env:SECRET']}": `Bearer realm="a"`,
		"{token: {header: X-Api-Key}, secrets: ['env:SECRET']}":     "",
		"{provider: github, secrets: ['env:SECRET']}":               "",
	} {
		got := ask(t, "    http: POST /a\n    verify: "+block+"\n", never(t), post(`{}`))
		if got.StatusCode != 401 || got.Headers["Www-Authenticate"] != want {
			t.Errorf("%s: %d %q, want %q", block, got.StatusCode, got.Headers["Www-Authenticate"], want)
		}
	}
}

// The trace of a request is passed on to the execution.
func TestTraces(t *testing.T) {
	t.Parallel()
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	f := front(t, route(open), starterFunc(func(ctx context.Context, s bridge.Start) (bridge.Outcome, error) {
		if s.TraceParent != parent || s.FallbackTrace != "Root=1-67890abc-0123456789abcdef01234567" {
			t.Errorf("trace = %q and %q", s.TraceParent, s.FallbackTrace)
		}
		return echo(ctx, s)
	}))
	if got := invoke(t, f, post(`{}`, "traceparent", parent, "x-amzn-trace-id", "Root=1-67890abc-0123456789abcdef01234567")); got.StatusCode != 200 {
		t.Errorf("%d %s", got.StatusCode, got.Body)
	}
}

// The status in a problem document is the answer's, whatever a catch makes of it.
func TestProblemStatus(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		starter          starterFunc
		catch            string
		status           int
		body, retryAfter string
	}{
		"only a status": {
			end(bridge.Failed, "RepoNotFound", "x"), `{errors: [RepoNotFound], status: 404}`, 404,
			`{"title":"The workflow failed","status":404,"error":"RepoNotFound","requestId":"req-1","executionArn":"` + executionARN + `"}`, "",
		},
		"a status by expression": {
			end(bridge.Failed, "RepoNotFound", "x"), `{errors: [RepoNotFound], status: '{% 400 + 9 %}', headers: {X-A: b}}`, 409,
			`{"title":"The workflow failed","status":409,"error":"RepoNotFound","requestId":"req-1","executionArn":"` + executionARN + `"}`, "",
		},
		"no longer to be repeated": {
			refuseWith(bridge.Throttled), `{errors: [States.ALL], status: 400}`, 400,
			`{"title":"Too many executions at the moment","status":400,"error":"Expressway.Throttled","requestId":"req-1"}`, "",
		},
		"still to be repeated": {
			refuseWith(bridge.Throttled), `{errors: [States.ALL], status: 429}`, 429,
			`{"title":"Too many executions at the moment","status":429,"error":"Expressway.Throttled","requestId":"req-1"}`, "1",
		},
		"another body": {end(bridge.Failed, "X", "x"), `{errors: [X], status: 404, body: {a: 1}}`, 404, `{"a":1}`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, open+"    catch: ["+test.catch+"]\n", test.starter, post(`{}`))
			if got.StatusCode != test.status || got.Body != test.body || got.Headers["Retry-After"] != test.retryAfter {
				t.Errorf("got %d %s, Retry-After %q; want %d %s, %q", got.StatusCode, got.Body, got.Headers["Retry-After"], test.status, test.body, test.retryAfter)
			}
		})
	}
}

// A header that is null is not sent, wherever it is.
func TestNullHeaders(t *testing.T) {
	t.Parallel()
	want := map[string]string{"X-B": "b"}
	for name, got := range map[string]response{
		"output":            ask(t, open, succeedWith(`{"statusCode":200,"headers":{"X-A":null,"X-B":"b"}}`), post(`{}`)),
		"a list":            ask(t, open, succeedWith(`{"statusCode":200,"multiValueHeaders":{"X-A":[null],"X-B":[null,"b"]}}`), post(`{}`)),
		"null in the place": ask(t, open, succeedWith(`{"statusCode":200,"headers":{"X-B":"b"},"multiValueHeaders":null,"cookies":null,"body":null,"isBase64Encoded":null}`), post(`{}`)),
		"respond":           ask(t, open+"    respond: {body: '', headers: {X-A: '{% $execution.output.nope ? 1 : null %}', X-B: b}}\n", succeedWith(`{}`), post(`{}`)),
	} {
		if diff := cmp.Diff(want, got.Headers); got.StatusCode != 200 || diff != "" {
			t.Errorf("%s: %d %s (-want +got):\n%s", name, got.StatusCode, got.Body, diff)
		}
	}
}
