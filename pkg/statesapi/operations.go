package statesapi

import (
	"context"
)

// A call is one request of the API that has been read but not yet checked.
type call struct {
	*fields
	service *Service
	// trace is the HTTP header; Step Functions prefers it to the member.
	trace string
	// caller ends when the caller hangs up.
	caller context.Context
}

// empty is the answer of operations without an answer.
type empty struct{}

// operations maps the names of operations to their functions. Every function reads all
// members before it acts, so that a wrong type makes the whole request fail.
var operations = map[string]func(context.Context, *call) (any, error){
	"StartSyncExecution":             startSync,
	"StartExecution":                 start,
	"CreateStateMachine":             create,
	"UpdateStateMachine":             update,
	"DescribeStateMachine":           describe,
	"ListStateMachines":              list,
	"DeleteStateMachine":             remove,
	"ValidateStateMachineDefinition": validate,
	"TestState":                      testState,

	"TagResource":         tag,
	"UntagResource":       untag,
	"ListTagsForResource": listTags,

	"PublishStateMachineVersion": publishVersion,
	"DeleteStateMachineVersion":  removeVersion,
	"ListStateMachineVersions":   listVersions,
	"CreateStateMachineAlias":    createAlias,
	"UpdateStateMachineAlias":    updateAlias,
	"DescribeStateMachineAlias":  describeAlias,
	"DeleteStateMachineAlias":    removeAlias,
	"ListStateMachineAliases":    listAliases,

	"DescribeExecution":                describeExecution,
	"DescribeStateMachineForExecution": describeForExecution,
	"ListExecutions":                   listExecutions,
	"StopExecution":                    stopExecution,
	"GetExecutionHistory":              getHistory,
	"RedriveExecution":                 redrive,

	// Activities, task tokens, and Map Runs, of which there are none: only their requests
	// are checked.
	"CreateActivity":    createActivity,
	"DescribeActivity":  describeActivity,
	"DeleteActivity":    removeActivity,
	"ListActivities":    listActivities,
	"GetActivityTask":   activityTask,
	"SendTaskSuccess":   sendTaskSuccess,
	"SendTaskFailure":   sendTaskFailure,
	"SendTaskHeartbeat": sendTaskHeartbeat,
	"ListMapRuns":       listMapRuns,
	"DescribeMapRun":    mapRun,
	"UpdateMapRun":      mapRun,
}

func (c *call) start() StartInput {
	in := StartInput{StateMachineARN: c.text("stateMachineArn"), Name: c.text("name"), TraceHeader: c.text("traceHeader")}
	if input := c.text("input"); input != nil {
		in.Input = []byte(*input)
	}
	if c.trace != "" {
		in.TraceHeader = &c.trace
	}
	return in
}

func startSync(ctx context.Context, c *call) (any, error) {
	in := c.start()
	included := c.text("includedData")
	if c.err != nil {
		return nil, c.err
	}
	in.includedData = included
	record, err := c.service.StartSync(ctx, in)
	if err != nil {
		return nil, err
	}
	return &syncOutput{&record, deref(included) == metadataOnly}, nil
}

func start(_ context.Context, c *call) (any, error) {
	in := c.start()
	if c.err != nil {
		return nil, c.err
	}
	record, err := c.service.Start(in)
	if err != nil {
		return nil, err
	}
	return &startOutput{record.ExecutionARN, epoch(record.StartDate)}, nil
}

func create(_ context.Context, c *call) (any, error) {
	in := CreateInput{
		Name: c.text("name"), Definition: c.text("definition"), RoleARN: c.text("roleArn"), Type: c.text("type"),
		Publish: c.boolean("publish"), VersionDescription: c.text("versionDescription"), Tags: c.tags("tags"),
		Logging: c.logging(), Tracing: c.tracing(), Encryption: c.encryption(),
	}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.Create(in))
}

func update(_ context.Context, c *call) (any, error) {
	in := updateInput{
		StateMachineARN: c.text("stateMachineArn"), Definition: c.text("definition"), RoleARN: c.text("roleArn"),
		Publish: c.boolean("publish"), VersionDescription: c.text("versionDescription"),
		Logging: c.logging(), Tracing: c.tracing(), Encryption: c.encryption(),
	}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.update(in))
}

func describe(_ context.Context, c *call) (any, error) {
	in := DescribeInput{c.text("stateMachineArn"), c.text("includedData")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.Describe(in))
}

func list(_ context.Context, c *call) (any, error) {
	in := ListInput{c.integer("maxResults"), c.text("nextToken")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.List(in))
}

func remove(_ context.Context, c *call) (any, error) {
	in := DeleteInput{c.text("stateMachineArn")}
	if c.err != nil {
		return nil, c.err
	}
	return empty{}, c.service.Delete(in)
}

func validate(_ context.Context, c *call) (any, error) {
	in := ValidateInput{c.text("definition"), c.text("type"), c.text("severity"), c.integer("maxResults")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.Validate(in))
}

func tag(_ context.Context, c *call) (any, error) {
	in := TagInput{c.text("resourceArn"), c.tags("tags")}
	if c.err != nil {
		return nil, c.err
	}
	return empty{}, c.service.Tag(in)
}

func untag(_ context.Context, c *call) (any, error) {
	in := untagInput{c.text("resourceArn"), c.texts("tagKeys")}
	if c.err != nil {
		return nil, c.err
	}
	return empty{}, c.service.untag(in)
}

func listTags(_ context.Context, c *call) (any, error) {
	in := listTagsInput{c.text("resourceArn")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.listTags(in))
}

// answer gives the operations' answers a common type.
func answer[T any](out *T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return out, nil
}
