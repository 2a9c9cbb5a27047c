// Package template reads SAM and CloudFormation templates: in YAML with short tags, in
// JSON, and as a CDK app synthesizes them.
//
// [Load] parses a file into nodes that keep their places, and resolves intrinsic
// functions with parameters and pseudo parameters. What cannot be known from a template
// alone, such as an import from another stack or a parameter without a default, is
// unknown: [Value] carries the reason, and nothing is guessed. A partly unknown text
// keeps its known parts.
//
//	file ── parse ──► Node ── resolve ──► Value ──► Machine, Function, Mapping, Rule, …
//
// The package is for tools; no Lambda function links it.
//
// Templates are untrusted input: their size, their nesting and the work of resolving them
// are bounded, and whatever exceeds a bound is an error or unknown.
package template
