package asl

import (
	"fmt"

	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func (c *compiler) state(name string, o *jsonata.Object) *state {
	s := &state{name: name, kind: c.text(o, "Type"), next: c.text(o, "Next"), jsonata: c.machineJSONata}
	if language, given := o.Get("QueryLanguage"); given {
		s.jsonata = language == languageJSONata
	}
	s.nameEvents()
	// Nested states are compiled last, because they have their own query languages.
	c.jsonata = s.jsonata
	c.stages(s, o)
	c.kindFields(s, o)
	switch s.kind {
	case "Parallel":
		s.branches = c.flows(o, "Branches")
	case "Map":
		c.processor(s, o)
	}
	return s
}

func (s *state) nameEvents() {
	s.entered, s.exited = s.kind+"StateEntered", s.kind+"StateExited"
	switch s.kind {
	case "Map", "Parallel":
		s.failed, s.aborted = s.kind+"StateFailed", s.kind+"StateAborted"
	case "Task", "Wait":
		s.aborted = s.kind + "StateAborted"
	}
}

// stages reads the fields that the stages of a state of any type apply.
func (c *compiler) stages(s *state, o *jsonata.Object) {
	s.assign = c.template(o, "Assign", "Assign")
	if s.jsonata {
		s.arguments = c.template(o, "Arguments", "Arguments")
		s.output = c.template(o, "Output", "Output")
		return
	}
	s.inputPath, s.noInput = c.path(o, "InputPath")
	s.outputPath, s.noOutput = c.path(o, "OutputPath")
	s.resultPath, s.noResult = c.path(o, "ResultPath")
	if s.kind != "Map" { // in a Map state, it is the legacy name of ItemSelector
		s.arguments = c.template(o, "Parameters", "Parameters")
	}
	s.selector = c.template(o, "ResultSelector", "ResultSelector")
}

func (c *compiler) kindFields(s *state, o *jsonata.Object) {
	switch s.kind {
	case "Pass":
		s.result, s.hasResult = o.Get("Result")
	case "Task":
		c.task(s, o)
	case "Choice":
		c.choice(s, o)
	case "Wait":
		c.wait(s, o)
	case "Fail":
		s.errorText, s.causeText = c.failField(o, "Error"), c.failField(o, "Cause")
	case "Parallel":
		c.retryCatch(s, o)
	case "Map":
		c.retryCatch(s, o)
		c.mapFields(s, o)
	}
}

func (c *compiler) task(s *state, o *jsonata.Object) {
	s.resource = c.text(o, "Resource")
	s.events = newTaskEvents(s.resource)
	s.credentials = c.template(o, "Credentials", "Credentials")
	s.timeout = c.amount(o, "TimeoutSeconds", 1)
	s.heartbeat = c.amount(o, "HeartbeatSeconds", 1)
	c.retryCatch(s, o)
}

func (c *compiler) wait(s *state, o *jsonata.Object) {
	w := &s.wait
	if o.Has("Seconds") {
		w.seconds = c.amount(o, "Seconds", 0)
	}
	w.secondsPath, _ = c.path(o, "SecondsPath")
	w.timestampPath, _ = c.path(o, "TimestampPath")
	w.timestamp = c.template(o, "Timestamp", "Timestamp")
}

// failField reads Error or Cause of a Fail state, or their Path forms.
func (c *compiler) failField(o *jsonata.Object, field string) *template {
	if v, has := o.Get(field); has {
		if c.jsonata {
			return c.template(o, field, field)
		}
		return &template{literal: v}
	}
	if v, has := o.Get(field + "Path"); has {
		return c.dynamic(v, field+"Path")
	}
	return nil
}

// The defaults of a Retry entry.
const (
	defaultInterval = 1
	defaultAttempts = 3
	defaultBackoff  = 2.0
)

func (c *compiler) retryCatch(s *state, o *jsonata.Object) {
	for _, item := range c.objects(o, "Retry") {
		s.retry = append(s.retry, &retrier{
			errors:   c.texts(item, errorEquals),
			interval: c.whole(item, "IntervalSeconds", defaultInterval),
			attempts: c.whole(item, "MaxAttempts", defaultAttempts),
			maxDelay: c.whole(item, "MaxDelaySeconds", 0),
			backoff:  c.number(item, "BackoffRate", defaultBackoff),
			jitter:   c.text(item, "JitterStrategy") == "FULL",
		})
	}
	for i, item := range c.objects(o, "Catch") {
		place := fmt.Sprintf("Catch[%d]", i)
		entry := &catcher{errors: c.texts(item, errorEquals), next: c.text(item, "Next")}
		entry.assign = c.template(item, "Assign", place+"/Assign")
		if c.jsonata {
			entry.output = c.template(item, "Output", place+"/Output")
		} else {
			entry.resultPath, entry.noResult = c.path(item, "ResultPath")
		}
		s.catch = append(s.catch, entry)
	}
}

func (c *compiler) mapFields(s *state, o *jsonata.Object) {
	s.reader, s.batcher = c.itemReader(o), c.itemBatcher(o)
	s.writer, s.label = c.resultWriter(o), c.text(o, "Label")
	s.itemSelector = c.template(o, "ItemSelector", "ItemSelector")
	if s.jsonata {
		s.items = c.template(o, "Items", "Items")
	} else {
		s.itemsPath, _ = c.path(o, "ItemsPath")
		if s.itemSelector == nil {
			s.itemSelector = c.template(o, "Parameters", "Parameters") // the legacy name
		}
	}
	s.concurrency = c.amount(o, "MaxConcurrency", 0)
	s.toleratedCount = c.amount(o, "ToleratedFailureCount", 0)
	s.toleratedPercent = c.fraction(o, "ToleratedFailurePercentage")
}

func (c *compiler) processor(s *state, o *jsonata.Object) {
	field := "ItemProcessor"
	if !o.Has(field) {
		field = "Iterator" // the legacy name
	}
	processor := c.object(o, field)
	s.distributed = c.text(c.object(processor, "ProcessorConfig"), "Mode") == "DISTRIBUTED"
	s.branches = []*flow{c.flow(processor)}
}
