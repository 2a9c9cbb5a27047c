// Package functions is the home of the Lambda functions, one directory each. It holds
// no code: its tests run the compiled bootstraps as Lambda and the SAM CLI do.
//
//	webhook   HTTP request       → execution  → HTTP response
//	queue     SQS batch          → executions → batchItemFailures
//	event     EventBridge event  → execution  → its outcome, or an error of its name
package functions
