package wiring_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/template"
	"github.com/expressway-dev/expressway/pkg/template/wiring"
)

// A permissionCase is one of deploy/testdata/permissions.json, which the tests of the CDK
// constructs and of the Terraform module read too.
type permissionCase struct {
	Name, Kind       string
	Routes           []json.RawMessage
	Machines         map[string]string
	Waiting          []string
	Queues           map[string]string
	DeadLetterQueues map[string]string
	LookupTables     map[string]string
	Buckets          map[string]string
	DedupeTable      string
	Environment      map[string]string
	Grants           []string
}

func (c *permissionCase) environment() map[string]string {
	out := map[string]string{}
	for prefix, names := range map[string]map[string]string{
		"": c.Environment, "arn:aws:states:us-east-1:123456789012:stateMachine:": c.Machines,
		"arn:aws:sqs:us-east-1:123456789012:":               c.Queues,
		"https://sqs.us-east-1.amazonaws.com/123456789012/": c.DeadLetterQueues,
		"arn:aws:dynamodb:us-east-1:123456789012:table/":    c.LookupTables,
	} {
		for variable, name := range names {
			out[variable] = prefix + name
		}
	}
	for variable, name := range c.Buckets {
		out[variable] = name
	}
	if c.DedupeTable != "" {
		out["EXPRESSWAY_DEDUPE_TABLE"] = c.DedupeTable
	}
	return out
}

// template is a function with the environment of the case and some of its grants.
func (c *permissionCase) template(t *testing.T, grants []string) string {
	t.Helper()
	var statements []map[string]any
	for _, grant := range grants {
		f := strings.Fields(grant)
		s := map[string]any{"Effect": "Allow", "Action": f[0], "Resource": f[1]}
		if len(f) > 2 {
			s["Condition"] = map[string]any{"ForAnyValue:StringEquals": map[string]string{"kms:ResourceAliases": f[3]}}
		}
		statements = append(statements, s)
	}
	properties := map[string]any{
		"Runtime": "provided.al2023", "Handler": c.Kind, "CodeUri": "expressway/", "Layers": []string{"arn:aws:lambda:us-east-1:123456789012:layer:expressway:1"},
		"Role": map[string]any{"Fn::GetAtt": []string{"Role", "Arn"}}, "Environment": map[string]any{"Variables": c.environment()},
	}
	if c.Kind == "queue" {
		mappings := map[string]any{}
		for variable, name := range c.Queues {
			mappings[strings.ReplaceAll(variable, "_", "")] = map[string]any{"Type": "SQS", "Properties": map[string]any{
				"Queue": "arn:aws:sqs:us-east-1:123456789012:" + name, "FunctionResponseTypes": []string{"ReportBatchItemFailures"},
			}}
		}
		properties["Events"] = mappings
	}
	text, err := json.Marshal(map[string]any{"Transform": "AWS::Serverless-2016-10-31", "Resources": map[string]any{
		"Function": map[string]any{"Type": "AWS::Serverless::Function", "Properties": properties},
		"Role": map[string]any{"Type": "AWS::IAM::Role", "Properties": map[string]any{"Policies": []any{map[string]any{
			"PolicyName": "routes", "PolicyDocument": map[string]any{"Version": "2012-10-17", "Statement": statements},
		}}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (c *permissionCase) permissionFindings(t *testing.T, grants []string) []string {
	t.Helper()
	tpl, err := template.New("template.json", []byte(c.template(t, grants)), template.Options{Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	routes, err := json.Marshal(map[string]any{"version": 1, "routes": c.Routes})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := wiring.NewConfiguration("expressway.yaml", routes)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range wiring.Check(tpl, cfg, nil) {
		if strings.HasPrefix(f.Rule, "permission-") {
			out = append(out, f.String())
		}
	}
	return out
}

// TestDeployedPermissions holds that `expressway validate` asks for exactly what the CDK
// constructs and the Terraform module grant: with all of it there is no finding, and
// without any of it there is one.
func TestDeployedPermissions(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "testdata", "permissions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []*permissionCase
	if err := json.Unmarshal(source, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if found := c.permissionFindings(t, c.Grants); len(found) > 0 {
				t.Errorf("with all grants: %s", strings.Join(found, "\n"))
			}
			for i, grant := range c.Grants {
				switch {
				case strings.HasPrefix(grant, "kms:"):
					continue // no template tells the key of what is in another stack
				case strings.HasSuffix(grant, ":named"):
					continue // a name that is none of the template's has a finding of its own
				case strings.HasPrefix(grant, "sqs:ChangeMessageVisibility") && strings.Contains(c.Name, "dedupe"):
					continue // without it a message comes back later, after the queue's own visibility
				case strings.HasPrefix(grant, "states:SendTask") && len(c.Waiting) > 1:
					continue // no route says whose tasks it resumes
				}
				rest := slices.Delete(slices.Clone(c.Grants), i, i+1)
				action := strings.Fields(grant)[0]
				found := c.permissionFindings(t, rest)
				if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, "permission-missing") && strings.Contains(f, action) }) {
					t.Errorf("without %s: %v", grant, fmt.Sprint(found))
				}
			}
		})
	}
}
