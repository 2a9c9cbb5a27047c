package s3put

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An object is in the bucket as it was put, encrypted by the key.
func TestPut(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	send := func(method, path string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x") // moto asks for one
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp, string(body)
	}
	if resp, body := send(http.MethodPut, "/bucket"); resp.StatusCode != http.StatusOK {
		t.Fatal(body)
	}
	c := New(server.Getenv)
	body := bytes.Repeat([]byte("x"), 1<<20)
	o := bridge.Object{Bucket: "bucket", Key: "webhooks/a b+c-é.json", KMSKey: "arn:aws:kms:us-east-1:123456789012:key/k", Body: body}
	if err := c.Put(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	resp, got := send(http.MethodGet, "/bucket/webhooks/a%20b%2Bc-%C3%A9.json")
	if resp.StatusCode != http.StatusOK || got != string(body) || resp.Header.Get("Content-Type") != "application/json" ||
		resp.Header.Get("X-Amz-Server-Side-Encryption") != "aws:kms" || resp.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") != o.KMSKey {
		t.Errorf("got %s, %d bytes, %v", resp.Status, len(got), resp.Header)
	}
	o.Bucket = "missing"
	if err := c.Put(t.Context(), o); err == nil || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("no such bucket: %v", err)
	}
	closeIdle(c)
}

func closeIdle(c *Client) {
	if b, ok := c.http.(interface{ CloseIdleConnections() }); ok {
		b.CloseIdleConnections()
	}
}

// The bucket is in the host, except where its name or the endpoint does not allow that.
func TestURL(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		bucket, region string
		env            map[string]string
		want           string
	}{
		{"b", "eu-west-1", nil, "https://b.s3.eu-west-1.amazonaws.com/k/a%20b"},
		{"b.c", "eu-west-1", nil, "https://s3.eu-west-1.amazonaws.com/b.c/k/a%20b"},
		{"b", "cn-north-1", nil, "https://b.s3.cn-north-1.amazonaws.com.cn/k/a%20b"},
		{"b", "eu-west-1", map[string]string{"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "https://b.s3.dualstack.eu-west-1.amazonaws.com/k/a%20b"},
		{"b", "us-east-1", map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}, "https://b.s3-fips.us-east-1.amazonaws.com/k/a%20b"},
		{"b", "us-east-1", map[string]string{"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9000/"}, "http://127.0.0.1:9000/b/k/a%20b"},
	} {
		env := map[string]string{"AWS_REGION": test.region, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
		for name, value := range test.env {
			env[name] = value
		}
		getenv := func(name string) string { return env[name] }
		cfg, err := awsenv.Config(getenv, "S3")
		if err != nil {
			t.Fatal(err)
		}
		if got := New(getenv).url(cfg, bridge.Object{Bucket: test.bucket, Key: "k/a b"}); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// What may pass is sent again, and the error does not quote what was sent.
func TestPutAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status []int
		want   string
		calls  int32
	}{
		"500, then taken": {[]int{500, 200}, "", 2},
		"slow down":       {[]int{503, 503, 503}, "S3 answers 503 Service Unavailable SlowDown", 3},
		"denied":          {[]int{403}, "S3 answers 403 Forbidden SlowDown", 1},
		"another region":  {[]int{301}, "another region", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status[calls.Add(1)-1])
				_, _ = io.WriteString(w, "<Error><Code>SlowDown</Code><Message>secret</Message></Error>")
			}))
			defer server.Close()
			c := New(func(name string) string {
				return map[string]string{"AWS_REGION": "r", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": server.URL}[name]
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := c.Put(ctx, bridge.Object{Bucket: "b", Key: "k", Body: []byte("secret")})
			text := ""
			if err != nil {
				text = err.Error()
			}
			if (test.want == "") != (err == nil) || !strings.Contains(text, test.want) || strings.Contains(text, "secret") || calls.Load() != test.calls {
				t.Errorf("%v after %d calls, want %q after %d", err, calls.Load(), test.want, test.calls)
			}
			closeIdle(c)
		})
	}
}
