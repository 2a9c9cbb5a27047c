package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// An empty folder, and a configuration without routes, is a Step Functions endpoint.
func TestDevWithoutRoutes(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"an empty folder": nil,
		"no routes":       {"expressway.yaml": "version: 1\nroutes: []\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for file, text := range files {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out, errs strings.Builder
			none := func(string) string { return "" }
			want, text := 0, "expressway.yaml and no state machines are valid"
			if files == nil {
				want, text = 1, "there is nothing to validate here"
			}
			if code := run(t.Context(), []string{"validate"}, nil, &out, &errs, none); code != want || !strings.Contains(out.String()+errs.String(), text) {
				t.Errorf("validate: got exit %d and %s%s, want exit %d and %q", code, out.String(), errs.String(), want, text)
			}
			url, stop := startDev(t, nil, "--states", "127.0.0.1:0")
			if got := callStates(t, url, "ListStateMachines", "{}"); got != `{"stateMachines":[]}` {
				t.Errorf("ListStateMachines = %s, want an empty list", got)
			}
			stop()
		})
	}
}

// A configuration that somebody named must be there.
func TestNamedConfigurationIsMissing(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, test := range map[string]struct {
		args []string
		env  string
	}{
		"flag":     {[]string{"validate", "--config", "gone.yaml"}, ""},
		"variable": {[]string{"validate"}, "gone.yaml"},
	} {
		var out, errs strings.Builder
		code := run(t.Context(), test.args, nil, &out, &errs, func(name string) string {
			if name == "EXPRESSWAY_CONFIG" {
				return test.env
			}
			return ""
		})
		if code != 1 || !strings.Contains(errs.String(), "gone.yaml") {
			t.Errorf("%s: exit %d, want 1 and that gone.yaml is missing: %s%s", name, code, out.String(), errs.String())
		}
	}
}

// The ARNs have the region and the account that flags or the environment name, and the
// routes of a stack elsewhere still find their state machines.
func TestRegionAndAccount(t *testing.T) {
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	payment := filepath.Join(dir, "events", "event-payment.json")
	for name, test := range map[string]struct {
		args []string
		env  map[string]string
		code int
		want string
	}{
		"default":            {nil, nil, 0, "arn:aws:states:us-east-1:123456789012:express:payments:"},
		"flags":              {[]string{"--region", "eu-west-1", "--account", "111122223333"}, map[string]string{"AWS_REGION": "us-west-2"}, 0, "arn:aws:states:eu-west-1:111122223333:express:payments:"},
		"AWS_REGION":         {nil, map[string]string{"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "us-west-2"}, 0, "arn:aws:states:eu-central-1:123456789012:"},
		"AWS_DEFAULT_REGION": {nil, map[string]string{"AWS_DEFAULT_REGION": "ap-south-1", "AWS_ACCOUNT_ID": "111122223333"}, 0, "arn:aws:states:ap-south-1:111122223333:"},
		"no region":          {[]string{"--region", "europe"}, nil, 1, "the region must look like us-east-1"},
		"no account":         {nil, map[string]string{"AWS_ACCOUNT_ID": "12"}, 1, "the account must be 12 digits"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(dir)
			var out, errs strings.Builder
			args := append([]string{"invoke", "event", "-e", payment}, test.args...)
			code := run(t.Context(), args, nil, &out, &errs, func(name string) string { return test.env[name] })
			if code != test.code || !strings.Contains(out.String()+errs.String(), test.want) {
				t.Errorf("exit %d, want %s:\n%s%s", code, test.want, out.String(), errs.String())
			}
		})
	}
}

// The version is printed by the flag and by the command.
func TestVersion(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^expressway \S+.* go1\.\d+\S* \w+/\w+\n$`)
	for _, argument := range []string{"--version", "version"} {
		var out, errs strings.Builder
		code := run(t.Context(), []string{argument}, nil, &out, &errs, func(string) string { return "" })
		if code != 0 || !shape.MatchString(out.String()) {
			t.Errorf("%s: exit %d, want 0 and the version: %q %q", argument, code, out.String(), errs.String())
		}
	}
}

// No web page elsewhere drives the Step Functions API, whatever it calls this machine;
// webhooks come through tunnels by any name.
func TestRebinding(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	url, stop := startDev(t, nil, "--states", "127.0.0.1:0", "--allow-host", "tunnel.example")
	defer stop()
	for host, want := range map[string]int{"": 200, "sync-localhost:8083": 200, "tunnel.example": 200, "evil.example": 403} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		r.Header.Set("X-Amz-Target", "AWSStepFunctions.ListStateMachines")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("Host %q: %d, want %d", host, response.StatusCode, want)
		}
	}
}
