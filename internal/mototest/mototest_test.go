package mototest_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/mototest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The server answers while the test runs, and is gone when it has ended.
func TestStart(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("running", func(t *testing.T) {
		server := mototest.Start(t)
		url = server.URL
		cfg, err := awsenv.Config(server.Getenv, "SSM")
		if err != nil || *cfg.BaseEndpoint != url {
			t.Fatalf("configuration = %+v, %v, want one with the server's endpoint", cfg, err)
		}
		status, err := get(t.Context(), url+"/moto-api/")
		if err != nil || status != http.StatusOK {
			t.Fatalf("GET = %d, %v, want 200", status, err)
		}
	})
	if url == "" {
		t.Skip("moto is not on this machine")
	}
	if _, err := get(t.Context(), url); err == nil {
		t.Error("the server still answers after the test")
	}
}

// A Python that is named and cannot be used fails the test; without a name it is skipped,
// but in CI it fails.
func TestUnavailable(t *testing.T) {
	for name, test := range map[string]struct{ python, ci, want, why string }{
		"a missing Python": {"/nonexistent/python", "", "fatal", "cannot be run"},
		"none":             {"", "", "skip", "EXPRESSWAY_PYTHON"},
		"none in CI":       {"", "true", "fatal", "EXPRESSWAY_PYTHON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("EXPRESSWAY_PYTHON", test.python)
			t.Setenv("CI", test.ci)
			t.Setenv("PATH", "")
			r := &recorder{TB: t}
			func() {
				defer func() {
					if p := recover(); p != nil && !errors.Is(p.(error), errEnd) {
						panic(p)
					}
				}()
				mototest.Start(r)
			}()
			if r.ended != test.want || !strings.Contains(r.why, test.why) {
				t.Errorf("Start ended by %q (%s), want %q", r.ended, r.why, test.want)
			}
		})
	}
}

var errEnd = errors.New("the test has ended")

// A recorder notes how a test ends, and ends only the call.
type recorder struct {
	testing.TB
	ended, why string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatal(args ...any) { r.end("fatal", args) }
func (r *recorder) Skip(args ...any)  { r.end("skip", args) }

func (r *recorder) end(how string, args []any) {
	r.ended, r.why = how, args[0].(string)
	panic(errEnd)
}

func get(ctx context.Context, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
