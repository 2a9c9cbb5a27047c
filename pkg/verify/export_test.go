package verify

// DefaultTolerance is what the tests of this package see of it.
const DefaultTolerance = defaultTolerance
