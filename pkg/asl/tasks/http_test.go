package tasks_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
)

const connARN = "arn:aws:events:us-east-1:123456789012:connection/c/1"

// httpTask runs http:invoke with one connection; %URL% in the arguments is the server.
func httpTask(t *testing.T, r *tasks.HTTP, connection, arguments string) (string, error) {
	t.Helper()
	if r.Connections == nil {
		c, err := tasks.LoadConnections("c.json", []byte(`{"`+connARN+`":`+connection+`}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Connections = c
	}
	return runTask(t.Context(), t, r, "http:invoke", `{"Authentication":{"ConnectionArn":"`+connARN+`"},`+arguments[1:])
}

const (
	apiKey = `{"ApiKeyAuthParameters":{"ApiKeyName":"X-Key","ApiKeyValue":"k"}}`
	basic  = `{"BasicAuthParameters":{"Username":"u","Password":"p"}}`
)

// The parts of the request from the state and from the connection, and which of them takes
// precedence.
func TestHTTPRequests(t *testing.T) {
	t.Parallel()
	type sent struct {
		method, uri, body string
		header            map[string]string
	}
	tests := map[string]struct {
		connection, arguments string
		want                  sent
	}{
		"an API key": {
			apiKey, `{"Method":"GET","ApiEndpoint":"%URL%/a?x=1","QueryParameters":{"q":["1","2"],"n":3}}`,
			sent{"GET", "/a?n=3&q=1&q=2&x=1", "", map[string]string{"X-Key": "k", "User-Agent": "Amazon|StepFunctions|HttpInvoke|us-east-1", "Range": "bytes=0-262144", "Content-Type": ""}},
		},
		"a name and a password": {
			basic, `{"Method":"DELETE","ApiEndpoint":"%URL%","Headers":{"Authorization":"mine","X-A":["1","2"],"User-Agent":"me"}}`,
			sent{"DELETE", "/", "", map[string]string{"Authorization": "Basic dTpw", "X-A": "1, 2", "User-Agent": "me"}},
		},
		"a body": {
			apiKey, `{"Method":"POST","ApiEndpoint":"%URL%","RequestBody":{"a":[1,{"b":null}]}}`,
			sent{"POST", "/", `{"a":[1,{"b":null}]}`, map[string]string{"Content-Type": "application/json"}},
		},
		"a body that is text": {
			apiKey, `{"Method":"PUT","ApiEndpoint":"%URL%","RequestBody":"a,b","Headers":{"Content-Type":"text/csv"}}`,
			sent{"PUT", "/", `a,b`, map[string]string{"Content-Type": "text/csv"}},
		},
		"what the connection adds": {
			`{"InvocationHttpParameters":{"HeaderParameters":[{"Key":"X-A","Value":"c"}],"QueryStringParameters":[{"Key":"q","Value":"c","IsValueSecret":true}],"BodyParameters":[{"Key":"b","Value":"c"}]}}`,
			`{"Method":"PATCH","ApiEndpoint":"%URL%","Headers":{"X-A":"s","X-B":"s"},"QueryParameters":{"q":"s","r":"s"},"RequestBody":{"a":1,"b":"s"}}`,
			sent{"PATCH", "/?q=c&r=s", `{"a":1,"b":"c"}`, map[string]string{"X-A": "c", "X-B": "s"}},
		},
		"a body from the connection only": {
			`{"InvocationHttpParameters":{"BodyParameters":[{"Key":"b","Value":"c"}]}}`, `{"Method":"POST","ApiEndpoint":"%URL%"}`,
			sent{"POST", "/", `{"b":"c"}`, map[string]string{"Content-Type": "application/json"}},
		},
		"a form": {
			apiKey, `{"Method":"POST","ApiEndpoint":"%URL%","RequestBody":{"a":["x y",{"b":1}],"m":{"n":true,"z":null}},"Transform":{"RequestBodyEncoding":"URL_ENCODED"}}`,
			sent{"POST", "/", `a%5B0%5D=x+y&a%5B1%5D%5Bb%5D=1&m%5Bn%5D=true&m%5Bz%5D=`, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		},
		"a form with brackets": {
			apiKey, `{"Method":"POST","ApiEndpoint":"%URL%","RequestBody":{"a":[1,2]},"Transform":{"RequestBodyEncoding":"URL_ENCODED","RequestEncodingOptions":{"ArrayFormat":"BRACKETS"}}}`,
			sent{"POST", "/", `a%5B%5D=1&a%5B%5D=2`, nil},
		},
		"a form with commas": {
			apiKey, `{"Method":"POST","ApiEndpoint":"%URL%","RequestBody":{"a":[1,2]},"Transform":{"RequestBodyEncoding":"URL_ENCODED","RequestEncodingOptions":{"ArrayFormat":"COMMAS"}}}`,
			sent{"POST", "/", `a=1%2C2`, nil},
		},
		"a form that repeats": {
			apiKey, `{"Method":"POST","ApiEndpoint":"%URL%","RequestBody":{"a":[1,2]},"Transform":{"RequestBodyEncoding":"URL_ENCODED","RequestEncodingOptions":{"ArrayFormat":"REPEAT"}}}`,
			sent{"POST", "/", `a=1&a=2`, nil},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got sent
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = sent{r.Method, r.URL.RequestURI(), string(body), nil}
				for name := range tt.want.header {
					if got.header == nil {
						got.header = map[string]string{}
					}
					got.header[name] = strings.Join(r.Header[http.CanonicalHeaderKey(name)], ", ")
				}
			}))
			t.Cleanup(server.Close)
			if _, err := httpTask(t, &tasks.HTTP{}, tt.connection, strings.ReplaceAll(tt.arguments, "%URL%", server.URL)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(sent{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Results, and the names of errors.
func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	answer := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Date"] = nil
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	tests := map[string]struct {
		handler     http.HandlerFunc
		arguments   string
		want        string
		name, cause string
	}{
		"JSON": {answer(201, "application/json; charset=utf-8", `{"a":1.0}`), "", `{"Headers":{"content-length":["9"],"content-type":["application/json; charset=utf-8"]},"ResponseBody":{"a":1.0},"StatusCode":201,"StatusText":"Created"}`, "", ""},
		"text": {answer(200, "text/plain", `{}`), "", `{"Headers":{"content-length":["2"],"content-type":["text/plain"]},"ResponseBody":"{}","StatusCode":200,"StatusText":"OK"}`, "", ""},
		"text in another charset": {
			answer(200, "text/plain; charset=ISO-8859-1", "caf\xe9"), "",
			`{"Headers":{"content-length":["4"],"content-type":["text/plain; charset=ISO-8859-1"]},"ResponseBody":"café","StatusCode":200,"StatusText":"OK"}`, "", "",
		},
		"invalid JSON":   {answer(200, "application/json", `<html>`), "", `{"Headers":{"content-length":["6"],"content-type":["application/json"]},"ResponseBody":"<html>","StatusCode":200,"StatusText":"OK"}`, "", ""},
		"not found":      {answer(404, "application/json", `{"message":"m"}`), "", "", "States.Http.StatusCode.404", `{"message":"m"}`},
		"without a body": {answer(503, "", ""), "", "", "States.Http.StatusCode.503", "Service Unavailable"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusFound)
		}, "", "", "States.Http.StatusCode.302", "Found"},
		"reset": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "", "", "States.Http.Socket", "The endpoint did not answer: EOF"},
		"10 MB": {answer(200, "text/plain", strings.Repeat("x", 10<<20)), "", "", "States.DataLimitExceeded", "The state/task 'http' returned a result with a size exceeding the maximum number of bytes service limit."},
		"a header that may not be set": {
			answer(200, "", ""), `,"Headers":{"Host":"h","X-Amz-Date":"d","X-Forwarded-For":"f","ok":"1"}`, "",
			"States.Runtime", "The 'Headers' field contains unsupported values: Host, X-Amz-Date, X-Forwarded-For",
		},
		"a method": {answer(200, "", ""), `,"Method":"TRACE"`, "", "States.Runtime", "The field 'Method' must be one of GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS, and not 'TRACE'"},
		"http elsewhere": {
			answer(200, "", ""), `,"ApiEndpoint":"http://example.com/a?secret"`, "",
			"States.Runtime", "The field 'ApiEndpoint' must be an https URL, or http on this machine's loopback, and not 'http://example.com/a'",
		},
		"credentials in the URL": {answer(200, "", ""), `,"ApiEndpoint":"https://u:p@example.com/"`, "", "States.Runtime", "The field 'ApiEndpoint' must be"},
		"a format":               {answer(200, "", ""), `,"RequestBody":{},"Transform":{"RequestBodyEncoding":"URL_ENCODED","RequestEncodingOptions":{"ArrayFormat":"X"}}`, "", "States.Runtime", "The field 'ArrayFormat' must be"},
		"an encoding":            {answer(200, "", ""), `,"RequestBody":{},"Transform":{"RequestBodyEncoding":"X"}`, "", "States.Runtime", "The field 'RequestBodyEncoding' must be"},
		"headers that are text":  {answer(200, "", ""), `,"Headers":"X: y"`, "", "States.Runtime", "The field 'Headers' must be an object"},
		"a line in a header":     {answer(200, "", ""), `,"Headers":{"X":"a\r\nY: b"}`, "", "States.Http.Socket", "invalid header field value"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tt.handler)
			t.Cleanup(server.Close)
			got, err := httpTask(t, &tasks.HTTP{}, apiKey, `{"Method":"GET","ApiEndpoint":"`+server.URL+`/"`+tt.arguments+`}`)
			e, _ := errors.AsType[*asl.Error](err)
			if e == nil {
				e = &asl.Error{}
			}
			if got != tt.want || e.Name != tt.name || !strings.HasPrefix(e.Cause, tt.cause) && !strings.Contains(e.Cause, tt.cause) || err != nil && tt.name == "" {
				t.Errorf("%s, %v; want %s, %s: %s", got, err, tt.want, tt.name, tt.cause)
			}
		})
	}
}

// A token is fetched once, and kept until it expires or an API refuses it. No other host
// sees the client's secret.
func TestHTTPTokens(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int64
	var status atomic.Int64
	status.Store(200)
	var mu sync.Mutex
	var asked []string
	authorization := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("X-H")+" "+r.Header.Get("Authorization")+" "+string(body))
		mu.Unlock()
		fmt.Fprintf(w, `{"access_token":"t%d","token_type":"bearer","expires_in":100}`, fetched.Add(1))
	}))
	t.Cleanup(authorization.Close)
	var tokens []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		tokens = append(tokens, r.Header.Get("Authorization"))
		mu.Unlock()
		w.WriteHeader(int(status.Load()))
	}))
	t.Cleanup(api.Close)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := &tasks.HTTP{Now: func() time.Time { return now }}
	connection := `{"OAuthParameters":{"AuthorizationEndpoint":"` + authorization.URL + `/token","HttpMethod":"POST","ClientParameters":{"ClientID":"id","ClientSecret":"s+s"},
		"OAuthHttpParameters":{"HeaderParameters":[{"Key":"X-H","Value":"h"}],"QueryStringParameters":[{"Key":"q","Value":"1"}],"BodyParameters":[{"Key":"scope","Value":"all"}]}}}`
	call := func() error {
		_, err := httpTask(t, r, connection, `{"Method":"GET","ApiEndpoint":"`+api.URL+`"}`)
		return err
	}
	var group sync.WaitGroup
	if err := call(); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		group.Go(func() { _ = call() })
	}
	group.Wait()
	if n := fetched.Load(); n != 1 {
		t.Errorf("%d tokens were fetched for five calls, want 1", n)
	}
	if want := "POST /token?q=1 application/x-www-form-urlencoded h  client_id=id&client_secret=s%2Bs&grant_type=client_credentials&scope=all"; asked[0] != want {
		t.Errorf("asked for a token by %q, want %q", asked[0], want)
	}
	now = now.Add(95 * time.Second) // shortly before it expires
	_ = call()
	status.Store(401)
	if e, _ := errors.AsType[*asl.Error](call()); e == nil || e.Name != "States.Http.StatusCode.401" {
		t.Errorf("error = %v, want States.Http.StatusCode.401", e)
	}
	status.Store(200)
	_ = call()
	want := []string{"Bearer t1", "Bearer t1", "Bearer t1", "Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2", "Bearer t3"}
	if diff := cmp.Diff(want, tokens); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

// The other ways to request a token, and their errors.
func TestHTTPTokenRequests(t *testing.T) {
	t.Parallel()
	const fine = `{"access_token":"t"}`
	tests := map[string]struct {
		method, header, answer string
		status                 int
		asked, cause           string
	}{
		"GET":         {"GET", "", fine, 200, "GET /?grant_type=client_credentials  Basic aWQ6c2VjcmV0 ", ""},
		"JSON":        {"PUT", "application/json", fine, 200, `PUT / application/json  {"client_id":"id","client_secret":"secret","grant_type":"client_credentials"}`, ""},
		"refused":     {"POST", "", `{"error":"invalid_client"}`, 401, "", "got no token: the authorization endpoint answered 401 Unauthorized"},
		"no token":    {"POST", "", `{}`, 200, "", "the authorization endpoint answered without an access_token"},
		"HTML":        {"POST", "", `<html>`, 200, "", "the authorization endpoint answered without an access_token"},
		"a redirect":  {"POST", "", ``, 307, "", "the authorization endpoint answered 307"},
		"no endpoint": {"POST", "", ``, 0, "", "connection refused"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/api" {
					return
				}
				body, _ := io.ReadAll(r.Body)
				asked = r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Content-Type") + " " + r.Header.Get("Authorization") + " " + string(body)
				if tt.status == 307 {
					w.Header().Set("Location", "/api")
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.answer)
			}))
			defer server.Close()
			endpoint := server.URL
			if tt.status == 0 {
				endpoint = gone(t)
			}
			connection := `{"OAuthParameters":{"AuthorizationEndpoint":"` + endpoint + `","HttpMethod":"` + tt.method + `","ClientParameters":{"ClientID":"id","ClientSecret":"secret"}`
			if tt.header != "" {
				connection += `,"OAuthHttpParameters":{"HeaderParameters":[{"Key":"Content-Type","Value":"` + tt.header + `"}]}`
			}
			_, err := httpTask(t, &tasks.HTTP{}, connection+`}}`, `{"Method":"GET","ApiEndpoint":"`+server.URL+`/api"}`)
			if tt.asked != "" && asked != tt.asked {
				t.Errorf("asked by %q, want %q", asked, tt.asked)
			}
			e, _ := errors.AsType[*asl.Error](err)
			switch {
			case tt.cause == "" && err != nil, tt.cause != "" && (e == nil || e.Name != "States.TaskFailed" || !strings.Contains(e.Cause, tt.cause)):
				t.Errorf("error = %v, want %q", err, tt.cause)
			case e != nil && strings.Contains(e.Cause, "secret"):
				t.Errorf("the cause %q has the client's secret", e.Cause)
			}
		})
	}
}

// gone returns the URL of an endpoint that no longer exists.
func gone(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

// The connection may be named by InvocationConfig; a connection that the file lacks, and
// HTTP tasks without a file, fail with advice. A host may be mapped.
func TestHTTPConnections(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path, r.Header.Get("X-Key"))
	}))
	t.Cleanup(server.Close)
	c, err := tasks.LoadConnections("c.json", []byte(`{"`+connARN+`":`+apiKey+`}`))
	if err != nil {
		t.Fatal(err)
	}
	r := tasks.Local(tasks.Here{Getenv: func(string) string { return "" }, Connections: c, Hosts: map[string]string{"api.example.com": server.URL + "/base", "far.example.com": "http://192.0.2.1"}})
	got, err := runTask(t.Context(), t, r, "http:invoke", `{"InvocationConfig":{"ConnectionArn":"`+connARN+`"},"Method":"GET","ApiEndpoint":"https://api.example.com/a%2Fb"}`)
	if err != nil || !strings.Contains(got, `"ResponseBody":"/base/a/bk"`) {
		t.Errorf("%s, %v; want the mapped host's answer", got, err)
	}
	for arguments, want := range map[string]string{
		`{"Method":"GET","ApiEndpoint":"https://api.example.com"}`:                                                                   `The --connections file has no connection ""`,
		`{"Authentication":{"ConnectionArn":"other"},"Method":"GET","ApiEndpoint":"https://api.example.com"}`:                        `has no connection "other"`,
		`{"Authentication":{"ConnectionArn":"` + connARN + `"},"Method":"GET","ApiEndpoint":"https://far.example.com/"}`:             `neither https nor on this machine's loopback`,
		`{"Authentication":{"ConnectionArn":"` + connARN + `"},"Method":"GET","ApiEndpoint":"https://far.example.com/","Headers":1}`: `must be an object`,
	} {
		_, err := runTask(t.Context(), t, r, "http:invoke", arguments)
		if e, _ := errors.AsType[*asl.Error](err); e == nil || !strings.Contains(e.Cause, want) {
			t.Errorf("%s: %v, want %q", arguments, err, want)
		}
	}
	_, err = runTask(t.Context(), t, tasks.Local(tasks.Here{Getenv: func(string) string { return "" }}), "http:invoke", `{}`)
	if e, _ := errors.AsType[*asl.Error](err); e == nil || e.Name != "States.TaskFailed" || !strings.Contains(e.Cause, "--connections") {
		t.Errorf("error = %v, want States.TaskFailed that names --connections", err)
	}
}

// A slow endpoint ends with the state's timeout.
func TestHTTPIsSlow(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(server.Close)
	defer close(release)
	c, err := tasks.LoadConnections("c.json", []byte(`{"`+connARN+`":`+apiKey+`}`))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = runTask(ctx, t, &tasks.HTTP{Connections: c}, "http:invoke", `{"Authentication":{"ConnectionArn":"`+connARN+`"},"Method":"GET","ApiEndpoint":"`+server.URL+`"}`)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want that of the context", err)
	}
	short := &http.Client{Timeout: 50 * time.Millisecond}
	_, err = httpTask(t, &tasks.HTTP{Client: short}, apiKey, `{"Method":"GET","ApiEndpoint":"`+server.URL+`"}`)
	if e, _ := errors.AsType[*asl.Error](err); e == nil || e.Name != "States.Http.Socket" || e.Cause != "The endpoint did not answer in time" {
		t.Errorf("error = %v, want States.Http.Socket", err)
	}
}

// The valid contents of a file of connections.
func TestLoadConnections(t *testing.T) {
	t.Parallel()
	oauth := func(fields string) string {
		return `{"` + connARN + `":{"OAuthParameters":{` + fields + `}}}`
	}
	for text, want := range map[string]string{
		`{`:                                "c.json:1:2: ",
		`[]`:                               "c.json: not in the form",
		`{"a":{},"a":{}}`:                  "c.json:1:12: Duplicate field 'a'",
		`{"a":` + basic + `}`:              "not the ARN of a connection",
		`{"` + connARN + `":null}`:         "the connection has no authorization",
		`{"` + connARN + `":{}}`:           "there must be one of",
		`{"` + connARN + `":{"Basic":{}}}`: `unknown field "Basic"`,
		`{"` + connARN + `":{"BasicAuthParameters":{"Username":"u"}}}`:                                                                   "needs Username and Password",
		`{"` + connARN + `":{"ApiKeyAuthParameters":{"ApiKeyName":"u"}}}`:                                                                "needs ApiKeyName and ApiKeyValue",
		`{"` + connARN + `":{"InvocationHttpParameters":{"HeaderParameters":[{"Value":"u"}]}}}`:                                          "has no Key",
		`{"` + connARN + `":` + strings.TrimSuffix(basic, "}") + "," + apiKey[1:] + `}`:                                                  "there must be one of",
		oauth(`"AuthorizationEndpoint":"http://example.com","HttpMethod":"POST","ClientParameters":{"ClientID":"i","ClientSecret":"s"}`): "AuthorizationEndpoint must be an https URL",
		oauth(`"AuthorizationEndpoint":"https://example.com","HttpMethod":"POST"`):                                                       "needs ClientParameters",
		oauth(`"AuthorizationEndpoint":"https://example.com","ClientParameters":{"ClientID":"i","ClientSecret":"s"}`):                    "HttpMethod of OAuthParameters",
	} {
		_, err := tasks.LoadConnections("c.json", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// A file of connections is either read, or refused with an error that contains no secret.
func FuzzLoadConnections(f *testing.F) {
	f.Add(`{"` + connARN + `":` + basic + `}`)
	f.Add(`{"` + connARN + `":{"OAuthParameters":{"AuthorizationEndpoint":"https://example.com","HttpMethod":"POST"}}}`)
	f.Add(`{"a":1`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := tasks.LoadConnections("c.json", []byte(text))
		if (c == nil) == (err == nil) {
			t.Errorf("got %v, %v, want either connections or an error", c, err)
		}
	})
}

// A form contains the texts of an object, each with its own name.
func TestFormProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		members := rapid.MapOf(rapid.StringMatching(`[a-z]{1,5}`), rapid.String()).Draw(rt, "members")
		text, _ := json.Marshal(members)
		var want map[string]string // as JSON has it
		_ = json.Unmarshal(text, &want)
		body := ""
		client := &http.Client{Transport: recordBody(func(b string) { body = b })}
		if _, err := httpTask(t, &tasks.HTTP{Client: client}, apiKey, `{"Method":"POST","ApiEndpoint":"https://x","Transform":{"RequestBodyEncoding":"URL_ENCODED"},"RequestBody":`+string(text)+`}`); err != nil {
			rt.Fatal(err)
		}
		got, err := url.ParseQuery(body)
		if err != nil || len(got) != len(want) {
			rt.Fatalf("%q: %v, %v; want %v", body, got, err, want)
		}
		for name, value := range want {
			if got.Get(name) != value {
				rt.Errorf("%s = %q, want %q", name, got.Get(name), value)
			}
		}
	})
}

type recordBody func(string)

func (f recordBody) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	f(string(body))
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, err
}

// APIs with a local address are called with requests as recorded.
func TestAPIGateway(t *testing.T) {
	t.Parallel()
	type sent struct{ method, uri, host, body, auth string }
	var got sent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		auth, _, _ := strings.Cut(r.Header.Get("Authorization"), ",")
		got = sent{r.Method, r.URL.RequestURI(), r.Host, string(body), auth}
		w.Header()["Date"] = nil
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amzn-Requestid", "id")
		if strings.HasSuffix(r.URL.Path, "/fails") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"message":"m"}`)
			return
		}
		_, _ = io.WriteString(w, `{"a":1}`)
	}))
	t.Cleanup(server.Close)
	const host = "abc.execute-api.us-east-1.amazonaws.com"
	byEndpoint := tasks.Local(tasks.Here{Region: "eu-west-1", Getenv: func(name string) string {
		return map[string]string{"APIGATEWAY_ENDPOINT": server.URL + "/base/"}[name]
	}})
	byHost := tasks.Local(tasks.Here{Getenv: func(string) string { return "" }, Hosts: map[string]string{host: strings.TrimPrefix(server.URL, "http://")}})
	tests := map[string]struct {
		runner      asl.TaskRunner
		arguments   string
		want        sent
		name, cause string
	}{
		"recorded": {
			byHost, `"Method":"POST","Stage":"s","Path":"get_constant","RequestBody":{"m":["Hello"],"n":null},"AllowNullValues":true,"QueryParameters":{"a":["1"],"b":["2"]}`,
			sent{"POST", "/s/get_constant?a=1&b=2", host, `{"m":["Hello"],"n":null}`, ""},
			"", "",
		},
		"nulls are left out":       {byEndpoint, `"Method":"POST","Path":"/p/","RequestBody":{"m":{"n":null},"o":null}`, sent{"POST", "/base/p/", host, `{"m":{}}`, ""}, "", ""},
		"signed":                   {byEndpoint, `"Method":"GET","AuthType":"IAM_ROLE"`, sent{"GET", "/base/", host, "", "AWS4-HMAC-SHA256 Credential=local/DATE/eu-west-1/execute-api/aws4_request"}, "", ""},
		"an error":                 {byHost, `"Method":"GET","Path":"fails"`, sent{"GET", "/fails", host, "", ""}, "ApiGateway.400", `{"message":"m"}`},
		"a header":                 {byHost, `"Method":"GET","Headers":{"Authorization":["x"]}`, sent{}, "States.Runtime", "The 'Headers' field contains unsupported values: Authorization"},
		"an AuthType":              {byHost, `"Method":"GET","AuthType":"X"`, sent{}, "States.Runtime", "The field 'AuthType' must be"},
		"nothing replaces the API": {tasks.Local(tasks.Here{Getenv: func(string) string { return "" }}), `"Method":"GET"`, sent{}, "States.TaskFailed", "APIGATEWAY_ENDPOINT"},
		"gone":                     {&tasks.APIGateway{Endpoint: gone(t)}, `"Method":"GET"`, sent{}, "ApiGateway.SdkClientException", "Unable to execute HTTP request: "},
	}
	for name, tt := range tests {
		got = sent{}
		out, err := runTask(t.Context(), t, tt.runner, "apigateway:invoke", `{"ApiEndpoint":"`+host+`",`+tt.arguments+`}`)
		if i := strings.Index(got.auth, "/20"); i > 0 {
			got.auth = got.auth[:i+1] + "DATE" + got.auth[i+9:]
		}
		e, _ := errors.AsType[*asl.Error](err)
		if e == nil {
			e = &asl.Error{}
		}
		if got != tt.want || e.Name != tt.name || !strings.Contains(e.Cause, tt.cause) {
			t.Errorf("%s: sent %+v, %v; want %+v, %s: %s", name, got, err, tt.want, tt.name, tt.cause)
		}
		const result = `{"Headers":{"Content-Length":["7"],"Content-Type":["application/json"],"x-amzn-RequestId":["id"]},"ResponseBody":{"a":1},"StatusCode":200,"StatusText":"OK"}`
		if tt.name == "" && out != result {
			t.Errorf("%s: %s, want %s", name, out, result)
		}
	}
}

// An HTTP task without authorization is refused when its machine is created.
func TestHTTPTaskNeedsAConnection(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]string{
		`"Parameters":{"ApiEndpoint":"https://x","Method":"GET"}`:                                            "The field 'Authentication' is required but was missing at /States/H/Parameters",
		`"Parameters":{"ApiEndpoint":"https://x","Method":"GET","Authentication":{}}`:                        "The field 'ConnectionArn' is required but was missing at /States/H/Parameters/Authentication",
		`"QueryLanguage":"JSONata","Arguments":{"ApiEndpoint":"https://x","Method":"GET"}`:                   "The field 'Authentication' is required but was missing at /States/H/Arguments",
		`"Parameters":{"ApiEndpoint":"https://x","Method":"GET","Authentication":{"ConnectionArn.$":"$.a"}}`: "",
		`"Parameters":{"ApiEndpoint":"https://x","Method":"GET","Authentication.$":"$.a"}`:                   "",
		`"Parameters":{"ApiEndpoint":"https://x","Method":"GET","InvocationConfig":{"ConnectionArn":"a"}}`:   "",
		`"QueryLanguage":"JSONata","Arguments":"{% $states.input %}"`:                                        "",
	} {
		_, err := asl.Parse([]byte(`{"StartAt":"H","States":{"H":{"Type":"Task","Resource":"arn:aws:states:::http:invoke",` + arguments + `,"End":true}}}`))
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", arguments, err, want)
		}
	}
}
