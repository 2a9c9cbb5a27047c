package scaffold

import (
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/verify"
)

// method returns the method of a webhook's API event: any, if the provider asks for
// consent with a method other than POST.
func (h *hook) method() string {
	preset, _ := verify.Lookup(h.provider)
	if preset.Handshake != nil && slices.ContainsFunc(preset.Handshake.Methods, func(m string) bool { return m != "POST" }) {
		return "ANY"
	}
	return "POST"
}

func (p *plan) samDoors(w *writer) {
	switch p.Door {
	case "function-url":
		w.f("    FunctionUrlConfig: {AuthType: NONE}")
		return
	case "alb":
		return
	}
	w.f("    Events:")
	for _, h := range p.hooks {
		p.samHookEvent(w, "      ", h)
	}
}

func (p *plan) samHookEvent(w *writer, indent string, h *hook) {
	w.f("%s%s:", indent, pascal(h.name))
	if p.Door == "rest" {
		w.f("%s  Type: Api", indent)
		w.f("%s  Properties: {RestApiId: !Ref %s, Path: %s, Method: %s}", indent, idAPI, h.path, h.method())
		return
	}
	w.f("%s  Type: HttpApi", indent)
	w.f("%s  Properties:", indent)
	w.f("%s    ApiId: !Ref %s", indent, p.apiID())
	w.f("%s    Path: %s", indent, h.path)
	w.f("%s    Method: %s", indent, h.method())
	w.f("%s    PayloadFormatVersion: \"2.0\"", indent)
	w.f("%s    TimeoutInMillis: 29000", indent)
}

func (p *plan) apiID() string {
	if p.api != "" {
		return p.api
	}
	return idAPI
}

// door writes the API, or the other resource that receives the requests.
func (p *plan) door(w *writer) {
	switch {
	case p.Door == "alb":
		p.balancer(w)
	case p.Door == "rest":
		p.restAPI(w)
	case p.Door == "http-api" && !p.sam:
		p.plainAPI(w)
	case p.Door == "http-api" && p.api == "" && !p.has(idAPI):
		p.httpAPI(w)
	case p.Door == "function-url" && p.sam:
		p.alarms(w, idWebhook+"UrlAlarms", "api.yaml", "Kind: url", "Api: !Ref "+idWebhook)
	case p.Door == "function-url" && !p.sam:
		p.plainURL(w)
	}
}

// accessLog is the format of the access log. It has the route's key, and never the path or
// the query, which may contain a token. requestId is the gatewayRequestId in the function's
// log.
func accessLog(route, failure string) string {
	return `'{"requestId":"$context.requestId","requestTime":"$context.requestTime","routeKey":"` + route + `","status":"$context.status","responseLatency":"$context.responseLatency","integrationError":"` + failure + `","error":"$context.error.responseType"}'`
}

// httpAPI writes an HTTP API with throttling and access log.
func (p *plan) httpAPI(w *writer) {
	w.f("%s:", idAPI)
	w.f("  Type: AWS::Serverless::HttpApi")
	w.f("  Properties:")
	w.f("    # Requests per second, and at one moment. Further requests are answered with 429.")
	w.f("    DefaultRouteSettings: {ThrottlingRateLimit: %d, ThrottlingBurstLimit: %d}", requestRate, requestBurst)
	w.f("    AccessLogSettings:")
	w.f("      DestinationArn: !GetAtt %s.Arn", idAPILogs)
	w.f("      # The route's key, and never the path, which may contain a token.")
	w.f("      Format: %s", accessLog("$context.routeKey", "$context.integrationErrorMessage"))
	p.logGroup(w, idAPILogs, "/aws/vendedlogs/apis/${AWS::StackName}")
	p.alarms(w, idAPI+"Alarms", "api.yaml", "Api: !Ref "+idAPI)
}

// restAPI writes a REST API with throttling and access log.
func (p *plan) restAPI(w *writer) {
	if p.has(idAPI) {
		return
	}
	w.f("%s:", idAPI)
	w.f("  Type: AWS::Serverless::Api")
	w.f("  Metadata:")
	w.f("    checkov:")
	w.f("      skip:")
	w.f("        - {id: CKV_AWS_120, comment: \"The answer to one webhook must not be used for another.\"}")
	w.f("        - {id: CKV_AWS_76, comment: \"It logs unless the parameter %s is off; checkov does not evaluate this condition.\"}", paramAccessLog)
	w.f("  Properties:")
	w.f("    Name: !Sub \"${AWS::StackName}-webhooks\"")
	w.f("    StageName: live")
	w.f("    TracingEnabled: true")
	w.f("    # Requests per second, and at one moment. Further requests are answered with 429.")
	w.f("    MethodSettings: [{HttpMethod: \"*\", ResourcePath: \"/*\", ThrottlingRateLimit: %d, ThrottlingBurstLimit: %d}]", requestRate, requestBurst)
	w.f("    AccessLogSetting: !If")
	w.f("      - %s", condAccessLog)
	w.f("      - DestinationArn: !GetAtt %s.Arn", idAPILogs)
	w.f("        # The route's key, and never the path, which may contain a token.")
	w.f("        Format: %s", accessLog("$context.httpMethod $context.resourcePath", "$context.integrationErrorMessage"))
	w.f("      - !Ref AWS::NoValue")
	p.logGroup(w, idAPILogs, "/aws/vendedlogs/apis/${AWS::StackName}")
	p.alarms(w, idAPI+"Alarms", "api.yaml", "Kind: rest", "Api: !Sub \"${AWS::StackName}-webhooks\"")
}

// balancer attaches the function to a listener of an existing load balancer.
func (p *plan) balancer(w *writer) {
	w.f("ExpresswayTargetGroup:")
	w.f("  Type: AWS::ElasticLoadBalancingV2::TargetGroup")
	w.f("  DependsOn: ExpresswayBalancerPermission")
	w.f("  Properties:")
	w.f("    TargetType: lambda")
	w.f("    Targets: [{Id: %s}]", p.webhookRef())
	w.f("ExpresswayListenerRule:")
	w.f("  Type: AWS::ElasticLoadBalancingV2::ListenerRule")
	w.f("  Properties:")
	w.f("    ListenerArn: !Ref ListenerArn")
	w.f("    Priority: 100")
	w.f("    Conditions:")
	w.f("      - Field: path-pattern")
	paths := make([]string, len(p.hooks))
	for i, h := range p.hooks {
		paths[i] = h.path
	}
	w.f("        PathPatternConfig: {Values: [%s]}", strings.Join(paths, ", "))
	w.f("    Actions: [{Type: forward, TargetGroupArn: !Ref ExpresswayTargetGroup}]")
	w.f("ExpresswayBalancerPermission:")
	w.f("  Type: AWS::Lambda::Permission")
	w.f("  Properties:")
	w.f("    FunctionName: %s", p.webhookRef())
	w.f("    Action: lambda:InvokeFunction")
	w.f("    Principal: elasticloadbalancing.amazonaws.com")
	w.f("    # The target group is created after its permission, so its name is not known here.")
	w.f("    SourceArn: !Sub \"arn:${AWS::Partition}:elasticloadbalancing:${AWS::Region}:${AWS::AccountId}:targetgroup/*\"")
	if p.operated() {
		p.alarms(w, "ExpresswayTargetGroupAlarms", "api.yaml", "Kind: alb", "Api: !GetAtt ExpresswayTargetGroup.TargetGroupFullName", "LoadBalancer: "+balancerName)
	}
}
