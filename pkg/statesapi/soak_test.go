package statesapi

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestSoak starts STANDARD executions, many of which wait at once, lists them all, and
// checks that they take less than 256 MiB. EXPRESSWAY_SOAK makes it a hundred thousand with
// ten thousand that wait, as `make nightly` does.
func TestSoak(t *testing.T) {
	n, waiting := 2000, 500
	if os.Getenv("EXPRESSWAY_SOAK") != "" {
		n, waiting = maxRemembered, defaultMaxExecutions-100
	}
	s := newBare(t, Options{})
	const definition = `{"StartAt":"W","States":{"W":{"Type":"Wait","SecondsPath":"$.s","Next":"P"},"P":{"Type":"Pass","End":true}}}`
	if _, err := s.Create(CreateInput{Name: ptr("std"), Definition: ptr(definition), RoleARN: ptr(roleARN)}); err != nil {
		t.Fatal(err)
	}
	machine := s.ARN("std")
	var waits []string
	for i := range n {
		seconds := 0
		if i < waiting {
			seconds = 3600
		}
		record, err := s.Start(StartInput{StateMachineARN: &machine, Name: ptr(fmt.Sprintf("n-%d", i)), Input: fmt.Appendf(nil, `{"s":%d,"order":"o-%d"}`, seconds, i)})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case i < waiting:
			waits = append(waits, record.ExecutionARN)
		case i%50 == 0: // as many as may run at once
			s.awaitFinished(i + 1 - waiting)
		}
	}
	s.awaitFinished(n - waiting)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	listed := map[string]string{}
	in := listExecutionsInput{StateMachineARN: &machine, MaxResults: ptr(int64(1000))}
	began := time.Now()
	for {
		out, err := s.listExecutions(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Executions {
			listed[e.ExecutionARN] = e.Status
		}
		if in.NextToken = &out.NextToken; out.NextToken == "" {
			break
		}
	}
	inUse := m.HeapAlloc + m.StackInuse
	t.Logf("%d executions, of which %d wait: %d MiB of heap, %d MiB of stacks, %d MiB counted; listed in %s", n, waiting, m.HeapAlloc>>20, m.StackInuse>>20, s.names.bytes>>20, time.Since(began).Round(time.Millisecond))
	if len(listed) != n || inUse > 256<<20 {
		t.Errorf("%d of %d executions are listed, in %d bytes", len(listed), n, inUse)
	}
	for _, execution := range waits {
		if listed[execution] != "RUNNING" {
			t.Errorf("%s is listed as %q, want RUNNING", execution, listed[execution])
		}
		if _, err := s.stopExecution(stopExecutionInput{ExecutionARN: &execution}); err != nil {
			t.Error(err)
		}
	}
	s.awaitFinished(n)
}

// awaitFinished waits until that many executions have ended.
func (s *Service) awaitFinished(n int) {
	for ended := 0; ended < n; time.Sleep(time.Millisecond) {
		s.runMu.Lock()
		ended = len(s.names.finished)
		s.runMu.Unlock()
	}
}
