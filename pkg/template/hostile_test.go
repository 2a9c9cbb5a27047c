package template_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/template"
)

// readAll asks a template for everything.
func readAll(source []byte) {
	tpl, err := template.New("template.yaml", source, template.Options{Deployed: len(source)%2 == 0})
	if err != nil {
		return
	}
	for _, m := range tpl.Machines() {
		m.Place("/States/A", 1, 1)
		m.Logging()
	}
	for _, f := range tpl.Functions() {
		f.Permissions().Grants("states:StartSyncExecution", "arn:aws:states:us-east-1:123456789012:stateMachine:x")
		f.Folder()
		f.Timeout()
	}
	for _, r := range tpl.Resources {
		r.ARN()
		r.Properties().Known()
	}
	tpl.Mappings()
	tpl.Rules()
	tpl.Pipes()
	tpl.Doors()
	tpl.Problems()
}

// TestHostileTemplates holds that what people could send ends in bounded time. The bound
// is many times what it takes, so that a busy machine does not fail it.
func TestHostileTemplates(t *testing.T) {
	t.Parallel()
	var names, sub, doubles strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&names, "  P%d: {Type: String, Default: value-%d}\n", i, i)
		fmt.Fprintf(&sub, "${P%d}", i)
	}
	for i := range 64 {
		fmt.Fprintf(&doubles, "  Q%d: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub \"${Q%d.QueueName}${Q%d.QueueName}\"}}\n", i, i+1, i+1)
	}
	laughs := "Resources:\n  A0: &a0 {Type: AWS::SQS::Queue, Properties: {X: [1, 2]}}\n"
	for i := range 40 {
		laughs += fmt.Sprintf("  A%d: &a%d {Type: AWS::SQS::Queue, Properties: {X: *a%d, Y: *a%d, Z: *a%d}}\n", i+1, i+1, i, i, i)
	}
	nested := "x"
	for range 90 {
		nested = "!Join ['', [" + nested + "]]"
	}
	var wide strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&wide, "  k%d: !Ref Q\n", i)
	}
	for name, source := range map[string]string{
		"Fn::Sub of 10,000 names": "Parameters:\n" + names.String() + "Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub \"" + sub.String() + "\"}}\n",
		"names that double":       "Resources:\n" + doubles.String() + "  Q64: {Type: AWS::SQS::Queue, Properties: {QueueName: x}}\n",
		"aliases of aliases":      laughs,
		"deep functions":          "Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: " + nested + "}}\n",
		"1 MB of references":      "Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {}}\nMetadata:\n" + wide.String(),
		"1 MB of one text":        "Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub \"" + strings.Repeat("${", 500_000) + "\"}}\n",
		"1 MB of dashes":          "Resources:\n  " + strings.Repeat("- ", 500_000),
		"1 MB of brackets":        "Resources: " + strings.Repeat("[", 1<<20),
		"1 MB of splits":          "Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Join ['', !Split ['a', '" + strings.Repeat("a", 1<<20) + "']]}}\n",
		"wildcards": "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {Policies: [{Statement: [{Effect: Allow, Action: \"" +
			strings.Repeat("*a", 100_000) + "\", Resource: \"" + strings.Repeat("*:", 100_000) + "\"}]}]}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := make(chan time.Duration, 1)
			go func() {
				start := time.Now()
				readAll([]byte(source))
				done <- time.Since(start)
			}()
			select {
			case took := <-done:
				t.Logf("%d bytes in %s", len(source), took)
			case <-time.After(time.Minute):
				t.Fatal("it takes more than a minute")
			}
		})
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add(strings.Replace(intrinsics, "%s", "!Ref Stage", 1))
	f.Add(`{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Join": ["", ["a", {"Ref": "AWS::Region"}]]}}}}}`)
	f.Add("Resources:\n  M: {Type: AWS::StepFunctions::StateMachine, Properties: {DefinitionString: !Sub [\"{${X}}\", {X: !If [C, a, b]}]}}\nConditions: {C: !Equals [a, b]}\n")
	f.Add("Transform: [AWS::Serverless-2016-10-31, Other]\nResources:\n  F: {Type: AWS::Serverless::Function, Properties: {Policies: [SQSPollerPolicy: {QueueName: x}], Events: {E: {Type: Api, Properties: {Path: /, Method: get}}}}}\n")
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 1<<16 {
			t.Skip()
		}
		readAll([]byte(source))
	})
}
