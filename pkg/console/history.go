package console

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A pastEvent is one event of a history for display.
type pastEvent struct {
	ID   int64
	Type string
	// After is the time since the first event. What is the state, error or resource that the
	// event is about.
	After, What string
	Event       json.RawMessage
}

// pastEvents converts events in the service's form for display.
func pastEvents(events []json.RawMessage) []pastEvent {
	list := make([]pastEvent, 0, len(events))
	var first float64
	for i, event := range events {
		var head struct {
			ID        int64   `json:"id"`
			Type      string  `json:"type"`
			Timestamp float64 `json:"timestamp"`
		}
		_ = json.Unmarshal(event, &head) // the recorder wrote it
		if i == 0 {
			first = head.Timestamp
		}
		list = append(list, pastEvent{head.ID, head.Type, fmt.Sprintf("+%.3f s", max(head.Timestamp-first, 0)), subject(event), event})
	}
	return list
}

// subject returns the state that an event is about, or else its error or resource.
func subject(event json.RawMessage) string {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(event, &fields)
	for name, value := range fields {
		if !strings.HasSuffix(name, "EventDetails") {
			continue
		}
		var details struct{ Name, Error, ResourceType, Resource string }
		_ = json.Unmarshal(value, &details)
		switch {
		case details.Name != "":
			return details.Name
		case details.Error != "":
			return details.Error
		case details.ResourceType != "":
			return details.ResourceType + ":" + details.Resource
		}
		return details.Resource
	}
	return ""
}
