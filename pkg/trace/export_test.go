package trace

// What the tests of this package see of it.
const (
	EnvName   = envName
	MaxLength = maxLength
)
