package lambdatest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// ticks is the number of clock ticks per second in /proc/PID/stat: USER_HZ is 100 on all
// architectures for which Go supports Linux.
const ticks = 100

// cpuTime returns the processor time that a process has used so far; 0 if it has ended. The
// scheduler knows it in nanoseconds for each thread, and kernels without its statistics in
// hundredths of a second.
func cpuTime(pid int) time.Duration {
	if sum := schedulerTime(pid); sum > 0 {
		return sum
	}
	return tickTime(pid)
}

// schedulerTime adds up the first field of /proc/PID/task/TID/schedstat. The runtime does not
// end threads while a function waits for events.
func schedulerTime(pid int) (sum time.Duration) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0
	}
	for _, task := range tasks {
		stat, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		field, _, _ := bytes.Cut(stat, []byte(" "))
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0
		}
		sum += time.Duration(n)
	}
	return sum
}

func tickTime(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name of the command, in parentheses, may hold anything.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	var sum int64
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks
}
