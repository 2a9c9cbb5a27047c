package sqsbatch

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/expressway-dev/expressway/pkg/config"
)

// A Visibility determines when a received record is delivered again.
type Visibility struct {
	ReceiptHandle string
	// Timeout is counted from now, in whole seconds.
	Timeout time.Duration
}

// maxChanges is the maximum number of visibilities that one call changes.
const maxChanges = 10

const (
	// mostVisible is the longest wait. A queue keeps a received message invisible for at
	// most twelve hours from its receipt, which was before the batching window (5
	// minutes) and the run of the function (15 minutes).
	mostVisible = 12*time.Hour - 20*time.Minute
	// visibilityTime bounds the calls, and reserve is the part of Lambda's remaining time
	// that is kept for the response.
	visibilityTime = 2 * time.Second
	reserve        = 50 * time.Millisecond
	// visibilityCalls is how many calls are made at once.
	visibilityCalls = 8
)

// changeVisibility sets when the queue delivers the unsettled records again: after the
// wait of their route's retry, or when the attempt that holds their dedupe key has ended.
// Correctness does not depend on it: records that it does not reach are delivered again
// after the queue's own visibility timeout.
//
// A record whose execution may still be running is left as it is, so that no second one
// runs at the same time. In a FIFO group nothing is delivered while a message of the
// group is invisible, so the records behind one that failed get the same wait: they are
// delivered together, in their order, and the group pauses meanwhile.
func (b *Batch) changeVisibility(ctx context.Context, records []*record, fates []fate) {
	if b.queues == nil {
		return
	}
	changes := b.changes(records, fates)
	if len(changes) == 0 {
		return
	}
	wait := visibilityTime
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, deadline.Sub(b.bridge.Now())-reserve)
	}
	ctx, cancel := context.WithTimeout(ctx, max(wait, 0))
	defer cancel()
	var running sync.WaitGroup
	limit := make(chan struct{}, visibilityCalls)
	var failed atomic.Int64
	var last atomic.Value
	for queue, list := range changes {
		for len(list) > 0 {
			part := list[:min(len(list), maxChanges)]
			list = list[len(part):]
			limit <- struct{}{}
			running.Go(func() {
				defer func() { <-limit }()
				if err := b.queues.ChangeVisibility(ctx, queue, part); err != nil {
					failed.Add(int64(len(part)))
					last.Store(err.Error())
				}
			})
		}
	}
	running.Wait()
	if n := failed.Load(); n > 0 {
		b.log.LogAttrs(ctx, slog.LevelWarn, "visibility not changed: the queue's own visibility timeout applies",
			slog.Int64("records", n), slog.Any("reason", last.Load()))
	}
}

// changes returns the changes to make, by the queue's ARN.
func (b *Batch) changes(records []*record, fates []fate) map[string][]Visibility {
	changes := map[string][]Visibility{}
	waits := map[int]time.Duration{} // the waits of records that others wait behind
	for i, rec := range records {
		route := b.route(rec)
		head := fates[i].behind
		if fates[i].settled || route == nil || fates[i].held || fates[head].held ||
			route.SQS.Retry == nil && fates[head].claimed.IsZero() {
			continue
		}
		handle := rec.receiptHandle()
		if handle == "" {
			continue
		}
		wait, ok := waits[head]
		if !ok {
			wait = b.wait(route, records[head], fates[head])
			waits[head] = wait
		}
		changes[rec.queueARN] = append(changes[rec.queueARN], Visibility{handle, wholeSeconds(wait)})
	}
	return changes
}

// wait returns how long a record stays invisible.
func (b *Batch) wait(route *config.Route, rec *record, f fate) time.Duration {
	if !f.claimed.IsZero() {
		// A claim includes the millisecond in which it ends.
		return max(f.claimed.Sub(b.bridge.Now())+time.Millisecond, time.Second)
	}
	return max(retryWait(route.SQS.Retry, rec.receiveCount(), b.random), f.least)
}

// retryWait returns how long a record stays invisible after it was received for the nth
// time.
func retryWait(r *config.Retry, n int, random func() float64) time.Duration {
	rate, most := r.Rate, r.Max
	if rate <= 0 {
		rate = config.DefaultRetryRate
	}
	if most <= 0 {
		most = max(config.DefaultRetryMax, r.Delay)
	}
	wait := float64(r.Delay) * math.Pow(rate, float64(max(n, 1)-1))
	wait = min(wait, float64(most)) // also bounds infinity
	if !r.NoJitter {
		wait *= random()
	}
	return time.Duration(wait)
}

// wholeSeconds rounds up, within the range that a queue accepts.
func wholeSeconds(d time.Duration) time.Duration {
	return min((d + time.Second - 1).Truncate(time.Second), mostVisible)
}
