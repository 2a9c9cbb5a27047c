package statesapi

import (
	"context"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

func testState(ctx context.Context, c *call) (any, error) {
	in := testStateInput{
		Definition: c.text("definition"), StateName: c.text("stateName"), RoleARN: c.text("roleArn"),
		Input: c.text("input"), Variables: c.text("variables"), Context: c.text("context"),
		InspectionLevel: c.text("inspectionLevel"), RevealSecrets: c.boolean("revealSecrets"),
		Mock: c.mock("mock"), Configuration: c.testConfiguration("stateConfiguration"),
	}
	if c.err != nil {
		return nil, c.err
	}
	return answer(c.service.testState(ctx, in))
}

func (f *fields) mock(name string) *testStateMock {
	m := &testStateMock{}
	sent := f.within(name, func(f *fields) {
		m.Result, m.FieldValidationMode = f.text("result"), f.text("fieldValidationMode")
		e := &testStateError{}
		if f.within("errorOutput", func(f *fields) { e.Error, e.Cause = f.text("error"), f.text("cause") }) {
			m.ErrorOutput = e
		}
	})
	if !sent {
		return nil
	}
	return m
}

func (f *fields) testConfiguration(name string) *testStateConfiguration {
	t := &testStateConfiguration{}
	sent := f.within(name, func(f *fields) {
		t.RetrierRetryCount, t.MapIterationFailureCount = f.integer("retrierRetryCount"), f.integer("mapIterationFailureCount")
		t.ErrorCausedByState, t.MapItemReaderData = f.text("errorCausedByState"), f.text("mapItemReaderData")
	})
	if !sent {
		return nil
	}
	return t
}

// testOutput returns what the inspection level asks for. DEBUG and TRACE are equal here:
// they only differ for HTTP Tasks, which nothing here runs.
func testOutput(r asl.TestResult, level string) *testStateOutput {
	out := &testStateOutput{Status: r.Status, Error: r.Error, Cause: r.Cause, NextState: r.NextState}
	if r.Output != nil {
		text := string(r.Output)
		out.Output = &text
	}
	if level == levelDebug || level == levelTrace {
		out.InspectionData = inspectionData(&r.Inspection)
	}
	return out
}

// inspectionData writes data as JSON text, and numbers as they are.
func inspectionData(i *asl.Inspection) map[string]any {
	data := map[string]any{}
	for stage, v := range i.Stages {
		text, err := jsonata.AppendJSON(nil, v)
		if err != nil {
			continue // the state has already failed because of it
		}
		data[string(stage)] = string(text)
	}
	if i.Variables.Len() > 0 {
		text, err := jsonata.AppendJSON(nil, i.Variables)
		if err == nil {
			data["variables"] = string(text)
		}
	}
	set(data, "maxConcurrency", i.MaxConcurrency)
	set(data, "toleratedFailureCount", i.ToleratedFailureCount)
	set(data, "toleratedFailurePercentage", i.ToleratedFailurePercentage)
	details := map[string]any{}
	set(details, "catchIndex", i.CatchIndex)
	set(details, "retryIndex", i.RetryIndex)
	set(details, "retryBackoffIntervalSeconds", i.RetryBackoffSeconds)
	if len(details) > 0 {
		data["errorDetails"] = details
	}
	return data
}

func set[T any](data map[string]any, name string, v *T) {
	if v != nil {
		data[name] = *v
	}
}
