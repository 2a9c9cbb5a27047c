package asl

import "github.com/expressway-dev/expressway/pkg/jsonata"

// The query languages.
const (
	languageJSONPath = "JSONPath"
	languageJSONata  = "JSONata"
)

// machineLanguage reads the QueryLanguage that states have without one of their own.
func (p *parser) machineLanguage(o *jsonata.Object) {
	v, has := o.Get("QueryLanguage")
	p.onlyJSONata = v == languageJSONata
	if has && !p.onlyJSONata && v != languageJSONPath {
		p.unknownLanguage("")
	}
}

// language reads a state's QueryLanguage, and reports whether it is JSONata. A state may
// go from the JSONPath of its machine to JSONata, and not the other way; the states within
// it start anew from the machine's.
func (p *parser) language(o *jsonata.Object, at string) (isJSONata bool) {
	v, has := o.Get("QueryLanguage")
	switch {
	case !has:
		return p.onlyJSONata
	case v == languageJSONata:
		return true
	case v != languageJSONPath:
		p.unknownLanguage(at)
	case p.onlyJSONata:
		p.schema(at, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
	}
	return false
}

func (p *parser) unknownLanguage(at string) {
	p.schema(at+"/QueryLanguage", "Value is not valid, expected one of [%s, %s]", languageJSONPath, languageJSONata)
}

// The fields that states of JSONata may have; those of JSONPath are beside them.
var (
	jsonataFields     = []string{"Type", "Comment", "QueryLanguage"}
	jsonataStep       = []string{"Next", "End", "Assign", "Output"}
	jsonataStateField = map[string][][]string{
		"Pass": {jsonataFields, jsonataStep},
		"Task": {jsonataFields, jsonataStep, {
			"Arguments", "Retry", "Catch", "Resource", "Credentials", "TimeoutSeconds", "HeartbeatSeconds",
		}},
		"Choice":   {jsonataFields, {"Choices", "Default", "Assign", "Output", "Next", "End"}},
		"Wait":     {jsonataFields, jsonataStep, {"Seconds", "Timestamp"}},
		"Succeed":  {jsonataFields, {"Output", "Next", "End"}},
		"Fail":     {jsonataFields, {"Error", "Cause", "Next", "End"}},
		"Parallel": {jsonataFields, jsonataStep, {"Arguments", "Retry", "Catch", "Branches"}},
		"Map": {jsonataFields, jsonataStep, {
			"Retry", "Catch", "ItemProcessor", "Items", "ItemSelector", "ItemReader", "ItemBatcher", "ResultWriter", "Label",
			"MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage",
		}},
	}
	jsonataCatchFields = []string{"Comment", "ErrorEquals", "Next", "Assign", "Output"}
)
