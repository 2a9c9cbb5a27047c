package function_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/function"
	"github.com/expressway-dev/expressway/pkg/config"
)

const plain = `version: 1
routes:
  - {name: web, http: POST /a, verify: none, start: m}
`

const withDedupe = `version: 1
routes:
  - {name: web, http: POST /a, verify: none, start: m, dedupe: {key: '{% $request.body.id %}'}}
  - {name: queue, sqs: q, start: m}
`

func isHTTP(r *config.Route) bool { return r.HTTP != nil }

func isSQS(r *config.Route) bool { return r.SQS != nil }

// load writes the configuration into a function's folder and loads it.
func load(t *testing.T, yaml string, env map[string]string, ours func(*config.Route) bool) (log string, routes int, err error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "expressway.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string {
		if v, ok := env[name]; ok {
			return v
		}
		return map[string]string{"LAMBDA_TASK_ROOT": dir, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}[name]
	}
	var lines, out bytes.Buffer
	cfg, b, err := function.Load(getenv, slog.New(slog.NewJSONHandler(&lines, nil)), &out, ours)
	if err == nil {
		routes = len(cfg.Routes)
		if b == nil {
			t.Error("no bridge")
		}
	}
	if out.Len() > 0 {
		t.Errorf("metrics before anything was delivered: %s", out.String())
	}
	return lines.String(), routes, err
}

// A function finds its file, and says at its start what it will miss.
func TestLoad(t *testing.T) {
	t.Parallel()
	const warning = "dedupe without EXPRESSWAY_DEDUPE_TABLE"
	tests := map[string]struct {
		yaml   string
		env    map[string]string
		ours   func(*config.Route) bool
		routes int
		warned bool
	}{
		"no dedupe":                       {plain, nil, isHTTP, 1, false},
		"dedupe without a table":          {withDedupe, nil, isHTTP, 2, true},
		"dedupe of another function":      {withDedupe, nil, isSQS, 2, false},
		"dedupe with a table":             {withDedupe, map[string]string{function.DedupeTable: "t"}, isHTTP, 2, false},
		"metrics that are on":             {plain, map[string]string{"EXPRESSWAY_METRICS": "on"}, isHTTP, 1, false},
		"another endpoint":                {plain, map[string]string{"AWS_ENDPOINT_URL_SFN": "http://127.0.0.1:8083"}, isHTTP, 1, false},
		"the path that the variable says": {plain, map[string]string{"EXPRESSWAY_CONFIG": ""}, isHTTP, 1, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, routes, err := load(t, test.yaml, test.env, test.ours)
			if err != nil {
				t.Fatal(err)
			}
			if routes != test.routes {
				t.Errorf("%d routes, want %d", routes, test.routes)
			}
			if got := strings.Contains(log, warning); got != test.warned {
				t.Errorf("log = %q, want the warning: %v", log, test.warned)
			}
		})
	}
}

// What cannot work is an error at the start, which names what is to be mended.
func TestLoadFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		yaml string
		env  map[string]string
		want string
	}{
		"no file":            {plain, map[string]string{"EXPRESSWAY_CONFIG": "/nowhere/ex.yaml"}, "/nowhere/ex.yaml"},
		"a bad file":         {"version: 2\n", nil, "expressway.yaml:1"},
		"outside of Lambda":  {plain, map[string]string{"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID"},
		"no routes":          {"version: 1\nroutes: []\n", nil, "has no routes"},
		"metrics by a guess": {plain, map[string]string{"EXPRESSWAY_METRICS": "perhaps"}, "EXPRESSWAY_METRICS"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := load(t, test.yaml, test.env, isHTTP)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that names %s", err, test.want)
			}
		})
	}
}
