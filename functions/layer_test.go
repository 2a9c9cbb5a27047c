//go:build unix

package functions_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/dist"
	"github.com/expressway-dev/expressway/internal/lambdatest"
	"github.com/expressway-dev/expressway/internal/shared"
)

// unpackLayer builds the layer for this machine and unpacks it as Lambda does into /opt.
// It returns the path of the bootstrap.
var unpackLayer = sync.OnceValues(func() (string, error) {
	archive, err := dist.Layer(context.Background(), "..", runtime.GOARCH, "v0.0.0-test")
	if err != nil {
		return "", err
	}
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return "", err
	}
	opt := filepath.Join(artifacts, "opt")
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			return "", err
		}
		data, err := io.ReadAll(in)
		if err != nil {
			return "", err
		}
		path := filepath.Join(opt, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, data, f.Mode()); err != nil {
			return "", err
		}
	}
	return filepath.Join(opt, "bootstrap"), nil
})

// taskFolder is a function's own code: expressway.yaml, and nothing else.
func taskFolder(t *testing.T) string {
	t.Helper()
	routes, err := os.ReadFile("../expressway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "expressway.yaml"), routes, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func layer(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a layer is for Linux")
	}
	path, err := unpackLayer()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLayer runs each sample through the layer, with the bootstrap in one folder and the
// function's code in another, and expects the answers of the separate program.
func TestLayer(t *testing.T) {
	t.Parallel()
	bootstrap := layer(t)
	for _, function := range []string{"webhook", "queue", "event"} {
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			env := environment(t, function, stepFunctions(t))
			env["_HANDLER"] = function
			fn, err := lambdatest.Start(t.Context(), lambdatest.Options{
				Bootstrap: bootstrap, TaskRoot: taskFolder(t), Timeout: 10 * time.Second, Env: env,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer fn.Stop()
			tried := 0
			for name, want := range samples {
				if !strings.HasPrefix(name, function+"-") || strings.Contains(name, "times-out") {
					continue
				}
				tried++
				result, err := fn.Invoke(t.Context(), sample(t, name), lambdatest.InvokeOptions{})
				if err != nil {
					t.Errorf("%s: %v\n%s", name, err, fn.Logs())
					continue
				}
				var expected any
				if err := json.Unmarshal([]byte(want), &expected); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(expected, response(t, result.Payload)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			if tried == 0 {
				t.Error("no sample")
			}
		})
	}
}

// TestLayerHandler checks the errors at startup: what Handler must be, and where the
// configuration must be.
func TestLayerHandler(t *testing.T) {
	t.Parallel()
	bootstrap := layer(t)
	for name, test := range map[string]struct {
		handler, folder string
		want            string
	}{
		"an unknown handler": {"app.handler", taskFolder(t), `the Handler of the function is "app.handler"; the Expressway layer knows webhook, queue and event`},
		"no configuration":   {"webhook", t.TempDir(), "expressway.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := environment(t, "webhook", "http://127.0.0.1:9")
			env["_HANDLER"] = test.handler
			fn, err := lambdatest.Start(t.Context(), lambdatest.Options{Bootstrap: bootstrap, TaskRoot: test.folder, Env: env})
			if err == nil {
				fn.Stop()
				t.Fatal("it starts")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v does not say %q", err, test.want)
			}
		})
	}
}

// TestLayerInEmulator runs the layer as `sam local invoke` does.
func TestLayerInEmulator(t *testing.T) {
	t.Parallel()
	binary := shared.Program(t, "EXPRESSWAY_RIE")
	url := emulateIn(t, binary, "webhook", taskFolder(t), layer(t), "webhook")
	const name = "webhook-order-accepted.json"
	reply, err := (&http.Client{Timeout: time.Minute}).Post(url, "application/json", bytes.NewReader(sample(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	payload, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal([]byte(samples[name]), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, response(t, payload)); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
}
