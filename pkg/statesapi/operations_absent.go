package statesapi

import "context"

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

func removeActivity(_ context.Context, c *call) (any, error) {
	text := c.text("activityArn")
	if c.err != nil {
		return nil, c.err
	}
	return empty{}, c.service.DeleteActivity(text)
}

func listActivities(_ context.Context, c *call) (any, error) {
	in := ListInput{c.integer("maxResults"), c.text("nextToken")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.ListActivities(in))
}

func activityTask(_ context.Context, c *call) (any, error) {
	text, worker := c.text("activityArn"), c.text("workerName")
	if c.err != nil {
		return nil, c.err
	}
	return nil, c.service.ActivityTask(text, worker)
}

func (c *call) taskAnswer() TaskAnswer {
	return TaskAnswer{c.text("taskToken"), c.text("output"), c.text("error"), c.text("cause")}
}

func sendTask(_ context.Context, c *call) (any, error) {
	in := c.taskAnswer()
	if c.err != nil {
		return nil, c.err
	}
	return nil, c.service.SendTask(in, false)
}

func sendTaskSuccess(_ context.Context, c *call) (any, error) {
	in := c.taskAnswer()
	if c.err != nil {
		return nil, c.err
	}
	return nil, c.service.SendTask(in, true)
}

func listMapRuns(_ context.Context, c *call) (any, error) {
	in := ListMapRunsInput{c.text("executionArn"), c.integer("maxResults"), c.text("nextToken")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.ListMapRuns(in))
}

func mapRun(_ context.Context, c *call) (any, error) {
	in := MapRunInput{c.text("mapRunArn"), c.integer("maxConcurrency"), c.integer("toleratedFailureCount")}
	if c.err != nil {
		return nil, c.err
	}
	return nil, c.service.MapRun(in)
}
