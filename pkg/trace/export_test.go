package trace

// Internals that the tests of this package use.
const (
	EnvName   = envName
	MaxLength = maxLength
)
