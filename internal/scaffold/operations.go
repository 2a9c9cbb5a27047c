package scaffold

import (
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/expressway-dev/expressway/deploy"
	"github.com/expressway-dev/expressway/internal/sources"
)

// The logical ids and names of the resources for operating the stack.
const (
	idFunctionLogs  = "ExpresswayLogs"
	idAPILogs       = "ExpresswayApiLogs"
	alarmsDir       = "alarms"
	paramTopic      = "AlarmTopicArn"
	paramGradual    = "GradualDeployment"
	paramConcurrent = "WebhookConcurrency"
	paramAccessLog  = "AccessLog"
	condConcurrent  = "BoundWebhooks"
	condAccessLog   = "WithAccessLog"
	// requestRate and requestBurst are the API's throttling limits.
	requestRate, requestBurst = 100, 200
)

// operated reports whether the stack gets versions, alarms and logs. Only SAM publishes a
// new version when a function changes; plain CloudFormation does not.
func (p *plan) operated() bool { return p.sam }

// bounded reports whether the door has no throttling of its own, so that only the webhook
// function's reserved concurrency limits requests.
func (p *plan) bounded() bool {
	return p.operated() && p.from(sources.HTTP) && (p.Door == "function-url" || p.Door == "alb")
}

// logsAtOwnRisk reports whether the door's access log needs a role in the settings of the
// account.
func (p *plan) logsAtOwnRisk() bool {
	return p.operated() && p.from(sources.HTTP) && p.Door == "rest"
}

// operationParameters returns the parameters for operating the stack that the template
// does not have yet.
func (p *plan) operationParameters() string {
	w := &writer{}
	if !p.operated() {
		return ""
	}
	parameter := func(name, fallback, more, description string) {
		if p.template != nil && p.template.Root.Get("Parameters", name) != nil {
			return
		}
		w.f("%s:", name)
		w.f("  Type: String")
		w.f("  Default: %q", fallback)
		if more != "" {
			w.f("  %s", more)
		}
		w.f("  Description: %s", description)
	}
	parameter(paramTopic, "", "", "The SNS topic for alarms; empty for none.")
	parameter(paramGradual, "false", `AllowedValues: ["true", "false"]`, "Whether a new version first gets a tenth of the traffic, and is rolled back if an alarm goes off.")
	if p.bounded() {
		parameter(paramConcurrent, "", `AllowedPattern: "[0-9]*"`, "How many requests the webhook function processes at a time; empty for no limit of its own.")
	}
	if p.logsAtOwnRisk() {
		parameter(paramAccessLog, "on", `AllowedValues: ["on", "off"]`, "Set it to off if API Gateway has no role for logs in this account (see `aws apigateway get-account`).")
	}
	return w.b.String()
}

// conditions returns the members of Conditions that the stack needs.
func (p *plan) conditions() string {
	w := &writer{}
	if p.bounded() && !p.hasCondition(condConcurrent) {
		w.f("%s: !Not [!Equals [!Ref %s, \"\"]]", condConcurrent, paramConcurrent)
	}
	if p.logsAtOwnRisk() && !p.hasCondition(condAccessLog) {
		w.f("%s: !Equals [!Ref %s, \"on\"]", condAccessLog, paramAccessLog)
	}
	return w.b.String()
}

func (p *plan) hasCondition(name string) bool {
	return p.template != nil && p.template.Root.Get("Conditions", name) != nil
}

// secretID returns the logical id of the secret behind a variable.
func secretID(v variable) string { return "Expressway" + v.parameter }

// referenceName returns the name of the variable that holds the reference to the secret
// of another variable.
func referenceName(name string) string { return name + "_REF" }

// refused are findings of checkov that do not apply, with the reasons.
func refused(k kind, door string) [][2]string {
	bound := map[string]string{
		idWebhook: "The API throttles; how to divide the account's concurrency is for its owner to decide.",
		idQueue:   "ScalingConfig limits the concurrency of its queue.",
		idEvents:  "Events that exceed the concurrency wait in Lambda's own queue.",
	}[k.id]
	letters := map[string]string{
		idWebhook: "Called synchronously - a dead-letter queue would get nothing.",
		idQueue:   "Its queue has a redrive policy - Lambda would not use a dead-letter queue of the function.",
		idEvents:  "Its on-failure destination receives the event with the error.",
	}[k.id]
	out := [][2]string{{"CKV_AWS_116", letters}, {"CKV_AWS_117", "It calls only public endpoints of AWS."}, {"CKV_AWS_173", "The environment holds no secret, and Lambda encrypts it."}}
	if k.id != idWebhook || door != "function-url" && door != "alb" {
		out = append(out, [2]string{"CKV_AWS_115", bound})
	}
	return out
}

// skips writes the findings of checkov that do not apply, at the indentation of Metadata's
// members.
func (w *writer) skips(findings [][2]string) {
	w.f("      checkov:")
	w.f("        skip:")
	for _, f := range findings {
		w.f("          - {id: %s, comment: %q}", f[0], f[1])
	}
}

// samMetadata writes the Metadata of a function.
func (p *plan) samMetadata(w *writer, k kind) {
	w.f("  Metadata:")
	w.f("    SkipBuild: true")
	inner := &writer{}
	inner.skips(refused(k, p.Door))
	for line := range strings.SplitSeq(strings.TrimRight(inner.b.String(), "\n"), "\n") {
		w.f("%s", strings.TrimPrefix(line, "  "))
	}
}

// published returns the parameters whose values are in a function's properties.
func (p *plan) published(id string) []string {
	var out []string
	if p.machine == "" {
		out = append(out, "${StateMachineArn}")
	}
	if id == idWebhook {
		for _, v := range p.variables() {
			if !v.secret {
				out = append(out, "${"+v.parameter+"}")
			}
		}
	}
	return out
}

// samVersions writes the alias, the settings that publish a version, and how traffic
// moves to it.
func (p *plan) samVersions(w *writer, k kind) {
	w.f("    # All callers use this alias, which moves to a new version at each change.")
	w.f("    AutoPublishAlias: live")
	w.f("    AutoPublishAliasAllProperties: true")
	if read := p.published(k.id); len(read) > 0 {
		w.f("    # A change of a parameter's value does not change the template's text: this makes it publish a version.")
		w.f("    VersionDescription: !Sub \"%s\"", strings.Join(read, " "))
	}
	w.f("    DeploymentPreference:")
	w.f("      Enabled: !Ref %s", paramGradual)
	w.f("      Type: Canary10Percent5Minutes")
	w.f("      Alarms: [!GetAtt %[1]sAlarms.Outputs.Errors, !GetAtt %[1]sAlarms.Outputs.Failed, !GetAtt %[1]sAlarms.Outputs.Unknown]", k.id)
}

// secretIDs returns the logical ids of the secrets that the webhook function reads.
func (p *plan) secretIDs() []string {
	var out []string
	for _, v := range p.variables() {
		if v.secret && p.operated() {
			out = append(out, secretID(v))
		}
	}
	return out
}

// secrets writes the secrets that the webhook function's references name.
func (p *plan) secrets(w *writer) {
	if !p.operated() || !p.from(sources.HTTP) {
		return
	}
	for _, v := range p.variables() {
		if !v.secret || p.has(secretID(v)) {
			continue
		}
		w.f("%s:", secretID(v))
		w.f("  Type: AWS::SecretsManager::Secret")
		w.f("  Metadata: {checkov: {skip: [{id: CKV_AWS_149, comment: \"Secrets Manager's own key encrypts.\"}]}}")
		w.f("  Properties: {SecretString: !Ref %s}", v.parameter)
	}
}

// operations writes the log group and the alarms of new functions.
func (p *plan) operations(w *writer) {
	if !p.operated() {
		return
	}
	if !p.has(idFunctionLogs) {
		p.logGroup(w, idFunctionLogs, "/aws/lambda/${AWS::StackName}/expressway")
	}
	for _, k := range p.kinds() {
		p.alarms(w, k.id+"Alarms", "function.yaml", "FunctionName: !Ref "+k.id, "TimeoutSeconds: "+quote(seconds(k.timeout)))
		switch {
		case k.id == idQueue && p.from(sources.SQS) && p.deadID() != "":
			p.alarms(w, p.queueID()+"Alarms", "queue.yaml", "QueueName: !GetAtt "+p.queueID()+".QueueName", "DeadLetterQueueName: !GetAtt "+p.deadID()+".QueueName")
		case k.id == idEvents:
			p.alarms(w, idFailed+"Alarms", "queue.yaml", "DeadLetterQueueName: !GetAtt "+idFailed+".QueueName")
		}
	}
	if p.Accept {
		p.alarms(w, idAccepted+"Alarms", "queue.yaml", "QueueName: !GetAtt "+idAccepted+".QueueName", "DeadLetterQueueName: !GetAtt "+idAcceptedDead+".QueueName")
	}
}

func (p *plan) logGroup(w *writer, id, name string) {
	w.f("%s:", id)
	w.f("  Type: AWS::Logs::LogGroup")
	w.f("  Metadata: {checkov: {skip: [{id: CKV_AWS_158, comment: \"It contains no payload, and CloudWatch Logs encrypts it.\"}]}}")
	w.f("  DeletionPolicy: Delete")
	w.f("  UpdateReplacePolicy: Delete")
	w.f("  Properties: {LogGroupName: !Sub %q, RetentionInDays: 30}", name)
}

// alarms writes a nested stack with a template of alarms/.
func (p *plan) alarms(w *writer, id, file string, parameters ...string) {
	if p.has(id) {
		return
	}
	w.f("%s:", id)
	w.f("  Type: AWS::CloudFormation::Stack")
	w.f("  Properties:")
	w.f("    TemplateURL: %s/%s", alarmsDir, file)
	w.f("    Parameters: {%s, %s: !Ref %s}", strings.Join(parameters, ", "), paramTopic, paramTopic)
}

// alarmFiles returns the templates of the nested stacks that the written resources name.
func (p *plan) alarmFiles(c *Changes, resources string) error {
	names, err := fs.Glob(deploy.Alarms, alarmsDir+"/*.yaml")
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.Contains(resources, "TemplateURL: "+name) {
			continue
		}
		text, err := fs.ReadFile(deploy.Alarms, name)
		if err != nil {
			return err
		}
		c.file(path.Join(alarmsDir, path.Base(name)), string(text))
	}
	return nil
}

func seconds(n int) string { return strconv.Itoa(n) }
