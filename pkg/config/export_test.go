package config

// Discardable is what the tests of this package see of it.
var Discardable = discardable

// Whole parses a file as a whole, never route by route.
var Whole Option = func(d *document) { d.unsplit = true }

// MembersOf returns the members of a variable of expressions.
var MembersOf = membersOf
