package scaffold

import (
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
)

// snippet writes the files for CDK and Terraform: the configuration, samples, and the
// code for the app or the module.
func (p *plan) snippet(c *Changes) error {
	switch {
	case p.from(sources.HTTP) && p.IaC == "cdk" && p.Door != "http-api":
		return fmt.Errorf("--door %s is not available with CDK: its construct creates an HTTP API (http-api)", p.Door)
	case p.from(sources.HTTP) && p.IaC == "terraform" && p.Door != "http-api" && p.Door != "function-url":
		return fmt.Errorf("--door %s is not available with Terraform: its module uses an HTTP API (http-api) or creates a function URL (function-url)", p.Door)
	}
	c.file(ConfigFile, p.configuration())
	p.samples(c)
	c.file("env.json", p.envFile())
	if p.IaC == "cdk" {
		c.file("expressway-routes.ts", p.cdk())
		c.note("call addRoutes from expressway-routes.ts in your stack")
	} else {
		c.file("expressway.tf", p.terraform())
		c.note("set the variables of expressway.tf")
	}
	return c.skipExisting()
}

// members writes NAME: VALUE for CDK, in braces, or nothing if there are none.
func members(name string, pairs ...string) string {
	if len(pairs) == 0 {
		return ""
	}
	return ", " + name + ": { " + strings.Join(pairs, ", ") + " }"
}

func (p *plan) cdk() string {
	w := &writer{}
	modules := []string{"Stack", "aws_lambda as lambda", "aws_stepfunctions as sfn"}
	props := "layer: lambda.ILayerVersion; machine: sfn.IStateMachine;"
	if p.from(sources.SQS) {
		props += " queue: sqs.IQueue; deadLetters: sqs.IQueue;"
	}
	if p.from(sources.SQS) || p.Accept {
		modules = append(modules, "aws_sqs as sqs")
	}
	if p.from(sources.EventBridge) {
		modules = append(modules, "aws_events as events")
		props += " bus: events.IEventBus;"
	}
	if p.dedupes() {
		modules = append(modules, "aws_dynamodb as dynamodb")
	}
	if p.Accept || p.Offload {
		modules = append(modules, "Duration")
	}
	if p.Offload {
		modules = append(modules, "aws_s3 as s3")
	}
	var constructs []string
	for _, k := range p.kinds() {
		constructs = append(constructs, map[string]string{idWebhook: "ExpresswayWebhook", idQueue: "ExpresswayQueue", idEvents: "ExpresswayEvents"}[k.id])
	}
	w.f("import { %s } from 'aws-cdk-lib';", strings.Join(modules, ", "))
	w.f("import { %s } from '@expressway-dev/cdk';", strings.Join(constructs, ", "))
	w.f("")
	w.f("/** The routes of expressway/expressway.yaml, in front of a state machine. */")
	w.f("export function addRoutes(stack: Stack, props: {")
	w.f("  %s", props)
	w.f("}): void {")
	w.f("  const common = { config: 'expressway/', layer: props.layer, machineVariables: { %s: props.machine } };", p.variable)
	p.cdkResources(w)
	var webhook, work []string // the properties of the functions in addition to common
	if p.Accept {
		webhook = append(webhook, p.acceptedVar()+": accepted")
		work = append(work, p.acceptedVar()+": accepted")
	}
	var dead []string
	if p.from(sources.SQS) {
		work = append(work, p.names.queueVar+": props.queue")
		dead = append(dead, p.names.deadVar+": props.deadLetters")
	}
	if p.Accept {
		dead = append(dead, acceptedDeadVar+": acceptedDeadLetters")
	}
	remembers := func(id string) string {
		if p.remembersIn(id) {
			return ", dedupeTable"
		}
		return ""
	}
	for _, k := range p.kinds() {
		switch k.id {
		case idWebhook:
			buckets := ""
			if p.Offload {
				buckets = members("buckets", inputsVar+": inputs")
			}
			w.f("  new ExpresswayWebhook(stack, 'Hooks', { ...common%s%s%s%s });", members("environment", p.cdkSecrets()...), members("queues", webhook...), buckets, remembers(k.id))
		case idQueue:
			w.f("  new ExpresswayQueue(stack, 'Queue', { ...common%s%s%s });", members("queues", work...), members("deadLetterQueues", dead...), remembers(k.id))
		case idEvents:
			w.f("  new ExpresswayEvents(stack, 'Events', { ...common, bus: props.bus });")
		}
	}
	w.f("}")
	return w.b.String()
}

// cdkResources writes the resources that the routes need in addition to those that are
// passed in.
func (p *plan) cdkResources(w *writer) {
	if p.dedupes() {
		w.f("  const dedupeTable = new dynamodb.Table(stack, 'Deliveries', {")
		w.f("    partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING }, timeToLiveAttribute: 'expiration', billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,")
		w.f("  });")
	}
	if p.Accept {
		w.f("  const acceptedDeadLetters = new sqs.Queue(stack, '%s', { retentionPeriod: Duration.days(14) });", idAcceptedDead)
		w.f("  const accepted = new sqs.Queue(stack, '%s', {", idAccepted)
		w.f("    visibilityTimeout: Duration.seconds(%d), deadLetterQueue: { queue: acceptedDeadLetters, maxReceiveCount: 5 },", p.acceptedVisibility())
		w.f("  });")
	}
	if p.Offload {
		w.f("  const inputs = new s3.Bucket(stack, '%s', {", idInputs)
		w.f("    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL, enforceSSL: true, lifecycleRules: [{ expiration: Duration.days(30) }],")
		w.f("  });")
	}
}

func (p *plan) cdkSecrets() []string {
	var out []string
	for _, v := range p.variables() {
		out = append(out, fmt.Sprintf("%s: process.env.%s ?? ''", v.name, v.name))
	}
	return out
}

// assign writes NAME = { … } into a block of Terraform, aligned as `terraform fmt` does.
func (w *writer) assign(name string, pairs ...[2]string) {
	if len(pairs) == 0 {
		return
	}
	w.f("  %s = {", name)
	w.aligned("    ", pairs)
	w.f("  }")
}

// aligned writes one attribute per line.
func (w *writer) aligned(indent string, pairs [][2]string) {
	longest := 0
	for _, pair := range pairs {
		longest = max(longest, len(pair[0]))
	}
	for _, pair := range pairs {
		w.f("%s%-*s = %s", indent, longest, pair[0], pair[1])
	}
}

func (p *plan) terraform() string {
	w := &writer{}
	for _, v := range p.variables() {
		w.f("variable %q {\n  type      = string\n  sensitive = true\n}\n", strings.ToLower(v.name))
	}
	w.f("variable \"state_machine_arn\" {\n  type = string\n}\n")
	w.f("variable \"layer_arn\" {\n  type = string\n}\n")
	for _, k := range p.kinds() {
		p.terraformModule(w, k)
	}
	p.terraformResources(w)
	return strings.TrimRight(w.b.String(), "\n") + "\n"
}

func (p *plan) terraformModule(w *writer, k kind) {
	w.f("module %q {", "expressway_"+k.handler)
	plain := [][2]string{
		{"source", `"github.com/expressway-dev/expressway//deploy/terraform"`},
		{"name", quote("expressway-" + k.handler)},
		{"kind", quote(k.handler)},
		{"config", `"${path.module}/expressway"`},
		{"layer", "var.layer_arn"},
	}
	if p.remembersIn(k.id) {
		plain = append(plain, [2]string{"dedupe_table", "aws_dynamodb_table.deliveries.name"})
	}
	if k.id == idWebhook && p.Door == "http-api" {
		plain = append(plain, [2]string{"api", "aws_apigatewayv2_api.webhooks"})
	}
	if k.id == idEvents {
		plain = append(plain, [2]string{"on_failure", "aws_sqs_queue.failed_events"})
	}
	w.aligned("  ", plain)
	if p.startsIn(k.id) {
		w.assign("machines", [2]string{p.variable, "var.state_machine_arn"})
	}
	var secrets, queues, dead [][2]string
	if k.id == idWebhook {
		for _, v := range p.variables() {
			secrets = append(secrets, [2]string{v.name, "var." + strings.ToLower(v.name)})
		}
	}
	if p.Accept && k.id != idEvents {
		queues = append(queues, [2]string{p.acceptedVar(), "aws_sqs_queue.accepted.arn"})
	}
	if k.id == idQueue && p.from(sources.SQS) {
		queues = append(queues, [2]string{p.names.queueVar, "aws_sqs_queue.deliveries.arn"})
		dead = append(dead, [2]string{p.names.deadVar, "aws_sqs_queue.deliveries_dead.url"})
	}
	if k.id == idQueue && p.Accept {
		dead = append(dead, [2]string{acceptedDeadVar, "aws_sqs_queue.accepted_dead.url"})
	}
	w.assign("environment", secrets...)
	w.assign("queues", queues...)
	w.assign("dead_letter_queues", dead...)
	if k.id == idWebhook && p.Offload {
		w.assign("buckets", [2]string{inputsVar, "aws_s3_bucket.large_inputs.bucket"})
	}
	w.f("}\n")
}

// terraformResources writes the resources that the routes need in addition to those that
// are passed in.
func (p *plan) terraformResources(w *writer) {
	if p.from(sources.HTTP) && p.Door == "http-api" {
		w.f("resource \"aws_apigatewayv2_api\" \"webhooks\" {\n  name          = \"expressway-webhooks\"\n  protocol_type = \"HTTP\"\n}\n")
		w.f("resource \"aws_apigatewayv2_stage\" \"webhooks\" {\n  api_id      = aws_apigatewayv2_api.webhooks.id\n  name        = \"$default\"\n  auto_deploy = true\n}\n")
	}
	if p.dedupes() {
		w.f("resource \"aws_dynamodb_table\" \"deliveries\" {\n  name         = \"expressway-deliveries\"\n  billing_mode = \"PAY_PER_REQUEST\"\n  hash_key     = \"id\"\n")
		w.f("  attribute {\n    name = \"id\"\n    type = \"S\"\n  }\n")
		w.f("  ttl {\n    attribute_name = \"expiration\"\n    enabled        = true\n  }\n}\n")
	}
	queue := func(name string, visibility int) {
		w.f("resource \"aws_sqs_queue\" \"%s_dead\" {\n  message_retention_seconds = 1209600\n}\n", name)
		w.f("resource \"aws_sqs_queue\" %q {\n  visibility_timeout_seconds = %d", name, visibility)
		w.f("  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.%s_dead.arn, maxReceiveCount = 5 })\n}\n", name)
	}
	if p.Accept {
		queue("accepted", p.acceptedVisibility())
	}
	if p.from(sources.SQS) {
		queue("deliveries", 6*p.queueTime)
	}
	if p.from(sources.EventBridge) {
		w.f("resource \"aws_sqs_queue\" \"failed_events\" {\n  message_retention_seconds = 1209600\n}\n")
	}
	if p.Offload {
		w.f("resource \"aws_s3_bucket\" \"large_inputs\" {\n  bucket_prefix = \"expressway-inputs-\"\n}\n")
		w.f("resource \"aws_s3_bucket_public_access_block\" \"large_inputs\" {\n  bucket                  = aws_s3_bucket.large_inputs.id\n  block_public_acls       = true\n  block_public_policy     = true\n  ignore_public_acls      = true\n  restrict_public_buckets = true\n}\n")
		w.f("resource \"aws_s3_bucket_lifecycle_configuration\" \"large_inputs\" {\n  bucket = aws_s3_bucket.large_inputs.id\n")
		w.f("  rule {\n    id     = \"forget\"\n    status = \"Enabled\"\n    filter {}\n\n    expiration {\n      days = 30\n    }\n  }\n}\n")
	}
}
