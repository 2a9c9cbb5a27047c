package statesapi

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// allocated returns the bytes that do allocates. Tests that use it do not run in parallel.
func allocated(do func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}

// The cost of all pages of a history is proportional to its length, forwards and backwards,
// and together they are the whole history.
//
//nolint:paralleltest // it measures memory
func TestHistoryPagesCostTheirLength(t *testing.T) {
	s := newBare(t, Options{})
	const definition = `{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`
	if _, err := s.Create(CreateInput{Name: ptr("std"), Definition: ptr(definition), RoleARN: ptr(roleARN)}); err != nil {
		t.Fatal(err)
	}
	machine := s.ARN("std")
	started := 0
	measure := func(n int, reverse bool) float64 {
		record, err := s.Start(StartInput{StateMachineARN: &machine})
		if err != nil {
			t.Fatal(err)
		}
		started++
		s.awaitFinished(started)
		s.runMu.Lock()
		x := s.names.byARN[record.ExecutionARN]
		for i := len(x.history.events); i < n; i++ {
			x.history.add(asl.Event{ID: int64(i + 1), Type: "PassStateEntered"}, fmt.Appendf(nil, `{"id":%d}`, i+1))
		}
		s.runMu.Unlock()
		var seen []string
		bytes := allocated(func() {
			seen = make([]string, 0, n)
			in := HistoryInput{ExecutionARN: &record.ExecutionARN, ReverseOrder: reverse}
			for {
				out, err := s.History(in)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range out.Events {
					seen = append(seen, string(e))
				}
				if in.NextToken = &out.NextToken; out.NextToken == "" {
					return
				}
			}
		})
		if reverse {
			slices.Reverse(seen)
		}
		if len(seen) != n || seen[n-1] != fmt.Sprintf(`{"id":%d}`, n) || !strings.Contains(seen[0], "ExecutionStarted") {
			t.Fatalf("reverse %t: %d events from %s to %s, want all %d", reverse, len(seen), seen[0], seen[len(seen)-1], n)
		}
		return bytes
	}
	for _, reverse := range []bool{false, true} {
		few, many := measure(maxEvents/4, reverse), measure(maxEvents, reverse)
		if many > 4.5*few {
			t.Errorf("reverse %t: %.0f bytes for a quarter of the events and %.0f for all: %.1f times as much, want about 4", reverse, few, many, many/few)
		}
	}
}

// Data that an execution carries along is not written to its file at each step.
func TestExecutionFilesDoNotRepeatWhatStays(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 50_000)
	definition := `{"QueryLanguage":"JSONata","StartAt":"V","States":{
		"V":{"Type":"Pass","Assign":{"i":0,"large":"` + text + `"},"Output":{},"Next":"C"},
		"C":{"Type":"Choice","Choices":[{"Condition":"{% $i < $states.context.Execution.Input.n %}","Next":"P"}],"Default":"W"},
		"P":{"Type":"Pass","Assign":{"i":"{% $i + 1 %}"},"Next":"C"},
		"W":{"Type":"Wait","Seconds":3600,"End":true}}}`
	size := func(n int) int64 {
		dir := t.TempDir()
		s := New(Options{})
		if err := s.Persist(dir); err != nil {
			t.Fatal(err)
		}
		defer func() {
			at, cancel := context.WithCancel(t.Context())
			cancel() // without waiting for the hour to be over
			_ = s.Close(at)
		}()
		if _, err := s.Create(CreateInput{Name: ptr("std"), Definition: ptr(definition), RoleARN: ptr(roleARN)}); err != nil {
			t.Fatal(err)
		}
		machine := s.ARN("std")
		record, err := s.Start(StartInput{StateMachineARN: &machine, Input: fmt.Appendf(nil, `{"n":%d}`, n)})
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			out, err := s.History(HistoryInput{ExecutionARN: &record.ExecutionARN, ReverseOrder: true})
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Events) > 0 && strings.Contains(string(out.Events[0]), "WaitStateEntered") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the execution does not get to its wait")
			}
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*"+journalSuffix))
		if len(files) != 1 {
			t.Fatalf("found the files %v, want one", files)
		}
		info, err := os.Stat(files[0])
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	one, many := size(1), size(400)
	if each := (many - one) / 400; each > 3000 {
		t.Errorf("a turn of the loop takes %d bytes of the file, with a variable of %d bytes that it does not set", each, len(text))
	}
}

// drop removes exactly the paths that a walk over all paths finds.
func TestFlowsDropWhatIsBelow(t *testing.T) {
	t.Parallel()
	path := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"/1.0.0", "/1.0.1", "/2.0.0", "/11.0.0"}), 0, 4).Draw(t, "steps"), "")
	})
	rapid.Check(t, func(t *rapid.T) {
		f, want := newFlows(), map[string]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			p := path.Draw(t, "path")
			if rapid.IntRange(0, 3).Draw(t, "what") > 0 {
				f.set(p, asl.Checkpoint{})
				want[p] = true
				continue
			}
			f.drop(p + "/")
			for other := range want {
				if strings.HasPrefix(other, p+"/") {
					delete(want, other)
				}
			}
		}
		if len(f.at) != len(want) {
			t.Fatalf("%d flows, want %d", len(f.at), len(want))
		}
		for p := range want {
			if _, ok := f.at[p]; !ok {
				t.Fatalf("the flow %s is gone", p)
			}
		}
	})
}

// The iterations of a Map each end a state with branches, without searching the others.
func TestFlowsOfManyIterations(t *testing.T) {
	t.Parallel()
	const n = 100_000
	f, began := newFlows(), time.Now()
	for i := range n {
		path := fmt.Sprintf("/1.0.%d", i)
		f.set(path, asl.Checkpoint{})
		f.set(path+"/1.0.0", asl.Checkpoint{})
		f.drop(path + "/")
	}
	if took := time.Since(began); len(f.at) != n || took > 20*time.Second {
		t.Errorf("%d flows after %v: a walk over all flows at each end takes minutes", len(f.at), took)
	}
}
