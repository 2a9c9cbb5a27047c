package statesapi

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"sort"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// A listing keeps STANDARD executions in the order of ListExecutions, so that the cost of
// a page depends on its length and not on the number of executions. Its first key is the
// ARN of a state machine, a version or an alias. The service's runMu guards it.
type listing map[string]map[bridge.Status][]*started

// arns are the ARNs under which an execution is listed.
func (x *started) arns() []string {
	list := []string{x.target.arn}
	for _, arn := range []string{x.target.versionARN, x.target.aliasARN} {
		if arn != "" {
			list = append(list, arn)
		}
	}
	return list
}

// older is the order of a listing, the reverse of that of ListExecutions.
func (x *started) older(y *started) int {
	return cmp.Or(cmp.Compare(x.latest().UnixNano(), y.latest().UnixNano()), cmp.Compare(x.sequence, y.sequence))
}

// add lists an execution. It nearly always belongs at the end, which costs nothing.
func (l listing) add(x *started) {
	for _, arn := range x.arns() {
		if l[arn] == nil {
			l[arn] = map[bridge.Status][]*started{}
		}
		list := l[arn][x.record.Status]
		at := len(list)
		if at > 0 && list[at-1].older(x) > 0 { // the clock was set back
			at, _ = slices.BinarySearchFunc(list, x, (*started).older)
		}
		l[arn][x.record.Status] = slices.Insert(list, at, x)
	}
}

// remove undoes add; the execution must not have changed since.
func (l listing) remove(x *started) {
	for _, arn := range x.arns() {
		list := l[arn][x.record.Status]
		at, found := slices.BinarySearchFunc(list, x, (*started).older)
		if !found {
			continue
		}
		if at < len(list)/2 { // the oldest executions are dropped
			copy(list[1:], list[:at])
			list[0] = nil
			list = list[1:]
		} else {
			list = slices.Delete(list, at, at+1)
		}
		if l[arn][x.record.Status] = list; len(list) > 0 {
			continue
		}
		if delete(l[arn], x.record.Status); len(l[arn]) == 0 {
			delete(l, arn)
		}
	}
}

// after yields the executions of an ARN that come after a place, the latest first; all if
// the place is empty. A status of "" means any status.
func (l listing) after(arn string, status bridge.Status, place string) iter.Seq[*started] {
	var lists [][]*started
	for s, list := range l[arn] {
		if status != "" && s != status {
			continue
		}
		if place != "" {
			list = list[:sort.Search(len(list), func(i int) bool { return list[i].place() <= place })]
		}
		lists = append(lists, list)
	}
	return func(yield func(*started) bool) {
		for {
			latest := -1
			for i, list := range lists {
				if len(list) > 0 && (latest < 0 || lists[latest][len(lists[latest])-1].older(list[len(list)-1]) < 0) {
					latest = i
				}
			}
			if latest < 0 {
				return
			}
			last := len(lists[latest]) - 1
			x := lists[latest][last]
			lists[latest] = lists[latest][:last]
			if !yield(x) {
				return
			}
		}
	}
}

// place is a text that sorts the latest executions first.
func (x *started) place() string {
	return latestFirst(x.latest()) + fmt.Sprintf("%020d", math.MaxInt64-x.sequence)
}
