package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
)

func noEnvironment(string) string { return "" }

// TestValidateMistakes makes each mistake in a copy of a stack that is right, and reads
// the finding from the command's JSON.
func TestValidateMistakes(t *testing.T) {
	var all struct {
		Mistakes []struct {
			ID     string
			Edits  []struct{ File, Old, New string }
			Places []struct{ File string }
			Says   []string
		}
	}
	if err := json.Unmarshal(shared.Read(t, "own-stack", "mistakes", "expectations.json"), &all); err != nil {
		t.Fatal(err)
	}
	good := shared.Path(t, "own-stack", "mistakes", "good")
	for _, m := range all.Mistakes {
		t.Run(m.ID, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			for _, e := range m.Edits {
				source, err := os.ReadFile(e.File)
				if err != nil || strings.Count(string(source), e.Old) != 1 {
					t.Fatalf("%s: %v, or the text does not occur exactly once", e.File, err)
				}
				if err := os.WriteFile(e.File, []byte(strings.Replace(string(source), e.Old, e.New, 1)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var out, errs strings.Builder
			code := run(t.Context(), []string{"validate", "--strict", "--format", "json"}, nil, &out, &errs, noEnvironment)
			var report struct{ Findings []jsonFinding }
			if err := json.Unmarshal([]byte(out.String()), &report); err != nil {
				t.Fatalf("the report is not JSON: %v: %s%s", err, out.String(), errs.String())
			}
			found := slices.ContainsFunc(report.Findings, func(f jsonFinding) bool {
				for _, pattern := range m.Says {
					if !regexp.MustCompile("(?i)" + pattern).MatchString(f.Message + ". " + f.Cure) {
						return false
					}
				}
				return slices.ContainsFunc(m.Places, func(p struct{ File string }) bool { return p.File == f.File })
			})
			if code != 1 || !found {
				t.Errorf("exit %d, want 1 and the finding: %s%s", code, out.String(), errs.String())
			}
			if len(report.Findings) > 2 {
				t.Errorf("%d findings for one mistake: %s", len(report.Findings), out.String())
			}
		})
	}
}

// TestValidateStrict holds that what is right passes: the sample, and a stack of others.
func TestValidateStrict(t *testing.T) {
	for name, test := range map[string]struct {
		dir  func(*testing.T) string
		args []string
	}{
		"the sample":              {func(*testing.T) string { return filepath.Join("..", "..") }, nil},
		"another project's stack": {func(t *testing.T) string { return shared.Path(t, "own-stack", "mistakes", "good") }, nil},
		"with both files named": {func(t *testing.T) string { return shared.Path(t, "own-stack", "mistakes", "good") }, []string{
			"--template", "template.yaml", "--config", "expressway/expressway.yaml",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(test.dir(t))
			var out, errs strings.Builder
			if code := run(t.Context(), append([]string{"validate", "--strict"}, test.args...), nil, &out, &errs, noEnvironment); code != 0 || errs.Len() > 0 {
				t.Errorf("validate --strict: exit %d, want 0 and no errors: %s%s", code, out.String(), errs.String())
			}
		})
	}
}

// publicFindings are all findings in templates as their authors published them, each with
// the line that makes it true.
var publicFindings = map[string][]struct{ rule, line string }{
	// A Fn::Transform of AWS::Include is replaced by a file in S3.
	"apigw-sfn":       {{"note template", "'Fn::Transform':"}},
	"synchronous-api": {{"warning express-logging", "syncronousApiStateMachine:"}, {"note template", "'Fn::Transform':"}},
	// Both state machines are EXPRESS, and nothing in the resource says where they log.
	"appsync-stepfunctions-express-sam": {{"warning express-logging", "StateMachine:"}},
}

// TestValidatePublicTemplates reads templates that know nothing of Expressway.
func TestValidatePublicTemplates(t *testing.T) {
	var index []struct{ Folder, Template string }
	if err := json.Unmarshal(shared.Read(t, "own-stack", "templates", "index.json"), &index); err != nil {
		t.Fatal(err)
	}
	findings := 0
	for _, entry := range index {
		t.Run(entry.Folder, func(t *testing.T) {
			t.Chdir(shared.Path(t, "own-stack", "templates", entry.Folder))
			var out, errs strings.Builder
			if code := run(t.Context(), []string{"validate", "--format", "json"}, nil, &out, &errs, noEnvironment); code != 0 {
				t.Errorf("validate: exit %d, want 0: %s%s", code, out.String(), errs.String())
			}
			var report struct{ Findings []jsonFinding }
			if err := json.Unmarshal([]byte(out.String()), &report); err != nil {
				t.Fatal(err)
			}
			findings += len(report.Findings)
			lines := strings.Split(read(t, entry.Template), "\n")
			want := publicFindings[entry.Folder]
			if len(report.Findings) != len(want) {
				t.Fatalf("got %s", out.String())
			}
			for i, f := range report.Findings {
				if got := string(f.Severity) + " " + f.Rule; got != want[i].rule || strings.TrimSpace(lines[f.Line-1]) != want[i].line {
					t.Errorf("got %s at %q, want %v", got, lines[f.Line-1], want[i])
				}
			}
			for _, f := range report.Findings {
				if f.Rule == "express-logging" && strings.Contains(read(t, entry.Template), "Logging") {
					t.Error("the template has a Logging, so the finding must be reviewed")
				}
			}
		})
	}
	t.Logf("%d findings in %d templates", findings, len(index))
}

// TestFormats writes one finding in every form.
func TestFormats(t *testing.T) {
	t.Chdir(t.TempDir())
	const source = "Resources:\n  M:\n    Type: AWS::StepFunctions::StateMachine\n    Properties: {StateMachineType: EXPRESS, DefinitionString: '{\"StartAt\":\"A\",\"States\":{\"A\":{\"Type\":\"Succeed\"}}}'}\n"
	if err := os.WriteFile("template.yaml", []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string]string{
		"text":   "template.yaml:2:3: warning: the Express state machine M has no logging",
		"json":   `"line": 2,`,
		"github": "::warning file=template.yaml,line=2,col=3,title=expressway%3A express-logging::the Express state machine M has no logging",
		"sarif":  `"uri": "template.yaml"`,
	} {
		var out strings.Builder
		if code := run(t.Context(), []string{"validate", "--format", format}, nil, &out, &out, noEnvironment); code != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit %d, want 0 and the warning: %s", format, code, out.String())
		}
		if code := run(t.Context(), []string{"validate", "--strict", "--format", format}, nil, io.Discard, io.Discard, noEnvironment); code != 1 {
			t.Errorf("%s: validate --strict exits with %d, want 1", format, code)
		}
		if format == "sarif" {
			var log sarifLog
			if err := json.Unmarshal([]byte(out.String()), &log); err != nil || log.Version != "2.1.0" || len(log.Runs[0].Results) != 1 || log.Runs[0].Results[0].Level != "warning" {
				t.Errorf("want SARIF with one warning, got %v: %s", err, out.String())
			}
		}
	}
}

// TestValidateUnreadableTemplate says where the template is wrong, and judges the rest.
func TestValidateUnreadableTemplate(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"template.yaml": "Resources:\n  A: {Type: B}\n  A: {Type: B}\n", "expressway.yaml": "version: 2\nroutes: []\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	code := run(t.Context(), []string{"validate"}, nil, &out, &out, noEnvironment)
	for _, want := range []string{`template.yaml:3:3: the key "A" appears twice`, "expressway.yaml:1:10: version must be 1"} {
		if code != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("exit %d, want 1 and %q: %s", code, want, out.String())
		}
	}
}

type foreignRun struct {
	Input     json.RawMessage
	Functions map[string]struct {
		Return json.RawMessage
		Raise  string
	}
	Status, Error string
	Output        any
}

// lambdaEndpoint answers for functions, by any of their names.
func lambdaEndpoint(t *testing.T, run *foreignRun) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(strings.TrimSuffix(r.URL.Path, "/invocations"))
		for names, answer := range run.Functions {
			if !slices.Contains(strings.Split(names, "|"), name) {
				continue
			}
			if answer.Raise != "" {
				w.Header().Set("X-Amz-Function-Error", "Unhandled")
				fmt.Fprintf(w, `{"errorType":%q,"errorMessage":"it failed"}`, answer.Raise)
				return
			}
			_, _ = w.Write(answer.Return)
			return
		}
		http.Error(w, `{"Message":"no function `+name+`"}`, http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestDevRunsForeignMachines runs the state machines of repositories that know nothing
// of Expressway, as their templates deploy them.
func TestDevRunsForeignMachines(t *testing.T) {
	var want struct {
		Repositories map[string]struct {
			Template string
			Machines map[string]struct {
				Name, Type string
				Runs       []foreignRun
			}
			Absent []string
		}
	}
	if err := json.Unmarshal(shared.Read(t, "own-stack", "expectations.json"), &want); err != nil {
		t.Fatal(err)
	}
	for folder, repository := range want.Repositories {
		t.Run(folder, func(t *testing.T) {
			t.Chdir(shared.Path(t, "own-stack", folder))
			current := &foreignRun{}
			url, stop := startDev(t, map[string]string{"LAMBDA_ENDPOINT": lambdaEndpoint(t, current)}, "--states", "127.0.0.1:0", "--template", repository.Template)
			defer stop()
			var list struct {
				StateMachines []struct{ StateMachineArn, Name, Type string }
			}
			if err := json.Unmarshal([]byte(callStates(t, url, "ListStateMachines", "{}")), &list); err != nil {
				t.Fatal(err)
			}
			if len(list.StateMachines) != len(repository.Machines) {
				t.Errorf("the machines are %v, want those of the repository", list.StateMachines)
			}
			for id, machine := range repository.Machines {
				name := machine.Name
				if name == "" {
					name = id
				}
				i := slices.IndexFunc(list.StateMachines, func(m struct{ StateMachineArn, Name, Type string }) bool { return m.Name == name })
				if i < 0 || list.StateMachines[i].Type != machine.Type {
					t.Errorf("%s is missing, or of another type, in %v", name, list.StateMachines)
					continue
				}
				for _, r := range machine.Runs {
					*current = r
					runForeign(t, url, list.StateMachines[i].StateMachineArn, machine.Type, r)
				}
			}
		})
	}
}

func runForeign(t *testing.T, url, arn, kind string, r foreignRun) {
	t.Helper()
	operation := map[string]string{"EXPRESS": "StartSyncExecution", "STANDARD": "StartExecution"}[kind]
	answer := callStates(t, url, operation, fmt.Sprintf(`{"stateMachineArn":%q,"input":%q}`, arn, r.Input))
	var execution struct{ ExecutionArn, Status, Error, Output string }
	if err := json.Unmarshal([]byte(answer), &execution); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); kind == "STANDARD" && (execution.Status == "" || execution.Status == "RUNNING") && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
		answer = callStates(t, url, "DescribeExecution", fmt.Sprintf(`{"executionArn":%q}`, execution.ExecutionArn))
		if err := json.Unmarshal([]byte(answer), &execution); err != nil {
			t.Fatal(err)
		}
	}
	if execution.Status != r.Status || execution.Error != r.Error {
		t.Errorf("%s: the execution does not have the recorded status and error: %s", arn, answer)
		return
	}
	if r.Output != nil {
		var output any
		if err := json.Unmarshal([]byte(execution.Output), &output); err != nil || !reflect.DeepEqual(output, r.Output) {
			t.Errorf("%s: the output is %s, not %v", arn, execution.Output, r.Output)
		}
	}
}

// TestInvokeAsDeployed hands a function its event with nothing but the template's
// environment: queue, route and machine agree on their ARNs.
func TestInvokeAsDeployed(t *testing.T) {
	t.Chdir(shared.Path(t, "own-stack", "mistakes", "good"))
	const batch = `{"Records":[{"messageId":"m-1","receiptHandle":"h","body":"{\"id\":1}","attributes":{},"messageAttributes":{},` +
		`"eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-1:123456789012:OrdersQueue","awsRegion":"us-east-1"}]}`
	var out, errs strings.Builder
	env := map[string]string{"REPORT_TOKEN": "development-only-token"}
	code := run(t.Context(), []string{"invoke", "queue", "-e", "-"}, strings.NewReader(batch), &out, &errs, func(name string) string { return env[name] })
	if code != 0 || !strings.Contains(errs.String(), "arn:aws:states:us-east-1:123456789012:express:OrdersMachine:") {
		t.Errorf("exit %d, want 0 and an execution of OrdersMachine: %s%s", code, out.String(), errs.String())
	}
}

// TestParameterOverrides holds the order: samconfig, then its environment, then the flag.
func TestParameterOverrides(t *testing.T) {
	shop := shared.Path(t, "own-stack", "shop")
	t.Chdir(shop)
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, `teahouse-dev-stock-count`},
		{[]string{"--config-env", "prod"}, `teahouse-prod-stock-count`},
		{[]string{"--config-env", "prod", "--parameter-overrides", "Stage=local ReserveAttempts=3"}, `teahouse-local-stock-count`},
		{[]string{"--parameter-overrides", "Stage=local", "--parameter-overrides", "ReserveAttempts=3"}, `teahouse-local-stock-count`},
	} {
		url, stop := startDev(t, nil, append([]string{"--states", "127.0.0.1:0"}, test.args...)...)
		if got := callStates(t, url, "ListStateMachines", "{}"); !strings.Contains(got, ":eu-central-1:") || !strings.Contains(got, test.want) {
			t.Errorf("%v: got %s, want the machine in eu-central-1", test.args, got)
		}
		stop()
	}
	var out strings.Builder
	if code := run(t.Context(), []string{"validate", "--config-env", "moon"}, nil, &out, &out, noEnvironment); code != 1 || !strings.Contains(out.String(), `no environment "moon"`) {
		t.Errorf("exit %d, want 1 and that there is no environment moon: %s", code, out.String())
	}
	out.Reset()
	if code := run(t.Context(), []string{"validate", "--parameter-overrides", "Stage=moon"}, nil, &out, &out, noEnvironment); code != 1 || !strings.Contains(out.String(), `does not allow "moon"`) {
		t.Errorf("exit %d, want 1 and that moon is not allowed: %s", code, out.String())
	}
}
