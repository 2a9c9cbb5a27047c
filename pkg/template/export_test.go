package template

// DefaultTimeout is what the tests of this package see of it.
const DefaultTimeout = defaultTimeout
