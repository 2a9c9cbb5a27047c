package tasks

// Endpoints is what the tests of this package see of it.
var Endpoints = endpoints

// The runners that Local combines, for their own tests.
type (
	HTTP       = httpTasks
	APIGateway = apiGateway
)
