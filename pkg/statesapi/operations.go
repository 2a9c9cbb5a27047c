package statesapi

import (
	"context"
)

// A call is one request of the API, read and not yet checked.
type call struct {
	*fields
	service *Service
	// trace is the HTTP header; Step Functions prefers it to the member.
	trace string
}

// empty is the answer of operations that answer nothing.
type empty struct{}

// operation returns what runs the operation of that name, or nil. Every function
// reads all members before it acts: a wrong type refuses the request as a whole.
func operation(name string) func(context.Context, *call) (any, error) {
	switch name {
	case "StartSyncExecution":
		return startSync
	case "StartExecution":
		return start
	case "CreateStateMachine":
		return create
	case "UpdateStateMachine":
		return update
	case "DescribeStateMachine":
		return describe
	case "ListStateMachines":
		return list
	case "DeleteStateMachine":
		return remove
	case "ValidateStateMachineDefinition":
		return validate
	case "PublishStateMachineVersion":
		return publishVersion
	case "DeleteStateMachineVersion":
		return removeVersion
	case "ListStateMachineVersions":
		return listVersions
	case "CreateStateMachineAlias":
		return createAlias
	case "UpdateStateMachineAlias":
		return updateAlias
	case "DescribeStateMachineAlias":
		return describeAlias
	case "DeleteStateMachineAlias":
		return removeAlias
	case "ListStateMachineAliases":
		return listAliases
	case "DescribeExecution":
		return describeExecution
	case "DescribeStateMachineForExecution":
		return describeForExecution
	case "ListExecutions":
		return listExecutions
	case "StopExecution":
		return stopExecution
	case "GetExecutionHistory":
		return history
	case "CreateActivity":
		return createActivity
	case "DescribeActivity":
		return describeActivity
	case "SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat":
		return sendTask
	case "TestState":
		return testState
	case "TagResource":
		return tag
	case "UntagResource":
		return untag
	case "ListTagsForResource":
		return listTags
	}
	return nil
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
		Logging: c.structure("loggingConfiguration"), Tracing: c.structure("tracingConfiguration"),
		Encryption: c.structure("encryptionConfiguration"),
	}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.Create(in))
}

func update(_ context.Context, c *call) (any, error) {
	in := UpdateInput{
		StateMachineARN: c.text("stateMachineArn"), Definition: c.text("definition"), RoleARN: c.text("roleArn"),
		Publish: c.boolean("publish"), VersionDescription: c.text("versionDescription"),
		Logging: c.structure("loggingConfiguration"), Tracing: c.structure("tracingConfiguration"),
		Encryption: c.structure("encryptionConfiguration"),
	}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.Update(in))
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
	in := UntagInput{c.text("resourceArn"), c.texts("tagKeys")}
	if c.err != nil {
		return nil, c.err
	}
	return empty{}, c.service.Untag(in)
}

func listTags(_ context.Context, c *call) (any, error) {
	in := ListTagsInput{c.text("resourceArn")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.ListTags(in))
}

// answer makes one type of the operations' own.
func answer[T any](out *T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return out, nil
}
