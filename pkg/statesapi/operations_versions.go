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
