// Package template reads SAM and CloudFormation templates: in YAML with short tags, in
// JSON, and as a CDK app synthesizes them.
//
// [Load] parses a file into nodes that keep their places, and resolves intrinsic
// functions with parameters and pseudo parameters. What a template alone cannot tell,
// such as an import from another stack or a parameter without a default, is unknown:
// [Value] carries the reason, and nothing is guessed in its place. A text of which a
// part is unknown keeps the rest.
//
//	file ── parse ──► Node ── resolve ──► Value ──► Machine, Function, Mapping, Rule, …
//
// The package is for tools. No Lambda function links it.
//
// Templates are foreign input: their size, nesting, and the work of resolving them are
// bounded, and what exceeds a bound is an error or is unknown.
package template
