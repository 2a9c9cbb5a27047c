package sqsbatch

import (
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A lane is a sequence of units that run one after the other: a message group of a FIFO
// queue, or a single unit of a standard queue.
type lane struct {
	route *config.Route
	units []unit
}

// A unit holds the records of one execution: one record, or several with batch: true.
type unit []*record

// lanes sorts records into lanes, in the event's order.
func (b *Batch) lanes(records []*record) []lane {
	type key struct{ queue, group string }
	at := map[key]int{}
	groups := make([][]*record, 0, len(records))
	for n, rec := range records {
		k := key{rec.queueARN, rec.attribute("MessageGroupId")}
		batch := false
		if !rec.fifo() {
			k.group = ""
			route := b.route(rec)
			batch = route != nil && route.SQS.Batch
		}
		if !rec.fifo() && !batch {
			groups = append(groups, records[n:n+1:n+1])
			continue
		}
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], rec)
	}
	out := make([]lane, 0, len(groups))
	units := make([]unit, 0, len(records))
	for _, group := range groups {
		route := b.route(group[0])
		from := len(units)
		units = divide(route, group, units)
		if group[0].fifo() {
			out = append(out, lane{route, units[from:]})
			continue
		}
		for i := range units[from:] {
			out = append(out, lane{route, units[from+i : from+i+1]})
		}
	}
	return out
}

// divide appends the units of a group to units. With batch: true, a unit has as many records as an
// execution's input can hold, and a record that cannot be part of an execution is a unit
// of its own.
func divide(route *config.Route, group []*record, units []unit) []unit {
	if route == nil || !route.SQS.Batch {
		for i := range group {
			units = append(units, group[i:i+1:i+1])
		}
		return units
	}
	var current unit
	size := 0
	flush := func() {
		if len(current) > 0 {
			units = append(units, current)
		}
		current, size = nil, 0
	}
	for _, rec := range group {
		n, ok := rec.size(route)
		if !ok {
			if rec.fifo() {
				flush() // in order
			}
			units = append(units, unit{rec})
			continue
		}
		// The list's brackets, and the commas between its items.
		if size+n+len(current)+2 > bridge.MaxInput {
			flush()
		}
		current = append(current, rec)
		size += n
	}
	flush()
	return units
}

// size returns how many bytes the record adds to an input that consists of all of
// $messages. It is zero if the route makes its own input, whose size is not known in
// advance. It is not ok if the record cannot be part of an execution.
func (r *record) size(route *config.Route) (n int, ok bool) {
	defer r.release()
	if r.precheck(route) != nil || r.testEvent(route) {
		return 0, false
	}
	if route.Input != nil {
		return 0, true
	}
	message, err := r.document(route)
	if err != nil {
		return 0, false
	}
	text, err := jsonata.AppendJSON(nil, message)
	return len(text), err == nil
}

// precheck finds faults of a record before it is processed any further. Its envelope is
// checked even if no expression would ever see it.
func (r *record) precheck(route *config.Route) *bridge.Failure {
	if r.broken == nil && route.SQS.Unwrap != config.UnwrapNothing && !r.testEvent(route) {
		_, _ = r.document(route) // the failure stays with the record
	}
	return r.broken
}

// testEvent reports whether the record is S3's test event.
func (r *record) testEvent(route *config.Route) bool {
	return route.SQS.Unwrap == config.UnwrapS3 && r.readable && isTestEvent(r.body())
}
