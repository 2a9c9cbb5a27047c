package scaffold

import (
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
)

// A writer builds a block of YAML.
type writer struct{ b strings.Builder }

func (w *writer) f(format string, args ...any) {
	fmt.Fprintf(&w.b, format+"\n", args...)
}

// parameters returns the members of Parameters that the stack needs.
func (p *plan) parameters() string {
	w := &writer{}
	for _, v := range p.variables() {
		if p.template != nil && p.template.Root.Get("Parameters", v.parameter) != nil {
			continue
		}
		w.f("%s:", v.parameter)
		w.f("  Type: String")
		if v.secret {
			w.f("  NoEcho: true")
			w.f("  MinLength: 1")
		}
		if v.fallback != "" {
			w.f("  Default: %s", v.fallback)
		}
		w.f("  Description: %s", v.description)
	}
	if p.machine == "" {
		w.f("StateMachineArn:")
		w.f("  Type: String")
		w.f("  Description: The ARN of the Express state machine that the routes start.")
	}
	if p.from(sources.HTTP) && p.Door == "alb" {
		w.f("ListenerArn:")
		w.f("  Type: String")
		w.f("  Description: The ARN of the listener of the load balancer that receives the requests.")
	}
	return w.b.String()
}

// machineRef returns the reference to the state machine's ARN in the template.
func (p *plan) machineRef() string {
	if p.machine == "" {
		return "!Ref StateMachineArn"
	}
	return "!Ref " + p.machine
}

func (p *plan) startAction() string {
	if p.express {
		return "states:StartSyncExecution"
	}
	return "states:StartExecution"
}

func (p *plan) layerRef() string {
	if p.Layer != "" {
		return p.Layer
	}
	return "!Ref " + idLayer
}

// environment writes the variables of a function.
func (p *plan) environment(w *writer, indent, id string) {
	if p.startsIn(id) {
		w.f("%s%s: %s", indent, p.variable, p.machineRef())
	}
	if p.remembersIn(id) {
		w.f("%sEXPRESSWAY_DEDUPE_TABLE: !Ref %s", indent, idTable)
	}
	p.acceptEnvironment(w, indent, id)
	switch id {
	case idWebhook:
		for _, v := range p.variables() {
			switch {
			case v.secret && p.operated():
				w.f("%s%s: !Sub \"secretsmanager:${%s}\"", indent, referenceName(v.name), secretID(v))
				w.f("%s%s: \"\" # `sam local` fills it from env.json", indent, v.name)
			default:
				w.f("%s%s: !Ref %s", indent, v.name, v.parameter)
			}
		}
	case idQueue:
		if !p.from(sources.SQS) {
			return
		}
		w.f("%s%s: !GetAtt %s.Arn", indent, p.names.queueVar, p.queueID())
		if p.deadID() != "" {
			w.f("%s%s: !Ref %s", indent, p.names.deadVar, p.deadID())
		}
	}
}

// statements writes the permissions of a function: exactly those that its routes need.
func (p *plan) statements(w *writer, indent, id string) {
	if p.startsIn(id) {
		w.f("%s- Effect: Allow", indent)
		w.f("%s  Action: %s", indent, p.startAction())
		w.f("%s  Resource: %s", indent, p.machineRef())
	}
	if ids := p.secretIDs(); id == idWebhook && len(ids) > 0 {
		w.f("%s- Effect: Allow", indent)
		w.f("%s  Action: secretsmanager:GetSecretValue", indent)
		if len(ids) == 1 {
			w.f("%s  Resource: !Ref %s", indent, ids[0])
		} else {
			w.f("%s  Resource: [!Ref %s]", indent, strings.Join(ids, ", !Ref "))
		}
	}
	p.acceptStatements(w, indent, id)
	if p.remembersIn(id) {
		w.f("%s- Effect: Allow", indent)
		w.f("%s  Action: [dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:DeleteItem]", indent)
		w.f("%s  Resource: !GetAtt %s.Arn", indent, idTable)
	}
	if id == idQueue && p.from(sources.SQS) && p.deadID() != "" {
		w.f("%s- Effect: Allow", indent)
		w.f("%s  Action: sqs:SendMessage", indent)
		w.f("%s  Resource: !GetAtt %s.Arn", indent, p.deadID())
	}
}

// A kind is one of the three functions.
type kind struct {
	id, handler string
	timeout     int
}

func (p *plan) kinds() []kind {
	var out []kind
	if p.from(sources.HTTP) {
		out = append(out, kind{idWebhook, sources.Webhook, 25})
	}
	if p.from(sources.SQS) || p.Accept {
		out = append(out, kind{idQueue, sources.Queue, p.queueTime})
	}
	if p.from(sources.EventBridge) {
		out = append(out, kind{idEvents, sources.Event, 60})
	}
	return out
}

// resources returns the members of Resources that the routes need.
func (p *plan) resources() string {
	w := &writer{}
	for _, k := range p.kinds() {
		if p.sam {
			p.samFunction(w, k)
		} else {
			p.plainFunction(w, k)
		}
	}
	p.shared(w)
	if p.from(sources.HTTP) {
		p.door(w)
	}
	p.operations(w)
	return w.b.String()
}

// throttles explain what limits the requests of a door that has no throttling of its own.
var throttles = map[string]string{
	"function-url": "A function URL has no throttling and no access log. This limits the requests, and the function logs them.",
	"alb":          "A load balancer does not throttle: this limits the requests. Its access log is an attribute of the balancer.",
}

func (p *plan) samFunction(w *writer, k kind) {
	w.f("%s:", k.id)
	w.f("  Type: AWS::Serverless::Function")
	p.samMetadata(w, k)
	w.f("  Properties:")
	w.f("    Runtime: provided.al2023")
	w.f("    Architectures: [%s]", p.Arch)
	w.f("    Handler: %s", k.handler)
	w.f("    CodeUri: %s/", configDir)
	w.f("    Layers: [%s]", p.layerRef())
	w.f("    MemorySize: 256")
	if k.id == idQueue && p.queue != nil && k.timeout < 60 {
		w.f("    # A sixth of the queue's VisibilityTimeout, as Lambda recommends.")
	}
	w.f("    Timeout: %d", k.timeout)
	w.f("    Tracing: Active")
	w.f("    LoggingConfig: {LogFormat: JSON, LogGroup: !Ref %s}", idFunctionLogs)
	if k.id == idWebhook && p.bounded() {
		w.f("    # %s", throttles[p.Door])
		w.f("    ReservedConcurrentExecutions: !If [%s, !Ref %s, !Ref AWS::NoValue]", condConcurrent, paramConcurrent)
	}
	p.samVersions(w, k)
	w.f("    Environment:")
	w.f("      Variables:")
	p.environment(w, "        ", k.id)
	w.f("    Policies:")
	w.f("      - Statement:")
	p.statements(w, "          ", k.id)
	switch k.id {
	case idWebhook:
		p.samDoors(w)
	case idQueue:
		w.f("    Events:")
		if p.from(sources.SQS) {
			p.samQueueEvent(w, "      ", p.names.queueEvent, p.queueID())
		}
		if p.Accept {
			p.samQueueEvent(w, "      ", "Accepted", idAccepted)
		}
	case idEvents:
		w.f("    EventInvokeConfig:")
		w.f("      MaximumRetryAttempts: 2")
		w.f("      DestinationConfig:")
		w.f("        OnFailure: {Type: SQS, Destination: !GetAtt %s.Arn}", idFailed)
		w.f("    Events:")
		p.samRuleEvent(w, "      ")
	}
}

func (p *plan) samQueueEvent(w *writer, indent, name, queue string) {
	w.f("%s%s:", indent, name)
	w.f("%s  Type: SQS", indent)
	w.f("%s  Properties:", indent)
	w.f("%s    Queue: !GetAtt %s.Arn", indent, queue)
	w.f("%s    BatchSize: 10", indent)
	w.f("%s    # Without this, Lambda would delete all messages of a batch, even those that failed.", indent)
	w.f("%s    FunctionResponseTypes: [ReportBatchItemFailures]", indent)
	w.f("%s    ScalingConfig: {MaximumConcurrency: 5}", indent)
}

func (p *plan) samRuleEvent(w *writer, indent string) {
	w.f("%s%s:", indent, p.names.eventEvent)
	w.f("%s  Type: EventBridgeRule", indent)
	w.f("%s  Properties:", indent)
	if p.bus != "" {
		w.f("%s    EventBusName: !Ref %s", indent, p.bus)
	}
	w.f("%s    Pattern:", indent)
	p.pattern(w, indent+"      ")
}

// pattern writes the event pattern of the rule.
func (p *plan) pattern(w *writer, indent string) {
	for _, field := range []struct{ name, text string }{{"source", p.source}, {"detail-type", p.detailType}} {
		prefix, star := strings.CutSuffix(field.text, "*")
		switch {
		case field.text == "*":
		case star:
			w.f("%s%s: [{prefix: %q}]", indent, field.name, prefix)
		default:
			w.f("%s%s: [%q]", indent, field.name, field.text)
		}
	}
}

// shared writes the resources that are not functions.
func (p *plan) shared(w *writer) {
	if p.from(sources.SQS) && p.queue == nil {
		w.f("%s:", idJobs)
		w.f("  Type: AWS::SQS::Queue")
		p.queueMetadata(w)
		p.queueProperties(w, 6*p.queueTime, idDead)
	}
	p.acceptResources(w)
	if p.from(sources.EventBridge) && !p.has(idFailed) {
		p.deadLetters(w, idFailed)
	}
	if p.dedupes() && !p.has(idTable) {
		w.f("%s:", idTable)
		w.f("  Type: AWS::DynamoDB::Table")
		if p.operated() {
			w.f("  Metadata:")
			w.f("    checkov:")
			w.f("      skip:")
			w.f("        - {id: CKV_AWS_119, comment: \"DynamoDB's own key encrypts.\"}")
			w.f("        - {id: CKV_AWS_28, comment: \"Restored records would only name deliveries that were settled long ago.\"}")
		}
		w.f("  DeletionPolicy: Delete")
		w.f("  UpdateReplacePolicy: Delete")
		w.f("  Properties:")
		w.f("    BillingMode: PAY_PER_REQUEST")
		w.f("    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]")
		w.f("    KeySchema: [{AttributeName: id, KeyType: HASH}]")
		w.f("    TimeToLiveSpecification: {AttributeName: expiration, Enabled: true}")
	}
	p.secrets(w)
	if p.Layer == "" && !p.has(idLayer) {
		p.layer(w)
	}
}

// has reports whether the template has a resource with that logical id.
func (p *plan) has(id string) bool { return p.template != nil && p.template.Resource(id) != nil }

// queueProperties writes the properties of a queue that feeds the queue function, and its
// dead-letter queue.
func (p *plan) queueProperties(w *writer, visibility int, dead string) {
	w.f("  Properties:")
	w.f("    VisibilityTimeout: %d", visibility)
	w.f("    SqsManagedSseEnabled: true")
	w.f("    RedrivePolicy:")
	w.f("      deadLetterTargetArn: !GetAtt %s.Arn", dead)
	w.f("      maxReceiveCount: 5")
	p.deadLetters(w, dead)
}

func (p *plan) deadLetters(w *writer, id string) {
	w.f("%s:", id)
	w.f("  Type: AWS::SQS::Queue")
	p.queueMetadata(w)
	w.f("  DeletionPolicy: Retain")
	w.f("  UpdateReplacePolicy: Retain")
	w.f("  Properties:")
	w.f("    MessageRetentionPeriod: 1209600")
	w.f("    SqsManagedSseEnabled: true")
}

func (p *plan) queueMetadata(w *writer) {
	if p.operated() {
		w.f("  Metadata: {checkov: {skip: [{id: CKV_AWS_27, comment: \"SQS's own key encrypts.\"}]}}")
	}
}

func (p *plan) layer(w *writer) {
	w.f("%s:", idLayer)
	if p.sam {
		w.f("  Type: AWS::Serverless::LayerVersion")
	} else {
		w.f("  Type: AWS::Lambda::LayerVersion")
		w.f("  DeletionPolicy: Retain")
		w.f("  UpdateReplacePolicy: Retain")
	}
	w.f("  Properties:")
	w.f("    LayerName: expressway-%s-%s", strings.ReplaceAll(layerVersion(p.Version), ".", "-"), strings.ReplaceAll(p.Arch, "_", "-"))
	if p.sam {
		w.f("    ContentUri: %s", p.LayerFile)
		w.f("    # A new layer publishes a new version of the functions.")
		w.f("    PublishLambdaVersion: true")
		w.f("    RetentionPolicy: Retain")
	} else {
		w.f("    Content: %s", p.LayerFile)
	}
	w.f("    CompatibleRuntimes: [provided.al2023]")
	w.f("    CompatibleArchitectures: [%s]", p.Arch)
}

// layerVersion returns a version in the form that the name of a layer allows.
func layerVersion(version string) string {
	return strings.Trim(separators.ReplaceAllString(version, "-"), "-")
}

// balancerName returns the name of the balancer in the dimensions of metrics. A listener's
// ARN contains it: arn:…:listener/app/NAME/ID/ID.
const balancerName = `!Join ["/", [!Select [1, !Split ["/", !Ref ListenerArn]], !Select [2, !Split ["/", !Ref ListenerArn]], !Select [3, !Split ["/", !Ref ListenerArn]]]]`

// webhookRef returns the target of requests: the alias, if there is one.
func (p *plan) webhookRef() string {
	if p.operated() {
		return "!Ref " + idWebhook + ".Alias"
	}
	return "!GetAtt " + idWebhook + ".Arn"
}

// extend adds the resources to an existing template.
func (p *plan) extend(d *document, resources string) error {
	parameters := p.parameters() + p.operationParameters()
	if parameters != "" {
		if err := d.add([]string{"Parameters"}, parameters); err != nil {
			return err
		}
	}
	if conditions := p.conditions(); conditions != "" {
		if err := d.add([]string{"Conditions"}, conditions); err != nil {
			return err
		}
	}
	return d.add([]string{"Resources"}, "\n# ---- Expressway: routes of "+ConfigFile+"\n"+resources)
}
