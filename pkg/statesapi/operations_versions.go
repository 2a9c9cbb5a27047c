package statesapi

import "context"

func publishVersion(_ context.Context, c *call) (any, error) {
	in := publishInput{c.text("stateMachineArn"), c.text("revisionId"), c.text("description")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.publishVersion(in))
}

func removeVersion(_ context.Context, c *call) (any, error) {
	in := deleteVersionInput{c.text("stateMachineVersionArn")}
	if c.err != nil {
		return nil, c.err
	}
	return empty{}, c.service.deleteVersion(in)
}

func listVersions(_ context.Context, c *call) (any, error) {
	in := listVersionsInput{c.text("stateMachineArn"), c.integer("maxResults"), c.text("nextToken")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.listVersions(in))
}

func createAlias(_ context.Context, c *call) (any, error) {
	in := createAliasInput{c.text("name"), c.text("description"), c.routes("routingConfiguration")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.createAlias(in))
}

func updateAlias(_ context.Context, c *call) (any, error) {
	in := updateAliasInput{c.text("stateMachineAliasArn"), c.text("description"), c.routes("routingConfiguration")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.updateAlias(in))
}

func describeAlias(_ context.Context, c *call) (any, error) {
	in := aliasInput{c.text("stateMachineAliasArn")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.describeAlias(in))
}

func removeAlias(_ context.Context, c *call) (any, error) {
	in := aliasInput{c.text("stateMachineAliasArn")}
	if c.err != nil {
		return nil, c.err
	}
	return empty{}, c.service.deleteAlias(in)
}

func listAliases(_ context.Context, c *call) (any, error) {
	in := listAliasesInput{c.text("stateMachineArn"), c.integer("maxResults"), c.text("nextToken")}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.listAliases(in))
}
