package asl

import (
	"encoding/json"
	"fmt"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// What a Retry entry has where it does not say.
const (
	defaultInterval = 1
	defaultAttempts = 3
	defaultBackoff  = 2.0
)

func (p *parser) retryCatch(s *state, o *jsonata.Object, at string) {
	list := p.objects(o, "Retry", at)
	for i, item := range list {
		s.retry = append(s.retry, p.retrier(item, i == len(list)-1, fmt.Sprintf("%s/Retry[%d]", at, i)))
	}
	list = p.objects(o, "Catch", at)
	for i, item := range list {
		field := fmt.Sprintf("Catch[%d]", i)
		s.catch = append(s.catch, p.catcher(item, i == len(list)-1, field, at+"/"+field))
	}
}

func (p *parser) retrier(o *jsonata.Object, last bool, at string) *retrier {
	p.fields(o, at, retryFields)
	r := &retrier{
		errors:   p.errorNames(o, at),
		interval: p.wholeOr(o, "IntervalSeconds", at, 1, defaultInterval),
		attempts: p.wholeOr(o, "MaxAttempts", at, 0, defaultAttempts),
		maxDelay: p.wholeOr(o, "MaxDelaySeconds", at, 1, 0),
		backoff:  defaultBackoff,
		jitter:   p.jitter(o, at),
	}
	p.checkNames(r.errors, last, at)
	if v, has := o.Get("BackoffRate"); has {
		n, ok := v.(json.Number)
		f, err := n.Float64()
		if !ok || err != nil || f < 1 {
			p.schema(at+"/BackoffRate", "Value is not a number of at least 1.0")
		}
		r.backoff = f
	}
	return r
}

func (p *parser) catcher(o *jsonata.Object, last bool, field, at string) *catcher {
	if p.jsonata {
		p.fields(o, at, jsonataCatchFields)
	} else {
		p.fields(o, at, catchFields)
	}
	p.checkVariables(o, at)
	c := &catcher{errors: p.errorNames(o, at), next: p.text(o, "Next", at, true)}
	c.assign = p.templateAt(o, "Assign", field+"/Assign", at)
	if p.jsonata {
		c.output = p.templateAt(o, "Output", field+"/Output", at)
	} else {
		c.resultPath, c.noResult = p.path(o, "ResultPath", at)
	}
	p.checkNames(c.errors, last, at)
	return c
}

func (p *parser) jitter(o *jsonata.Object, at string) (full bool) {
	strategy := p.text(o, "JitterStrategy", at, false)
	if strategy != "" && strategy != "FULL" && strategy != "NONE" {
		p.schema(at+"/JitterStrategy", "Value is not valid, expected one of [FULL, NONE]")
	}
	return strategy == "FULL"
}

func (p *parser) errorNames(o *jsonata.Object, at string) []string {
	v, _ := o.Get("ErrorEquals")
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		p.schema(at+"/ErrorEquals", "The field 'ErrorEquals' is required and must be a non-empty array")
	}
	var names []string
	for _, item := range list {
		name, ok := item.(string)
		if !ok {
			p.schema(at+"/ErrorEquals", "An error name must be text")
		}
		names = append(names, name)
	}
	return names
}
