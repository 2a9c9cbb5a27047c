package statesapi

import "context"

func createActivity(_ context.Context, c *call) (any, error) {
	name, tags := c.text("name"), c.tags("tags")
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.CreateActivity(name, tags))
}

func describeActivity(_ context.Context, c *call) (any, error) {
	text := c.text("activityArn")
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.describeActivity(text))
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
	// An execution continues without its caller; a poll does not.
	return answer(c.service.ActivityTask(c.caller, text, worker))
}

func (c *call) taskAnswer() TaskAnswer {
	return TaskAnswer{c.text("taskToken"), c.text("output"), c.text("error"), c.text("cause")}
}

func sendTaskSuccess(_ context.Context, c *call) (any, error) {
	return c.sendTask(c.service.SendTaskSuccess)
}

func sendTaskFailure(_ context.Context, c *call) (any, error) {
	return c.sendTask(c.service.SendTaskFailure)
}

func sendTaskHeartbeat(_ context.Context, c *call) (any, error) {
	return c.sendTask(c.service.SendTaskHeartbeat)
}

func (c *call) sendTask(send func(TaskAnswer) error) (any, error) {
	in := c.taskAnswer()
	if c.err != nil {
		return nil, c.err
	}
	return empty{}, send(in)
}
