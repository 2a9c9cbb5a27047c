package wiring_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const waitsTemplate = `Transform: AWS::Serverless-2016-10-31
Resources:
  Web:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: webhook
      CodeUri: expressway/
      Layers: ["arn:aws:lambda:us-east-1:123456789012:layer:expressway:1"]
      Environment: {Variables: {MACHINE: !Ref Machine, WAITS: !Ref Waits, BANK: secret}}
      Policies:
        - Statement:
            - {Effect: Allow, Action: "states:StartExecution", Resource: !Ref Machine}
            - {Effect: Allow, Action: ["states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"], Resource: !Ref Machine}
            - {Effect: Allow, Action: "dynamodb:GetItem", Resource: !GetAtt Waits.Arn}
      Events:
        All: {Type: HttpApi, Properties: {TimeoutInMillis: 30000}}
  Waits:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: STANDARD
      Definition: {StartAt: A, States: {A: {Type: Task, Resource: "arn:aws:states:::sns:publish.waitForTaskToken", End: true}}}
`

const waitsRoutes = `version: 1
routes:
  - name: ask
    http: POST /ask
    verify: {hmac: {header: X-Signature}, secrets: ["env:BANK"]}
    start: ${MACHINE}
    mode: async
  - name: link
    http: POST /link
    verify: link
    resume: {}
  - name: bank
    http: POST /bank
    verify: {hmac: {header: X-Signature}, secrets: ["env:BANK"]}
    resume:
      lookup: {table: "${WAITS}", key: "{% $request.body.id %}"}
`

// TestWaits ties routes that resume to permissions, to a table and to a machine that waits.
func TestWaits(t *testing.T) {
	t.Parallel()
	const tpl, cfg = "template.yaml", "expressway.yaml"
	testChanges(t, map[string]string{tpl: waitsTemplate, cfg: waitsRoutes}, []change{
		{name: "nothing"},
		{"a link may be rejected, with a page or without", tpl, `"states:SendTaskFailure", `, ``, []string{"template.yaml:11 error permission-missing"}},
		{"no permission to resume", tpl, `"states:SendTaskSuccess", "states:SendTaskFailure", `, ``, []string{"template.yaml:11 error permission-missing", "template.yaml:11 error permission-missing"}},
		{"a heartbeat", cfg, `    resume: {}`, `    resume: {heartbeat: "{% $request.body.more = true %}"}`, nil},
		{"no permission to look up", tpl, `"dynamodb:GetItem"`, `"dynamodb:Query"`, []string{"template.yaml:11 error permission-missing", "template.yaml:15 warning permission-excess"}},
		{"another table", tpl, `Resource: !GetAtt Waits.Arn`, `Resource: !Sub "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/other"`, []string{"template.yaml:11 error permission-missing", "template.yaml:15 warning permission-excess"}},
		{"another key", tpl, `KeySchema: [{AttributeName: id,`, `KeySchema: [{AttributeName: order,`, []string{"expressway.yaml:16 error lookup-key"}},
		{"the other key by its name", cfg, `%}"}`, `%}", keyAttribute: order}`, []string{"expressway.yaml:16 error lookup-key"}},
		{"a sort key", tpl, `KeyType: HASH}]`, `KeyType: HASH}, {AttributeName: at, KeyType: RANGE}]`, []string{"expressway.yaml:16 error lookup-key"}},
		{"no machine that waits", tpl, `publish.waitForTaskToken`, `publish`, []string{"expressway.yaml:11 note resume-without-wait", "expressway.yaml:15 note resume-without-wait"}},
		{"a machine that cannot be read", tpl, `      Definition: {StartAt: A, States: {A: {Type: Task, Resource: "arn:aws:states:::sns:publish.waitForTaskToken", End: true}}}`, `      DefinitionUri: s3://bucket/key`, nil},
		{"a simple table", tpl, `    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]`, `    Type: AWS::Serverless::SimpleTable
    Properties: {PrimaryKey: {Name: order, Type: String}}`, []string{"expressway.yaml:16 error lookup-key"}},
	})
}

// A change of one of the files of a stack that is right, and the file, line, severity and
// rule of each finding that it leads to.
type change struct {
	name, file, old, new string
	want                 []string
}

// testChanges checks a stack, in template.yaml and expressway.yaml, once for each change.
func testChanges(t *testing.T, files map[string]string, changes []change) {
	t.Helper()
	for _, tt := range changes {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, source := range files {
				if file == tt.file {
					if strings.Count(source, tt.old) != 1 {
						t.Fatalf("%q is in %s %d times", tt.old, file, strings.Count(source, tt.old))
					}
					source = strings.Replace(source, tt.old, tt.new, 1)
				}
				if err := os.WriteFile(filepath.Join(dir, file), []byte(source), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, f := range check(t, dir, "template.yaml", "expressway.yaml") {
				t.Logf("%s", strings.ReplaceAll(f.String(), dir+"/", ""))
				place, _, _ := strings.Cut(strings.TrimPrefix(f.Pos.String(), dir+"/"), ":")
				got = append(got, place+":"+strings.Split(f.Pos.String(), ":")[1]+" "+string(f.Severity)+" "+f.Rule)
			}
			slices.Sort(got)
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// A secret that is handed over needs the permission to create it, too.
func TestSecretThatIsHandedOver(t *testing.T) {
	t.Parallel()
	const routes = "version: 1\nroutes:\n  - {name: asana, http: POST /asana, verify: {provider: asana, handshake: {store: \"ssm:/hooks/asana\"}}, start: \"${MACHINE}\", mode: async}\n"
	const statement = `{Effect: Allow, Action: "dynamodb:GetItem", Resource: !GetAtt Waits.Arn}`
	for actions, want := range map[string]string{
		`"ssm:GetParameter", "ssm:PutParameter"`: "",
		`"ssm:GetParameter"`:                     "lacks the permission ssm:PutParameter",
		`"ssm:PutParameter"`:                     "lacks the permission ssm:GetParameter",
	} {
		dir := t.TempDir()
		template := strings.Replace(waitsTemplate, statement, `{Effect: Allow, Action: [`+actions+`], Resource: "arn:aws:ssm:us-east-1:123456789012:parameter/hooks/asana"}`, 1)
		template = strings.Replace(template, `            - {Effect: Allow, Action: ["states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"], Resource: !Ref Machine}`+"\n", "", 1)
		for file, text := range map[string]string{"template.yaml": template, "expressway.yaml": routes} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, f := range check(t, dir, "template.yaml", "expressway.yaml") {
			got = append(got, f.String())
		}
		if all := strings.Join(got, "\n"); len(got) > 0 != (want != "") || !strings.Contains(all, want) {
			t.Errorf("%s: %q, want %q", actions, all, want)
		}
	}
}
