package template

import (
	"slices"
	"strings"
)

// ref resolves Ref: a pseudo parameter, a parameter, or a resource.
func (t *Template) ref(name string, pos Pos) *Value {
	if strings.HasPrefix(name, "AWS::") {
		return t.pseudo(name, pos)
	}
	if n := t.Root.Get("Parameters", name); n != nil {
		return t.parameter(name, n, pos)
	}
	if r := t.byID[name]; r != nil {
		return r.ref().at(pos)
	}
	return t.generated(name, "Ref", pos)
}

func (t *Template) pseudo(name string, pos Pos) *Value {
	text := func(s string) *Value { return &Value{Kind: String, Text: s, Pos: pos} }
	switch name {
	case "AWS::NoValue":
		return nil
	case "AWS::Region":
		return text(t.options.Region)
	case "AWS::AccountId":
		return text(t.options.Account)
	case "AWS::Partition":
		return text(t.partition())
	case "AWS::URLSuffix":
		if t.partition() == "aws-cn" {
			return text("amazonaws.com.cn")
		}
		return text("amazonaws.com")
	case "AWS::StackName":
		if t.options.StackName != "" {
			return text(t.options.StackName)
		}
		return unknown(pos, "the name of the stack (stack_name in samconfig.toml)")
	case "AWS::StackId", "AWS::NotificationARNs":
		return unknown(pos, name)
	}
	t.report(pos, false, "there is no pseudo parameter %s", name)
	return unknown(pos, name)
}

// Pseudo returns a pseudo parameter that is always known: AWS::Region, AWS::AccountId,
// AWS::Partition or AWS::URLSuffix.
func (t *Template) Pseudo(name string) string { return t.pseudo(name, Pos{}).Or("") }

func (t *Template) partition() string {
	switch {
	case strings.HasPrefix(t.options.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(t.options.Region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

func (t *Template) getAtt(arg *Node, pos Pos, depth int) *Value {
	if arg.Kind == String { // in JSON and in the long form
		id, attribute, _ := strings.Cut(arg.Text, ".")
		return t.attribute(id, attribute, pos)
	}
	if arg.Kind != List || len(arg.Items) != 2 || arg.Items[0].Kind != String {
		t.report(arg.Pos, false, "Fn::GetAtt takes a list of a logical id and an attribute")
		return unknown(pos, "the result of Fn::GetAtt")
	}
	attribute, known := t.resolve(arg.Items[1], depth+1).String()
	if !known {
		return unknown(pos, "the attribute of Fn::GetAtt")
	}
	return t.attribute(arg.Items[0].Text, attribute, pos)
}

func (t *Template) attribute(id, attribute string, pos Pos) *Value {
	r := t.byID[id]
	if r == nil {
		return t.generated(id, attribute, pos)
	}
	return r.attribute(attribute).at(pos)
}

// generated resolves a reference to something that is not a resource of the file: SAM
// generates some resources from others, such as the role and the rules of a function; any
// other reference is a mistake.
func (t *Template) generated(id, attribute string, pos Pos) *Value {
	if n := t.Root.Get("Resources", id); n != nil {
		return unknown(pos, "the resource "+id+", whose condition is false")
	}
	if id == "ServerlessRestApi" || id == "ServerlessHttpApi" || id == "ServerlessDeploymentApplication" {
		return unknown(pos, "the resource "+id+", which SAM makes")
	}
	base, qualifier, dotted := strings.Cut(id, ".")
	for _, r := range t.Of(samTypes...) {
		if dotted && r.ID == base || strings.HasPrefix(id, r.ID) && !dotted {
			return r.made(strings.TrimPrefix(id, r.ID), qualifier, attribute, pos)
		}
	}
	if t.hasMacros() || t.ofModule(id) {
		return unknown(pos, "the resource "+id)
	}
	t.report(pos, false, "there is no resource or parameter %q", id)
	return unknown(pos, "the resource "+id)
}

var samTypes = []string{"AWS::Serverless::Function", "AWS::Serverless::StateMachine", "AWS::Serverless::Api", "AWS::Serverless::HttpApi", "AWS::Serverless::LayerVersion", "AWS::Serverless::Application", "AWS::Serverless::Connector", "AWS::Serverless::GraphQLApi", "AWS::Serverless::SimpleTable"}

func (t *Template) hasMacros() bool {
	for _, n := range t.transforms() {
		if n.Text != samTransform {
			return true
		}
	}
	for _, m := range t.Root.Get("Resources").Members {
		if strings.HasPrefix(m.Name, "Fn::") {
			return true
		}
	}
	return false
}

// ofModule reports whether a module makes the resource: their names begin with its own.
func (t *Template) ofModule(id string) bool {
	return slices.ContainsFunc(t.Resources, func(r *Resource) bool { return strings.HasSuffix(r.Type, "::MODULE") && strings.HasPrefix(id, r.ID) })
}

// made returns an attribute of a resource that SAM generates from another one: its role,
// its alias, or the rules of its events.
func (r *Resource) made(suffix, qualifier, attribute string, pos Pos) *Value {
	switch {
	case suffix == "Role":
		return r.arnOrName("iam", "role/", r.ID+"Role", attribute, pos)
	case qualifier == "Alias" || qualifier == "Version" || strings.HasPrefix(suffix, "Alias"):
		alias, known := r.Get("AutoPublishAlias").String()
		if !known || qualifier == "Version" {
			return unknown(pos, "the version of "+r.ID)
		}
		return (&Value{Kind: String, Text: r.attribute("Arn").Or(string(hole)) + ":" + alias}).at(pos)
	case r.Get("Events", suffix) != nil:
		return r.arnOrName("events", "rule/", r.ID+suffix, attribute, pos)
	}
	return unknown(pos, "the resource "+r.ID+suffix+", which SAM may make")
}

func (r *Resource) arnOrName(service, prefix, name, attribute string, pos Pos) *Value {
	region := r.template.options.Region
	if service == "iam" {
		region = ""
	}
	if attribute == "Arn" {
		name = "arn:" + r.template.partition() + ":" + service + ":" + region + ":" + r.template.options.Account + ":" + prefix + name
	}
	return &Value{Kind: String, Text: name, Pos: pos}
}

// nameProperties are the properties that name a resource, by type; if a resource has
// none, CloudFormation generates the name.
var nameProperties = map[string]string{
	"AWS::SQS::Queue":                       "QueueName",
	"AWS::SNS::Topic":                       "TopicName",
	"AWS::DynamoDB::Table":                  "TableName",
	"AWS::DynamoDB::GlobalTable":            "TableName",
	"AWS::Serverless::SimpleTable":          "TableName",
	"AWS::Lambda::Function":                 "FunctionName",
	"AWS::Serverless::Function":             "FunctionName",
	"AWS::StepFunctions::StateMachine":      "StateMachineName",
	"AWS::Serverless::StateMachine":         "Name",
	"AWS::Events::EventBus":                 "Name",
	"AWS::Events::Rule":                     "Name",
	"AWS::IAM::Role":                        "RoleName",
	"AWS::IAM::ManagedPolicy":               "ManagedPolicyName",
	"AWS::S3::Bucket":                       "BucketName",
	"AWS::SSM::Parameter":                   "Name",
	"AWS::SecretsManager::Secret":           "Name",
	"AWS::Logs::LogGroup":                   "LogGroupName",
	"AWS::Lambda::LayerVersion":             "LayerName",
	"AWS::Serverless::LayerVersion":         "LayerName",
	"AWS::Kinesis::Stream":                  "Name",
	"AWS::StepFunctions::Activity":          "Name",
	"AWS::KMS::Alias":                       "AliasName",
	"AWS::KMS::Key":                         "",
	"AWS::StepFunctions::StateMachineAlias": "Name",
	"AWS::Lambda::Alias":                    "Name",
}

// generatedSuffix is the end of a name that CloudFormation generates, of twelve
// characters that are not known in advance.
const generatedSuffix = "XXXXXXXXXXXX"

// Generated reports whether CloudFormation makes the resource's name.
func (r *Resource) Generated() bool {
	property, ok := nameProperties[r.Type]
	return ok && (property == "" || r.Get(property) == nil)
}

// Name returns the resource's name: its explicit name, or else the one according to
// [Options.Deployed].
func (r *Resource) Name() *Value {
	if r.name != nil {
		return r.name
	}
	property, ok := nameProperties[r.Type]
	if !ok {
		return unknown(r.Pos, "the name of "+r.ID)
	}
	if r.naming {
		r.template.report(r.Pos, false, "the name of %s refers to itself", r.ID)
		return unknown(r.Pos, "the name of "+r.ID)
	}
	r.naming = true
	defer func() { r.naming = false }()
	// Only the name is resolved, because the other properties may refer back to this
	// resource.
	var v *Value
	if n := r.Node.Get("Properties", property); n != nil && property != "" {
		v = r.template.resolve(n, 0)
	}
	switch {
	case v != nil:
	case r.template.options.Deployed:
		stack := r.template.options.StackName
		if stack == "" {
			stack = string(hole)
		}
		end := "-" + generatedSuffix
		if r.Type == "AWS::SQS::Queue" && r.fifo() {
			end += ".fifo"
		}
		v = &Value{Kind: String, Text: stack + "-" + r.ID + end, Pos: r.Pos}
		if stack == string(hole) {
			v.Why = "the name of the stack"
		}
	default:
		v = &Value{Kind: String, Text: r.ID, Pos: r.Pos}
		if r.Type == "AWS::SQS::Queue" && r.fifo() {
			v.Text += ".fifo"
		}
	}
	if r.Type == "AWS::S3::Bucket" && r.Generated() {
		v.Text = strings.ToLower(v.Text) // as CloudFormation does: a bucket has no other letters
	}
	r.name = v
	return v
}

func (r *Resource) fifo() bool {
	n := r.Node.Get("Properties", "FifoQueue")
	return n != nil && strings.EqualFold(n.Text, "true")
}

// arn returns an ARN in the template's region and account; the name may be partly
// unknown.
func (r *Resource) arn(service, prefix string, suffix ...string) *Value {
	t := r.template
	region, account := t.options.Region, t.options.Account
	switch service {
	case "iam":
		region = ""
	case "s3":
		region, account = "", ""
	}
	name := r.Name()
	w := writer{pos: r.Pos}
	w.text("arn:" + t.partition() + ":" + service + ":" + region + ":" + account + ":" + prefix)
	w.value(name)
	w.text(strings.Join(suffix, ""))
	return w.done()
}

// ARN returns the resource's ARN, or an unknown value with the reason.
func (r *Resource) ARN() *Value { return r.attribute("Arn") }

// ref returns what Ref yields for a resource.
func (r *Resource) ref() *Value {
	switch r.Type {
	case "AWS::SQS::Queue":
		return r.attribute("QueueUrl")
	case "AWS::SNS::Topic", "AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine", "AWS::IAM::ManagedPolicy", "AWS::SecretsManager::Secret", "AWS::StepFunctions::Activity",
		"AWS::StepFunctions::StateMachineAlias", "AWS::StepFunctions::StateMachineVersion", "AWS::Lambda::Alias", "AWS::Lambda::Version", "AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion":
		return r.attribute("Arn")
	case "AWS::Events::Rule":
		if bus := r.Get("EventBusName"); bus != nil && bus.Or("") != "default" {
			return unknown(r.Pos, "the name of the rule "+r.ID)
		}
	}
	if _, ok := nameProperties[r.Type]; ok {
		return r.Name()
	}
	return unknown(r.Pos, "what Ref returns for "+r.ID)
}

// attribute returns what Fn::GetAtt yields for a resource.
func (r *Resource) attribute(name string) *Value {
	t := r.template
	switch r.Type + "." + name {
	case "AWS::SQS::Queue.Arn":
		return r.arn("sqs", "")
	case "AWS::SQS::Queue.QueueUrl":
		w := writer{pos: r.Pos}
		w.text("https://sqs." + t.options.Region + "." + t.pseudo("AWS::URLSuffix", r.Pos).Text + "/" + t.options.Account + "/")
		w.value(r.Name())
		return w.done()
	case "AWS::SNS::Topic.Arn", "AWS::SNS::Topic.TopicArn":
		return r.arn("sns", "")
	case "AWS::DynamoDB::Table.Arn", "AWS::DynamoDB::GlobalTable.Arn", "AWS::Serverless::SimpleTable.Arn":
		return r.arn("dynamodb", "table/")
	case "AWS::Lambda::Function.Arn", "AWS::Serverless::Function.Arn":
		return r.arn("lambda", "function:")
	case "AWS::StepFunctions::StateMachine.Arn", "AWS::Serverless::StateMachine.Arn":
		return r.arn("states", "stateMachine:")
	case "AWS::StepFunctions::Activity.Arn":
		return r.arn("states", "activity:")
	case "AWS::StepFunctions::StateMachineAlias.Arn":
		return r.qualified(r.aliasedMachine(), r.Name())
	case "AWS::StepFunctions::StateMachineVersion.Arn":
		return r.qualified(r.Get("StateMachineArn"), nil)
	case "AWS::Lambda::Alias.Arn", "AWS::Lambda::Alias.AliasArn":
		return r.qualified(r.functionARN(), r.Name())
	case "AWS::Lambda::Version.Arn", "AWS::Lambda::Version.FunctionArn":
		return r.qualified(r.functionARN(), nil)
	case "AWS::Events::EventBus.Arn":
		return r.arn("events", "event-bus/")
	case "AWS::Events::Rule.Arn":
		return r.arn("events", "rule/")
	case "AWS::IAM::Role.Arn":
		return r.arn("iam", "role/")
	case "AWS::IAM::ManagedPolicy.Arn":
		return r.arn("iam", "policy/")
	case "AWS::S3::Bucket.Arn":
		return r.arn("s3", "")
	case "AWS::SSM::Parameter.Arn":
		return r.arn("ssm", "parameter")
	case "AWS::SecretsManager::Secret.Arn", "AWS::SecretsManager::Secret.Id":
		return r.arn("secretsmanager", "secret:", "-"+secretSuffix)
	case "AWS::KMS::Key.Arn":
		return r.arn("kms", "key/")
	case "AWS::Logs::LogGroup.Arn":
		return r.arn("logs", "log-group:", ":*")
	case "AWS::Kinesis::Stream.Arn":
		return r.arn("kinesis", "stream/")
	case "AWS::Lambda::LayerVersion.Arn", "AWS::Serverless::LayerVersion.Arn":
		return r.arn("lambda", "layer:", ":1")
	}
	if name == nameProperties[r.Type] || name == "Name" && strings.HasSuffix(r.Type, "::StateMachine") {
		return r.Name()
	}
	return unknown(r.Pos, "the attribute "+name+" of "+r.ID)
}

// secretSuffix replaces the six characters that Secrets Manager appends to a secret's
// name.
const secretSuffix = "XXXXXX"

// qualified returns an ARN with a qualifier; the number of a version is never known.
func (r *Resource) qualified(of, qualifier *Value) *Value {
	w := writer{pos: r.Pos}
	w.value(of)
	w.text(":")
	if qualifier == nil {
		qualifier = unknown(r.Pos, "the number of the version "+r.ID)
	}
	w.value(qualifier)
	return w.done()
}

// aliasedMachine returns the ARN of the machine to whose versions an alias routes.
func (r *Resource) aliasedMachine() *Value {
	v := r.Get("DeploymentPreference", "StateMachineVersionArn")
	if routes := r.Get("RoutingConfiguration").List(); v == nil && len(routes) > 0 {
		v = routes[0].Get("StateMachineVersionArn")
	}
	if v == nil || v.Kind != String {
		return unknown(r.Pos, "the machine of the alias "+r.ID)
	}
	if i := strings.LastIndexByte(v.Text, ':'); strings.Count(v.Text, ":") == 7 {
		return &Value{Kind: String, Text: v.Text[:i], Pos: v.Pos}
	}
	return v
}

// functionARN returns the ARN of the function to which an alias or a version belongs.
func (r *Resource) functionARN() *Value {
	v := r.Get("FunctionName")
	s, known := v.String()
	if !known || strings.HasPrefix(s, "arn:") {
		return v
	}
	for _, f := range r.template.Of("AWS::Lambda::Function", "AWS::Serverless::Function") {
		if f.Name().Or("") == s {
			return f.ARN()
		}
	}
	return r.arnOrName("lambda", "function:", s, "Arn", v.Pos)
}
