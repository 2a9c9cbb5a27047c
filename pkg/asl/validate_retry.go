package asl

import (
	"slices"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

var retryFields = []string{"Comment", errorEquals, "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"}

const (
	longestDelay = 31622400 // a leap year in seconds
	maxBackoff   = 1e8
	allErrors    = "States.ALL"
	errorEquals  = "ErrorEquals"
)

func (s *stateCheck) retry() {
	if !slices.Contains(fieldsOf[s.kind].both, "Retry") {
		return
	}
	s.objects(s.o, "Retry", s.at, func(o *jsonata.Object, i, n int, at string) {
		s.fields(o, at, retryFields)
		s.comment(o, at)
		s.required(o, at, errorEquals)
		s.errorNames(o, at, i == n-1)
		s.integer(o, "IntervalSeconds", at, 1, maxSeconds)
		s.integer(o, "MaxAttempts", at, 0, maxSeconds)
		s.integer(o, "MaxDelaySeconds", at, 1, longestDelay)
		s.number(o, "BackoffRate", at, 1, maxBackoff)
		s.oneOf(o, "JitterStrategy", at, "FULL", "NONE")
	})
}

func (s *stateCheck) catch(name string, g *graph) {
	if !slices.Contains(fieldsOf[s.kind].both, "Catch") {
		return
	}
	s.objects(s.o, "Catch", s.at, func(o *jsonata.Object, i, n int, at string) {
		inner := s.within(o, at[len(s.at)+1:])
		inner.catching = true
		for i := range o.Len() {
			switch key, _ := o.At(i); key {
			case errorEquals, "Next", "Comment", "Assign":
			case "ResultPath":
				if s.only(key, at, false) {
					s.path(o, key, at, nullable|reference|intoInput)
				}
			case "Output":
				if s.only(key, at, true) {
					inner.expressions(o, "Output")
				}
			default:
				s.unsupported(at, key)
			}
		}
		s.comment(o, at)
		s.required(o, at, errorEquals, "Next")
		s.errorNames(o, at, i == n-1)
		s.next(name, o, "Next", at, g)
		inner.assign()
	})
}

// errorNames checks a list of names. States.ALL must be alone and last, because nothing
// after it would ever be used ([Errors]).
//
// [Errors]: https://states-language.net/spec.html#errors
func (s *stateCheck) errorNames(o *jsonata.Object, at string, last bool) {
	list := s.list(o, errorEquals, at)
	for _, item := range list {
		if _, ok := item.(string); !ok {
			s.wrongType(at+"/"+errorEquals, "STRING")
			return
		}
	}
	if slices.Contains(list, any(allErrors)) && (len(list) > 1 || !last) {
		s.schema(at+"/"+errorEquals, "States.ALL must appear alone, and in the last entry")
	}
}
