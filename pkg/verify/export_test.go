package verify

// DefaultTolerance is for the tests of this package.
const DefaultTolerance = defaultTolerance
