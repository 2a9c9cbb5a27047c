//go:build !linux

package lambdatest

import "time"

// cpuTime is not known on this platform.
func cpuTime(int) time.Duration { return 0 }
