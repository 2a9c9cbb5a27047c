// Package memlimit gives the Go runtime the size of a Lambda function.
//
// Go sees the memory of the host, and lets garbage grow until the heap has doubled;
// Lambda kills the process when it exceeds the function's memory. With a limit, the
// runtime collects garbage sooner as it approaches the limit, and nothing changes far
// below it.
package memlimit

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

// percent is the part of the function's memory that the runtime may use. The rest is for
// what the runtime does not count: the program's text, and memory in the kernel.
// docs/performance.md says how it was measured.
const percent = 80

// Set bounds the runtime's memory by AWS_LAMBDA_FUNCTION_MEMORY_SIZE, in MB. It does
// nothing outside Lambda, or if GOMEMLIMIT is set, which the runtime has already read.
func Set(getenv func(string) string) {
	if getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := of(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")); limit > 0 {
		debug.SetMemoryLimit(limit)
	}
}

// large is the size in bytes of a configuration that may fill the smallest heap that the
// runtime collects: a start takes ten times as much memory as its file.
const large = 200 << 10

// Quiet turns the garbage collector off until done is called, but for the limit of [Set]. What a
// start makes of its configuration stays: with hundreds of routes, a quarter of the time to
// the first poll was spent on looking for garbage that was not there. It does nothing for a
// file that is too small for a collection during the start, because each change of the
// collector stops the process for a moment, or with GOGC set.
func Quiet(getenv func(string) string, file string) (done func()) {
	info, err := os.Stat(file)
	if err != nil || info.Size() < large || getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(-1)
	return func() {
		percent := first(before)
		if percent != before {
			// The sentinel is garbage: the first collection finds it.
			runtime.AddCleanup(&sentinel{}, func(percent int) { debug.SetGCPercent(percent) }, before)
		}
		debug.SetGCPercent(percent)
	}
}

type sentinel struct{ _ *sentinel }

// first is the percentage at which the first collection comes when the heap has grown by before,
// as it would if one had just ended: the runtime, which has not seen any, would begin one at
// once, during the first event, if the heap is larger than its minimum.
func first(before int) int {
	if before < 0 {
		return before // the program has turned the collector off
	}
	const minimum = 4 << 20 // of a heap that is collected, with GOGC=100
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	grown := float64(m.HeapAlloc) * (1 + float64(before)/100)
	return max(before, int(grown/minimum*100))
}

// of returns the limit in bytes for a function's memory in MB, or zero if that is not a
// number.
func of(megabytes string) int64 {
	size, err := strconv.ParseInt(megabytes, 10, 32)
	if err != nil || size <= 0 {
		return 0
	}
	return size << 20 / 100 * percent
}
