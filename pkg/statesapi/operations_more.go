package statesapi

import "context"

func publishVersion(_ context.Context, c *call) (any, error) {
	in := PublishInput{c.text("stateMachineArn"), c.text("revisionId"), c.text("description")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.PublishVersion(in))
}

func removeVersion(_ context.Context, c *call) (any, error) {
	in := DeleteVersionInput{c.text("stateMachineVersionArn")}
	if c.err != nil {
		return nil, c.err
	}
	return empty{}, c.service.DeleteVersion(in)
}

func listVersions(_ context.Context, c *call) (any, error) {
	in := ListVersionsInput{c.text("stateMachineArn"), c.integer("maxResults"), c.text("nextToken")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.ListVersions(in))
}

func createAlias(_ context.Context, c *call) (any, error) {
	in := CreateAliasInput{c.text("name"), c.text("description"), c.routes("routingConfiguration")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.CreateAlias(in))
}

func updateAlias(_ context.Context, c *call) (any, error) {
	in := UpdateAliasInput{c.text("stateMachineAliasArn"), c.text("description"), c.routes("routingConfiguration")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.UpdateAlias(in))
}

func describeAlias(_ context.Context, c *call) (any, error) {
	in := AliasInput{c.text("stateMachineAliasArn")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.DescribeAlias(in))
}

func removeAlias(_ context.Context, c *call) (any, error) {
	in := AliasInput{c.text("stateMachineAliasArn")}
	if c.err != nil {
		return nil, c.err
	}
	return empty{}, c.service.DeleteAlias(in)
}

func listAliases(_ context.Context, c *call) (any, error) {
	in := ListAliasesInput{c.text("stateMachineArn"), c.integer("maxResults"), c.text("nextToken")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.ListAliases(in))
}

func describeExecution(_ context.Context, c *call) (any, error) {
	in := ExecutionInput{c.text("executionArn"), c.text("includedData")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.DescribeExecution(in))
}

func describeForExecution(_ context.Context, c *call) (any, error) {
	in := ExecutionInput{c.text("executionArn"), c.text("includedData")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.DescribeForExecution(in))
}

func listExecutions(_ context.Context, c *call) (any, error) {
	in := ListExecutionsInput{
		StateMachineARN: c.text("stateMachineArn"), MapRunARN: c.text("mapRunArn"),
		StatusFilter: c.text("statusFilter"), RedriveFilter: c.text("redriveFilter"),
		MaxResults: c.integer("maxResults"), NextToken: c.text("nextToken"),
	}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.ListExecutions(in))
}

func stopExecution(_ context.Context, c *call) (any, error) {
	in := StopExecutionInput{c.text("executionArn"), c.text("error"), c.text("cause")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.StopExecution(in))
}

func history(_ context.Context, c *call) (any, error) {
	in := HistoryInput{c.text("executionArn"), c.integer("maxResults"), c.text("nextToken")}
	c.boolean("reverseOrder")
	c.boolean("includeExecutionData")
	if c.err != nil {
		return nil, c.err
	}
	return nil, c.service.History(in)
}

func createActivity(_ context.Context, c *call) (any, error) {
	name, tags := c.text("name"), c.tags("tags")
	if c.err != nil {
		return nil, c.err
	}
	return nil, c.service.CreateActivity(name, tags)
}

func describeActivity(_ context.Context, c *call) (any, error) {
	text := c.text("activityArn")
	if c.err != nil {
		return nil, c.err
	}
	return nil, c.service.DescribeActivity(text)
}
