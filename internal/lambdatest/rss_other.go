//go:build !linux

package lambdatest

// peakRSS returns 0: only Linux reports the peak of a running process.
func peakRSS(int) int64 { return 0 }
