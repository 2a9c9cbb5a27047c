package tasks

import (
	"maps"
	"slices"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// Endpoints is for the tests of this package.
var Endpoints = endpoints

// The runners that Local combines, for their own tests.
type (
	HTTP       = httpTasks
	APIGateway = apiGateway
)

// Optimised returns the keys of the table of optimised integrations, SERVICE or
// SERVICE:ACTION.
func Optimised() []string { return slices.Sorted(maps.Keys(optimisedServices)) }

// Calls reports whether [Services] knows how to call a resource.
func Calls(resource string) bool {
	_, ok := newServiceCall(asl.Task{Resource: resource})
	return ok
}
