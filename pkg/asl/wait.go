package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// wait runs a Wait state, on the clock of the environment.
func (f *frame) wait(ctx context.Context, v *view) *Error {
	if p := f.unpark(); p != nil {
		return f.run.slept(p.err, p.late)
	}
	whole, err := f.delay(ctx, v)
	if err != nil {
		return err
	}
	d := whole.scaled(f.run.waitScale())
	if f.again && f.state.wait.counted() { // a part of it has passed
		d -= f.run.env.Now().Sub(f.since)
	}
	if d <= 0 {
		return nil
	}
	return f.sleep(ctx, d)
}

// sleep waits on the clock of the environment, at most until the execution's time is up,
// which a clock that is faster than the real one reaches first. In a flow that may pause,
// it returns errParked instead of waiting.
func (f *frame) sleep(ctx context.Context, d time.Duration) *Error {
	r := f.run
	left := r.left()
	late := d > left
	d = max(min(d, left), 0)
	if !f.parks {
		return r.slept(r.env.Sleep(ctx, d), late)
	}
	p := &parked{late: late}
	p.whenOver = func(wake func()) {
		over := func(err error) {
			p.err = err
			wake()
		}
		if r.ownSleep {
			afterwards(ctx, d, over)
		} else {
			go func() { over(r.env.Sleep(ctx, d)) }()
		}
	}
	f.parked = p
	return errParked
}

// A span is how long a state asks to wait, which may be longer than a duration can be.
type span struct {
	seconds int64
	part    time.Duration // of a second
}

// between returns how long it is from one time to a later one; negative if it is earlier.
func between(from, to time.Time) span {
	return span{to.Unix() - from.Unix(), time.Duration(to.Nanosecond() - from.Nanosecond())}
}

// scaled multiplies a span. A result beyond the range of a duration becomes the longest
// duration, and does not wrap around to a wait that is over at once.
func (s span) scaled(factor float64) time.Duration {
	const most = int64(math.MaxInt64/time.Second) - 1
	if factor == 1 && s.seconds <= most && s.seconds >= -most { // without rounding
		return time.Duration(s.seconds)*time.Second + s.part
	}
	return limited((float64(s.seconds)*float64(time.Second) + float64(s.part)) * factor)
}

// waitScale is what waits are multiplied by.
func (r *run) waitScale() float64 {
	if r.env.WaitScale > 0 {
		return r.env.WaitScale
	}
	return 1
}

func limited(nanoseconds float64) time.Duration {
	switch {
	case nanoseconds >= math.MaxInt64:
		return math.MaxInt64
	case nanoseconds <= math.MinInt64:
		return math.MinInt64
	}
	return time.Duration(nanoseconds)
}

// slept returns the error of a wait that is over. If late is set, the execution's time is
// up too.
func (r *run) slept(err error, late bool) *Error {
	if err == nil && late {
		r.expired.Store(true)
	}
	if err != nil || late {
		return r.timedOut()
	}
	return nil
}

// counted reports whether the state waits for a number of seconds, and not to a time.
func (w *waitFields) counted() bool { return w.timestampPath == nil && w.timestamp == nil }

func (f *frame) delay(ctx context.Context, v *view) (span, *Error) {
	w := &f.state.wait
	switch {
	case w.secondsPath != nil:
		n, err := f.secondsAt(v, w.secondsPath)
		return span{seconds: n}, err
	case w.timestampPath != nil:
		return f.untilPath(v, w.timestampPath)
	case w.timestamp != nil:
		return f.until(ctx, v, w.timestamp)
	}
	n, err := w.seconds.whole(ctx, v)
	return span{seconds: int64(n)}, err
}

// seconds returns a duration, limited to the longest execution.
func seconds(n int64) time.Duration {
	return time.Duration(min(n, int64(2*StandardDuration/time.Second))) * time.Second
}

func (f *frame) secondsAt(v *view, path *source) (int64, *Error) {
	found, ok := path.eval(v)
	if !ok {
		return 0, f.runtime("The SecondsPath parameter does not reference an input value: " + path.text)
	}
	found = jsonata.Force(found)
	n, isNumber := found.(json.Number)
	i, err := strconv.ParseInt(string(n), 10, 64)
	if !isNumber || err != nil {
		return 0, f.runtime(fmt.Sprintf("The SecondsPath parameter cannot be parsed as a long value: %s == %s", path.text, quote(found)))
	}
	if i < 0 {
		return 0, f.runtime(fmt.Sprintf("The SecondsPath parameter references a negative value: %s == %s", path.text, quote(found)))
	}
	return i, nil
}

func (f *frame) untilPath(v *view, path *source) (span, *Error) {
	found, ok := path.eval(v)
	if !ok {
		return span{}, f.runtime("The TimestampPath parameter does not reference an input value: " + path.text)
	}
	t, ok := timestamp(jsonata.Force(found))
	if !ok {
		return span{}, f.runtime(fmt.Sprintf("The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: %s == %s", path.text, plain(found)))
	}
	return between(f.run.env.Now(), t), nil
}

func (f *frame) until(ctx context.Context, v *view, field *template) (span, *Error) {
	out, err := field.eval(ctx, v)
	if err != nil {
		return span{}, err
	}
	if _, isText := jsonata.Force(out).(string); !isText && field.query != nil {
		return span{}, field.query.unexpected(v, "string", out)
	}
	t, ok := timestamp(jsonata.Force(out))
	if !ok {
		return span{}, f.queryError("Timestamp", "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: "+plain(out))
	}
	return between(f.run.env.Now(), t), nil
}
