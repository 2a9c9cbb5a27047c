package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
)

// lint runs the SAM CLI's validation and cfn-lint where they are: in CI.
func lint(t *testing.T, sam bool) {
	t.Helper()
	python := os.Getenv("EXPRESSWAY_PYTHON")
	if python == "" {
		return
	}
	bin := filepath.Dir(python)
	commands := [][]string{{filepath.Join(bin, "cfn-lint"), "--non-zero-exit-code", "error", "template.yaml"}}
	if sam {
		commands = append(commands, []string{filepath.Join(bin, "sam"), "validate", "--lint", "--region", "us-east-1", "--template", "template.yaml"})
	}
	for _, c := range commands {
		cmd := exec.CommandContext(t.Context(), c[0], c[1:]...)
		cmd.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "AWS_DEFAULT_REGION=us-east-1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", filepath.Base(c[0]), err, out)
		}
	}
}

// strict runs validate --strict, which must have nothing to say.
func strict(t *testing.T, args ...string) {
	t.Helper()
	var out strings.Builder
	if code := run(t.Context(), append([]string{"validate"}, args...), nil, &out, &out, noEnvironment); code != 0 {
		t.Errorf("validate exits with %d: %s", code, out.String())
	}
}

func tool(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs strings.Builder
	if code := run(t.Context(), args, nil, &out, &errs, noEnvironment); code != 0 {
		t.Fatalf("%v exits with %d: %s%s", args, code, out.String(), errs.String())
	}
	return out.String()
}

// TestInitEmptyFolder writes a project by every door, checks it, and has it answer.
func TestInitEmptyFolder(t *testing.T) {
	for _, door := range []string{"http-api", "rest", "function-url", "alb"} {
		t.Run(door, func(t *testing.T) {
			t.Chdir(t.TempDir())
			tool(t, "init", "--from", "http,sqs,eventbridge", "--provider", "stripe,github,slack", "--door", door)
			strict(t, "--strict")
			lint(t, true)
			for _, file := range []string{"expressway/expressway.yaml", "samconfig.toml", "env.json", "statemachines/deliveries.asl.json"} {
				if _, err := os.Stat(file); err != nil {
					t.Error(err)
				}
			}
			for function, want := range map[string]string{"queue-deliveries": `{"batchItemFailures":[]}`, "event-sample": `"status":"SUCCEEDED"`} {
				name, _, _ := strings.Cut(function, "-")
				if got := tool(t, "invoke", name, "-e", "events/"+function+".json"); !strings.Contains(got, want) {
					t.Errorf("%s: %s", function, got)
				}
			}
		})
	}
}

// TestInitToFirstAnswer goes from an empty folder to the answer to a signed delivery.
func TestInitToFirstAnswer(t *testing.T) {
	t.Chdir(t.TempDir())
	tool(t, "init", "--provider", "stripe")
	url, stop := startWebhooks(t)
	defer stop()
	command := tool(t, "sign", "stripe", "-d", "events/bodies/stripe.json", "--config", "expressway/expressway.yaml", "--url", url)
	if answer := sendSigned(t, url, command); answer != `{"received":true}` {
		t.Errorf("the answer is %s", answer)
	}
}

var (
	signedHeader = regexp.MustCompile(`(?i)'Stripe-Signature: ([^']+)'`)
	webhookURL   = regexp.MustCompile(`webhooks +(http://\S+)`)
)

// sendSigned sends what the curl command would.
func sendSigned(t *testing.T, url, command string) string {
	t.Helper()
	m := signedHeader.FindStringSubmatch(command)
	if m == nil {
		t.Fatalf("no signature in %s", command)
	}
	body, err := os.Open("events/bodies/stripe.json")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/stripe", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Stripe-Signature", m[1])
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestInitForeignStacks adds what is missing to repositories that know nothing of
// Expressway, and changes no line of theirs.
func TestInitForeignStacks(t *testing.T) {
	for _, test := range []struct {
		folder string
		sam    bool
		args   []string
		adds   [][]string
	}{
		{
			"shop", true,
			[]string{"--provider", "stripe,shopify", "--from", "http,sqs", "--path", "/hooks"},
			[][]string{
				{"add", "rule", "--source", "teahouse.carrier", "--detail-type", "Parcel lost", "--machine", "StockCountMachine"},
				{"add", "github", "--path", "/hooks"},
			},
		},
		{"plain", false, []string{"--from", "http,sqs", "--machine", "Settle"}, nil},
	} {
		t.Run(test.folder, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(shared.Path(t, "own-stack", test.folder))); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			before := read(t, "template.yaml")
			diff := tool(t, append([]string{"init"}, test.args...)...)
			if !strings.Contains(diff, "+  ExpresswayWebhook:") || read(t, "template.yaml") != before {
				t.Errorf("without --write: %s", diff)
			}
			tool(t, append([]string{"init", "--write"}, test.args...)...)
			for _, add := range test.adds {
				tool(t, add...)
			}
			keepsLines(t, before, read(t, "template.yaml"))
			strict(t)
			lint(t, test.sam)
			_, stop := startDev(t, nil, "--states", "127.0.0.1:0")
			stop()
			var out strings.Builder
			if code := run(t.Context(), append([]string{"init", "--write"}, test.args...), nil, &out, &out, noEnvironment); code != 1 || !strings.Contains(out.String(), "has Expressway in it already") {
				t.Errorf("a second init exits with %d: %s", code, out.String())
			}
		})
	}
}

// keepsLines holds that every line is there as it was, in its order.
func keepsLines(t *testing.T, before, after string) {
	t.Helper()
	rest := strings.Split(after, "\n")
	for line := range strings.SplitSeq(strings.TrimRight(before, "\n"), "\n") {
		found := false
		for i, l := range rest {
			if l == line {
				rest, found = rest[i+1:], true
				break
			}
		}
		if !found {
			t.Fatalf("the line %q is gone", line)
		}
	}
}

// TestInitRefuses says what cannot be written, and writes nothing.
func TestInitRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		template string
		file     string
		args     []string
		want     string
	}{
		"resources in braces":    {"Resources: {Q: {Type: AWS::SQS::Queue}}\n", "", nil, "template.yaml:1: Resources is written in braces"},
		"JSON":                   {`{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}`, "", nil, "is JSON"},
		"YAML that is not":       {"Resources:\n  A: {Type: B}\n  A: {Type: C}\n", "", nil, `template.yaml:3:3: the key "A" is here twice`},
		"a synthesized template": {`{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}`, "cdk.out/S.template.json", []string{"--template", "cdk.out/S.template.json"}, "written anew by each synth"},
		"no such machine":        {"Resources:\n  Q: {Type: AWS::SQS::Queue}\n", "", []string{"--machine", "M"}, "no state machine M"},
		"two queues":             {"Resources:\n  Q: {Type: AWS::SQS::Queue}\n  R: {Type: AWS::SQS::Queue}\n", "", []string{"--from", "sqs"}, "several queues that nothing reads (Q, R)"},
		"no such provider":       {"", "", []string{"--provider", "nobody"}, `no provider "nobody"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if test.file == "" {
				test.file = "template.yaml"
			}
			if test.template != "" {
				for path, text := range map[string]string{test.file: test.template, filepath.Join(filepath.Dir(test.file), "manifest.json"): "{}"} {
					if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			var out strings.Builder
			if code := run(t.Context(), append([]string{"init", "--write"}, test.args...), nil, &out, &out, noEnvironment); code != 1 || !strings.Contains(out.String(), test.want) {
				t.Errorf("exit %d: %s", code, out.String())
			}
			if _, err := os.Stat("expressway"); err == nil {
				t.Error("something was written")
			}
		})
	}
}

// TestInitKeepsFiles never overwrites.
func TestInitKeepsFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("env.json", []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "init")
	if read(t, "env.json") != "{}" {
		t.Error("env.json was overwritten")
	}
}

// TestInitForOtherTools writes the configuration and what goes into the app or module.
func TestInitForOtherTools(t *testing.T) {
	for iac, file := range map[string]string{"cdk": "expressway-routes.ts", "terraform": "expressway.tf"} {
		t.Run(iac, func(t *testing.T) {
			t.Chdir(t.TempDir())
			tool(t, "init", "--iac", iac, "--from", "http,sqs,eventbridge", "--provider", "github")
			if text := read(t, file); !strings.Contains(text, "DELIVERIES_QUEUE_ARN") {
				t.Errorf("%s", text)
			}
			if _, err := os.Stat("template.yaml"); err == nil {
				t.Error("there is a template")
			}
		})
	}
}

// TestInitForSynthesizedTemplate names the variable after the construct, without the hash
// that CDK puts behind it.
func TestInitForSynthesizedTemplate(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(shared.Path(t, "own-stack", "ledger"))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	const file = "cdk.out/LedgerStack.template.json"
	before := read(t, file)
	tool(t, "init", "--iac", "cdk", "--template", file, "--from", "http,sqs")
	if text := read(t, "expressway/expressway.yaml"); !strings.Contains(text, "start: ${POST_ENTRY_ARN}") || read(t, file) != before {
		t.Errorf("%s", text)
	}
	strict(t, "--template", file, "--config", "expressway/expressway.yaml")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// startWebhooks runs dev, and returns the URL of the routes.
func startWebhooks(t *testing.T) (url string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan int, 1)
	var errs strings.Builder
	go func() {
		done <- run(ctx, []string{"dev", "--http", "127.0.0.1:0", "--states", "127.0.0.1:0"}, nil, write, &errs, noEnvironment)
		_ = write.Close()
	}()
	var out strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(out.String(), "Ctrl-C stops") {
		n, err := read.Read(buffer)
		if err != nil {
			t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
		}
		out.Write(buffer[:n])
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	m := webhookURL.FindStringSubmatch(out.String())
	if m == nil {
		t.Fatal(fmt.Sprint("no address in ", out.String()))
	}
	return m[1], func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("exit %d: %s", code, errs.String())
		}
	}
}
