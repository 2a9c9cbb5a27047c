package config

// Discardable is what the tests of this package see of it.
var Discardable = discardable
