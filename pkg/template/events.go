package template

import (
	"strings"
)

// A Mapping is an event source mapping of a queue to a function.
type Mapping struct {
	// Owner is the resource that contains it: the function, or the mapping itself.
	Owner *Resource
	// ID is the logical id, or the name of the event.
	ID       string
	Function *Function
	// Source is the ARN of the function's event source.
	Source                         *Value
	ResponseTypes, Window, Maximum *Value
	BatchSize, Enabled             *Value
	path                           []string
}

// At returns the place of a property of the mapping, or else that of the mapping.
func (m *Mapping) At(path ...string) Pos {
	if m.path == nil {
		return m.Owner.At(path...)
	}
	full := append(append([]string{}, m.path...), "Properties")
	return m.Owner.At(append(full, path...)...)
}

// Pos returns the place of the mapping itself.
func (m *Mapping) Pos() Pos {
	if m.path == nil {
		return m.Owner.Pos
	}
	return m.Owner.At(m.path...)
}

// Mappings returns the event source mappings of queues.
func (t *Template) Mappings() []*Mapping {
	var out []*Mapping
	functions := t.Functions()
	for _, f := range functions {
		events := f.Get("Events")
		if events == nil {
			continue
		}
		for _, e := range events.Members {
			if e.Value.Get("Type").Or("") != "SQS" {
				continue
			}
			p := e.Value.Get("Properties")
			out = append(out, newMapping(f.Resource, e.Name, f, p.Get("Queue"), p, []string{"Events", e.Name}))
		}
	}
	for _, r := range t.Of("AWS::Lambda::EventSourceMapping") {
		source := r.Get("EventSourceArn")
		if s, _ := source.String(); source == nil || strings.Contains(s, ":") && !strings.Contains(s, ":sqs:") {
			continue
		}
		out = append(out, newMapping(r, r.ID, functionOf(functions, r.Get("FunctionName")), source, r.Properties(), nil))
	}
	return out
}

func newMapping(owner *Resource, id string, f *Function, source, p *Value, path []string) *Mapping {
	return &Mapping{
		Owner: owner, ID: id, Function: f, Source: source, path: path,
		ResponseTypes: p.Get("FunctionResponseTypes"), Window: p.Get("MaximumBatchingWindowInSeconds"),
		Maximum: p.Get("ScalingConfig", "MaximumConcurrency"), BatchSize: p.Get("BatchSize"), Enabled: p.Get("Enabled"),
	}
}

// A Rule sends events of a bus to a function.
type Rule struct {
	Owner    *Resource
	ID       string
	Function *Function
	Bus      *Value
	// Pattern is the event pattern; nil for a schedule.
	Pattern  *Value
	Schedule *Value
	// DeadLetter is where an event goes that could not be delivered to the function.
	DeadLetter *Value
	Pos        Pos
}

// Rules returns the rules, one for each function that is their target.
func (t *Template) Rules() []*Rule {
	var out []*Rule
	functions := t.Functions()
	for _, f := range functions {
		events := f.Get("Events")
		if events == nil {
			continue
		}
		for _, e := range events.Members {
			p := e.Value.Get("Properties")
			r := &Rule{Owner: f.Resource, ID: e.Name, Function: f, Pos: f.At("Events", e.Name), DeadLetter: p.Get("DeadLetterConfig")}
			switch e.Value.Get("Type").Or("") {
			case "EventBridgeRule", "CloudWatchEvent":
				r.Bus, r.Pattern = p.Get("EventBusName"), p.Get("Pattern")
			case "Schedule":
				r.Schedule = p.Get("Schedule")
			default:
				continue
			}
			if state, _ := p.Get("State").String(); state == "DISABLED" {
				continue
			}
			out = append(out, r)
		}
	}
	for _, r := range t.Of("AWS::Events::Rule") {
		if state, _ := r.Get("State").String(); state == "DISABLED" {
			continue
		}
		for _, target := range r.Get("Targets").List() {
			f := functionOf(functions, target.Get("Arn"))
			if f == nil {
				continue
			}
			out = append(out, &Rule{
				Owner: r, ID: r.ID, Function: f, Bus: r.Get("EventBusName"), Pattern: r.Get("EventPattern"),
				Schedule: r.Get("ScheduleExpression"), DeadLetter: target.Get("DeadLetterConfig"), Pos: r.Pos,
			})
		}
	}
	return out
}

// A Pipe is an EventBridge pipe whose target is a function.
type Pipe struct {
	*Resource
	Function *Function
	// Invocation is REQUEST_RESPONSE (the default) or FIRE_AND_FORGET.
	Invocation *Value
}

// Pipes returns the pipes to functions.
func (t *Template) Pipes() []*Pipe {
	var out []*Pipe
	functions := t.Functions()
	for _, r := range t.Of("AWS::Pipes::Pipe") {
		if f := functionOf(functions, r.Get("Target")); f != nil {
			out = append(out, &Pipe{r, f, r.Get("TargetParameters", "LambdaFunctionParameters", "InvocationType")})
		}
	}
	return out
}
