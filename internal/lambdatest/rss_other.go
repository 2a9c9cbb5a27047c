//go:build !linux

package lambdatest

// peakRSS is 0: only Linux tells the peak of a running process.
func peakRSS(int) int64 { return 0 }
