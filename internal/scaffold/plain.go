package scaffold

import "github.com/expressway-dev/expressway/internal/sources"

// plainFunction writes a function without SAM's transform, with its role and its event
// source.
func (p *plan) plainFunction(w *writer, k kind) {
	w.f("%sRole:", k.id)
	w.f("  Type: AWS::IAM::Role")
	w.f("  Properties:")
	w.f("    AssumeRolePolicyDocument:")
	w.f("      Version: \"2012-10-17\"")
	w.f("      Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: \"sts:AssumeRole\"}]")
	w.f("    ManagedPolicyArns:")
	if k.id == idQueue {
		w.f("      - !Sub \"arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole\"")
	} else {
		w.f("      - !Sub \"arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole\"")
	}
	w.f("      - !Sub \"arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess\"")
	w.f("    Policies:")
	w.f("      - PolicyName: routes")
	w.f("        PolicyDocument:")
	w.f("          Version: \"2012-10-17\"")
	w.f("          Statement:")
	p.statements(w, "            ", k.id)
	if k.id == idEvents {
		w.f("            - Effect: Allow")
		w.f("              Action: sqs:SendMessage")
		w.f("              Resource: !GetAtt %s.Arn", idFailed)
	}
	w.f("%s:", k.id)
	w.f("  Type: AWS::Lambda::Function")
	w.f("  Properties:")
	w.f("    Runtime: provided.al2023")
	w.f("    Architectures: [%s]", p.Arch)
	w.f("    Handler: %s", k.handler)
	w.f("    Code: %s/", configDir)
	w.f("    Layers: [%s]", p.layerRef())
	w.f("    Role: !GetAtt %sRole.Arn", k.id)
	w.f("    MemorySize: 256")
	w.f("    Timeout: %d", k.timeout)
	w.f("    TracingConfig: {Mode: Active}")
	w.f("    LoggingConfig: {LogFormat: JSON}")
	w.f("    Environment:")
	w.f("      Variables:")
	p.environment(w, "        ", k.id)
	switch k.id {
	case idQueue:
		if p.from(sources.SQS) {
			p.plainMapping(w, k.id+"Mapping", p.queueID())
		}
		if p.Accept {
			p.plainMapping(w, "AcceptedMapping", idAccepted)
		}
	case idEvents:
		p.plainRule(w)
	}
}

func (p *plan) plainMapping(w *writer, id, queue string) {
	w.f("%s:", id)
	w.f("  Type: AWS::Lambda::EventSourceMapping")
	w.f("  Properties:")
	w.f("    EventSourceArn: !GetAtt %s.Arn", queue)
	w.f("    FunctionName: !Ref %s", idQueue)
	w.f("    BatchSize: 10")
	w.f("    # Without this, Lambda would delete all messages of a batch, even those that failed.")
	w.f("    FunctionResponseTypes: [ReportBatchItemFailures]")
	w.f("    ScalingConfig: {MaximumConcurrency: 5}")
}

func (p *plan) plainRule(w *writer) {
	w.f("%sRule:", idEvents)
	w.f("  Type: AWS::Events::Rule")
	w.f("  Properties:")
	if p.bus != "" {
		w.f("    EventBusName: !Ref %s", p.bus)
	}
	w.f("    EventPattern:")
	p.pattern(w, "      ")
	w.f("    Targets: [{Id: expressway, Arn: !GetAtt %s.Arn}]", idEvents)
	w.f("%sPermission:", idEvents)
	w.f("  Type: AWS::Lambda::Permission")
	w.f("  Properties:")
	w.f("    FunctionName: !GetAtt %s.Arn", idEvents)
	w.f("    Action: lambda:InvokeFunction")
	w.f("    Principal: events.amazonaws.com")
	w.f("    SourceArn: !GetAtt %sRule.Arn", idEvents)
	w.f("%sInvokeConfig:", idEvents)
	w.f("  Type: AWS::Lambda::EventInvokeConfig")
	w.f("  Properties:")
	w.f("    FunctionName: !Ref %s", idEvents)
	w.f("    Qualifier: $LATEST")
	w.f("    MaximumRetryAttempts: 2")
	w.f("    DestinationConfig: {OnFailure: {Destination: !GetAtt %s.Arn}}", idFailed)
}

// plainAPI writes an HTTP API, or the routes of an existing one.
func (p *plan) plainAPI(w *writer) {
	if p.api == "" {
		w.f("%s:", idAPI)
		w.f("  Type: AWS::ApiGatewayV2::Api")
		w.f("  Properties: {Name: !Sub \"${AWS::StackName}-webhooks\", ProtocolType: HTTP}")
		w.f("%sStage:", idAPI)
		w.f("  Type: AWS::ApiGatewayV2::Stage")
		w.f("  Properties: {ApiId: !Ref %s, StageName: $default, AutoDeploy: true}", idAPI)
	}
	w.f("%sIntegration:", idWebhook)
	w.f("  Type: AWS::ApiGatewayV2::Integration")
	w.f("  Properties:")
	w.f("    ApiId: !Ref %s", p.apiID())
	w.f("    IntegrationType: AWS_PROXY")
	w.f("    IntegrationUri: !GetAtt %s.Arn", idWebhook)
	w.f("    PayloadFormatVersion: \"2.0\"")
	w.f("    TimeoutInMillis: 29000")
	for _, h := range p.hooks {
		w.f("%s%sRoute:", idWebhook, pascal(h.name))
		w.f("  Type: AWS::ApiGatewayV2::Route")
		w.f("  Properties: {ApiId: !Ref %s, RouteKey: \"%s %s\", Target: !Sub \"integrations/${%sIntegration}\"}", p.apiID(), h.method(), h.path, idWebhook)
	}
	w.f("%sPermission:", idWebhook)
	w.f("  Type: AWS::Lambda::Permission")
	w.f("  Properties:")
	w.f("    FunctionName: !GetAtt %s.Arn", idWebhook)
	w.f("    Action: lambda:InvokeFunction")
	w.f("    Principal: apigateway.amazonaws.com")
	w.f("    SourceArn: !Sub \"arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${%s}/*\"", p.apiID())
}

func (p *plan) plainURL(w *writer) {
	w.f("%sUrl:", idWebhook)
	w.f("  Type: AWS::Lambda::Url")
	w.f("  Properties: {AuthType: NONE, TargetFunctionArn: !GetAtt %s.Arn}", idWebhook)
	w.f("%sPermission:", idWebhook)
	w.f("  Type: AWS::Lambda::Permission")
	w.f("  Properties: {FunctionName: !GetAtt %s.Arn, Action: lambda:InvokeFunctionUrl, Principal: \"*\", FunctionUrlAuthType: NONE}", idWebhook)
}
