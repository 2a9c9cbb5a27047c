package statesapi

// There are no activities here, and no task tokens: Express Workflows have neither.
// Requests are checked as AWS does, and then told so.

// CreateActivity checks the request, and then says that there are no activities.
func (s *Service) CreateActivity(name *string, tags []Tag) error {
	var c constraints
	if c.required("name", name != nil) {
		c.text("name", name, 1, maxName)
	}
	c.tags(tags)
	if err := c.err(); err != nil {
		return err
	}
	if err := checkName(*name); err != nil {
		return err
	}
	return errorf(UnknownOperationException, "Activities are not supported here: Express Workflows have none")
}

// DescribeActivity checks the request; no activity exists.
func (s *Service) DescribeActivity(text *string) error {
	if err := checkActivity(text, nil); err != nil {
		return err
	}
	return noActivity(*text)
}

// DeleteActivity checks the request. That there is no activity is no error.
func (s *Service) DeleteActivity(text *string) error {
	if err := checkActivity(text, nil); err != nil {
		return err
	}
	return nil
}

// ActivityTask checks the request of GetActivityTask; no activity exists.
func (s *Service) ActivityTask(text, worker *string) error {
	if err := checkActivity(text, worker); err != nil {
		return err
	}
	return noActivity(*text)
}

// A ListActivitiesOutput is the answer of [Service.ListActivities].
type ListActivitiesOutput struct {
	Activities []empty `json:"activities"`
}

// ListActivities returns none. There is no page behind the first, and no token of one.
func (s *Service) ListActivities(in ListInput) (*ListActivitiesOutput, error) {
	var c constraints
	c.page(in.MaxResults, in.NextToken, maxToken)
	if err := c.err(); err != nil {
		return nil, err
	}
	if in.NextToken != nil {
		return nil, errInvalidToken()
	}
	return &ListActivitiesOutput{[]empty{}}, nil
}

func checkActivity(text, worker *string) *Error {
	var c constraints
	c.arn("activityArn", text)
	c.text("workerName", worker, 1, maxName)
	if err := c.err(); err != nil {
		return err
	}
	return checkARN(*text, "activity", 7)
}

func noActivity(text string) *Error {
	return errorf(ActivityDoesNotExist, "Activity Does Not Exist: '%s'", text)
}

// A TaskAnswer is the request of [Service.SendTask]; a nil member was not sent.
type TaskAnswer struct{ Token, Output, Error, Cause *string }

// SendTask checks a task token as AWS does for SendTaskSuccess, which must bring an
// output, SendTaskFailure and SendTaskHeartbeat. No token was ever given.
func (s *Service) SendTask(in TaskAnswer, success bool) error {
	var c constraints
	if c.required("taskToken", in.Token != nil) {
		c.secret("taskToken", in.Token, 1, 2048)
	}
	if success {
		c.required("output", in.Output != nil)
	}
	c.data("output", in.Output)
	c.secret("error", in.Error, 0, maxErrorName)
	c.secret("cause", in.Cause, 0, maxErrorCause)
	if err := c.err(); err != nil {
		return err
	}
	return errInvalidToken()
}
