package template_test

import (
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/template"
)

func parse(t *testing.T, source string, o template.Options) *template.Template {
	t.Helper()
	tpl, err := template.New("template.yaml", []byte(source), o)
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

const intrinsics = `
Parameters:
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Secret: {Type: String, NoEcho: true}
  Zones: {Type: CommaDelimitedList, Default: "a, b,c"}
  Image: {Type: "AWS::SSM::Parameter::Value<String>", Default: /image}
  Count: {Type: Number, Default: 3}
  Sure: {Type: String, Default: no}
Mappings:
  Sizes: {dev: {Memory: 128}, prod: {Memory: 512}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: {"Fn::Not": [{Condition: IsProd}]}
  HasSecret: !Not [!Equals [!Ref Secret, ""]]
  Either: !Or [Condition: HasSecret, Condition: IsDev]
  Both: !And [Condition: HasSecret, Condition: IsProd]
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Named: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "${Stage}-named.fifo", FifoQueue: true}}
  OnlyProd: {Type: AWS::SQS::Queue, Condition: IsProd}
  Secrets: {Type: AWS::SecretsManager::Secret, Properties: {Name: parcels/stripe}}
  Machine: {Type: AWS::Serverless::StateMachine, Properties: {AutoPublishAlias: live, Definition: {}}}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Rule: {Type: EventBridgeRule}}
      Environment:
        Variables:
          V: %s
`

func TestIntrinsicFunctions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expression, want string }{
		{`!Ref Stage`, "dev"},
		{`{"Ref": "Stage"}`, "dev"},
		{`!Ref Queue`, "https://sqs.eu-west-1.amazonaws.com/123456789012/Queue"},
		{`!GetAtt Queue.Arn`, "arn:aws:sqs:eu-west-1:123456789012:Queue"},
		{`{"Fn::GetAtt": [Queue, QueueName]}`, "Queue"},
		{`{"Fn::GetAtt": "Named.QueueName"}`, "dev-named.fifo"},
		{`!Ref Machine`, "arn:aws:states:eu-west-1:123456789012:stateMachine:Machine"},
		{`!GetAtt Machine.Name`, "Machine"},
		{`!Ref Machine.Alias`, "arn:aws:states:eu-west-1:123456789012:stateMachine:Machine:live"},
		{`!Ref MachineAliaslive`, "arn:aws:states:eu-west-1:123456789012:stateMachine:Machine:live"},
		{`!Ref FunctionRole`, "FunctionRole"},
		{`!GetAtt FunctionRule.Arn`, "arn:aws:events:eu-west-1:123456789012:rule/FunctionRule"},
		{`!Ref Secrets`, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:parcels/stripe-XXXXXX"},
		{`!Sub "${Stage}-${Queue.QueueName}-${!Literal}-${AWS::Region}"`, "dev-Queue-${Literal}-eu-west-1"},
		{`!Sub ["${A}${Count}", {A: !Join ["-", [x, !Ref Stage]]}]`, "x-dev3"},
		{`!Sub "no ${closing"`, "no ${closing"},
		{`!Join [",", !Ref Zones]`, "a,b,c"},
		{`!Select [1, !Ref Zones]`, "b"},
		{`!Select ["2", !Split ["/", "x/y/z"]]`, "z"},
		{`!If [IsProd, yes-it-is, not]`, "not"},
		{`!If [Either, a, b]`, "a"},
		{`!If [Both, a, b]`, "b"},
		{`!FindInMap [Sizes, !Ref Stage, Memory]`, "128"},
		{`!FindInMap [Sizes, other, Memory, {DefaultValue: 64}]`, "64"},
		{`!Base64 abc`, "YWJj"},
		{`!Length [a, b]`, "2"},
		{`!ToJsonString {a: [1, true, "<&>"]}`, `{"a":[1,true,"<&>"]}`},
		{`!Ref Sure`, "false"},
		{`!Sub "arn:${AWS::Partition}:s3:::x.${AWS::URLSuffix}"`, "arn:aws:s3:::x.amazonaws.com"},

		// What is unknown, and what stays known of it.
		{`!Ref Secret`, "?the parameter Secret"},
		{`!If [HasSecret, a, b]`, "?the parameter Secret"},
		{`!Ref Image`, "?the SSM parameter that Image names"},
		{`!ImportValue shared-bus`, "?the import of shared-bus"},
		{`!Sub "a-${Secret}-b"`, "a-…-b?the parameter Secret"},
		{`"x{{resolve:ssm:/name}}y"`, "x…y?{{resolve:ssm:…}}"},
		{`!Ref AWS::StackName`, "?the name of the stack"},
		{`!GetAtt OnlyProd.Arn`, "?whose condition is false"},
		{`!GetAtt Queue.Nothing`, "?the attribute Nothing of Queue"},
		{`!Cidr ["10.0.0.0/8", 2, 8]`, "?the result of Fn::Cidr"},

		// What is wrong.
		{`!Ref Nothing`, `!there is no resource or parameter "Nothing"`},
		{`!Sub "${Nothing.Arn}"`, `!there is no resource or parameter "Nothing"`},
		{`!Magic x`, "!there is no intrinsic function Fn::Magic"},
		{`!Ref AWS::Planet`, "!there is no pseudo parameter AWS::Planet"},
		{`!If [Nothing, a, b]`, `!there is no condition "Nothing"`},
		{`!FindInMap [Sizes, other, Memory]`, `!Mappings has no "other" here`},
		{`!Select [7, [a]]`, "!no item 7"},
		{`!Join [","]`, "!Fn::Join takes a list of 2 arguments"},
	} {
		t.Run(tt.expression, func(t *testing.T) {
			t.Parallel()
			tpl := parse(t, strings.Replace(intrinsics, "%s", tt.expression, 1), template.Options{Region: "eu-west-1"})
			v := tpl.Functions()[0].Variable("V")
			var problems []string
			for _, p := range tpl.Problems() {
				if !p.Note {
					problems = append(problems, p.String())
				}
			}
			if wrong, ok := strings.CutPrefix(tt.want, "!"); ok {
				if len(problems) != 1 || !strings.Contains(problems[0], wrong) || !strings.HasPrefix(problems[0], "template.yaml:29:") {
					t.Errorf("the problems are %q, not %q", problems, wrong)
				}
				if v.Known() {
					t.Errorf("%v is known", v)
				}
				return
			}
			text, why, _ := strings.Cut(tt.want, "?")
			if text == "" && why != "" {
				text = "…"
			}
			if got := v.Show(); got != text || len(problems) > 0 {
				t.Errorf("%q, not %q; problems %q", got, text, problems)
			}
			if got := strings.Join(v.Reasons(), "; "); (why == "") != (got == "") || !strings.Contains(got, why) {
				t.Errorf("unknown is %q, not %q", got, why)
			}
			if v.Pos.Line != 29 {
				t.Errorf("the value is on line %d", v.Pos.Line)
			}
		})
	}
}

func TestNoValue(t *testing.T) {
	t.Parallel()
	tpl := parse(t, strings.Replace(intrinsics, "%s", "!Ref AWS::NoValue\n      Timeout: 7", 1), template.Options{})
	f := tpl.Functions()[0]
	if v := f.Variable("V"); v != nil {
		t.Errorf("V is %v", v)
	}
	if n, ok := f.Timeout(); n != 7 || !ok {
		t.Errorf("Timeout is %d, %v", n, ok)
	}
}

func TestOverridesAreChecked(t *testing.T) {
	t.Parallel()
	source := strings.Replace(intrinsics, "%s", "!Ref Stage", 1)
	tpl := parse(t, source, template.Options{Parameters: map[string]string{"Stage": "nowhere", "Other": "x"}})
	_ = tpl.Functions()[0].Variables
	want := []string{
		`template.yaml:1:1: the parameter Other, which is set, is not in the template`,
		`template.yaml:3:10: the parameter Stage does not allow "nowhere"`,
	}
	for i, p := range tpl.Problems() {
		if i >= len(want) || p.String() != want[i] {
			t.Errorf("%s", p)
		}
	}
}

func TestDeployedNames(t *testing.T) {
	t.Parallel()
	tpl := parse(t, strings.Replace(intrinsics, "%s", "!Ref Queue", 1), template.Options{Deployed: true, StackName: "shop"})
	for id, want := range map[string]string{"Queue": "shop-Queue-XXXXXXXXXXXX", "Named": "dev-named.fifo"} {
		if got, _ := tpl.Resource(id).Name().String(); got != want {
			t.Errorf("%s is called %q, not %q", id, got, want)
		}
	}
	bucket := "Resources: {Large: {Type: AWS::S3::Bucket}, Named: {Type: AWS::S3::Bucket, Properties: {BucketName: as-it-is}}}\n"
	for want, options := range map[string]template.Options{"shop-large-xxxxxxxxxxxx": {Deployed: true, StackName: "Shop"}, "large": {}} {
		tpl := parse(t, bucket, options)
		for id, want := range map[string]string{"Large": want, "Named": "as-it-is"} {
			if got, _ := tpl.Resource(id).Name().String(); got != want {
				t.Errorf("the bucket %s is called %q, not %q", id, got, want)
			}
		}
	}
	if !tpl.Resource("Queue").Generated() || tpl.Resource("Named").Generated() {
		t.Error("the wrong queue has a generated name")
	}
}

// TestWrongFiles holds what is said of files that cannot be read, and where.
func TestWrongFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ source, want string }{
		{"", "t.yaml:1:1: the file is empty"},
		{"# only a comment\n", "t.yaml:1:1: the file is empty"},
		{"a: 1\n", "t.yaml:1:1: no template: it has no Resources"},
		{"Resources: 5\n", "t.yaml:1:12: Resources must be a mapping"},
		{"Resources: [{Type: A}]\n", "t.yaml:1:12: Resources must be a mapping"},
		{"Parameters: [A]\nResources: {}\n", "t.yaml:1:13: Parameters must be a mapping"},
		{"Resources:\n\tA: 1\n", "t.yaml:2:1: "},
		{"Resources: {A: {Type: B}}\n---\nb: 1\n", "t.yaml:2:1: a second YAML document"},
		{"Resources:\n  A: {Type: B}\n  A: {Type: C}\n", `t.yaml:3:3: the key "A" appears twice`},
		{"Resources: &r\n  A: *r\n", "t.yaml:2:6: the alias *r refers to itself"},
		{"Resources:\n  ? [a]\n  : b\n", "t.yaml:2:5: a key must be plain text"},
		{"Resources: " + strings.Repeat("[", 5000), "nested deeper than"},
		{"Resources:\n  A: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "nested deeper than 100 levels"},
		{"Resources: {A: {Type: B}}\n#" + strings.Repeat("x", 3<<20), "may have at most 2097152"},
	} {
		_, err := template.New("t.yaml", []byte(tt.source), template.Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40q: %v, not %s", tt.source, err, tt.want)
		}
	}
}

func TestCycles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, source, want string }{
		{"two queues", `
  A: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt B.Arn}}}
  B: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt A.Arn}}}
`, "circular dependency: A → B → A"},
		{"names", `
  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub "x${B.QueueName}"}}
  B: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt A.QueueName}}
  C: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt A.QueueName}}
`, "A → B → A"},
		{"a function and its machine", `
  F: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {M: !Ref M}}}}
  M: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionSubstitutions: {F: !GetAtt F.Arn}}}
`, "F → M → F"},
		{"a condition", `
  Q: {Type: AWS::SQS::Queue, Condition: X}
Conditions:
  X: !Not [Condition: Y]
  Y: !Not [Condition: X]
`, "refers to itself"},
		// SAM makes the permissions and the events apart.
		{"permissions", `
  F: {Type: AWS::Serverless::Function, Properties: {Policies: [{Statement: [{Action: x, Resource: !Ref M}]}], Events: {Q: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}}}}
  M: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionSubstitutions: {Q: !Ref Q}}}
  Q: {Type: AWS::SQS::Queue}
  P: {Type: AWS::SQS::QueuePolicy, Properties: {Queues: [!Ref Q], PolicyDocument: !Sub "${F.Arn}"}}
`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tpl := parse(t, "Resources:"+tt.source, template.Options{})
			for _, r := range tpl.Resources {
				r.Name()
			}
			var got string
			for _, p := range tpl.Problems() {
				got += p.String() + "\n"
			}
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, not %q", got, tt.want)
			}
		})
	}
}

func TestGlobals(t *testing.T) {
	t.Parallel()
	tpl := parse(t, `
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Timeout: 9, MemorySize: 512, Layers: [one], Environment: {Variables: {A: "1", B: "1"}}}
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {Timeout: 20, Layers: [two], Environment: {Variables: {B: "2"}}}}
  G: {Type: AWS::Lambda::Function, Properties: {}}
`, template.Options{})
	f := tpl.Functions()
	if n, _ := f[0].Timeout(); n != 20 {
		t.Errorf("the function's own timeout is %d", n)
	}
	if n, _ := f[1].Timeout(); n != template.DefaultTimeout {
		t.Errorf("Globals are for SAM's functions alone: %d", n)
	}
	if f[0].Variable("A").Or("") != "1" || f[0].Variable("B").Or("") != "2" || len(f[0].Get("Layers").List()) != 2 {
		t.Errorf("%s", f[0].Properties().JSON())
	}
}

func TestParseOverrides(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	if err := template.ParseOverrides(got, `A=1 B="two words" C='x "y"' D=a\ b ParameterKey=E,ParameterValue=e=f  F=`); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"A": "1", "B": "two words", "C": `x "y"`, "D": "a b", "E": "e=f", "F": ""} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %q, not %q", name, v, want)
		}
	}
	for _, wrong := range []string{"A", "=x", `A="x`, "ParameterKey=E"} {
		if template.ParseOverrides(map[string]string{}, wrong) == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}
