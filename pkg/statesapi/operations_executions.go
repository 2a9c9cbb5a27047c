package statesapi

import "context"

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

func sendTask(_ context.Context, c *call) (any, error) {
	token := c.text("taskToken")
	for _, name := range []string{"output", "error", "cause"} {
		c.text(name)
	}
	if c.err != nil {
		return nil, c.err
	}
	return nil, c.service.SendTask(token)
}
