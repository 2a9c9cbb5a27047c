package config

// Discardable is what the tests of this package see of it.
var Discardable = discardable

// Whole returns the options for parsing a file as a whole, never route by route.
func (o Options) Whole() Options {
	o.unsplit = true
	return o
}

// MembersOf returns the members of a variable of expressions.
var MembersOf = membersOf
