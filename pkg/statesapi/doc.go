// Package statesapi implements the Step Functions API with pkg/asl: on the wire, it answers
// like AWS's service, but it runs the state machines in this process.
//
//	any SDK, CLI → [Handler] ─┐
//	bridge       → [Service.Starter] ─┴→ [Service]: registry, checks, limits → [Engine] (asl)
//
// A [Service] holds state machines and runs them, independently of HTTP. A [Handler] speaks AWS
// JSON 1.0 in front of it, and [Service.Starter] is the same service as a [bridge.Starter], with
// the same checks. Errors have AWS's names and messages, checks come in AWS's order: constraints of
// the request, then the form of ARNs and names, then what exists. TestState runs one state on the
// same engine ([asl.StateTest]), with mocked results checked against the models of the services.
//
// It does not implement IAM (credentials are accepted and never checked) or KMS. State
// machines live in memory; [Service.Persist] also keeps them in a folder.
//
// The operations and their shapes are those of the [Step Functions API Reference].
//
// [Step Functions API Reference]: https://docs.aws.amazon.com/step-functions/latest/apireference/Welcome.html
package statesapi
