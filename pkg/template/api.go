package template

import "strings"

// A Door is a resource or event that lets HTTP requests through to a function.
type Door struct {
	Function *Function
	// Kind is http-api, rest, function-url or alb.
	Kind string
	// ID names the event or the resource.
	ID string
	// Method is in upper case, or * for any; Path has {name} and {name+} as in API
	// Gateway, and is empty for any path.
	Method, Path *Value
	// Limit is how long the door waits for an answer, in milliseconds; 0 if it has no
	// limit of its own.
	Limit *Value
	Pos   Pos
}

// The longest that API Gateway waits, in milliseconds, unless a shorter time is set.
const (
	httpAPILimit = "30000"
	restLimit    = "29000"
)

// Doors returns the doors to functions.
func (t *Template) Doors() []*Door {
	var out []*Door
	functions := t.Functions()
	for _, f := range functions {
		if f.Get("FunctionUrlConfig") != nil {
			out = append(out, &Door{Function: f, Kind: "function-url", ID: f.ID, Pos: f.At("FunctionUrlConfig")})
		}
		events := f.Get("Events")
		if events == nil {
			continue
		}
		for _, e := range events.Members {
			p := e.Value.Get("Properties")
			d := &Door{Function: f, ID: e.Name, Pos: f.At("Events", e.Name), Method: p.Get("Method"), Path: p.Get("Path")}
			switch e.Value.Get("Type").Or("") {
			case "HttpApi":
				d.Kind, d.Limit = "http-api", limit(p.Get("TimeoutInMillis"), httpAPILimit)
			case "Api":
				d.Kind, d.Limit = "rest", limit(p.Get("TimeoutInMillis"), restLimit)
			default:
				continue
			}
			out = append(out, d)
		}
	}
	for _, r := range t.Of("AWS::Lambda::Url") {
		if f := functionOf(functions, r.Get("TargetFunctionArn")); f != nil {
			out = append(out, &Door{Function: f, Kind: "function-url", ID: r.ID, Pos: r.Pos})
		}
	}
	out = append(out, t.httpAPIDoors(functions)...)
	out = append(out, t.restDoors(functions)...)
	return append(out, t.albDoors(functions)...)
}

func limit(v *Value, otherwise string) *Value {
	if v != nil {
		return v
	}
	return &Value{Kind: Number, Text: otherwise}
}

// httpAPIDoors returns the doors of an HTTP API without SAM: routes and their
// integrations.
func (t *Template) httpAPIDoors(functions []*Function) []*Door {
	var out []*Door
	for _, r := range t.Of("AWS::ApiGatewayV2::Route") {
		integration := t.target(r, "AWS::ApiGatewayV2::Integration")
		if integration == nil {
			continue
		}
		f := functionOfURI(functions, integration.Get("IntegrationUri"))
		if f == nil {
			continue
		}
		key, known := r.Get("RouteKey").String()
		method, path, _ := strings.Cut(key, " ")
		d := &Door{Function: f, Kind: "http-api", ID: r.ID, Pos: r.Pos, Limit: limit(integration.Get("TimeoutInMillis"), httpAPILimit)}
		switch {
		case !known:
			d.Method = unknown(r.Pos, "the route key of "+r.ID)
			d.Path = d.Method
		case key != "$default":
			d.Method, d.Path = &Value{Kind: String, Text: method}, &Value{Kind: String, Text: path}
		}
		out = append(out, d)
	}
	return out
}

// target returns the integration that a route's Target names: integrations/ID.
func (t *Template) target(route *Resource, kind string) *Resource {
	found := ""
	var walk func(*Node, int)
	walk = func(n *Node, depth int) {
		if n == nil || depth > maxDepth {
			return
		}
		for _, m := range n.Members {
			if m.Name == "Ref" {
				found = m.Value.Text
			}
			if m.Name == "Fn::Sub" {
				if _, rest, ok := strings.Cut(m.Value.Text, "${"); ok {
					found, _, _ = strings.Cut(rest, "}")
				}
			}
			walk(m.Value, depth+1)
		}
		for _, item := range n.Items {
			walk(item, depth+1)
		}
	}
	walk(route.Node.Get("Properties", "Target"), 0)
	if r := t.byID[found]; r != nil && r.Type == kind {
		return r
	}
	return nil
}

// functionOfURI returns the function of an integration: by its ARN, or by the ARN in an
// invocation's path.
func functionOfURI(functions []*Function, v *Value) *Function {
	if f := functionOf(functions, v); f != nil {
		return f
	}
	s, _ := v.String()
	if _, rest, ok := strings.Cut(s, "/functions/"); ok {
		arn, _, _ := strings.Cut(rest, "/invocations")
		return functionOf(functions, &Value{Kind: String, Text: arn})
	}
	return nil
}

// restDoors returns the methods of a REST API without SAM.
func (t *Template) restDoors(functions []*Function) []*Door {
	var out []*Door
	for _, r := range t.Of("AWS::ApiGateway::Method") {
		f := functionOfURI(functions, r.Get("Integration", "Uri"))
		if f == nil {
			continue
		}
		out = append(out, &Door{
			Function: f, Kind: "rest", ID: r.ID, Pos: r.Pos, Method: r.Get("HttpMethod"),
			Path: unknown(r.Pos, "the path of "+r.ID), Limit: limit(r.Get("Integration", "TimeoutInMillis"), restLimit),
		})
	}
	return out
}

func (t *Template) albDoors(functions []*Function) []*Door {
	var out []*Door
	for _, r := range t.Of("AWS::ElasticLoadBalancingV2::TargetGroup") {
		for _, target := range r.Get("Targets").List() {
			if f := functionOf(functions, target.Get("Id")); f != nil {
				out = append(out, &Door{Function: f, Kind: "alb", ID: r.ID, Pos: r.Pos})
			}
		}
	}
	return out
}
