package sqsbatch

import (
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A lane is what runs one after the other: a message group of a FIFO queue, or a
// single unit of a standard one.
type lane struct {
	route *config.Route
	units []unit
}

// A unit is what one execution takes: one record, or with batch: true several.
type unit []*record

// lanes sorts records into lanes, in the event's order.
func (b *Batch) lanes(records []*record) []*lane {
	type key struct{ queue, group string }
	at := map[key]int{}
	var groups [][]*record
	for _, rec := range records {
		k := key{rec.queueARN, rec.attribute("MessageGroupId")}
		batch := false
		if !rec.fifo() {
			k.group = ""
			route := b.route(rec)
			batch = route != nil && route.SQS.Batch
		}
		if !rec.fifo() && !batch {
			groups = append(groups, []*record{rec})
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
	var out []*lane
	for _, group := range groups {
		route := b.route(group[0])
		units := divide(route, group)
		if group[0].fifo() {
			out = append(out, &lane{route, units})
			continue
		}
		for i := range units {
			out = append(out, &lane{route, units[i : i+1]})
		}
	}
	return out
}

// divide makes the units of a group. Those of batch: true have as many records as an
// execution's input can hold; a record that can be no part of one is a unit of its own.
func divide(route *config.Route, group []*record) []unit {
	var units []unit
	if route == nil || !route.SQS.Batch {
		for _, rec := range group {
			units = append(units, unit{rec})
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
				flush() // in its place
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

// size is what the record adds to an input that is all of $messages; zero where the
// route makes its own input, of which nothing is known before. It is not ok for a record
// that can be no part of an execution.
func (r *record) size(route *config.Route) (n int, ok bool) {
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

// precheck finds what is wrong with a record before anything looks at it. What it is
// wrapped in is checked even where no expression would ever see it.
func (r *record) precheck(route *config.Route) *bridge.Failure {
	if r.broken == nil && route.SQS.Unwrap != config.UnwrapNothing && !r.testEvent(route) {
		_, _ = r.document(route) // the failure stays with the record
	}
	return r.broken
}

// testEvent tells the message by which S3 tries a new notification out.
func (r *record) testEvent(route *config.Route) bool {
	return route.SQS.Unwrap == config.UnwrapS3 && r.body != nil && isTestEvent(*r.body)
}
