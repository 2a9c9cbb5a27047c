package awsstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/secrets/awsstore"
)

// TestMain runs the tests where the SDK's own loader would find other settings.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"AWS_MAX_ATTEMPTS": "9", "AWS_REGION": "mars-north-1"} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m,
		// Idle connections of the HTTP client, which has no way to close them; they end
		// with the server.
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"),
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}

func get(t *testing.T, src secrets.Source, text string) (string, error) {
	t.Helper()
	ref, err := secrets.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	got, err := src.Get(t.Context(), ref)
	return got.Reveal(), err
}

// Secrets come over the services' own protocols, with the versions they have.
func TestOverTheWire(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	fill(t, server)
	src := secrets.NewSource(secrets.Options{Fetchers: awsstore.Fetchers(server.Getenv)})
	for text, want := range map[string]struct {
		value string
		err   error
	}{
		"ssm:/slack/signing":                        {"v2", nil},
		"ssm:/slack/signing:1":                      {"v1", nil},
		"ssm:/slack/signing:9":                      {"", secrets.ErrNoVersion},
		"ssm:/slack/absent":                         {"", secrets.ErrMissing},
		"secretsmanager:gh#key":                     {"second", nil},
		"secretsmanager:gh#key@AWSCURRENT":          {"second", nil},
		"secretsmanager:gh#key@AWSPREVIOUS":         {"first", nil},
		"secretsmanager:gh#other":                   {"", secrets.ErrMissing},
		"secretsmanager:gh":                         {`{"key":"second"}`, nil},
		"secretsmanager:never/rotated":              {"whole", nil},
		"secretsmanager:never/rotated#@AWSPREVIOUS": {"", secrets.ErrNoVersion},
		"secretsmanager:binary":                     {"\x00\xff", nil},
		"secretsmanager:absent":                     {"", secrets.ErrMissing},
		"secretsmanager:absent#key@AWSCURRENT":      {"", secrets.ErrMissing},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := get(t, src, text)
			if got != want.value || !errors.Is(err, want.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, want.value, want.err)
			}
		})
	}
}

// fill puts secrets into the services.
func fill(t *testing.T, server *mototest.Server) {
	t.Helper()
	cfg, err := awsenv.Config(server.Getenv, "SSM")
	if err != nil {
		t.Fatal(err)
	}
	check := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	parameters, vault := ssm.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)
	for _, value := range []string{"v1", "v2"} {
		check(parameters.PutParameter(t.Context(), &ssm.PutParameterInput{
			Name: aws.String("/slack/signing"), Value: &value, Type: types.ParameterTypeSecureString, Overwrite: aws.Bool(true),
		}))
	}
	check(vault.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("gh"), SecretString: aws.String(`{"key":"first"}`),
	}))
	check(vault.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String("gh"), SecretString: aws.String(`{"key":"second"}`),
	}))
	check(vault.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("never/rotated"), SecretString: aws.String("whole"),
	}))
	check(vault.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("binary"), SecretBinary: []byte("\x00\xff"),
	}))
}

// endpoint is a service at url.
func endpoint(url string) func(string) string {
	return func(name string) string {
		return map[string]string{
			"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key",
			"AWS_ENDPOINT_URL_SSM": url, "AWS_ENDPOINT_URL_SECRETS_MANAGER": url,
		}[name]
	}
}

const (
	good    = `{"Parameter":{"Value":"hunter2"},"SecretString":"hunter2"}`
	refused = `{"__type":"com.amazonaws.x#%s","message":"hunter2 was said by the service"}`
)

// A fault is what a service does to the first requests; after them it is well.
type fault struct {
	status int
	body   string
	slow   bool
	reset  bool
}

func (f fault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Only behind the body does the server notice that the client hung up.
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", "req-1")
	switch {
	case f.slow:
		<-r.Context().Done()
	case f.reset:
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	default:
		w.WriteHeader(f.status)
		_, _ = fmt.Fprint(w, f.body)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	refusal := func(status int, code string) fault { return fault{status: status, body: fmt.Sprintf(refused, code)} }
	for name, test := range map[string]struct {
		fault fault
		// times is how many requests meet it; 0 is all.
		times int
		final error // that the error wraps; nil for one that passes
		value string
		says  string
	}{
		"well":                       {fault{status: 200, body: good}, 0, nil, "hunter2", ""},
		"throttled once":             {refusal(400, "ThrottlingException"), 1, nil, "hunter2", ""},
		"500 once":                   {refusal(500, "InternalServerError"), 1, nil, "hunter2", ""},
		"reset once":                 {fault{reset: true}, 1, nil, "hunter2", ""},
		"hangs once":                 {fault{slow: true}, 1, nil, "hunter2", ""},
		"throttled":                  {refusal(400, "ThrottlingException"), 0, nil, "", "ThrottlingException (request req-1)"},
		"500":                        {refusal(500, "InternalServerError"), 0, nil, "", "InternalServerError"},
		"503 of a proxy":             {fault{status: 503, body: "<html>hunter2</html>"}, 0, nil, "", "status 503"},
		"reset":                      {fault{reset: true}, 0, nil, "", ""},
		"hangs":                      {fault{slow: true}, 0, nil, "", "in time"},
		"denied":                     {refusal(400, "AccessDeniedException"), 0, secrets.ErrDenied, "", "AccessDeniedException (request req-1)"},
		"key not usable":             {refusal(400, "DecryptionFailure"), 0, secrets.ErrDenied, "", "DecryptionFailure"},
		"malformed":                  {refusal(400, "ValidationException"), 0, secrets.ErrDenied, "", "ValidationException"},
		"this process's session":     {refusal(400, "ExpiredTokenException"), 0, nil, "", "ExpiredTokenException"},
		"an answer that is not JSON": {fault{status: 200, body: `{"SecretString":"hunter2`}, 0, nil, "", "cannot be read"},
		"an answer of another form":  {fault{status: 200, body: `{"SecretString":["hunter2"],"Parameter":{"Value":["hunter2"]}}`}, 0, nil, "", "cannot be read"},
	} {
		for _, text := range []string{"ssm:/x", "secretsmanager:x"} {
			t.Run(name+" "+text, func(t *testing.T) {
				t.Parallel()
				var requests atomic.Int32
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if n := int(requests.Add(1)); test.times > 0 && n > test.times {
						fault{status: 200, body: good}.ServeHTTP(w, r)
						return
					}
					test.fault.ServeHTTP(w, r)
				}))
				t.Cleanup(server.Close)
				src := secrets.NewSource(secrets.Options{Fetchers: awsstore.Fetchers(endpoint(server.URL))})
				began := time.Now()
				got, err := get(t, src, text)
				if got != test.value {
					t.Fatalf("got %q, %v, want %q", got, err, test.value)
				}
				if test.value != "" {
					return
				}
				final := errors.Is(err, secrets.ErrDenied) || errors.Is(err, secrets.ErrMissing) || errors.Is(err, secrets.ErrNoVersion)
				if err == nil || final != (test.final != nil) || test.final != nil && !errors.Is(err, test.final) {
					t.Errorf("error = %v, want one that wraps %v", err, test.final)
				}
				if err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "hunter2")) {
					t.Errorf("error = %v, want %q in it, and nothing of the answer", err, test.says)
				}
				if test.final != nil && requests.Load() != 1 {
					t.Errorf("%d requests, want 1: asking again does not help", requests.Load())
				}
				// A busy machine may take longer, but not forever.
				if took := time.Since(began); took > secrets.FetchLimit+time.Minute {
					t.Errorf("took %v", took)
				}
			})
		}
	}
}

// If the endpoint is unreachable, or there is no AWS, the source reports it at the fetch.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	src := secrets.NewSource(secrets.Options{Fetchers: awsstore.Fetchers(endpoint("http://" + address))})
	if _, err := get(t, src, "ssm:/x"); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("error = %v, want connection refused", err)
	}
	none := secrets.NewSource(secrets.Options{Fetchers: awsstore.Fetchers(func(string) string { return "" })})
	for _, text := range []string{"ssm:/x", "secretsmanager:x"} {
		if _, err := get(t, none, text); !errors.Is(err, awsenv.ErrNone) {
			t.Errorf("error of %s = %v, want ErrNone", text, err)
		}
	}
}

// An outage leaves the value that is known, and a permission that was taken away does not.
func TestOutage(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	var state atomic.Pointer[fault]
	state.Store(&fault{status: 200, body: good})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { state.Load().ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	src := secrets.NewSource(secrets.Options{
		Fetchers: awsstore.Fetchers(endpoint(server.URL)),
		Now:      func() time.Time { return time.Unix(now.Load(), 0) },
	})
	if got, err := get(t, src, "ssm:/x"); got != "hunter2" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	now.Add(int64(secrets.DefaultTTL.Seconds()))
	state.Store(&fault{reset: true})
	if got, err := get(t, src, "ssm:/x"); got != "hunter2" || err != nil {
		t.Errorf("in the outage: got %q, %v, want the old value", got, err)
	}
	now.Add(60)
	state.Store(&fault{status: 400, body: fmt.Sprintf(refused, "AccessDeniedException")})
	if got, err := get(t, src, "ssm:/x"); got != "" || !errors.Is(err, secrets.ErrDenied) {
		t.Errorf("denied: got %q, %v, want ErrDenied", got, err)
	}
}

// The context ends the wait, also while the service hangs.
func TestContext(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(fault{slow: true})
	t.Cleanup(server.Close)
	fetcher := awsstore.Fetchers(endpoint(server.URL))[secrets.SSM]
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := fetcher.Fetch(ctx, secrets.Reference{Scheme: secrets.SSM, Name: "/x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want the deadline", err)
	}
}

// What is created is there, and what is there is not overwritten.
func TestCreate(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	fill(t, server) // which waits until the server has loaded its services
	for _, text := range []string{"ssm:/hooks/new", "secretsmanager:hooks/new"} {
		src := secrets.NewSource(secrets.Options{Fetchers: awsstore.Fetchers(server.Getenv)})
		ref, err := secrets.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := get(t, src, text); !errors.Is(err, secrets.ErrMissing) {
			t.Errorf("%s: %v before it was created, want missing", text, err)
		}
		if err := src.Create(t.Context(), ref, secrets.New("first")); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if err := src.Create(t.Context(), ref, secrets.New("second")); !errors.Is(err, secrets.ErrExists) {
			t.Errorf("%s: %v, want an error that says that it exists", text, err)
		}
		if got, err := get(t, src, text); err != nil || got != "first" {
			t.Errorf("%s: %q, %v, want what was created first", text, got, err)
		}
	}
	refused := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"__type":"AccessDeniedException","message":%q}`, body)
	}))
	t.Cleanup(refused.Close)
	getenv := func(name string) string {
		return map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": refused.URL}[name]
	}
	for _, text := range []string{"ssm:/hooks/new", "secretsmanager:hooks/new", "env:A"} {
		ref, _ := secrets.Parse(text)
		err := secrets.NewSource(secrets.Options{Getenv: getenv, Fetchers: awsstore.Fetchers(getenv)}).Create(t.Context(), ref, secrets.New("canary"))
		if err == nil || errors.Is(err, secrets.ErrExists) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want a refusal without the secret", text, err)
		}
	}
}
