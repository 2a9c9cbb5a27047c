package deployed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/expressway-dev/expressway/internal/awserr"
)

// Bounds of the data that is read from a stack.
const (
	maxResources = 2500
	maxDepth     = 5
	maxGroups    = 50 // of one query of Logs Insights
)

// A Stack is the result of reading a stack.
type Stack struct {
	Name      string
	Functions []*Function // those of Expressway
	Others    int         // functions of other kinds
	Machines  []*Machine
	// Groups are the log groups of the stack itself, such as that of an API's access log.
	Groups []string
	// Unread are the calls that failed; what depends on them is not checked.
	Unread []Unread
}

// An Unread is a resource that could not be read, and the reason.
type Unread struct {
	Place string
	Err   error
}

// A Function is a function of Expressway, with its event source mappings.
type Function struct {
	ID string // in the template
	*lambda.GetFunctionConfigurationOutput
	Reserved *int32 // concurrency; nil for none
	Mappings []*Mapping
	// Invokes say what happens to asynchronous invocations, by the qualifier: an alias or
	// $LATEST. Read reports that they were read.
	Invokes     map[string]Invoke
	InvokesRead bool
	Aliases     []string
}

// An Invoke is the configuration of asynchronous invocations of an alias or a version.
type Invoke struct {
	OnFailure, OnSuccess string // ARNs; empty for none
	Missing              string // the destination that does not exist, if there is one
}

// A Mapping connects a function to a queue.
type Mapping struct {
	UUID, Source, State string
	Reports             bool
	Window              int
	Maximum             *int32
	Queue               *Queue // nil if the source is not a queue, or could not be read
}

// A Queue holds the attributes of a queue.
type Queue struct {
	Name       string
	Attributes map[string]string
}

// A Machine is a state machine of the stack, or one that a function's variable names.
type Machine struct {
	ID   string
	User string // the function that names it; empty for none
	*sfn.DescribeStateMachineOutput
}

// A resource is an entry of the stack's list.
type resource struct{ id, kind, physical string }

type reader struct {
	*Clients
	stack     *Stack
	resources []resource
}

// Read reads a stack and the stacks nested in it. Unread lists what could not be read; if
// the list of resources cannot be read, Read fails.
func Read(ctx context.Context, c *Clients, name string) (*Stack, error) {
	r := &reader{Clients: c, stack: &Stack{Name: name}}
	if err := r.list(ctx, name, "", 0); err != nil {
		return nil, err
	}
	r.functions(ctx)
	r.mappings(ctx)
	r.machines(ctx)
	for _, x := range r.of("AWS::Logs::LogGroup") {
		r.stack.Groups = append(r.stack.Groups, x.physical)
	}
	return r.stack, ctx.Err()
}

// list reads the resources of a stack and of its nested stacks.
func (r *reader) list(ctx context.Context, name, within string, depth int) error {
	pages := cloudformation.NewListStackResourcesPaginator(r.CloudFormation, &cloudformation.ListStackResourcesInput{StackName: aws.String(name)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if strings.Contains(err.Error(), "does not exist") {
				return fmt.Errorf("there is no stack %s in %s: check the name, the region (--region) and the account", name, r.Region)
			}
			return awserr.Explain(err)
		}
		for _, s := range page.StackResourceSummaries {
			id, kind, physical := within+aws.ToString(s.LogicalResourceId), aws.ToString(s.ResourceType), aws.ToString(s.PhysicalResourceId)
			if physical == "" || strings.HasPrefix(string(s.ResourceStatus), "DELETE_COMPLETE") {
				continue
			}
			if len(r.resources) == maxResources {
				return fmt.Errorf("the stack %s has more than %d resources", r.stack.Name, maxResources)
			}
			r.resources = append(r.resources, resource{id, kind, physical})
			if kind == "AWS::CloudFormation::Stack" && depth < maxDepth {
				if err := r.list(ctx, physical, id+"/", depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *reader) of(kind string) []resource {
	var out []resource
	for _, x := range r.resources {
		if x.kind == kind {
			out = append(out, x)
		}
	}
	return out
}

func (r *reader) unread(place string, err error) {
	r.stack.Unread = append(r.stack.Unread, Unread{place, awserr.Explain(err)})
}

func (r *reader) functions(ctx context.Context) {
	for _, x := range r.of("AWS::Lambda::Function") {
		out, err := r.Lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(x.physical)})
		if err != nil {
			r.unread(x.id, err)
			continue
		}
		f := &Function{ID: x.id, GetFunctionConfigurationOutput: out}
		if !f.expressway() {
			r.stack.Others++
			continue
		}
		concurrency, err := r.Lambda.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: aws.String(x.physical)})
		if err != nil {
			r.unread(x.id, err)
		} else {
			f.Reserved = concurrency.ReservedConcurrentExecutions
		}
		r.stack.Functions = append(r.stack.Functions, f)
	}
}

// expressway reports whether the function is one of Expressway, which it recognises by
// the layer or by Expressway's own variables.
func (f *Function) expressway() bool {
	for _, layer := range f.Layers {
		if strings.Contains(aws.ToString(layer.Arn), ":layer:expressway") {
			return true
		}
	}
	if !strings.HasPrefix(string(f.Runtime), "provided") {
		return false
	}
	for name := range f.variables() {
		if strings.HasPrefix(name, "EXPRESSWAY_") {
			return true
		}
	}
	return false
}

func (f *Function) variables() map[string]string {
	if f.Environment == nil {
		return nil
	}
	return f.Environment.Variables
}

// mappings finds the event source mappings of the functions, in the stack or elsewhere.
func (r *reader) mappings(ctx context.Context) {
	queues := map[string]*Queue{}
	aliases := r.of("AWS::Lambda::Alias")
	for _, f := range r.stack.Functions {
		name := aws.ToString(f.FunctionName)
		r.invokes(ctx, f, queues)
		targets := []string{name}
		for _, a := range aliases {
			if parts := strings.Split(a.physical, ":"); len(parts) == 8 && parts[6] == name {
				targets = append(targets, name+":"+parts[7])
				f.Aliases = append(f.Aliases, parts[7])
			}
		}
		for _, target := range targets {
			pages := lambda.NewListEventSourceMappingsPaginator(r.Lambda, &lambda.ListEventSourceMappingsInput{FunctionName: aws.String(target)})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					r.unread(f.ID, err)
					break
				}
				for _, m := range page.EventSourceMappings {
					mapping := &Mapping{UUID: aws.ToString(m.UUID), Source: aws.ToString(m.EventSourceArn), State: aws.ToString(m.State), Window: int(aws.ToInt32(m.MaximumBatchingWindowInSeconds))}
					for _, kind := range m.FunctionResponseTypes {
						mapping.Reports = mapping.Reports || kind == "ReportBatchItemFailures"
					}
					if m.ScalingConfig != nil {
						mapping.Maximum = m.ScalingConfig.MaximumConcurrency
					}
					if slices.ContainsFunc(f.Mappings, func(o *Mapping) bool { return o.UUID == mapping.UUID }) {
						continue
					}
					mapping.Queue = r.queue(ctx, f.ID, mapping.Source, queues)
					f.Mappings = append(f.Mappings, mapping)
				}
			}
		}
	}
}

// invokes reads what happens to a function's asynchronous invocations.
func (r *reader) invokes(ctx context.Context, f *Function, queues map[string]*Queue) {
	f.Invokes = map[string]Invoke{}
	pages := lambda.NewListFunctionEventInvokeConfigsPaginator(r.Lambda, &lambda.ListFunctionEventInvokeConfigsInput{FunctionName: f.FunctionName})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.unread(f.ID, err)
			return
		}
		for _, c := range page.FunctionEventInvokeConfigs {
			invoke := Invoke{}
			if d := c.DestinationConfig; d != nil && d.OnFailure != nil {
				invoke.OnFailure = aws.ToString(d.OnFailure.Destination)
			}
			if d := c.DestinationConfig; d != nil && d.OnSuccess != nil {
				invoke.OnSuccess = aws.ToString(d.OnSuccess.Destination)
			}
			for _, arn := range []string{invoke.OnFailure, invoke.OnSuccess} {
				if strings.Contains(arn, ":sqs:") && r.missing(ctx, f.ID, arn, queues) {
					invoke.Missing = arn
				}
			}
			parts := strings.Split(aws.ToString(c.FunctionArn), ":")
			qualifier := "$LATEST"
			if len(parts) == 8 {
				qualifier = parts[7]
			}
			f.Invokes[qualifier] = invoke
		}
	}
	f.InvokesRead = true
}

// missing reports whether a queue does not exist. It reads the queue.
func (r *reader) missing(ctx context.Context, place, arn string, queues map[string]*Queue) bool {
	before := len(r.stack.Unread)
	if r.queue(ctx, place, arn, queues) != nil || len(r.stack.Unread) == before {
		return false
	}
	last := r.stack.Unread[len(r.stack.Unread)-1]
	if !errors.Is(last.Err, awserr.ErrNotFound) {
		return false
	}
	r.stack.Unread = r.stack.Unread[:before] // the finding reports it
	return true
}

// queue reads the attributes of a queue once.
func (r *reader) queue(ctx context.Context, place, arn string, read map[string]*Queue) *Queue {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[2] != "sqs" {
		return nil
	}
	if q, ok := read[arn]; ok {
		return q
	}
	read[arn] = nil
	url, err := r.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(parts[5]), QueueOwnerAWSAccountId: aws.String(parts[4])})
	if err != nil {
		r.unread(place, err)
		return nil
	}
	out, err := r.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameAll}})
	if err != nil {
		r.unread(place, err)
		return nil
	}
	read[arn] = &Queue{parts[5], out.Attributes}
	return read[arn]
}

// machines reads the state machines of the stack, and those named by variables of
// functions.
func (r *reader) machines(ctx context.Context) {
	seen := map[string]bool{}
	read := func(id, user, arn string) {
		// A version or an alias belongs to the machine before it.
		if parts := strings.Split(arn, ":"); len(parts) > 7 {
			arn = strings.Join(parts[:7], ":")
		}
		if seen[arn] {
			return
		}
		seen[arn] = true
		out, err := r.StepFunctions.DescribeStateMachine(ctx, &sfn.DescribeStateMachineInput{StateMachineArn: aws.String(arn)})
		if err != nil {
			r.unread(id, err)
			return
		}
		r.stack.Machines = append(r.stack.Machines, &Machine{id, user, out})
	}
	ids := map[string]string{}
	for _, x := range r.of("AWS::StepFunctions::StateMachine") {
		ids[x.physical] = x.id
	}
	for _, f := range r.stack.Functions {
		variables := f.variables()
		names := make([]string, 0, len(variables))
		for name := range variables {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if arn := variables[name]; strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":stateMachine:") {
				id := ids[arn]
				if id == "" {
					id = f.ID + "." + name
				}
				read(id, f.ID, arn)
			}
		}
	}
	for _, x := range r.of("AWS::StepFunctions::StateMachine") {
		read(x.id, "", x.physical)
	}
}

// LogGroups returns the log groups of the functions, of the state machines and of the stack
// itself, up to the limit of one query; none if there is no function of Expressway.
func (s *Stack) LogGroups() []string {
	var out []string
	add := func(name string) {
		if name != "" && len(out) < maxGroups && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, f := range s.Functions {
		group := ""
		if f.LoggingConfig != nil {
			group = aws.ToString(f.LoggingConfig.LogGroup)
		}
		if group == "" {
			group = "/aws/lambda/" + aws.ToString(f.FunctionName)
		}
		add(group)
	}
	if len(s.Functions) == 0 {
		return nil
	}
	for _, m := range s.Machines {
		if m.LoggingConfiguration == nil {
			continue
		}
		for _, d := range m.LoggingConfiguration.Destinations {
			if d.CloudWatchLogsLogGroup != nil {
				// arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*
				if parts := strings.SplitN(aws.ToString(d.CloudWatchLogsLogGroup.LogGroupArn), ":", 8); len(parts) >= 7 {
					add(parts[6])
				}
			}
		}
	}
	for _, name := range s.Groups {
		add(name)
	}
	return out
}
