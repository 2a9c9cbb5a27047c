package tasks

// Endpoints is what the tests of this package see of it.
var Endpoints = endpoints
