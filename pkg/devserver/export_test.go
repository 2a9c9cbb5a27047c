package devserver

// Guard is what the tests of this package see of it.
type Guard = guard
