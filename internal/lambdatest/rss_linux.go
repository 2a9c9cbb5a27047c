package lambdatest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// peakRSS returns the largest resident set that the process has had, in bytes; 0 if it
// has ended. Rusage would be wrong here: its maximum survives exec, so it reports the
// memory of the forking process if that is larger.
func peakRSS(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, found := bytes.Cut(status, []byte("VmHWM:"))
	if !found {
		return 0
	}
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}
