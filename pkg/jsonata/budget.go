package jsonata

import "context"

// step counts one step of work, and returns an error when a budget is exhausted.
func (ev *evaluator) step() error {
	ev.steps++
	if ev.used > ev.maxUsed {
		if ev.dropAll(); ev.used > ev.maxUsed {
			return spent(ErrAllocation)
		}
	}
	if ev.steps < ev.lookAt {
		return nil
	}
	return ev.checkTime()
}

// work counts work outside of steps, by the bytes of text that were read; an item of an
// array counts as bytesOfItem.
func (ev *evaluator) work(bytes int) { ev.steps += bytes >> 6 }

// spend counts the steps of a regular expression, which are shorter.
func (ev *evaluator) spend(steps int) error {
	ev.steps += steps >> 4
	if ev.steps < ev.lookAt {
		return nil
	}
	return ev.checkTime()
}

func (ev *evaluator) checkTime() error {
	if ev.steps > ev.conf.maxSteps {
		return spent(ErrSteps)
	}
	ev.lookAt = min(ev.steps+checkEvery, ev.conf.maxSteps+1)
	if ev.ctx.Err() != nil {
		return context.Cause(ev.ctx)
	}
	now := ev.conf.stopwatch()
	if ev.began.IsZero() {
		ev.began = now
	}
	if now.Sub(ev.began) > ev.conf.maxTime {
		return spent(ErrTime)
	}
	return nil
}

// use charges bytes to the evaluation; the next step notices if it was too much.
func (ev *evaluator) use(bytes int) {
	ev.used += int64(bytes)
	ev.made += int64(bytes)
}

// reserve charges bytes that are about to be allocated and filled at once.
func (ev *evaluator) reserve(bytes float64) error {
	if float64(ev.used)+bytes > float64(ev.maxUsed) {
		if ev.dropAll(); float64(ev.used)+bytes > float64(ev.maxUsed) {
			return spent(ErrAllocation)
		}
	}
	ev.use(int(bytes))
	ev.work(int(bytes) / 2)
	return nil
}
