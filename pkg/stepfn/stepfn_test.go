package stepfn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/stepfn"
	"github.com/expressway-dev/expressway/pkg/trace"
)

var discard = log.New(io.Discard, "", 0)

type httpFunc func(*http.Request) (*http.Response, error)

func (f httpFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// says gives every request the same answer, without a network.
func says(status int, body string) httpFunc {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{}, ContentLength: int64(len(body)),
			Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	start := time.UnixMilli(1667486785389).UTC()
	tests := map[string]struct {
		body string
		want bridge.Outcome
	}{
		"succeeded": {done, bridge.Outcome{
			ExecutionARN: "arn:aws:states:us-east-1:123456789012:express:orders:n:u", Name: "n",
			Status: bridge.Succeeded, Output: []byte(`{"id": 9007199254740993}`),
			StartDate: start, StopDate: time.UnixMilli(1667486786500).UTC(),
			BilledDuration: 1200 * time.Millisecond, BilledMemoryMB: 64,
		}},
		"failed": {
			`{"executionArn":"a","status":"FAILED","error":"OrderNotFound","cause":"no order","startDate":1667486785.389}`,
			bridge.Outcome{ExecutionARN: "a", Status: bridge.Failed, Error: "OrderNotFound", Cause: "no order", StartDate: start},
		},
		"timed out": {
			`{"executionArn":"a","status":"TIMED_OUT","error":"States.Timeout","startDate":1667486785.389}`,
			bridge.Outcome{ExecutionARN: "a", Status: bridge.TimedOut, Error: "States.Timeout", StartDate: start},
		},
		"which version ran": {
			`{"executionArn":"a","stateMachineArn":"m:7","status":"SUCCEEDED","output":"null","outputDetails":{"included":true},"startDate":1667486785.389}`,
			bridge.Outcome{ExecutionARN: "a", StateMachineARN: "m:7", Status: bridge.Succeeded, Output: []byte("null"), StartDate: start},
		},
		"output withheld": {
			`{"executionArn":"a","status":"SUCCEEDED","outputDetails":{"included":false},"startDate":1667486785.389}`,
			bridge.Outcome{ExecutionARN: "a", Status: bridge.Succeeded, OutputWithheld: true, StartDate: start},
		},
		"error withheld": {
			`{"executionArn":"a","status":"FAILED","outputDetails":{"included":false},"startDate":1667486785.389}`,
			bridge.Outcome{ExecutionARN: "a", Status: bridge.Failed, StartDate: start},
		},
		"fields that are new": {
			`{"executionArn":"a","status":"SUCCEEDED","mood":["fine"],"startDate":1667486785.389}`,
			bridge.Outcome{ExecutionARN: "a", Status: bridge.Succeeded, StartDate: start},
		},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			o := options("http://127.0.0.1:1")
			o.HTTPClient = says(200, tt.body)
			got, err := newClient(t, o).StartSync(t.Context(), order())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("started", func(t *testing.T) {
		t.Parallel()
		o := options("http://127.0.0.1:1")
		o.HTTPClient = says(200, `{"executionArn":"a","startDate":1667486785.389}`)
		got, err := newClient(t, o).Start(t.Context(), order())
		if err != nil {
			t.Fatal(err)
		}
		want := bridge.Outcome{ExecutionARN: "a", Name: "orders-1", Status: bridge.Running, StartDate: start}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("outcome (-want +got):\n%s", diff)
		}
	})
}

func TestRequest(t *testing.T) {
	t.Parallel()
	s := newServer(t, answer(200, done))
	c := newClient(t, options(s.url()))
	for _, start := range []bridge.Start{order(), {StateMachineARN: arn + ":PROD#HappyPath"}} {
		if _, err := c.StartSync(t.Context(), start); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Start(t.Context(), order()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range s.seen() {
		if want := s.listener.Addr().String(); r.host != want {
			t.Errorf("host = %s, want %s", r.host, want)
		}
		if !strings.HasPrefix(r.header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKID/") {
			t.Errorf("authorization = %q, want a signature", r.header.Get("Authorization"))
		}
		got = append(got, r.header.Get("X-Amz-Target")+" "+r.body)
	}
	want := []string{
		`AWSStepFunctions.StartSyncExecution {"input":"{\"id\": 1}","name":"orders-1","stateMachineArn":"` + arn + `"}`,
		`AWSStepFunctions.StartSyncExecution {"input":"{}","stateMachineArn":"` + arn + `:PROD#HappyPath"}`,
		`AWSStepFunctions.StartExecution {"input":"{\"id\": 1}","name":"orders-1","stateMachineArn":"` + arn + `"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// On AWS, StartSyncExecution has a host of its own, and StartExecution does not.
func TestHosts(t *testing.T) {
	t.Parallel()
	var hosts []string
	o := options("")
	o.HTTPClient = httpFunc(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Scheme+"://"+r.URL.Host)
		return says(200, done)(r)
	})
	for _, fips := range []bool{false, true} {
		o.FIPS = fips
		c := newClient(t, o)
		if _, err := c.StartSync(t.Context(), order()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Start(t.Context(), order()); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"https://sync-states.us-east-1.amazonaws.com", "https://states.us-east-1.amazonaws.com",
		"https://sync-states-fips.us-east-1.amazonaws.com", "https://states-fips.us-east-1.amazonaws.com",
	}
	if diff := cmp.Diff(want, hosts); diff != "" {
		t.Errorf("hosts (-want +got):\n%s", diff)
	}
}

// In every partition, the host follows the SDK's own rules, with the prefix "sync-" for
// StartSyncExecution only.
func TestHostsOfPartitions(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"eu-west-1", "ca-west-1", "us-gov-west-1", "us-gov-east-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1"} {
		for kind := range 4 {
			fips, dual := kind&1 != 0, kind&2 != 0
			endpoint, err := sfn.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), sfn.EndpointParameters{Region: &region, UseFIPS: &fips, UseDualStack: &dual})
			if err != nil {
				continue // there is none of this kind
			}
			host := endpoint.URI.Host
			var got []string
			o := options("")
			o.Region, o.FIPS, o.DualStack = region, fips, dual
			o.HTTPClient = httpFunc(func(r *http.Request) (*http.Response, error) {
				got = append(got, r.URL.String())
				return says(200, done)(r)
			})
			c := newClient(t, o)
			for _, start := range []func(context.Context, bridge.Start) (bridge.Outcome, error){c.StartSync, c.Start} {
				if _, err := start(t.Context(), order()); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff([]string{"https://sync-" + host + "/", "https://" + host + "/"}, got); diff != "" {
				t.Errorf("%s, FIPS %t, dual stack %t: hosts (-want +got):\n%s", region, fips, dual, diff)
			}
		}
	}
}

// Each request is signed with the credentials that are valid at the time, including the
// session token.
func TestCredentialsThatChange(t *testing.T) {
	t.Parallel()
	s := newServer(t, answer(200, done))
	o := options(s.url())
	n := 0
	o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		n++
		return aws.Credentials{AccessKeyID: fmt.Sprint("AKID", n), SecretAccessKey: "SECRET", SessionToken: fmt.Sprint("TOKEN", n)}, nil
	})
	c := newClient(t, o)
	for range 2 {
		if _, err := c.StartSync(t.Context(), order()); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range s.seen() {
		key, _, _ := strings.Cut(strings.TrimPrefix(r.header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential="), "/")
		if want := fmt.Sprint("AKID", i+1, " TOKEN", i+1); key+" "+r.header.Get("X-Amz-Security-Token") != want {
			t.Errorf("request %d is signed by %s with %s, want %s", i, key, r.header.Get("X-Amz-Security-Token"), want)
		}
	}
}

func TestTraceIsInBothPlaces(t *testing.T) {
	t.Parallel()
	header := func(n int) string { return fmt.Sprintf("Root=1-5759e988-%024x;Sampled=?;Lineage=1:a:0", n) }
	tests := map[string]struct{ record, context, env, fallback, want string }{
		"record":              {header(1), header(2), header(3), header(4), header(1)},
		"context":             {"", header(2), header(3), header(4), header(2)},
		"environment":         {"", "", header(3), header(4), header(3)},
		"request":             {"", "", "", header(4), header(4)},
		"no root, no header":  {"Parent=0000000000000000;Sampled=0", "", "Sampled=0", "", ""},
		"none of the process": {"", "", "", "", ""},
	}
	for title, tt := range tests {
		for op, start := range both {
			t.Run(title+"/"+op, func(t *testing.T) {
				t.Parallel()
				s := newServer(t, answer(200, done))
				o := options(s.url())
				o.Getenv = func(string) string { return tt.env }
				//lint:ignore SA1029 aws-lambda-go's own key is a plain string
				ctx := context.WithValue(t.Context(), any(trace.ContextKey), tt.context)
				in := order()
				in.TraceHeader, in.FallbackTrace = tt.record, tt.fallback
				if _, err := start(newClient(t, o), ctx, in); err != nil {
					t.Fatal(err)
				}
				r := s.seen()[0]
				var body struct{ TraceHeader string }
				if err := json.Unmarshal([]byte(r.body), &body); err != nil {
					t.Fatal(err)
				}
				if got := r.header.Get(trace.HeaderName); got != tt.want {
					t.Errorf("header = %q, want %q", got, tt.want)
				}
				if body.TraceHeader != tt.want {
					t.Errorf("field = %q, want %q", body.TraceHeader, tt.want)
				}
				if _, there := r.header[trace.HeaderName]; there != (tt.want != "") {
					t.Errorf("header there = %t, want %t", there, !there)
				}
			})
		}
	}
}

func TestCheckedBeforeSending(t *testing.T) {
	t.Parallel()
	with := func(change func(*bridge.Start)) bridge.Start {
		s := order()
		change(&s)
		return s
	}
	machine := func(arn string) bridge.Start { return with(func(s *bridge.Start) { s.StateMachineARN = arn }) }
	named := func(name string) bridge.Start { return with(func(s *bridge.Start) { s.Name = name }) }
	tests := map[string]struct {
		start      bridge.Start
		want, says string
	}{
		"no ARN":                 {machine(""), bridge.Misconfigured, "empty"},
		"sam local's !Ref":       {machine("OrderMachine"), bridge.Misconfigured, "`sam local`"},
		"sam local's !GetAtt":    {machine("arn:aws:lambda:us-east-1:123456789012:function:OrderMachine"), bridge.Misconfigured, "env.json"},
		"another service":        {machine("arn:aws:sqs:us-east-1:123456789012:orders"), bridge.Misconfigured, "stateMachine:NAME"},
		"an execution":           {machine("arn:aws:states:us-east-1:123456789012:express:orders:n:u"), bridge.Misconfigured, "stateMachine:NAME"},
		"an activity":            {machine("arn:aws:states:us-east-1:123456789012:activity:orders"), bridge.Misconfigured, "something else"},
		"account":                {machine("arn:aws:states:us-east-1:12345678901x:stateMachine:orders"), bridge.Misconfigured, "12 digits"},
		"region":                 {machine("arn:aws:states:US EAST:123456789012:stateMachine:orders"), bridge.Misconfigured, "region"},
		"no name":                {machine("arn:aws:states:us-east-1:123456789012:stateMachine:"), bridge.Misconfigured, "malformed"},
		"empty alias":            {machine(arn + ":"), bridge.Misconfigured, "malformed"},
		"too long":               {machine(arn + strings.Repeat("x", 256)), bridge.Misconfigured, "256"},
		"test case on AWS":       {machine(arn + "#HappyPath"), bridge.Misconfigured, "malformed"},
		"execution name":         {named("a b"), bridge.Misconfigured, `' '`},
		"execution name, colon":  {named("a:b"), bridge.Misconfigured, `':'`},
		"execution name, length": {named(strings.Repeat("x", 81)), bridge.Misconfigured, "80"},
		"input": {
			with(func(s *bridge.Start) { s.Input = []byte(`"` + strings.Repeat("x", bridge.MaxInput-1) + `"`) }),
			bridge.InputTooLarge, "262145 bytes",
		},
	}
	for title, tt := range tests {
		for op, start := range both {
			t.Run(title+"/"+op, func(t *testing.T) {
				t.Parallel()
				o := options("")
				o.Getenv = func(name string) string { return map[string]string{"AWS_SAM_LOCAL": "true"}[name] }
				o.HTTPClient = httpFunc(func(*http.Request) (*http.Response, error) {
					t.Error("it was sent")
					return nil, io.EOF
				})
				_, err := start(newClient(t, o), t.Context(), tt.start)
				if got := name(t, err); got != tt.want || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error = %v, want %s with %q", err, tt.want, tt.says)
				}
			})
		}
	}
	for _, good := range []bridge.Start{
		machine("arn:aws-us-gov:states:us-gov-west-1:123456789012:stateMachine:a_B-9"),
		machine(arn + ":10"), machine(arn + ":PROD"), named(strings.Repeat("ü", 80)), named(""),
		with(func(s *bridge.Start) { s.Input = []byte(`"` + strings.Repeat("x", bridge.MaxInput-2) + `"`) }),
	} {
		o := options("")
		o.HTTPClient = says(200, done)
		if _, err := newClient(t, o).StartSync(t.Context(), good); err != nil {
			t.Errorf("%s, name %q, %d bytes: %v", good.StateMachineARN, good.Name, len(good.Input), err)
		}
	}
}

// A start that was not sent is never a Deadline: the wait of a throttled or refused start
// ends with its own name.
func TestWaitsStayWithinTheDeadline(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		client httpFunc
		want   string
	}{
		"throttled": {says(400, `{"__type":"ThrottlingException"}`), bridge.Throttled},
		"refused": {func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("send: %w", refused)
		}, bridge.Unavailable},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				o := options("http://127.0.0.1:1")
				o.Sleep, o.Now, o.MaxAttempts = nil, nil, 1000
				o.Rand = func() float64 { return 0.999 }
				o.HTTPClient = httpFunc(func(r *http.Request) (*http.Response, error) {
					sent++
					return tt.client(r)
				})
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				_, err := newClient(t, o).StartSync(ctx, order())
				if got := name(t, err); got != tt.want {
					t.Errorf("error = %v, want %s", err, tt.want)
				}
				// 0.1, 0.2, 0.4 … 3.2 make 6.3 s, and the next 5 s would be too long.
				if waited := time.Since(began); sent != 7 || waited > 6300*time.Millisecond || waited < 6200*time.Millisecond {
					t.Errorf("sent %d times in %v, want 7 in 6.3 s", sent, waited)
				}
			})
		})
	}
	t.Run("ended while it waits", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			o := options("http://127.0.0.1:1")
			o.Sleep = nil
			o.HTTPClient = says(400, `{"__type":"ThrottlingException"}`)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(70*time.Millisecond, cancel)
			_, err := newClient(t, o).StartSync(ctx, order())
			if got := name(t, err); got != bridge.Throttled {
				t.Errorf("error = %v, want %s", err, bridge.Throttled)
			}
		})
	})
	t.Run("over before it began", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		o := options("http://127.0.0.1:1")
		o.HTTPClient = says(200, done)
		_, err := newClient(t, o).StartSync(ctx, order())
		if got := name(t, err); got != bridge.Unavailable {
			t.Errorf("error = %v, want %s", err, bridge.Unavailable)
		}
	})
}

func TestWaits(t *testing.T) {
	t.Parallel()
	s := newServer(t, refusal(400, "ThrottlingException"), refusal(400, "ThrottlingException"),
		refusal(400, "ThrottlingException", "Retry-After: 2"), refusal(400, "ThrottlingException", "Retry-After: 1000000000000"),
		refusal(400, "ThrottlingException", "Retry-After: soon"), refusal(400, "ThrottlingException"))
	o := options(s.url())
	waits := &naps{}
	o.Sleep = waits.sleep
	_, err := newClient(t, o).StartSync(t.Context(), order())
	want := []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 2 * time.Second, 30 * time.Second, 800 * time.Millisecond}
	if diff := cmp.Diff(want, waits.taken); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	var f *bridge.Failure
	if !errors.As(err, &f) || f.Name != bridge.Throttled || f.RetryAfter != time.Second {
		t.Errorf("error = %#v, want %s to be tried again after a second", err, bridge.Throttled)
	}
}

func TestCredentialsThatFail(t *testing.T) {
	t.Parallel()
	o := options("http://127.0.0.1:1")
	o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("the session has expired")
	})
	o.HTTPClient = httpFunc(func(*http.Request) (*http.Response, error) {
		t.Error("it was sent")
		return nil, io.EOF
	})
	_, err := newClient(t, o).StartSync(t.Context(), order())
	if got := name(t, err); got != bridge.Misconfigured {
		t.Errorf("error = %v, want %s", err, bridge.Misconfigured)
	}
}

func ExampleNew() {
	env := map[string]string{
		"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "SECRET",
		"AWS_ENDPOINT_URL_SFN": "http://127.0.0.1:8083",
	}
	options, err := stepfn.FromEnv(func(name string) string { return env[name] })
	if err != nil {
		fmt.Println(err)
		return
	}
	options.HTTPClient = says(200, `{"executionArn": "a", "status": "SUCCEEDED", "output": "{\"id\": 7}"}`)
	outcome, err := stepfn.New(options).StartSync(context.Background(), bridge.Start{
		StateMachineARN: "arn:aws:states:eu-west-1:123456789012:stateMachine:orders",
		Name:            "orders-7",
		Input:           json.RawMessage(`{"id": 7}`),
	})
	fmt.Println(outcome.Status, string(outcome.Output), err)
	// Output: SUCCEEDED {"id": 7} <nil>
}

// A client from an SDK configuration that the program already has: its region, credentials
// and client.
func ExampleFromConfig() {
	cfg := aws.Config{
		Region:      "eu-west-1",
		Credentials: aws.AnonymousCredentials{},
		HTTPClient:  says(200, `{"executionArn": "a", "status": "SUCCEEDED", "output": "{}"}`),
	}
	starter := stepfn.New(stepfn.FromConfig(cfg, func(string) string { return "" }))
	outcome, err := starter.StartSync(context.Background(), bridge.Start{
		StateMachineARN: "arn:aws:states:eu-west-1:123456789012:stateMachine:orders", Name: "orders-7", Input: json.RawMessage(`{}`),
	})
	fmt.Println(outcome.Status, err)
	// Output: SUCCEEDED <nil>
}

func BenchmarkStartSync(b *testing.B) {
	o := options("http://127.0.0.1:1")
	o.HTTPClient = says(200, done)
	c := stepfn.New(o)
	start := order()
	start.Input = []byte(`{"push": "` + strings.Repeat("x", 7600) + `"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.StartSync(b.Context(), start); err != nil {
			b.Fatal(err)
		}
	}
}
