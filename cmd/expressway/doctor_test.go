package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/awsenv"
	"github.com/expressway-dev/expressway/internal/mototest"
)

// stacks are deployed to moto, which runs CloudFormation. It takes every state machine for a
// STANDARD one.
var stacks = map[string]string{
	"shop": `{"Resources": {
		"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}},
		"Dead": {"Type": "AWS::SQS::Queue"},
		"Orders": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 360, "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 5}}},
		"Bare": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 100}},
		"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionString": "{\"StartAt\":\"A\",\"States\":{\"A\":{\"Type\":\"Succeed\"}}}", "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}},
		"Queue": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 60, "Role": {"Fn::GetAtt": ["Role", "Arn"]},
			"Code": {"ZipFile": "x"}, "Environment": {"Variables": {"EXPRESSWAY_METRICS": "on", "MACHINE": {"Ref": "Machine"}}}}},
		"Webhook": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "provided.al2023", "Handler": "webhook", "Timeout": 60, "Role": {"Fn::GetAtt": ["Role", "Arn"]},
			"Code": {"ZipFile": "x"}, "Environment": {"Variables": {"EXPRESSWAY_METRICS": "on"}}}},
		"Other": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.12", "Handler": "x.y", "Timeout": 3, "Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Code": {"ZipFile": "x"}}},
		"Good": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Queue"}, "EventSourceArn": {"Fn::GetAtt": ["Orders", "Arn"]}, "FunctionResponseTypes": ["ReportBatchItemFailures"]}},
		"Bad": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Ref": "Queue"}, "EventSourceArn": {"Fn::GetAtt": ["Bare", "Arn"]}, "Enabled": false}}
	}}`,
	"right": `{"Resources": {
		"ApiLogs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/vendedlogs/apis/right"}},
		"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}},
		"Webhook": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "provided.al2023", "Handler": "webhook", "Timeout": 29, "Role": {"Fn::GetAtt": ["Role", "Arn"]},
			"Code": {"ZipFile": "x"}, "Environment": {"Variables": {"EXPRESSWAY_METRICS": "on"}}}}
	}}`,
	"without": `{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}`,
}

// deploy makes the stacks, and returns the server.
func deploy(t *testing.T) *mototest.Server {
	t.Helper()
	server := mototest.Start(t)
	cfg, err := awsenv.Config(server.Getenv, "CLOUDFORMATION")
	if err != nil {
		t.Fatal(err)
	}
	client := cloudformation.NewFromConfig(cfg)
	for name, body := range stacks {
		if _, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(body)}); err != nil {
			t.Fatal(err)
		}
	}
	return server
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	server := deploy(t)
	doctor := func(getenv func(string) string, args ...string) (int, string, string) {
		var out, errs strings.Builder
		code := run(t.Context(), append([]string{"doctor"}, args...), nil, &out, &errs, getenv)
		return code, out.String(), errs.String()
	}
	t.Run("findings", func(t *testing.T) {
		t.Parallel()
		code, out, _ := doctor(server.Getenv, "--stack", "shop", "--format", "json")
		var report struct {
			Findings []struct{ Severity, Rule, Resource, Cure string }
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range report.Findings {
			resource, _, _ := strings.Cut(f.Resource, " ←")
			got = append(got, f.Severity+" "+f.Rule+" "+resource)
			if f.Cure == "" {
				t.Errorf("the finding %s has no advice", f.Rule)
			}
		}
		want := []string{
			"warning standard-synchronous Machine", "error mapping-disabled Queue", "warning no-redrive-policy Queue", "error report-batch-item-failures Queue",
			"warning visibility-timeout Queue", "warning timeout-order Webhook",
		}
		if diff := cmp.Diff(want, got); diff != "" || code != 1 {
			t.Errorf("exit %d, findings (-want +got):\n%s", code, diff)
		}
	})
	t.Run("nothing wrong", func(t *testing.T) {
		t.Parallel()
		code, out, errs := doctor(server.Getenv, "--stack", "right", "--strict")
		if code != 0 || out != "" || !strings.Contains(errs, "read 1 Expressway function, ") {
			t.Errorf("exit %d, want 0 and one Expressway function: %s%s", code, out, errs)
		}
	})
	// With the configuration, each route has a mapping, each mapping a route, and each function
	// its variables.
	for name, test := range map[string]struct{ routes, want string }{
		"all fed": {
			"  - {name: a, sqs: shop-Orders-*, start: '${MACHINE}'}\n  - {name: b, sqs: '*', start: m}\n", "",
		},
		"a route without a mapping": {
			"  - {name: a, sqs: shop-*, start: m}\n  - {name: b, sqs: other, start: m}\n", "queue-without-mapping route b\n",
		},
		"a mapping without a route":  {"  - {name: a, sqs: shop-Orders-*, start: m}\n", "mapping-without-route Queue\n"},
		"a variable that is missing": {"  - {name: a, sqs: '*', start: '${NOBODY}'}\n", "configuration Queue\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "expressway.yaml")
			if err := os.WriteFile(file, []byte("version: 1\nroutes:\n"+test.routes), 0o600); err != nil {
				t.Fatal(err)
			}
			_, out, errs := doctor(server.Getenv, "--stack", "shop", "--format", "json", "--config", file)
			var report struct {
				Findings []struct{ Rule, Resource string }
			}
			if err := json.Unmarshal([]byte(out), &report); err != nil {
				t.Fatal(err, errs)
			}
			got := ""
			for _, f := range report.Findings {
				switch f.Rule {
				case "queue-without-mapping", "mapping-without-route", "configuration":
					resource, _, _ := strings.Cut(f.Resource, " ←")
					if line := f.Rule + " " + resource + "\n"; !strings.HasSuffix(got, line) { // the file has two mistakes for one variable
						got += line
					}
				}
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	for name, want := range map[string]string{
		"without": "the stack without has no Expressway function", "nowhere": "there is no stack nowhere in us-east-1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if code, _, errs := doctor(server.Getenv, "--stack", name); code != 1 || !strings.Contains(errs, want) {
				t.Errorf("exit %d, want 1 and the reason: %s", code, errs)
			}
		})
	}
	// A permission that is missing is named, and the rest is judged.
	t.Run("without a permission", func(t *testing.T) {
		t.Parallel()
		getenv, calls := refusing(t, server, "GetQueueUrl", http.StatusForbidden, "AccessDeniedException", "not authorized to perform sqs:GetQueueUrl")
		code, out, _ := doctor(getenv, "--stack", "shop")
		if code != 1 || !strings.Contains(out, "sqs:GetQueueUrl: a permission is missing") || !strings.Contains(out, "[report-batch-item-failures]") {
			t.Errorf("exit %d, want 1, the missing permission and the other findings: %s", code, out)
		}
		for _, call := range *calls {
			if verb, _, _ := strings.Cut(call, " "); verb != "Get" && verb != "List" && verb != "Describe" && verb != "GET" {
				t.Errorf("calls %s, which is not read-only", call)
			}
		}
	})
	t.Run("expired credentials", func(t *testing.T) {
		t.Parallel()
		getenv, _ := refusing(t, server, "ListStackResources", http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
		if code, _, errs := doctor(getenv, "--stack", "shop"); code != 1 || !strings.Contains(errs, "cloudformation:ListStackResources: the credentials have expired") {
			t.Errorf("exit %d, want 1 and that the credentials have expired: %s", code, errs)
		}
	})
	t.Run("throttled", func(t *testing.T) {
		t.Parallel()
		getenv, _ := refusing(t, server, "ListStackResources", http.StatusBadRequest, "Throttling", "Rate exceeded")
		if code, _, errs := doctor(getenv, "--stack", "shop"); code != 1 || !strings.Contains(errs, "the service is throttling") {
			t.Errorf("exit %d, want 1 and that the service is throttling: %s", code, errs)
		}
	})
}

var lastModified = regexp.MustCompile(`"LastModified": *"[^"]*"`)

// refusing is moto, which answers one operation with an error; calls are what was asked of
// it: the verb of an operation, or GET where the protocol has only paths.
func refusing(t *testing.T, server *mototest.Server, operation string, status int, code, message string) (getenv func(string) string, calls *[]string) {
	t.Helper()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	calls = &[]string{}
	var mu sync.Mutex
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if !strings.Contains(r.Request.URL.Path, "event-invoke-config") {
			return nil
		}
		// moto writes this time as text, and Lambda as a number.
		body, err := io.ReadAll(r.Body)
		body = lastModified.ReplaceAll(body, []byte(`"LastModified": 1`))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return err
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		name := r.Header.Get("X-Amz-Target")
		if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") != "" {
			name = form.Get("Action")
		}
		name = name[strings.LastIndexByte(name, '.')+1:]
		call := r.Method + " " + r.URL.Path
		for _, verb := range []string{"Get", "List", "Describe"} {
			if strings.HasPrefix(name, verb) {
				call = verb + " " + name
			}
		}
		mu.Lock()
		*calls = append(*calls, call)
		mu.Unlock()
		if name != operation {
			proxy.ServeHTTP(w, r)
			return
		}
		if r.Header.Get("X-Amz-Target") != "" {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": message})
			return
		}
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`<ErrorResponse><Error><Type>Sender</Type><Code>` + code + `</Code><Message>` + message + `</Message></Error></ErrorResponse>`))
	}))
	t.Cleanup(front.Close)
	return func(name string) string {
		if name == "AWS_ENDPOINT_URL" {
			return front.URL
		}
		return server.Getenv(name)
	}, calls
}

// Without credentials each command says so, and what to do; the SDK's own lines, which go to
// the process's standard error, are not among it.
func TestWithoutCredentials(t *testing.T) {
	nothing := httptest.NewServer(http.NotFoundHandler()) // in place of the metadata of an instance
	defer nothing.Close()
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": nothing.URL, "AWS_EC2_METADATA_DISABLED": "",
	} {
		t.Setenv(name, value)
	}
	standard := os.Stderr
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = write
	defer func() { os.Stderr = standard }()
	for _, args := range [][]string{
		{"doctor", "--stack", "s", "--region", "us-east-1"}, {"logs", "id", "--log-group", "g", "--region", "us-east-1"}, {"forget", "r", "k", "--table", "t"},
	} {
		var out, errs strings.Builder
		code := run(context.Background(), args, nil, &out, &errs, noEnvironment)
		if text := errs.String(); code != 1 || !strings.Contains(text, "no AWS credentials were found: sign in") || strings.Contains(text, "ec2imds") {
			t.Errorf("%v: exit %d, want 1 and advice on signing in: %s", args, code, text)
		}
	}
	_ = write.Close()
	if text, err := io.ReadAll(read); err != nil || len(text) > 0 {
		t.Errorf("the SDK wrote %q, %v, want nothing", text, err)
	}
}
