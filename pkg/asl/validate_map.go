package asl

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// mapFields are the members of the fields of a Map state that are objects, in both query
// languages. Those of a Distributed Map are not run here, but in tests of one state; a
// misspelt one is a mistake all the same.
var mapFields = map[string][]string{
	"ItemReader": {"Resource", "Parameters", "Arguments", "ReaderConfig"},
	"ItemBatcher": {
		"MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath", "BatchInput",
	},
	"ResultWriter": {"Resource", "Parameters", "Arguments", "WriterConfig"},
}

func (s *stateCheck) mapState() {
	s.processor(s.o, s.at)
	s.items()
	s.amount("MaxConcurrency", 0, maxSeconds)
	s.amount("ToleratedFailureCount", 0, maxSeconds)
	s.percentage()
	for _, field := range []string{"MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage"} {
		s.orPath(field)
		s.amountPath(field + "Path")
	}
	for _, field := range []string{"ItemReader", "ItemBatcher", "ResultWriter"} {
		o, ok := s.object(field)
		if !ok {
			continue
		}
		s.fields(o, s.at+"/"+field, mapFields[field])
		if field == "ItemReader" {
			s.required(o, s.at+"/"+field, "Resource")
		}
		if s.jsonata {
			s.expressions(o, field, s.at)
		}
	}
	s.label()
}

// items checks what the Map goes through, and what it makes of each item.
func (s *stateCheck) items() {
	if !s.jsonata {
		s.path(s.o, "ItemsPath", s.at, 0)
		s.oneAtMost(s.o, s.at, "ItemSelector", "Parameters") // its name at first
		return
	}
	items, has := s.o.Get("Items")
	if !has || s.expression(items, "Items", s.at+"/Items") {
		return
	}
	// A list may have expressions in it. The service also takes an object, as the list of
	// its members, which the engine does not run.
	if _, ok := items.([]any); ok {
		s.expressions(items, "Items", s.at)
	} else {
		s.schema(s.at+"/Items", "Value must be an array or a JSONata expression")
	}
}

// label checks the name that the ARNs of a Distributed Map's children have in them.
func (s *stateCheck) label() {
	const most = 40
	label, ok := s.text(s.o, "Label", s.at)
	switch {
	case !ok:
	case utf8.RuneCountInString(label) > most:
		s.schema(s.at+"/Label", "Label cannot exceed %d characters", most)
	default:
		invalid := func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("?*<>{}[]:;,\\|^~$#%&`\"", r)
		}
		if i := strings.IndexFunc(label, invalid); i >= 0 {
			r, _ := utf8.DecodeRuneInString(label[i:])
			s.schema(s.at+"/Label", "Label contains invalid character: %q", r)
		}
	}
}
