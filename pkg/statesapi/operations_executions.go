package statesapi

import "context"

func describeExecution(_ context.Context, c *call) (any, error) {
	in := executionInput{c.text("executionArn"), c.text("includedData")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.describeExecution(in))
}

func describeForExecution(_ context.Context, c *call) (any, error) {
	in := executionInput{c.text("executionArn"), c.text("includedData")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.describeForExecution(in))
}

func listExecutions(_ context.Context, c *call) (any, error) {
	in := listExecutionsInput{
		StateMachineARN: c.text("stateMachineArn"), MapRunARN: c.text("mapRunArn"),
		StatusFilter: c.text("statusFilter"), RedriveFilter: c.text("redriveFilter"),
		MaxResults: c.integer("maxResults"), NextToken: c.text("nextToken"),
	}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.listExecutions(in))
}

func stopExecution(_ context.Context, c *call) (any, error) {
	in := stopExecutionInput{c.text("executionArn"), c.text("error"), c.text("cause")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.stopExecution(in))
}

func getHistory(_ context.Context, c *call) (any, error) {
	in := HistoryInput{
		ExecutionARN: c.text("executionArn"), MaxResults: c.integer("maxResults"), NextToken: c.text("nextToken"),
		ReverseOrder: c.boolean("reverseOrder"),
	}
	if _, sent := c.value("includeExecutionData"); sent {
		in.WithoutData = !c.boolean("includeExecutionData")
	}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.History(in))
}

func redrive(_ context.Context, c *call) (any, error) {
	in := redriveInput{c.text("executionArn"), c.text("clientToken")}
	if c.err != nil {
		return nil, c.err
	}
	return nil, c.service.redrive(in)
}
