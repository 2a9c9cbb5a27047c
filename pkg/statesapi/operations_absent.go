package statesapi

import "context"

func listMapRuns(_ context.Context, c *call) (any, error) {
	in := listMapRunsInput{c.text("executionArn"), c.integer("maxResults"), c.text("nextToken")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.listMapRuns(in))
}

func mapRun(_ context.Context, c *call) (any, error) {
	in := mapRunInput{c.text("mapRunArn"), c.integer("maxConcurrency"), c.integer("toleratedFailureCount")}
	if c.err != nil {
		return nil, c.err
	}
	return nil, c.service.mapRun(in)
}
