package asl

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// maxSeconds is the longest time that a definition can name.
const maxSeconds = 99999999

// maxStateName is the maximum length of a state's name, in characters.
const maxStateName = 80

// stateFields are the members of a state ([State Types]): those of both query languages,
// and those of only one. If a misspelt field were ignored, the workflow would behave
// differently from what was intended.
//
// [State Types]: https://states-language.net/spec.html#state-type-table
type stateFields struct{ both, jsonPath, jsonata []string }

var (
	stateKinds = []string{"Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"}

	anyState = []string{"Type", "Comment", "QueryLanguage"}
	goesOn   = []string{"Next", "End", "Assign"}

	fieldsOf = map[string]stateFields{
		"Pass": {goesOn, []string{"InputPath", "OutputPath", "Parameters", "Result", "ResultPath"}, []string{"Output"}},
		"Task": {
			append([]string{"Resource", "Credentials", "TimeoutSeconds", "HeartbeatSeconds", "Retry", "Catch"}, goesOn...),
			[]string{"InputPath", "OutputPath", "Parameters", "ResultSelector", "ResultPath", "TimeoutSecondsPath", "HeartbeatSecondsPath"},
			[]string{"Arguments", "Output"},
		},
		"Choice":  {[]string{"Choices", "Default", "Assign"}, []string{"InputPath", "OutputPath"}, []string{"Output"}},
		"Wait":    {append([]string{"Seconds", "Timestamp"}, goesOn...), []string{"InputPath", "OutputPath", "SecondsPath", "TimestampPath"}, []string{"Output"}},
		"Succeed": {nil, []string{"InputPath", "OutputPath"}, []string{"Output"}},
		"Fail":    {[]string{"Error", "Cause"}, []string{"InputPath", "OutputPath", "ErrorPath", "CausePath"}, nil},
		"Parallel": {
			append([]string{"Branches", "Retry", "Catch"}, goesOn...),
			[]string{"InputPath", "OutputPath", "Parameters", "ResultSelector", "ResultPath"},
			[]string{"Arguments", "Output"},
		},
		"Map": {
			append([]string{
				"ItemProcessor", "Iterator", "ItemSelector", "ItemReader", "ItemBatcher", "ResultWriter", "Label",
				"MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage", "Retry", "Catch",
			}, goesOn...),
			[]string{
				"InputPath", "OutputPath", "Parameters", "ResultSelector", "ResultPath", "ItemsPath",
				"MaxConcurrencyPath", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath",
			},
			[]string{"Items", "Output"},
		},
	}
)

// state checks one state, and records its transitions in g.
func (v *validator) state(name string, o *jsonata.Object, at string, g *graph) {
	if utf8.RuneCountInString(name) > maxStateName {
		v.schema(at, "State name cannot be longer than %d characters", maxStateName)
	}
	if !v.required(o, at, "Type") {
		return
	}
	kind, ok := v.kind(o, at)
	if !ok {
		return
	}
	s := &stateCheck{validator: v, o: o, at: at, kind: kind, jsonata: v.machineJSONata}
	s.language()
	s.supported()
	v.comment(o, at)
	s.data()
	switch kind {
	case "Pass":
		s.passResult()
	case "Task":
		s.task()
	case "Choice":
		s.choice(name, g)
	case "Wait":
		s.wait()
	case "Fail":
		s.fail()
	case "Parallel":
		v.branches(o, at)
	case "Map":
		s.mapState()
	}
	switch kind {
	case "Succeed", "Fail":
		g.ends[name] = true
	case "Choice":
	default:
		v.transitions(name, o, at, g)
	}
	s.retry()
	s.catch(name, g)
}

// kind reads the Type of a state.
func (v *validator) kind(o *jsonata.Object, at string) (string, bool) {
	kind := o.Text("Type")
	if !slices.Contains(stateKinds, kind) {
		v.schema(at+"/Type", "The field 'Type' should have one of these values: [%s]", strings.Join(stateKinds, ", "))
		return "", false
	}
	return kind, true
}

// A stateCheck is the check of one state.
type stateCheck struct {
	*validator
	o       *jsonata.Object
	at      string
	kind    string
	jsonata bool
	// mixed is set for a state of JSONPath in a machine of JSONata. It is refused only for
	// that reason, and not for its fields as well.
	mixed bool
	// catching is set in a Catch, which has $states.errorOutput.
	catching bool
	place    string // the place of the object in its state, such as Catch[0]; "" for the state itself
}

// language finds the state's query language. A machine in JSONata allows no other. Nested
// states inherit the language of the machine.
func (s *stateCheck) language() {
	isJSONata, given := s.validator.language(s.o, s.at)
	switch {
	case !given:
	case s.machineJSONata && !isJSONata:
		s.mixed = true
		s.schema(s.at, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
	default:
		s.jsonata = isJSONata
	}
}

// supported refuses fields that the state does not have, or not in its query language.
func (s *stateCheck) supported() {
	f := fieldsOf[s.kind]
	for i := range s.o.Len() {
		key, _ := s.o.At(i)
		switch {
		case slices.Contains(anyState, key) || slices.Contains(f.both, key):
		case slices.Contains(f.jsonPath, key):
			s.only(key, s.at, false)
		case slices.Contains(f.jsonata, key):
			s.only(key, s.at, true)
		default:
			s.unsupported(s.at, key)
		}
	}
}

// only refuses a field of the other query language, and reports whether the field belongs
// to the state's own.
func (s *stateCheck) only(field, at string, jsonata bool) bool {
	if s.jsonata == jsonata {
		return true
	}
	if s.mixed {
		return false
	}
	ours, theirs := "JSONPath", "JSONata"
	if s.jsonata {
		ours, theirs = theirs, ours
	}
	s.schema(at, "The QueryLanguage is set to '%s', but field '%s' is only supported for the '%s' QueryLanguage", ours, field, theirs)
	return false
}

// data checks the fields that select and transform data, in any type of state. Unsupported
// fields have already been refused, and are skipped.
func (s *stateCheck) data() {
	if s.jsonata {
		for _, field := range []string{"Arguments", "Output", "ItemSelector", "Credentials"} {
			s.expressions(s.o, field)
		}
	} else {
		s.path(s.o, "InputPath", s.at, nullable)
		s.path(s.o, "OutputPath", s.at, nullable)
		s.path(s.o, "ResultPath", s.at, nullable|reference|intoInput)
		for _, field := range []string{"Parameters", "ResultSelector", "ItemSelector", "Credentials"} {
			s.payload(s.o, field, s.at)
		}
	}
	s.assign()
}

func (s *stateCheck) passResult() {
	if result, has := s.o.Get("Result"); has && !s.jsonata && looksDynamic(result) {
		s.warn(staticPassResult, s.at+"/Result", "The Result of a Pass state is static: paths and intrinsic functions in it are not evaluated. Use Parameters.")
	}
}

func (s *stateCheck) task() {
	if s.required(s.o, s.at, "Resource") {
		if resource, ok := s.text(s.o, "Resource", s.at); ok {
			s.resource(resource)
		}
	}
	s.credentials()
	for _, field := range []string{"TimeoutSeconds", "HeartbeatSeconds"} {
		s.amount(field, 1, maxSeconds)
		s.orPath(field)
		s.amountPath(field + "Path")
	}
	s.heartbeat()
}

// credentials checks that a task's Credentials name a role.
func (s *stateCheck) credentials() {
	o, ok := s.object("Credentials")
	if ok && !o.Has("RoleArn") && (s.jsonata || !o.Has("RoleArn.$")) {
		s.schema(s.at+"/Credentials", "The field 'RoleArn' is required but was missing")
	}
}

func (s *stateCheck) heartbeat() {
	timeout, ok1 := wholeNumber(s.o, "TimeoutSeconds")
	heartbeat, ok2 := wholeNumber(s.o, "HeartbeatSeconds")
	if ok1 && ok2 && heartbeat >= timeout {
		s.schema(s.at+"/HeartbeatSeconds", "The value of 'HeartbeatSeconds' must be smaller than the value of 'TimeoutSeconds'")
	}
}

func (s *stateCheck) wait() {
	if s.jsonata {
		s.exactlyOne(s.o, s.at, "Seconds", "Timestamp")
	} else {
		s.exactlyOne(s.o, s.at, "Seconds", "SecondsPath", "Timestamp", "TimestampPath")
	}
	s.amount("Seconds", 0, maxSeconds)
	s.amountPath("SecondsPath")
	s.amountPath("TimestampPath")
	value, has := s.o.Get("Timestamp")
	if has && !s.expression(value, "Timestamp") {
		s.time(value, s.at+"/Timestamp")
	}
}

func (s *stateCheck) fail() {
	for _, field := range []string{"Error", "Cause"} {
		if value, has := s.o.Get(field); has && !s.expression(value, field) {
			if _, ok := value.(string); !ok {
				s.wrongType(s.at+"/"+field, "STRING")
			}
		}
		s.orPath(field)
		if value, has := s.o.Get(field + "Path"); has && !s.jsonata {
			s.dynamic(value, field+"Path", s.at)
		}
	}
}

// orPath refuses a field together with its Path form.
func (s *stateCheck) orPath(field string) {
	if !s.jsonata { // JSONata has no such paths
		s.oneAtMost(s.o, s.at, field, field+"Path")
	}
}

// object returns a member, which must be an object, and reports whether it is present.
func (s *stateCheck) object(field string) (*jsonata.Object, bool) {
	value, has := s.o.Get(field)
	o, ok := value.(*jsonata.Object)
	if has && !ok {
		s.wrongType(s.at+"/"+field, "OBJECT")
	}
	return o, ok
}
