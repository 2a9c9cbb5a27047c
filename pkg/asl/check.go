package asl

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// The fields that JSONPath states may have ([State Types]). A misspelt field that is
// passed over is a workflow that does something else once it is deployed.
//
// [State Types]: https://states-language.net/spec.html#state-type-table
var (
	flowFields    = []string{"Comment", "StartAt", "States", "QueryLanguage"}
	machineFields = []string{"Version", "TimeoutSeconds"}

	allFields      = []string{"Type", "Comment", "QueryLanguage", "InputPath", "OutputPath"}
	stepFields     = []string{"Next", "End", "Assign"}
	resultFields   = []string{"Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"}
	perStateFields = map[string][][]string{
		"Pass": {allFields, stepFields, {"Result", "Parameters", "ResultPath"}},
		"Task": {allFields, stepFields, resultFields, {
			"Resource", "Credentials",
			"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath",
		}},
		"Choice":   {allFields, {"Choices", "Default", "Assign", "Next", "End"}}, // Next and End have a message of their own
		"Wait":     {allFields, stepFields, {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}},
		"Succeed":  {allFields, {"Next", "End"}},
		"Fail":     {allFields, {"Error", "ErrorPath", "Cause", "CausePath", "Next", "End"}},
		"Parallel": {allFields, stepFields, resultFields, {"Branches"}},
		"Map": {allFields, stepFields, resultFields, {
			"ItemProcessor", "Iterator", "ItemsPath", "ItemSelector", "ItemReader", "ItemBatcher", "ResultWriter", "Label",
			"MaxConcurrency", "MaxConcurrencyPath", "ToleratedFailureCount", "ToleratedFailureCountPath",
			"ToleratedFailurePercentage", "ToleratedFailurePercentagePath",
		}},
	}
	retryFields = []string{"Comment", "ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"}
	catchFields = []string{"Comment", "ErrorEquals", "Next", "ResultPath", "Assign"}
)

// fields refuses members of o that are in none of the lists.
func (p *parser) fields(o *jsonata.Object, at string, lists ...[]string) {
	for i := range o.Len() {
		key, _ := o.At(i)
		if !slices.ContainsFunc(lists, func(list []string) bool { return slices.Contains(list, key) }) {
			p.schema(at+"/"+key, "Field is not supported")
		}
	}
}

// required reports the members that are missing, all in one diagnostic of the place.
func (p *parser) required(o *jsonata.Object, at string, names ...string) {
	missing := slices.DeleteFunc(names, func(name string) bool { return hasKey(o, name) })
	if len(missing) > 0 {
		if at == "" {
			at = "/"
		}
		p.schema(at, "These fields are required: [%s]", strings.Join(missing, ", "))
	}
}

// reachable refuses states that no path from the start leads to.
func (p *parser) reachable(f *flow, at string) {
	seen := map[string]bool{}
	next := []string{f.start}
	for len(next) > 0 {
		name := next[len(next)-1]
		next = next[:len(next)-1]
		s := f.states[name]
		if name == "" || seen[name] {
			continue
		}
		if s == nil {
			return // a missing target has its own diagnostic, and hides what it should lead to
		}
		seen[name] = true
		next = append(next, s.next, s.defaultNext)
		for _, r := range s.rules {
			next = append(next, r.next)
		}
		for _, c := range s.catch {
			next = append(next, c.next)
		}
	}
	for _, name := range sortedNames(f.states) {
		if !seen[name] && f.start != "" {
			p.add(missingTarget, at+"/States/"+name, fmt.Sprintf("State \"%s\" is not reachable.", name))
		}
	}
}

// integrations are the actions of the services that Step Functions integrates in an
// optimised way with a few of their actions only.
var integrations = map[string][]string{
	"dynamodb": {"getItem", "putItem", "updateItem", "deleteItem"},
	"events":   {"putEvents"},
	"lambda":   {"invoke"},
	"sns":      {"publish"},
	"sqs":      {"sendMessage"},
	"states":   {"startExecution", "startSyncExecution"},
}

// checkResource refuses tasks that the service would not take. Text that is no ARN is
// left alone: templates have placeholders there.
func (p *parser) checkResource(arn, at string) {
	at += "/Resource"
	if p.express {
		switch {
		case strings.Contains(arn, ":activity:"):
			p.schema(at, "Express state machine does not support Activity ARN")
		case strings.HasSuffix(arn, ".sync") || strings.HasSuffix(arn, ".sync:2"):
			p.schema(at, "Express state machine does not support '.sync' service integration")
		case strings.HasSuffix(arn, ".waitForTaskToken"):
			p.schema(at, "Express state machine does not support '.waitForTaskToken' service integration ") // the space is the service's
		}
	}
	_, rest, ok := strings.Cut(arn, ":states:::")
	service, action, _ := strings.Cut(rest, ":")
	actions, known := integrations[service]
	action, _, _ = strings.Cut(action, ".")
	if ok && known && !slices.Contains(actions, action) {
		p.schema(at, "The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", arn)
	}
}

// notJSON is the service's diagnostic of text that is no JSON.
func (p *parser) notJSON(definition []byte, err error) {
	text := string(definition)
	trimmed := strings.TrimLeft(text, " \t\r\n")
	if trimmed == "" {
		p.schema("", "Definition must be a valid JSON object")
		return
	}
	end := strings.IndexFunc(trimmed, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '$' })
	if end < 0 {
		end = len(trimmed)
	}
	word := trimmed[:end]
	if first, _ := utf8.DecodeRuneInString(word); word == "" || !unicode.IsLetter(first) || slices.Contains([]string{"true", "false", "null"}, word) {
		p.add(invalidJSON, "", err.Error())
		return
	}
	before := text[:len(text)-len(trimmed)+end]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	at := fmt.Sprintf("[Source: (String)\"%s\"; line: %d, column: %d]", shorten(definition), line, column)
	p.add(invalidJSON, at, fmt.Sprintf("Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at %s", word, at))
}

// shorten cuts a source as the service's messages do.
func shorten(text []byte) string {
	const most = 500
	if utf8.RuneCount(text) <= most {
		return string(text)
	}
	runes := bytes.Runes(text)
	return fmt.Sprintf("%s\"[truncated %d chars]", string(runes[:most]), len(runes)-most)
}

// checkNames refuses error lists in which States.ALL is not alone, or not in the last
// entry: what follows it would never be looked at ([Errors]).
//
// [Errors]: https://states-language.net/spec.html#errors
func (p *parser) checkNames(names []string, last bool, at string) {
	if i := slices.Index(names, "States.ALL"); i >= 0 && (len(names) > 1 || !last) {
		p.schema(at+"/ErrorEquals", "States.ALL must appear alone, and in the last entry")
	}
}

// checkVariables refuses names that no path could refer to.
func (p *parser) checkVariables(o *jsonata.Object, at string) {
	v, _ := o.Get("Assign")
	assign, ok := v.(*jsonata.Object)
	if !ok {
		if hasKey(o, "Assign") {
			p.schema(at+"/Assign", "Expected value of type Object")
		}
		return
	}
	const longest = 80
	for i := range assign.Len() {
		key, _ := assign.At(i)
		name := strings.TrimSuffix(key, ".$")
		valid := name != "" && name != "states" && utf8.RuneCountInString(name) <= longest
		for i, r := range name {
			valid = valid && (r == '_' || unicode.IsLetter(r) || i > 0 && unicode.IsDigit(r))
		}
		if !valid {
			p.schema(at+"/Assign/"+key, "Value is not a valid variable name")
		}
	}
}
