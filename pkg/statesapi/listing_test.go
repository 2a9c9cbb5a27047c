package statesapi

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// The cost of a page depends on its length only: it allocates as many bytes if there are
// twenty times as many executions. (It runs by itself: bytes are those of the process.)
func TestPagesCostTheirLength(t *testing.T) {
	cost := func(n int) (bytes uint64) {
		s := newBare(t, Options{})
		definition := `{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`
		if _, err := s.Create(CreateInput{Name: ptr("std"), Definition: &definition, RoleARN: ptr(roleARN)}); err != nil {
			t.Fatal(err)
		}
		machine := s.ARN("std")
		for i := range n {
			if _, err := s.Start(StartInput{StateMachineARN: &machine, Name: ptr(fmt.Sprintf("n-%d", i))}); err != nil {
				t.Fatal(err)
			}
		}
		s.awaitFinished(n)
		middle := pageToken(s.names.listed[machine][bridge.Succeeded][n/2].place())
		const pages = 50
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range pages {
			out, err := s.listExecutions(listExecutionsInput{StateMachineARN: &machine, MaxResults: ptr(int64(10)), NextToken: &middle})
			if err != nil || len(out.Executions) != 10 || out.NextToken == "" {
				t.Errorf("ListExecutions returned %v %+v, want a page of 10 and a token", err, out)
			}
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / pages
	}
	few, many := cost(100), cost(2000)
	t.Logf("a page of 10 takes %d bytes of 100 executions, %d of 2,000", few, many)
	if many > 2*few {
		t.Errorf("a page takes %d bytes of 100 executions, and %d of 2,000", few, many)
	}
}

// However executions start, end and are dropped, and wherever the clock goes, lists are in
// order, whole and without what was dropped.
func TestListing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		l := listing{}
		var all []*started
		machine, begun := &revision{arn: "m"}, 0
		clock := time.Unix(1000, 0)
		sorted := func() []*started {
			want := slices.Clone(all)
			slices.SortFunc(want, func(x, y *started) int { return y.older(x) })
			return want
		}
		for range rapid.IntRange(0, 60).Draw(rt, "steps") {
			clock = clock.Add(time.Duration(rapid.IntRange(-2, 5).Draw(rt, "tick")) * time.Second)
			switch {
			case len(all) == 0 || rapid.Bool().Draw(rt, "start"):
				begun++
				x := &started{sequence: begun, record: ExecutionRecord{Status: bridge.Running, StartDate: clock}, target: target{revision: machine, versionARN: rapid.SampledFrom([]string{"", "m:1"}).Draw(rt, "version")}}
				l.add(x)
				all = append(all, x)
			case rapid.Bool().Draw(rt, "end"):
				x := rapid.SampledFrom(all).Draw(rt, "which")
				l.remove(x)
				x.ended, x.record.StopDate, x.record.Status = true, clock, rapid.SampledFrom([]bridge.Status{bridge.Succeeded, bridge.Failed}).Draw(rt, "status")
				l.add(x)
			default:
				i := rapid.IntRange(0, len(all)-1).Draw(rt, "which")
				l.remove(all[i])
				all = slices.Delete(all, i, i+1)
			}
		}
		want := sorted()
		for _, arn := range []string{"m", "m:1"} {
			for _, status := range []bridge.Status{"", bridge.Running, bridge.Failed} {
				var of []*started
				for _, x := range want {
					if (arn == "m" || x.target.versionARN == arn) && (status == "" || x.record.Status == status) {
						of = append(of, x)
					}
				}
				if got := slices.Collect(l.after(arn, status, "")); !slices.Equal(got, of) {
					rt.Fatalf("%s %s: %d executions, want %d in order", arn, status, len(got), len(of))
				}
				for i, x := range of {
					if got := slices.Collect(l.after(arn, status, x.place())); !slices.Equal(got, of[i+1:]) {
						rt.Fatalf("after %d: %d executions, want %d", i, len(got), len(of)-i-1)
					}
				}
			}
		}
		for _, x := range all {
			l.remove(x)
		}
		if len(l) != 0 {
			rt.Fatalf("%d lists remain", len(l))
		}
	})
}
