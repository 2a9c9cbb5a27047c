package stepfn

import (
	"context"
	"time"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// The wait before attempt n+1 is drawn from [0, firstWait·2^(n-1)], at most longestWait.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 5 * time.Second
)

// maxStale bounds how many closed idle connections one start may find.
const maxStale = maxIdle

// retryAfterLeast is the Retry-After for a sender that was throttled, if the service did
// not name a time itself.
const retryAfterLeast = time.Second

// nap waits after attempt n failed with f. It reports false without waiting if the
// context would end before the next attempt.
func (c *Client) nap(ctx context.Context, n int, f *bridge.Failure) bool {
	most := longestWait
	if n < 8 {
		most = min(most, firstWait<<(n-1))
	}
	wait := max(time.Duration(c.opts.Rand()*float64(most)), f.RetryAfter)
	deadline, ok := ctx.Deadline()
	if ctx.Err() != nil || ok && !c.opts.Now().Add(wait).Before(deadline) {
		return false
	}
	c.opts.Sleep(ctx, wait)
	return ctx.Err() == nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
