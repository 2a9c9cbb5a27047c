package statesapi

import "strings"

// CreateActivity checks the request as AWS does, and then says that there are no
// activities: Express Workflows have none.
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

// DescribeActivity checks the request as AWS does; no activity exists.
func (s *Service) DescribeActivity(text *string) error {
	var c constraints
	c.arn("activityArn", text)
	if err := c.err(); err != nil {
		return err
	}
	parts := strings.Split(*text, ":")
	switch {
	case parts[0] != "arn" || len(parts) < 2:
		return errorf(InvalidArn, "Invalid Arn: 'Invalid ARN prefix: %s'", *text)
	case len(parts) != 7 || parts[2] != "states" || parts[6] == "":
		return errorf(InvalidArn, "Invalid Arn: '%s'", *text)
	case parts[5] != "activity":
		return errorf(InvalidArn, "Invalid Arn: 'Resource type not valid in this context: %s'", parts[5])
	}
	return errorf(ActivityDoesNotExist, "Activity Does Not Exist: '%s'", *text)
}
