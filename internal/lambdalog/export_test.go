package lambdalog

// What New combines, for the tests.
var (
	Wrap       = wrap
	DropErrors = dropErrors
)
