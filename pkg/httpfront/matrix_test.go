package httpfront_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/httpfront"
)

// A testDoor makes the event that one of the front doors would make of a request, and
// writes down the response that it understands.
type testDoor struct {
	name      string
	requestID string
	event     func(method, path string, headers map[string]string, body string) map[string]any
	// want writes a response.
	want func(status int, phrase string, headers []field, cookies []string, body string, binary bool) string
}

type field struct{ name, value string }

const traceID = "Root=1-67891233-abcdef012345678912345678"

func lists(m map[string]string) map[string][]string {
	out := map[string][]string{}
	for k, v := range m {
		out[k] = []string{v}
	}
	return out
}

func eventV2(domain string) func(method, path string, headers map[string]string, body string) map[string]any {
	return func(method, path string, headers map[string]string, body string) map[string]any {
		return map[string]any{
			"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
			"requestContext": map[string]any{
				"domainName": domain, "requestId": "req-1", "stage": "$default",
				"http": map[string]any{"method": method, "path": path, "sourceIp": "192.0.2.1"},
			},
			"body": body, "isBase64Encoded": false,
		}
	}
}

func eventREST(method, path string, headers map[string]string, body string) map[string]any {
	return map[string]any{
		"resource": "/{proxy+}", "path": path, "httpMethod": method, "headers": headers, "multiValueHeaders": lists(headers),
		"queryStringParameters": nil, "multiValueQueryStringParameters": nil, "stageVariables": nil,
		"requestContext": map[string]any{
			"resourcePath": "/{proxy+}", "path": "/prod" + path, "stage": "prod", "requestId": "req-1",
			"identity": map[string]any{"sourceIp": "192.0.2.1"},
		},
		"body": body, "isBase64Encoded": false,
	}
}

func eventALB(multi bool) func(method, path string, headers map[string]string, body string) map[string]any {
	return func(method, path string, headers map[string]string, body string) map[string]any {
		headers["x-amzn-trace-id"], headers["x-forwarded-for"] = traceID, "192.0.2.1"
		e := map[string]any{
			"requestContext": map[string]any{"elb": map[string]string{"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/t/1"}},
			"httpMethod":     method, "path": path, "body": body, "isBase64Encoded": false,
		}
		if multi {
			e["multiValueHeaders"], e["multiValueQueryStringParameters"] = lists(headers), map[string]any{}
		} else {
			e["headers"], e["queryStringParameters"] = headers, map[string]any{}
		}
		return e
	}
}

func eventHTTPAPIV1(method, path string, headers map[string]string, body string) map[string]any {
	e := eventREST(method, path, headers, body)
	e["version"], e["path"] = "1.0", "/prod"+path
	return e
}

func eventLatticeV1(method, path string, headers map[string]string, body string) map[string]any {
	headers["x-amzn-trace-id"], headers["x-forwarded-for"] = traceID, "192.0.2.1"
	return map[string]any{"raw_path": path, "method": method, "headers": headers, "query_string_parameters": map[string]string{}, "body": body, "is_base64_encoded": false}
}

func eventLatticeV2(method, path string, headers map[string]string, body string) map[string]any {
	headers["x-amzn-trace-id"], headers["x-forwarded-for"] = traceID, "192.0.2.1"
	return map[string]any{
		"version": "2.0", "path": path, "method": method, "headers": lists(headers), "queryStringParameters": map[string][]string{}, "body": body, "isBase64Encoded": false,
		"requestContext": map[string]any{"serviceNetworkArn": "arn:aws:vpc-lattice:us-east-1:123456789012:servicenetwork/sn-1", "region": "us-east-1"},
	}
}

func quoted(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
	return strings.TrimSuffix(b.String(), "\n")
}

func object(fields []field, list bool) string {
	var members []string
	for _, f := range fields {
		value := quoted(f.value)
		if list {
			value = "[" + value + "]"
		}
		members = append(members, quoted(f.name)+":"+value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// withCookies puts Set-Cookie where its name is.
func withCookies(fields []field, value ...string) []field {
	var out []field
	for i, f := range fields {
		if f.name > "Set-Cookie" {
			return append(append(out, field{"Set-Cookie", value[0]}), fields[i:]...)
		}
		out = append(out, f)
	}
	return append(out, field{"Set-Cookie", value[0]})
}

func wantV2(status int, _ string, headers []field, cookies []string, body string, binary bool) string {
	more := ""
	if len(cookies) > 0 {
		more = `,"cookies":` + quoted(cookies)
	}
	return fmt.Sprintf(`{"statusCode":%d,"headers":%s%s,"body":%s,"isBase64Encoded":%v}`, status, object(headers, false), more, quoted(body), binary)
}

func wantREST(status int, _ string, headers []field, cookies []string, body string, binary bool) string {
	more := ""
	if len(cookies) > 0 {
		more = `,"multiValueHeaders":{"Set-Cookie":` + quoted(cookies) + `}`
	}
	return fmt.Sprintf(`{"statusCode":%d,"headers":%s%s,"body":%s,"isBase64Encoded":%v}`, status, object(headers, false), more, quoted(body), binary)
}

func wantALB(status int, phrase string, headers []field, cookies []string, body string, binary bool) string {
	if len(cookies) > 0 {
		headers = withCookies(headers, cookies[len(cookies)-1])
	}
	return fmt.Sprintf(`{"statusCode":%d,"statusDescription":%q,"headers":%s,"body":%s,"isBase64Encoded":%v}`, status, phrase, object(headers, false), quoted(body), binary)
}

func wantMultiALB(status int, phrase string, headers []field, cookies []string, body string, binary bool) string {
	text := object(headers, true)
	if len(cookies) > 0 {
		text = strings.Replace(object(withCookies(headers, "?"), true), `["?"]`, quoted(cookies), 1)
	}
	return fmt.Sprintf(`{"statusCode":%d,"statusDescription":%q,"multiValueHeaders":%s,"body":%s,"isBase64Encoded":%v}`, status, phrase, text, quoted(body), binary)
}

var testDoors = []testDoor{
	{"rest", "req-1", eventREST, wantREST},
	{"http-api", "req-1", eventV2("abc.execute-api.us-east-1.amazonaws.com"), wantV2},
	{"function-url", "req-1", eventV2("abc.lambda-url.us-east-1.on.aws"), wantV2},
	{"alb", traceID, eventALB(false), wantALB},
	{"alb-multi-value", traceID, eventALB(true), wantMultiALB},
	{"http-api-1.0", "req-1", eventHTTPAPIV1, wantREST},
	{"vpc-lattice-1.0", traceID, eventLatticeV1, wantALB},
	{"vpc-lattice-2.0", traceID, eventLatticeV2, wantALB},
}

const matrixRoutes = `  - name: a
    http: POST /a
    verify: {token: {header: X-Api-Key}, secrets: ["env:TOKEN"]}
    dedupe: {key: '{% $request.headers."idempotency-key" %}'}
    filter: '{% $exists($request.headers."x-skip") = false %}'
    start: m
    input: '{% $request.body %}'
  - name: accepted
    http: POST /accepted
    verify: none
    mode: async
    start: m
  - name: broken
    http: POST /broken
    verify: none
    start: m
    input: '{% $request.body.nothing %}'
`

// Every row of the table of answers through every door: the exact JSON that Lambda returns.
func TestEveryAnswerThroughEveryDoor(t *testing.T) {
	t.Parallel()
	const started = `,"executionArn":"` + executionARN + `"`
	problem := func(name, more string) string {
		return `{"title":"TITLE","status":STATUS,"error":"` + name + `","requestId":"REQUEST"` + more + `}`
	}
	var (
		problemType = field{"Content-Type", "application/problem+json"}
		jsonType    = field{"Content-Type", "application/json"}
	)
	rows := map[string]struct {
		starter      starterFunc
		method, path string            // POST /a
		headers      map[string]string // in addition to the token
		before, body string            // before: the body of a delivery that came first
		status       string
		fields       []field
		cookies      []string
		want         string
		title        string
		binary       bool
	}{
		"proxy-shaped": {
			starter: succeedWith(`{"statusCode":201,"headers":{"X-N":1.5,"X-B":true,"Content-Type":"text/css"},"cookies":["a=1; Path=/","b=2"],"body":"x<é"}`),
			status:  "201 Created", fields: []field{{"Content-Type", "text/css"}, {"X-B", "true"}, {"X-N", "1.5"}}, cookies: []string{"a=1; Path=/", "b=2"}, want: "x<é",
		},
		"proxy-shaped, binary": {
			starter: succeedWith(`{"statusCode":299,"headers":{"content-type":"image/png"},"body":"/9gA","isBase64Encoded":true}`),
			status:  "299", fields: []field{{"Content-Type", "image/png"}}, want: "/9gA", binary: true,
		},
		"other output": {starter: succeedWith(`{"n":9007199254740993}`), status: "200 OK", fields: []field{jsonType}, want: `{"n":9007199254740993}`},
		"failed":       {starter: end(bridge.Failed, "Mine", "why"), status: "500 Internal Server Error", fields: []field{problemType}, title: "The workflow failed", want: problem("Mine", started)},
		"failed with a name of the bridge's": {
			starter: end(bridge.Failed, bridge.Throttled, "why"), status: "500 Internal Server Error",
			fields: []field{problemType}, title: "The workflow failed", want: problem(bridge.Throttled, started),
		},
		"timed out": {starter: end(bridge.TimedOut, "States.Timeout", ""), status: "504 Gateway Timeout", fields: []field{problemType}, title: "The workflow timed out", want: problem("States.Timeout", started)},
		"started":   {path: "/accepted", starter: echo, status: "202 Accepted", fields: []field{jsonType}, want: `{"executionArn":"` + executionARN + `"}`},
		"filtered":  {headers: map[string]string{"x-skip": "1"}, status: "200 OK"},
		"duplicate of a finished delivery": {
			starter: echo, before: `{"a":1}`, headers: map[string]string{"idempotency-key": "k"}, body: `{"a":1}`,
			status: "200 OK", fields: []field{jsonType, {"Idempotent-Replayed", "true"}}, want: `{"a":1}`,
		},
		"duplicate of a running delivery": {
			starter: refuseWith(bridge.Unknown), before: `{}`, headers: map[string]string{"idempotency-key": "k"},
			status: "409 Conflict", fields: []field{problemType, {"Retry-After", "1"}}, title: "The same delivery is being processed", want: problem(bridge.InProgress, ""),
		},
		"same key, other body": {
			starter: echo, before: `{"a":1}`, headers: map[string]string{"idempotency-key": "k"},
			status: "422 Unprocessable Entity", fields: []field{problemType}, title: "The same key came with another body", want: problem(bridge.DedupeMismatch, ""),
		},
		"no path":           {path: "/nope", status: "404 Not Found", fields: []field{problemType}, title: "Nothing is routed here", want: problem(bridge.NoRoute, "")},
		"no method":         {method: "PUT", status: "405 Method Not Allowed", fields: []field{{"Allow", "POST"}, problemType}, title: "The method is not allowed here", want: problem(bridge.NoRoute, "")},
		"unverified":        {headers: map[string]string{"x-api-key": "wrong"}, status: "401 Unauthorized", fields: []field{problemType}, title: "The request could not be verified", want: problem(bridge.Unverified, "")},
		"malformed":         {body: `{`, status: "400 Bad Request", fields: []field{problemType}, title: "The request is malformed", want: problem(bridge.BadRequest, "")},
		"too large":         {body: `"` + strings.Repeat("x", bridge.MaxInput) + `"`, status: "413 Request Entity Too Large", fields: []field{problemType}, title: "The request is too large", want: problem(bridge.InputTooLarge, `,"detail":"A body may have up to 6 MiB, and the input that the route makes from it up to 256 KiB: send less, or let the route pass on less (input) or offload it (offload)."`)},
		"throttled":         {starter: refuseWith(bridge.Throttled), status: "503 Service Unavailable", fields: []field{problemType, {"Retry-After", "1"}}, title: "Too many executions at the moment", want: problem(bridge.Throttled, "")},
		"never sent":        {starter: refuseWith(bridge.Unavailable), status: "503 Service Unavailable", fields: []field{problemType, {"Retry-After", "1"}}, title: "The workflow service cannot be reached", want: problem(bridge.Unavailable, "")},
		"no answer known":   {starter: refuseWith(bridge.Unknown), status: "502 Bad Gateway", fields: []field{problemType}, title: "The workflow service gave no answer; the workflow may have run", want: problem(bridge.Unknown, "")},
		"deadline":          {starter: refuseWith(bridge.Deadline), status: "504 Gateway Timeout", fields: []field{problemType}, title: "The workflow did not end in time; it may still be running", want: problem(bridge.Deadline, "")},
		"misconfigured":     {starter: refuseWith(bridge.Misconfigured), status: "500 Internal Server Error", fields: []field{problemType}, title: "The route is misconfigured", want: problem(bridge.Misconfigured, "")},
		"expression failed": {path: "/broken", status: "500 Internal Server Error", fields: []field{problemType}, title: "An expression of the route failed", want: problem(bridge.ExpressionFailed, "")},
		"bad response":      {starter: succeedWith(`{"statusCode":"no"}`), status: "502 Bad Gateway", fields: []field{problemType}, title: "The workflow's output is not a valid response", want: problem(bridge.BadResponse, started)},
		"panic":             {starter: func(context.Context, bridge.Start) (bridge.Outcome, error) { panic("x") }, status: "500 Internal Server Error", fields: []field{problemType}, title: "Internal error", want: problem(bridge.Internal, "")},
	}
	for name, row := range rows {
		for _, door := range testDoors {
			t.Run(name+"/"+door.name, func(t *testing.T) {
				t.Parallel()
				// Past the time that the key is held for: it is freed at any moment.
				now := func() time.Time { return time.Unix(4_000_000_000, 0) }
				f := newFront(t, matrixRoutes, row.starter, getenv, bridge.Options{Now: now, Dedupe: mapStore{}}, httpfront.Options{})
				payload := func(body string) []byte {
					headers := map[string]string{"host": "api.example.com", "content-type": "application/json", "x-api-key": "t0ken"}
					for k, v := range row.headers {
						headers[k] = v
					}
					out, err := json.Marshal(door.event(or(row.method, "POST"), or(row.path, "/a"), headers, body))
					if err != nil {
						t.Fatal(err)
					}
					return out
				}
				if row.before != "" {
					_, _ = f.Invoke(context.Background(), payload(row.before))
				}
				got, err := f.Invoke(context.Background(), payload(or(row.body, `{}`)))
				if err != nil {
					t.Fatalf("got the function error %v; there never is one", err)
				}
				code, _, _ := strings.Cut(row.status, " ")
				var status int
				_, _ = fmt.Sscan(code, &status)
				body := strings.NewReplacer("TITLE", row.title, "STATUS", code, "REQUEST", door.requestID).Replace(row.want)
				want := door.want(status, row.status, row.fields, row.cookies, body, row.binary)
				if diff := cmp.Diff(want, string(got)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
