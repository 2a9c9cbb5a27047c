package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

// offloading notes the objects that are put.
type offloading struct {
	objects []bridge.Object
	fail    error
}

func (o *offloading) Put(_ context.Context, in bridge.Object) error {
	o.objects = append(o.objects, in)
	return o.fail
}

// An input that no execution takes goes to the bucket, once verified, and the execution gets
// a reference; where the bucket does not take it, nothing starts. Without offload it is 413.
func TestOffload(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "expressway.yaml")
	text := `version: 1
routes:
  - name: github
    http: POST /github
    verify: {provider: github, secrets: ["env:SECRET"]}
    start: m
    input: '{% $request.body %}'
    offload: {to: "s3://bucket/webhooks", kmsKey: "alias/webhooks"}
  - {name: plain, http: POST /plain, verify: none, start: m}
  - {name: later, http: POST /later, verify: none, start: m, input: '{% $request.body %}', offload: "s3://bucket", queue: "arn:aws:sqs:us-east-1:123456789012:later"}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a, o := &accepting{}, &offloading{}
	g, err := gateway.New(gateway.Options{Config: file, Starter: a, Acceptor: a, Offloader: o, Getenv: func(name string) string {
		return map[string]string{"SECRET": "secret", "AWS_REGION": "us-east-1"}[name]
	}})
	if err != nil {
		t.Fatal(err)
	}
	large := `{"text":"` + strings.Repeat("x", bridge.MaxInput) + `"}`
	if status, _ := post(t, g, "/github", "d-1", "wrong", large); status != 401 || len(o.objects) != 0 {
		t.Errorf("a wrong signature: %d, %d objects", status, len(o.objects))
	}
	if status, _ := post(t, g, "/github", "d-1", "secret", `{"n":1}`); status != 200 || len(o.objects) != 0 || string(a.starts[0].Input) != `{"n":1}` {
		t.Errorf("a small one: %d, %d objects, %s", status, len(o.objects), a.starts[0].Input)
	}
	if status, _ := post(t, g, "/github", "d-1", "secret", large); status != 200 || len(o.objects) != 1 {
		t.Fatalf("a large one: %d, %d objects", status, len(o.objects))
	}
	object := o.objects[0]
	if object.Bucket != "bucket" || !strings.HasPrefix(object.Key, "webhooks/github-d-1-") || object.KMSKey != "alias/webhooks" || string(object.Body) != large {
		t.Errorf("put %s/%s with %s, %d bytes", object.Bucket, object.Key, object.KMSKey, len(object.Body))
	}
	var input struct {
		Offloaded struct {
			Bucket, Key string
			Size        int
		}
	}
	if err := json.Unmarshal(a.starts[1].Input, &input); err != nil || fmt.Sprint(input.Offloaded) != fmt.Sprintf("{bucket %s %d}", object.Key, len(large)) {
		t.Errorf("the execution got %s", a.starts[1].Input)
	}
	if status, _ := post(t, g, "/later", "d-1", "", large); status != 202 || len(o.objects) != 2 || !strings.Contains(string(a.accepted[0].Envelope.Input), `"offloaded"`) {
		t.Errorf("accepted: %d, %d objects", status, len(o.objects))
	}
	o.fail = errors.New("no")
	if status, _ := post(t, g, "/github", "d-2", "secret", large); status != 503 || len(a.starts) != 2 {
		t.Errorf("the bucket does not take it: %d, %d starts", status, len(a.starts))
	}
	status, body := post(t, g, "/plain", "d-3", "", large)
	if status != 413 || !strings.Contains(body, "offload") {
		t.Errorf("without offload: %d %s", status, body)
	}
}
