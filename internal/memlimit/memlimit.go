// Package memlimit gives the Go runtime the size of a Lambda function.
//
// Go sees the memory of the host, and lets garbage grow until the heap has doubled;
// Lambda kills the process when it exceeds the function's memory. With a limit, the
// runtime collects garbage sooner as it approaches the limit, and nothing changes far
// below it.
package memlimit

import (
	"runtime/debug"
	"strconv"
)

// percent is the part of the function's memory that the runtime may use. The rest is for
// what the runtime does not count: the program's text, and memory in the kernel.
// docs/performance.md says how it was measured.
const percent = 80

// Set bounds the runtime's memory by AWS_LAMBDA_FUNCTION_MEMORY_SIZE, in MB. It does
// nothing outside of Lambda, or if GOMEMLIMIT is set, which the runtime has already read.
func Set(getenv func(string) string) {
	if getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := of(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")); limit > 0 {
		debug.SetMemoryLimit(limit)
	}
}

// Quiet turns the garbage collector off until done is called, but for the limit of [Set]. What a
// start makes of its configuration stays: with hundreds of routes, a quarter of the time to
// the first poll was spent on looking for garbage that was not there. With GOGC set, it does nothing.
func Quiet(getenv func(string) string) (done func()) {
	if getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(-1)
	return func() { debug.SetGCPercent(before) }
}

// of is the limit in bytes for a function of so many MB; zero where that is not a number.
func of(megabytes string) int64 {
	size, err := strconv.ParseInt(megabytes, 10, 32)
	if err != nil || size <= 0 {
		return 0
	}
	return size << 20 / 100 * percent
}
