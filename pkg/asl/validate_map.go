package asl

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

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
	s.reader()
	s.batcher()
	s.writer()
	s.label()
}

// The other fields are for a Distributed Map. A misspelt field is always a mistake.

func (s *stateCheck) reader() {
	reader := s.part("ItemReader", "Resource", "Parameters", "Arguments", "ReaderConfig")
	if reader == nil {
		return
	}
	s.required(reader.o, reader.at, "Resource")
	reader.text(reader.o, "Resource", reader.at)
	config := reader.part("ReaderConfig", "InputType", "CSVHeaderLocation", "CSVHeaders", "CSVDelimiter", "ManifestType",
		"Transformation", "ItemsPointer", "MaxItems", "MaxItemsPath")
	if config == nil {
		return
	}
	for _, enum := range [][]string{
		{"InputType", "JSON", "JSONL", "CSV", "MANIFEST", "PARQUET"},
		{"CSVHeaderLocation", "FIRST_ROW", "GIVEN"},
		{"CSVDelimiter", "COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"},
		{"ManifestType", "ATHENA_DATA", "S3_INVENTORY"},
		{"Transformation", "NONE", "LOAD_AND_FLATTEN"},
	} {
		config.oneOf(config.o, enum[0], config.at, enum[1:]...)
	}
	config.text(config.o, "ItemsPointer", config.at)
	for _, header := range config.list(config.o, "CSVHeaders", config.at) {
		if _, ok := header.(string); !ok {
			config.wrongType(config.at+"/CSVHeaders", "STRING")
			break
		}
	}
	config.most("MaxItems", maxSeconds)
}

func (s *stateCheck) batcher() {
	batcher := s.part("ItemBatcher", "MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath", "BatchInput")
	if batcher == nil {
		return
	}
	batcher.most("MaxItemsPerBatch", maxSeconds)
	batcher.most("MaxInputBytesPerBatch", maxData)
	if s.jsonata {
		batcher.expressions(batcher.o, "BatchInput")
	} else {
		batcher.payload(batcher.o, "BatchInput", batcher.at)
	}
}

func (s *stateCheck) writer() {
	writer := s.part("ResultWriter", "Resource", "Parameters", "Arguments", "WriterConfig")
	if writer == nil {
		return
	}
	writer.text(writer.o, "Resource", writer.at)
	if config := writer.part("WriterConfig", "OutputType", "Transformation"); config != nil {
		config.oneOf(config.o, "OutputType", config.at, "JSON", "JSONL")
		config.oneOf(config.o, "Transformation", config.at, "NONE", "COMPACT", "FLATTEN")
	}
}

// part checks a field that is an object with these members, and returns the check of that
// object, or nil if there is none.
func (s *stateCheck) part(field string, members ...string) *stateCheck {
	o, ok := s.object(field)
	if !ok {
		return nil
	}
	inner := s.within(o, field)
	for i := range o.Len() {
		switch key, _ := o.At(i); {
		case !slices.Contains(members, key):
			s.unsupported(inner.at, key)
		case key == "Parameters" || strings.HasSuffix(key, "Path"):
			s.only(key, inner.at, false)
		case key == "Arguments":
			s.only(key, inner.at, true)
		}
	}
	if s.jsonata {
		inner.expressions(o, "Arguments")
	} else {
		s.payload(o, "Parameters", inner.at)
	}
	return inner
}

// most checks a bound, or the path to one.
func (s *stateCheck) most(field string, high int) {
	s.orPath(field)
	s.amountPath(field + "Path")
	s.amount(field, 0, high)
}

// items checks the items of a Map, and what it makes from each item.
func (s *stateCheck) items() {
	if !s.jsonata {
		s.path(s.o, "ItemsPath", s.at, reference|anyPath)
		s.oneAtMost(s.o, s.at, "ItemSelector", "Parameters") // the legacy name
		return
	}
	items, has := s.o.Get("Items")
	if !has || s.expression(items, "Items") {
		return
	}
	// A list may contain expressions, and so may an object, which is the list of its
	// members.
	switch items.(type) {
	case []any, *jsonata.Object:
		s.expressions(s.o, "Items")
	default:
		s.schema(s.at+"/Items", "Value must be an array or a JSONata expression")
	}
}

// label checks the name that is part of the ARNs of a Distributed Map's children.
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
