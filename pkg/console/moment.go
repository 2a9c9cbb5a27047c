package console

import (
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
)

// A moment is an event of an execution in a quarter of the space: most events say which
// state was entered or left, when, and with which value. The cost of recording is that of
// the memory it touches.
type moment struct {
	id, previous int32
	at           int64 // in nanoseconds since 1970
	kind, name   string
	value        any // the input or the output
	// whole is the event, if it says more.
	whole *asl.Event
}

// momentOf returns an event as it is kept.
func momentOf(e *asl.Event) moment {
	m := moment{id: int32(e.ID), previous: int32(e.PreviousID), at: e.Time.UnixNano(), kind: e.Type, name: e.Name, value: e.Input} //nolint:gosec // an execution has far fewer
	if e.Output != nil {
		m.value = e.Output
	}
	if e.Input != nil && e.Output != nil || m.output() != (e.Output != nil) && m.value != nil || e.Assigned != nil ||
		e.Index|e.Length|e.TimeoutSeconds|e.HeartbeatSeconds != 0 ||
		len(e.Resource)+len(e.ResourceType)+len(e.RoleARN)+len(e.Region)+len(e.Worker)+len(e.Location)+len(e.Error)+len(e.Cause) != 0 {
		whole := *e
		m.value, m.whole = nil, &whole
	}
	return m
}

// output reports whether the value of such an event is an output.
func (m *moment) output() bool {
	return strings.HasSuffix(m.kind, "Exited") || strings.HasSuffix(m.kind, "Succeeded")
}

// event returns the event as it was.
func (m *moment) event() asl.Event {
	if m.whole != nil {
		return *m.whole
	}
	e := asl.Event{ID: int64(m.id), PreviousID: int64(m.previous), Time: time.Unix(0, m.at), Type: m.kind, Name: m.name}
	if m.output() {
		e.Output = m.value
	} else {
		e.Input = m.value
	}
	return e
}

// moments are the events of an execution; if there are too many, the first and the last.
type moments struct {
	kept []moment
	left int // in the middle, that did not fit
}

// add keeps an event.
func (m *moments) add(e *asl.Event) {
	if len(m.kept) < maxEvents {
		m.kept = append(m.kept, momentOf(e))
		return
	}
	// The beginning and the end are more informative than the middle: the second half is
	// a ring.
	const half = maxEvents / 2
	m.kept[half+m.left%half] = momentOf(e)
	m.left++
}

// events returns the events in order.
func (m *moments) events() []asl.Event {
	list := make([]asl.Event, 0, len(m.kept))
	const half = maxEvents / 2
	for i := range m.kept {
		if m.left > 0 && i >= half {
			i = half + (i-half+m.left)%half
		}
		list = append(list, m.kept[i].event())
	}
	return list
}
