package template_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/template"
)

// TestUnknown holds that what cannot be known is named, with its place, wherever in the
// template it is.
func TestUnknown(t *testing.T) {
	t.Parallel()
	const head = "Transform: AWS::Serverless-2016-10-31\nMappings: {Stage: {dev: {size: 1}}}\nResources:\n  Q: {Type: AWS::SQS::Queue}\n"
	for name, test := range map[string]struct {
		source string // line 5
		want   []string
	}{
		"nothing":                              {"  R: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub \"${Q}x\"}}", nil},
		"an unknown short tag":                 {"  R: {Type: AWS::SQS::Queue, Properties: {QueueName: !Frobnicate x}}", []string{"5:54: there is no intrinsic function Fn::Frobnicate"}},
		"an unknown function":                  {"  R: {Type: AWS::SQS::Queue, Properties: {QueueName: {\"Fn::Frobnicate\": [x]}}}", []string{"5:54: there is no intrinsic function Fn::Frobnicate"}},
		"a function in an output":              {"Outputs: {O: {Value: !Frobnicate x}}", []string{"5:22: there is no intrinsic function Fn::Frobnicate"}},
		"an import":                            {"  R: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue other}}", []string{"5:54: note: the import of other is not known here"}},
		"an import by a parameter":             {"  R: {Type: AWS::SQS::Queue, Properties: {QueueName: !ImportValue {\"Fn::Sub\": \"${AWS::StackName}-x\"}}}", []string{"5:54: note: the import of …-x is not known here"}},
		"a macro's result":                     {"  R: {Type: AWS::SQS::Queue, Properties: {\"Fn::Transform\": {Name: Other}}}", []string{"5:42: note: the result of Fn::Transform is not known here"}},
		"a reference to nothing":               {"  R: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Nothing.Arn}}", []string{"5:54: there is no resource or parameter \"Nothing\""}},
		"a reference to nothing, in an output": {"Outputs: {O: {Value: !Ref Nothing}}", []string{"5:22: there is no resource or parameter \"Nothing\""}},
		"a dependency on nothing":              {"  R: {Type: AWS::SQS::Queue, DependsOn: [Q, Nothing]}", []string{"5:45: there is no resource or parameter \"Nothing\""}},
		"a resource of a module":               {"  R: {Type: \"Ours::Queues::Pair::MODULE\"}\n  S: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref RFirst}}", nil},
		"a cycle":                              {"  R: {Type: AWS::SQS::Queue, DependsOn: S}\n  S: {Type: AWS::SQS::Queue, DependsOn: R}", []string{"5:3: circular dependency: R → S → R depend on one another, so none of them can be created first"}},
		"a key that a mapping lacks":           {"  R: {Type: AWS::SQS::Queue, Properties: {QueueName: !FindInMap [Stage, prod, size]}}", []string{"5:73: Fn::FindInMap: Mappings has no \"prod\" here"}},
		"a loop":                               {"  \"Fn::ForEach::All\": [I, [a], {\"R${I}\": {Type: AWS::SQS::Queue}}]", []string{"5:3: note: Fn::ForEach::All creates resources that are not known here"}},
		"a YAML tag of another language":       {"  R: {Type: AWS::SQS::Queue, Properties: {QueueName: !!python/object:os.system x}}", []string{"5:54: the YAML tag !!python/object:os.system, which CloudFormation does not take"}},
		"a YAML tag of another kind":           {"  R: {Type: AWS::SQS::Queue, Properties: {QueueName: !!binary aGk=}}", []string{"5:54: the YAML tag !!binary, which CloudFormation does not take"}},
		"a YAML tag by its whole name":         {"  R: {Type: AWS::SQS::Queue, Properties: {QueueName: !<tag:example.com,2026:x> y}}", []string{"5:54: the YAML tag tag:example.com,2026:x, which CloudFormation does not take"}},
		"YAML's own tags":                      {"  R: {Type: !!str AWS::SQS::Queue, Properties: !!map {DelaySeconds: !!int 5}}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tpl, err := template.New("t.yaml", []byte(head+test.source+"\n"), template.Options{})
			var got []string
			var unread *template.Error
			switch e := err.(type) { //nolint:errorlint // as it is returned
			case *template.Error:
				unread = e
				for _, p := range unread.Problems {
					got = append(got, strings.TrimPrefix(p.String(), "t.yaml:"))
				}
			default:
				tpl.Resolve()
				for _, p := range tpl.Problems() {
					note := ""
					if p.Note {
						note = "note: "
					}
					got = append(got, fmt.Sprintf("%d:%d: %s%s", p.Line, p.Column, note, p.Message))
				}
				if tpl.Understood() == slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "intrinsic function") }) {
					t.Errorf("Understood is %t", tpl.Understood())
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestExhausted names the place from where on a template is not resolved.
func TestExhausted(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	source.WriteString("Parameters: {L: {Type: CommaDelimitedList, Default: \"" + strings.Repeat("a,", 60_000) + "\"}}\nResources:\n")
	for i := range 40 {
		fmt.Fprintf(&source, "  Q%d: {Type: AWS::SQS::Queue, Properties: {Tags: !Split [\",\", !Join [\",\", !Ref L]]}}\n", i)
	}
	tpl, err := template.New("t.yaml", []byte(source.String()), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tpl.Resolve()
	if got := tpl.Problems(); len(got) != 1 || !got[0].Note || !strings.Contains(got[0].Message, "takes too much work") || got[0].Line < 4 {
		t.Errorf("got %v", got)
	}
}
