package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/internal/shared"
)

// lint runs cfn-lint where it is, in CI: by the SAM CLI's validation for its templates.
func lint(t *testing.T, sam bool) {
	t.Helper()
	if sam {
		pythonTool(t, "sam", "validate", "--lint", "--region", "us-east-1", "--template", "template.yaml")
		return
	}
	pythonTool(t, "cfn-lint", "--non-zero-exit-code", "error", "template.yaml")
}

var codeURI = regexp.MustCompile(`(?m)^ *CodeUri: (.*)$`)

// build builds with the SAM CLI where it is, and looks whether what it would deploy has the
// configuration.
func build(t *testing.T) {
	t.Helper()
	if !pythonTool(t, "sam", "build", "--template", "template.yaml") {
		return
	}
	const dir = ".aws-sam/build"
	found := codeURI.FindAllStringSubmatch(read(t, filepath.Join(dir, "template.yaml")), -1)
	if len(found) == 0 {
		t.Error("the build has no function")
	}
	for _, m := range found {
		if read(t, filepath.Join(dir, m[1], "expressway.yaml")) != read(t, "expressway/expressway.yaml") {
			t.Errorf("%s has a configuration that differs from expressway/expressway.yaml", m[1])
		}
	}
}

// pythonTool runs a tool of CI's, and reports whether it is there.
func pythonTool(t *testing.T, name string, args ...string) bool {
	t.Helper()
	python := os.Getenv("EXPRESSWAY_PYTHON")
	if python == "" {
		return false
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(python), name), args...)
	cmd.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "AWS_DEFAULT_REGION=us-east-1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return true
}

// strict runs validate --strict, which must have nothing to say.
func strict(t *testing.T, args ...string) {
	t.Helper()
	var out strings.Builder
	if code := run(t.Context(), append([]string{"validate"}, args...), nil, &out, &out, noEnvironment); code != 0 {
		t.Errorf("validate exits with %d, want 0: %s", code, out.String())
	}
}

func tool(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs strings.Builder
	if code := run(t.Context(), args, nil, &out, &errs, noEnvironment); code != 0 {
		t.Fatalf("expressway %v exits with %d, want 0: %s%s", args, code, out.String(), errs.String())
	}
	return out.String()
}

// TestInitEmptyFolder writes a project by every door and from every source, builds and
// checks it, and has it answer.
func TestInitEmptyFolder(t *testing.T) {
	const all = "http,sqs,eventbridge"
	for name, test := range map[string]struct {
		from string
		args []string
	}{
		"http-api":                {all, nil},
		"rest":                    {all, []string{"--door", "rest"}},
		"function-url":            {all, []string{"--door", "function-url"}},
		"alb":                     {all, []string{"--door", "alb"}},
		"only sqs":                {"sqs", []string{"--arch", "x86_64"}},
		"only eventbridge":        {"eventbridge", []string{"--source", "shop.*", "--detail-type", "Payment taken"}},
		"accepted first":          {"http", []string{"--queue-webhooks", "--offload", "--provider", "github,stripe"}},
		"accepted, and all":       {all, []string{"--queue-webhooks", "--offload", "--door", "function-url"}},
		"only large inputs":       {"http", []string{"--offload"}},
		"another account's layer": {"http,sqs", []string{"--layer", "arn:aws:lambda:eu-central-1:123456789012:layer:expressway-v0-1-0:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			args := append([]string{"init", "--from", test.from}, test.args...)
			if test.from == all {
				args = append(args, "--provider", "stripe,github,slack")
			}
			tool(t, args...)
			initAgain(t, args[1:]...)
			strict(t, "--strict")
			lint(t, true)
			build(t)
			for _, file := range []string{"expressway/expressway.yaml", "samconfig.toml", "env.json", "statemachines/deliveries.asl.json"} {
				if _, err := os.Stat(file); err != nil {
					t.Error(err)
				}
			}
			for source, sample := range map[string]struct{ function, file, want string }{
				"sqs":         {"queue", "queue-deliveries", `{"batchItemFailures":[]}`},
				"eventbridge": {"event", "event-sample", `"status":"SUCCEEDED"`},
			} {
				if !strings.Contains(test.from, source) {
					continue
				}
				if got := tool(t, "invoke", sample.function, "-e", "events/"+sample.file+".json"); !strings.Contains(got, sample.want) {
					t.Errorf("invoke with the sample of %s printed %s", source, got)
				}
			}
		})
	}
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
		{"shop", true, []string{"--provider", "github", "--queue-webhooks", "--offload", "--path", "/hooks"}, nil},
		{"plain", false, []string{"--from", "http,sqs", "--machine", "Settle", "--queue-webhooks", "--offload"}, nil},
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
				t.Errorf("without --write, got %s, want a diff and an unchanged template", diff)
			}
			tool(t, append([]string{"init", "--write"}, test.args...)...)
			for _, add := range test.adds {
				tool(t, add...)
			}
			keepsLines(t, before, read(t, "template.yaml"))
			if test.sam { // the others have findings of their own
				strict(t, "--strict")
			} else {
				strict(t)
			}
			lint(t, test.sam)
			_, stop := startDev(t, nil, "--states", "127.0.0.1:0")
			stop()
			initAgain(t, append([]string{"--write"}, test.args...)...)
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

// TestInitAfterTheLastSection adds a section that a template lacks, and members to its last
// one: each lands in its own.
func TestInitAfterTheLastSection(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("template.yaml", []byte("Transform: AWS::Serverless-2016-10-31\nResources:\n  Topic:\n    Type: AWS::SNS::Topic\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "init", "--write", "--from", "http,sqs,eventbridge", "--door", "rest")
	strict(t, "--strict", "--parameter-overrides", "StateMachineArn=arn:aws:states:us-east-1:123456789012:stateMachine:m")
	text := read(t, "template.yaml")
	parameters := strings.Index(text, "\nParameters:\n")
	if parameters < strings.Index(text, "  ExpresswayWebhook:\n") || strings.Contains(text[parameters:], "Type: AWS::") {
		t.Errorf("resources are not in Resources:\n%s", text)
	}
	lint(t, true)
}

// TestAddToAnotherDoor adds a provider where requests come by a Function URL: it needs no
// API, and its secret is where the others are.
func TestAddToAnotherDoor(t *testing.T) {
	t.Chdir(t.TempDir())
	tool(t, "init", "--door", "function-url", "--provider", "stripe")
	tool(t, "add", "twilio")
	text := read(t, "template.yaml")
	for _, want := range []string{"ExpresswayTwilioSecret:", "TWILIO_SECRET_REF:", "Resource: !Ref ExpresswayTwilioSecret"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q does not occur exactly once:\n%s", want, text)
		}
	}
	if strings.Contains(text, "HttpApi") {
		t.Error("there is an API that nothing uses")
	}
	if text := read(t, "env.json"); !strings.Contains(text, `"TWILIO_SECRET_REF": "env:TWILIO_SECRET"`) {
		t.Errorf("env.json has no TWILIO_SECRET_REF: %s", text)
	}
	strict(t, "--strict")
	lint(t, true)
}

// TestInitRefuses says what cannot be written, and writes nothing.
func TestInitRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		template string
		file     string
		args     []string
		want     string
	}{
		"resources in braces":          {"Resources: {Q: {Type: AWS::SQS::Queue}}\n", "", nil, "template.yaml:1: Resources is written in braces"},
		"JSON":                         {`{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}`, "", nil, "is not a YAML mapping"},
		"invalid YAML":                 {"Resources:\n  A: {Type: B}\n  A: {Type: C}\n", "", nil, `template.yaml:3:3: the key "A" appears twice`},
		"an unknown function":          {"Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: !Frobnicate x\n", "", nil, "template.yaml:5:18: there is no intrinsic function Fn::Frobnicate"},
		"a tag of another language":    {"Resources:\n  Q:\n    Type: !!set {A}\n", "", nil, "template.yaml:3:11: the YAML tag !!set"},
		"a template that is cut off":   {"Resources:\n  Q:\n    Type: \"AWS::SQS", "", nil, "template.yaml:"},
		"a synthesized template":       {`{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}`, "cdk.out/S.template.json", []string{"--iac", "sam", "--template", "cdk.out/S.template.json"}, "rewritten by each synth"},
		"no such machine":              {"Resources:\n  Q: {Type: AWS::SQS::Queue}\n", "", []string{"--machine", "M"}, "no state machine M"},
		"two queues":                   {"Resources:\n  Q: {Type: AWS::SQS::Queue}\n  R: {Type: AWS::SQS::Queue}\n", "", []string{"--from", "sqs"}, "several queues that nothing reads (Q, R)"},
		"a queue for no webhook":       {"", "", []string{"--from", "sqs", "--queue-webhooks"}, "add http to --from"},
		"an existing bucket":           {"Resources:\n  LargeInputsBucket: {Type: AWS::S3::Bucket}\n", "", []string{"--offload"}, "already has a resource LargeInputsBucket"},
		"a load balancer by Terraform": {"", "", []string{"--door", "alb", "--iac", "terraform"}, "--door alb is not available with Terraform"},
		"a function URL by CDK":        {"", "", []string{"--door", "function-url", "--iac", "cdk"}, "--door function-url is not available with CDK"},
		"no such provider":             {"", "", []string{"--provider", "nobody"}, `no provider "nobody"`},
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
				t.Errorf("exit %d, want 1 and the reason: %s", code, out.String())
			}
			if _, err := os.Stat("expressway"); err == nil || test.template != "" && read(t, test.file) != test.template {
				t.Error("a refused init wrote something")
			}
		})
	}
}

// TestInitForOtherTools writes the configuration and what goes into the app or module.
func TestInitForOtherTools(t *testing.T) {
	for iac, file := range map[string]string{"cdk": "expressway-routes.ts", "terraform": "expressway.tf"} {
		t.Run(iac, func(t *testing.T) {
			t.Chdir(t.TempDir())
			tool(t, "init", "--iac", iac, "--from", "http,sqs,eventbridge", "--provider", "github", "--queue-webhooks", "--offload")
			if text := read(t, file); !strings.Contains(text, "DELIVERIES_QUEUE_ARN") {
				t.Errorf("got %s, want DELIVERIES_QUEUE_ARN in it", text)
			}
			initAgain(t, "--iac", iac, "--from", "http,sqs,eventbridge", "--provider", "github")
			strict(t, "--strict")
			_, stop := startDev(t, nil, "--states", "127.0.0.1:0")
			stop()
			if _, err := os.Stat("template.yaml"); err == nil {
				t.Error("init wrote a template")
			}
		})
	}
}

// TestInitForWhatIsThere writes for the tool that the folder is of, and what is written is
// found by the other commands.
func TestInitForWhatIsThere(t *testing.T) {
	for name, test := range map[string]struct{ files, want []string }{
		"an empty folder":       {nil, []string{"template.yaml"}},
		"a CDK app":             {[]string{"cdk.json"}, []string{"expressway-routes.ts"}},
		"a Terraform module":    {[]string{"main.tf"}, []string{"expressway.tf"}},
		"a template beside it":  {[]string{"cdk.json", "template.yaml"}, nil},
		"a Terraform workspace": {[]string{"providers.tf", "variables.tf"}, []string{"expressway.tf"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for _, file := range test.files {
				text := ""
				if file == "template.yaml" {
					text = "Resources:\n  Q: {Type: AWS::SQS::Queue}\n"
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			tool(t, "init", "--write", "--provider", "github")
			for _, file := range test.want {
				read(t, file)
			}
			if out := tool(t, "validate"); !strings.HasPrefix(out, "expressway/expressway.yaml, ") && !strings.HasPrefix(out, "expressway/expressway.yaml and ") {
				t.Errorf("validate says %s, want a line that begins with expressway/expressway.yaml", out)
			}
			tool(t, "explain", "github")
			tool(t, "sign", "github", "-d", "events/bodies/github.json")
		})
	}
}

// TestAddTwice gives the route and the event of a second path other names, and refuses the same
// path.
func TestAddTwice(t *testing.T) {
	t.Chdir(t.TempDir())
	tool(t, "init", "--provider", "stripe")
	tool(t, "add", "github")
	var out strings.Builder
	if code := run(t.Context(), []string{"add", "github"}, nil, &out, &out, noEnvironment); code != 1 || !strings.Contains(out.String(), "expressway.yaml:11:11: there is already a route with the path /github: choose another with --path") {
		t.Errorf("exit %d, want 1 and the route that exists: %s", code, out.String())
	}
	tool(t, "add", "github", "--path", "/second")
	if text := read(t, "template.yaml"); !strings.Contains(text, "Github2:") {
		t.Error(text)
	}
	strict(t)
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
		t.Errorf("got %s, want the start of POST_ENTRY_ARN and an unchanged template", text)
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
