package template

import (
	"slices"
	"strings"
)

// A Statement is one permission of a function's role.
type Statement struct {
	Pos   Pos
	Allow bool
	// Actions are as written, with wildcards: service:Action. Resources are ARNs, with
	// wildcards. Not says that one of them is negated (NotAction, NotResource).
	Actions, Resources []*Value
	Not, Conditional   bool
	// Template marks the statement of one of SAM's policy templates.
	Template bool
	// Managed marks what a managed policy of AWS grants, which cannot be narrowed.
	Managed bool
}

// Permissions describe what a function's role may do.
type Permissions struct {
	Statements []Statement
	// Unknown says what is not known about the role; it is empty if everything is known.
	Unknown string
}

// Permissions returns what the function may do.
func (f *Function) Permissions() Permissions {
	p := Permissions{}
	role := f.Get("Role")
	if f.Type == samFunction && role == nil {
		for _, v := range f.Get("Policies").List() {
			f.template.addPolicy(&p, v)
		}
		f.template.attached(&p, f.ID+"Role")
		f.template.connectors(&p, f.ID)
		return p
	}
	s, _ := role.String()
	for _, r := range f.template.Of("AWS::IAM::Role") {
		if arn, _ := r.ARN().String(); s != "" && s == arn {
			f.template.role(&p, r)
			return p
		}
	}
	p.Unknown = reason(role, "a role that is not in the template")
	return p
}

func (t *Template) role(p *Permissions, r *Resource) {
	for _, v := range r.Get("ManagedPolicyArns").List() {
		t.addPolicy(p, v)
	}
	for _, v := range r.Get("Policies").List() {
		t.addDocument(p, v.Get("PolicyDocument"))
	}
	name, _ := r.Name().String()
	t.attached(p, name)
}

// attached adds the policies that name the role.
func (t *Template) attached(p *Permissions, role string) {
	for _, r := range t.Of("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy") {
		roles := append(r.Get("Roles").List(), r.Get("RoleName").List()...)
		if !slices.ContainsFunc(roles, func(v *Value) bool { return v.Or("") == role }) {
			continue
		}
		if r.Conditional != "" {
			p.Unknown = r.Conditional
			continue
		}
		t.addDocument(p, r.Get("PolicyDocument"))
	}
}

// managed lists AWS's own policies that grant nothing that a route needs.
var managed = []string{
	"AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AWSXRayDaemonWriteAccess",
	"AWSXrayWriteOnlyAccess", "CloudWatchLambdaInsightsExecutionRolePolicy", "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
}

// addPolicy adds one entry of SAM's Policies: a document, a policy template, or the name
// or ARN of a managed policy.
func (t *Template) addPolicy(p *Permissions, v *Value) {
	switch {
	case v.Kind == Map && v.Get("Statement") != nil:
		t.addDocument(p, v)
	case v.Kind == Map && len(v.Members) == 1:
		t.addPolicyTemplate(p, v.Members[0])
	case v.Kind == Unknown:
		p.Unknown = v.Why
	default:
		t.addManaged(p, v)
	}
}

func (t *Template) addManaged(p *Permissions, v *Value) {
	s, _ := v.String()
	name := s[strings.LastIndexByte(s, '/')+1:]
	if slices.Contains(managed, name) {
		return
	}
	if name == "AWSLambdaSQSQueueExecutionRole" {
		poll := Statement{Pos: v.Pos, Allow: true, Managed: true, Resources: []*Value{Text(v.Pos, "*")}}
		for _, action := range []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} {
			poll.Actions = append(poll.Actions, Text(v.Pos, action))
		}
		p.Statements = append(p.Statements, poll)
		return
	}
	for _, r := range t.Of("AWS::IAM::ManagedPolicy") {
		if arn, _ := r.ARN().String(); arn == s {
			t.addDocument(p, r.Get("PolicyDocument"))
			return
		}
	}
	p.Unknown = "the managed policy " + v.Show()
}

func (t *Template) addDocument(p *Permissions, document *Value) {
	if document.IsUnknown() {
		p.Unknown = document.Why
		return
	}
	statements := document.Get("Statement")
	if statements.IsUnknown() {
		p.Unknown = statements.Why
	}
	for _, v := range statements.List() {
		if v.Kind != Map {
			p.Unknown = reason(v, "a statement of the role")
			continue
		}
		s := Statement{
			Pos: v.Pos, Allow: v.Get("Effect").Or("Allow") != "Deny", Conditional: v.Get("Condition") != nil,
			Actions: v.Get("Action").List(), Resources: v.Get("Resource").List(),
		}
		if m := v.Member("Action"); m != nil {
			s.Pos = m.Key
		}
		if v.Get("NotAction") != nil || v.Get("NotResource") != nil {
			s.Not = true
		}
		p.Statements = append(p.Statements, s)
	}
}

// policyTemplates lists SAM's policy templates that grant what a route may need, with the
// parameter, the actions, and the parameter's form in the ARN.
//
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html
var policyTemplates = map[string]struct {
	parameter, service, prefix string
	actions                    []string
}{
	"StepFunctionsExecutionPolicy": {"StateMachineName", "states", "stateMachine:", []string{"states:StartExecution"}},
	"SQSSendMessagePolicy":         {"QueueName", "sqs", "", []string{"sqs:SendMessage*"}},
	"SQSPollerPolicy": {"QueueName", "sqs", "", []string{
		"sqs:ChangeMessageVisibility", "sqs:ChangeMessageVisibilityBatch", "sqs:DeleteMessage", "sqs:DeleteMessageBatch",
		"sqs:GetQueueAttributes", "sqs:ReceiveMessage",
	}},
	"DynamoDBCrudPolicy": {"TableName", "dynamodb", "table/", []string{
		"dynamodb:GetItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:UpdateItem",
		"dynamodb:BatchWriteItem", "dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:ConditionCheckItem",
	}},
	"DynamoDBReadPolicy": {"TableName", "dynamodb", "table/", []string{
		"dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:DescribeTable",
	}},
	"DynamoDBWritePolicy": {"TableName", "dynamodb", "table/", []string{
		"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem",
	}},
	"AWSSecretsManagerGetSecretValuePolicy": {"SecretArn", "", "", []string{"secretsmanager:GetSecretValue"}},
	"SSMParameterReadPolicy":                {"ParameterName", "ssm", "parameter/", []string{"ssm:GetParameters", "ssm:GetParameter", "ssm:GetParametersByPath"}},
	"SSMParameterWithSlashPrefixReadPolicy": {"ParameterName", "ssm", "parameter", []string{"ssm:GetParameters", "ssm:GetParameter", "ssm:GetParametersByPath"}},
	"KMSDecryptPolicy":                      {"KeyId", "kms", "key/", []string{"kms:Decrypt"}},
	"S3WritePolicy":                         {"BucketName", "s3", "", []string{"s3:PutObject", "s3:PutObjectAcl", "s3:PutLifecycleConfiguration"}},
	"S3CrudPolicy":                          {"BucketName", "s3", "", []string{"s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration", "s3:DeleteObject"}},
}

func (t *Template) addPolicyTemplate(p *Permissions, m ValueMember) {
	known, ok := policyTemplates[m.Name]
	if !ok {
		return // no route needs what it grants
	}
	w := writer{pos: m.Key}
	if known.service != "" {
		region, account := t.options.Region, t.options.Account
		if known.service == "s3" {
			region, account = "", ""
		}
		w.text("arn:" + t.partition() + ":" + known.service + ":" + region + ":" + account + ":" + known.prefix)
	}
	w.value(m.Value.Get(known.parameter))
	if known.service == "s3" {
		w.text("/*")
	}
	s := Statement{Pos: m.Key, Allow: true, Template: true, Resources: []*Value{w.done()}}
	for _, action := range known.actions {
		s.Actions = append(s.Actions, &Value{Kind: String, Text: action, Pos: m.Key})
	}
	p.Statements = append(p.Statements, s)
}

// connectors adds what SAM connectors grant to a function. That depends on the
// destination's type, so a role with a connector is never known to lack anything.
func (t *Template) connectors(p *Permissions, id string) {
	if r := t.byID[id]; r != nil && r.Node.Get("Connectors") != nil {
		p.Unknown = "the connectors of " + id
	}
	for _, r := range t.Of("AWS::Serverless::Connector") {
		if source := r.Node.Get("Properties", "Source", "Id"); source != nil && source.Text == id {
			p.Unknown = "the connector " + r.ID
		}
	}
}

// Grants reports whether the permissions allow an action on a resource; certain is false
// if that depends on something unknown.
func (p Permissions) Grants(action, resource string) (granted, certain bool) {
	certain = p.Unknown == ""
	for _, s := range p.Statements {
		if s.Not {
			certain = false
			continue
		}
		a, sureAction := matches(s.Actions, action, true)
		r, sureResource := matches(s.Resources, resource, false)
		switch sure := sureAction && sureResource; {
		case !a || !r:
		case !s.Allow && sure && !s.Conditional:
			return false, true
		case s.Allow && sure:
			granted = true
		default:
			certain = false
		}
	}
	return granted, certain || granted
}

// matches reports whether one of the patterns may match the text, and whether that is
// certain. The names of actions are case-insensitive.
func matches(patterns []*Value, text string, fold bool) (may, certain bool) {
	for _, v := range patterns {
		if fold && v != nil && v.Kind == String {
			v = &Value{Kind: String, Text: strings.ToLower(v.Text)}
			text = strings.ToLower(text)
		}
		m, c := v.Match(text, true)
		may, certain = may || m, certain || m && c
	}
	return may, certain
}
