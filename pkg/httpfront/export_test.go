package httpfront

// The doors, for the tests of this package.
type Door = door

const (
	REST        = doorREST
	HTTPAPI     = doorHTTPAPI
	HTTPAPIV1   = doorHTTPAPIV1
	FunctionURL = doorFunctionURL
	ALB         = doorALB
	Lattice     = doorLattice
)
