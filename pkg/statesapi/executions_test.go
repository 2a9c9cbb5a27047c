package statesapi

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Operations that Express Workflows do not have are refused as by the service.
func TestExecutionsOfExpress(t *testing.T) {
	t.Parallel()
	s := newService(t, Options{}, passDefinition)
	record, err := s.Start(StartInput{StateMachineARN: ptr(machineARN), Name: ptr("n")})
	if err != nil {
		t.Fatal(err)
	}
	execution := `{"executionArn":"` + record.ExecutionARN + `"}`
	const express = `InvalidArn: Invalid Arn: 'Resource type not valid in this context: express'`
	unknown := strings.Replace(strings.Replace(machineARN, "stateMachine", "execution", 1), "orders", "orders:n", 1)
	steps := script{
		{"ListExecutions", `{"stateMachineArn":"<M>"}`, `StateMachineTypeNotSupported: This operation is not supported by this type of state machine`},
		{"ListExecutions", `{"stateMachineArn":"<M>:1"}`, `StateMachineDoesNotExist: State Machine Does Not Exist: '<M>:1'`},
		{"ListExecutions", `{}`, `ValidationException: Must provide either a State Machine ARN or Map Run ARN (MISSING_REQUIRED_PARAMETER)`},
		{"ListExecutions", `{"mapRunArn":"arn:x"}`, `InvalidArn: Invalid Arn: 'arn:x'`},
		{"ListExecutions", `{"mapRunArn":"arn:aws:states:us-east-1:1:mapRun:orders/m:u"}`, `ResourceNotFound: Resource not found: 'arn:aws:states:us-east-1:1:mapRun:orders/m:u'`},
		{"ListExecutions", `{"mapRunArn":"arn:aws:states:us-east-1:1:mapRun:orders/m:u","stateMachineArn":"<M>"}`, `ValidationException: Must provide either a State Machine ARN or Map Run ARN, not both`},
		{"ListExecutions", `{"stateMachineArn":"<M>","redriveFilter":"x"}`, `ValidationException: 1 validation error detected: Value 'x' at 'redriveFilter' failed to satisfy constraint: Member must satisfy enum value set: [REDRIVEN, NOT_REDRIVEN]`},
		{"DescribeStateMachine", `{"stateMachineArn":"<M>/label"}`, `ValidationException: This operation does not support ARNs with the label of a Map state: '<M>/label' (API_DOES_NOT_SUPPORT_LABELED_ARNS)`},
		{"SendTaskSuccess", `{"taskToken":"t","output":"{}"}`, `InvalidToken: Invalid Token: 'Invalid token'`},
		{"SendTaskFailure", `{}`, `ValidationException: 1 validation error detected: Value null at 'taskToken' failed to satisfy constraint: Member must not be null`},
		{"SendTaskFailure", `{"taskToken":"t","error":"` + strings.Repeat("e", 257) + `"}`, `ValidationException: 1 validation error detected: Value at 'error' failed to satisfy constraint: Member must have length less than or equal to 256`},
		{"SendTaskSuccess", `{"taskToken":""}`, `ValidationException: 2 validation errors detected: Value at 'taskToken' failed to satisfy constraint: Member must have length greater than or equal to 1; Value null at 'output' failed to satisfy constraint: Member must not be null`},
		{"SendTaskHeartbeat", `{"taskToken":1}`, `SerializationException: NUMBER_VALUE can not be converted to a String`},
		{"CreateActivity", `{"name":"a b"}`, `InvalidName: Invalid Name: 'a b'`},
		{"DescribeActivity", `{"activityArn":"arn:aws:states:us-east-1:1:activity:a"}`, `ActivityDoesNotExist: Activity Does Not Exist: 'arn:aws:states:us-east-1:1:activity:a'`},
		{"DescribeActivity", `{"activityArn":"<M>"}`, `InvalidArn: Invalid Arn: 'Resource type not valid in this context: stateMachine'`},
		{"DescribeActivity", `{"activityArn":"arn:aws:states"}`, `InvalidArn: Invalid Arn: 'arn:aws:states'`},
		{"GetActivityTask", `{"activityArn":"arn:aws:states:us-east-1:1:activity:a"}`, `ActivityDoesNotExist: Activity Does Not Exist: 'arn:aws:states:us-east-1:1:activity:a'`},
		{"GetActivityTask", `{"activityArn":"a","workerName":""}`, `ValidationException: 1 validation error detected: Value '' at 'workerName' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{"DeleteActivity", `{"activityArn":"no_an_activity_arn"}`, `InvalidArn: Invalid Arn: 'Invalid ARN prefix: no_an_activity_arn'`},
		{"DeleteActivity", `{"activityArn":"arn:aws:states:us-east-1:1:activity:a"}`, `{}`},
		{"ListActivities", `{}`, `{"activities":[]}`},
		{"ListActivities", `{"nextToken":"t"}`, `InvalidToken: Invalid Token: 'Invalid token'`},
		{"ListActivities", `{"maxResults":1001}`, `ValidationException: 1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000`},
		{"DescribeMapRun", `{"mapRunArn":"arn:aws:states:us-east-1:1:mapRun:orders/m:u"}`, `ResourceNotFound: Resource not found: 'arn:aws:states:us-east-1:1:mapRun:orders/m:u'`},
		{"UpdateMapRun", `{"mapRunArn":"<M>","maxConcurrency":1}`, `InvalidArn: Invalid Arn: 'Resource type not valid in this context: stateMachine'`},
		{"UpdateMapRun", `{"maxConcurrency":-1}`, `ValidationException: 2 validation errors detected: Value null at 'mapRunArn' failed to satisfy constraint: Member must not be null; Value '-1' at 'maxConcurrency' failed to satisfy constraint: Member must have value greater than or equal to 0`},
	}
	for _, op := range []string{"DescribeExecution", "StopExecution", "GetExecutionHistory", "DescribeStateMachineForExecution", "ListMapRuns", "RedriveExecution"} {
		steps = append(steps, script{
			{op, execution, express},
			{op, `{"executionArn":"` + unknown + `"}`, `ExecutionDoesNotExist: Execution Does Not Exist: '` + unknown + `'`},
			{op, `{"executionArn":"n"}`, `InvalidArn: Invalid Arn: 'Invalid ARN prefix: n'`},
			{op, `{"executionArn":"arn:aws:states:us-east-1:1:execution:orders"}`, `InvalidArn: Invalid Arn: 'arn:aws:states:us-east-1:1:execution:orders'`},
			{op, `{}`, `ValidationException: 1 validation error detected: Value null at 'executionArn' failed to satisfy constraint: Member must not be null`},
		}...)
	}
	arned(steps).run(t, NewHandler(s, HandlerOptions{}))
}

// Executions of STANDARD state machines are remembered, listed and stopped.
func TestExecutionsOfStandard(t *testing.T) {
	t.Parallel()
	s := newFake(t, Options{}, func(ctx context.Context, x Execution) Result {
		if string(x.Input) == `"wait"` {
			return untilStopped(ctx, x)
		}
		return echo(ctx, x)
	})
	h := NewHandler(s, HandlerOptions{})
	create := CreateInput{Name: ptr("std"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN), Publish: true}
	if _, err := s.Create(create); err != nil {
		t.Fatal(err)
	}
	machine := s.ARN("std")
	execution := strings.Replace(machine, "stateMachine", "execution", 1)
	wait := func(name string, status bridge.Status) {
		t.Helper()
		for range 1000 {
			out, err := s.describeExecution(executionInput{ExecutionARN: ptr(execution + ":" + name)})
			if err != nil {
				t.Fatal(err)
			}
			if out.Status == string(status) {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatalf("%s has not reached the status %s in time", name, status)
	}
	for _, step := range []struct{ name, arn, input string }{{"one", machine, `{"a":1}`}, {"two", machine + ":1", `"wait"`}} {
		if _, err := s.Start(StartInput{StateMachineARN: &step.arn, Name: &step.name, Input: []byte(step.input)}); err != nil {
			t.Fatal(err)
		}
	}
	wait("one", bridge.Succeeded)
	item := func(name, status, more string) string {
		return fmt.Sprintf(`{"executionArn":"%s:%s","name":"%s","redriveCount":0,"startDate":%s,"stateMachineArn":"%s"%s,"status":"%s"`,
			execution, name, name, stamp, machine, more, status)
	}
	version := `,"stateMachineVersionArn":"` + machine + `:1"`
	script{
		{"ListExecutions", `{"stateMachineArn":"` + machine + `"}`, `{"executions":[` + item("two", "RUNNING", version) + `},` + item("one", "SUCCEEDED", "") + `,"stopDate":` + stamp + `}]}`},
		{"ListExecutions", `{"stateMachineArn":"` + machine + `:1"}`, `{"executions":[` + item("two", "RUNNING", version) + `}]}`},
		{"ListExecutions", `{"stateMachineArn":"` + machine + `","statusFilter":"SUCCEEDED"}`, `{"executions":[` + item("one", "SUCCEEDED", "") + `,"stopDate":` + stamp + `}]}`},
		{"ListExecutions", `{"stateMachineArn":"` + machine + `","redriveFilter":"REDRIVEN"}`, `{"executions":[]}`},
		{"DescribeExecution", `{"executionArn":"` + execution + `:one"}`, `{"executionArn":"` + execution + `:one","input":"{\"a\":1}","inputDetails":{"included":true},"name":"one","output":"{\"a\":1}","outputDetails":{"included":true},"redriveCount":0,"redriveStatus":"NOT_REDRIVABLE","redriveStatusReason":"Execution is SUCCEEDED and cannot be redriven","startDate":` + stamp + `,"stateMachineArn":"` + machine + `","status":"SUCCEEDED","stopDate":` + stamp + `}`},
		{"StopExecution", `{"executionArn":"` + execution + `:two","error":"Enough","cause":"of it"}`, `{"stopDate":` + stamp + `}`},
		{"StopExecution", `{"executionArn":"` + execution + `:one"}`, `{"stopDate":` + stamp + `}`},
		{"GetExecutionHistory", `{"executionArn":"` + execution + `:one"}`, `{"events":[]}`}, // the engine of this test reports no events
		{"ListMapRuns", `{"executionArn":"` + execution + `:one"}`, `{"mapRuns":[]}`},
		{"ListMapRuns", `{"executionArn":"` + execution + `:one","nextToken":"t"}`, `InvalidToken: Invalid Token: 'Invalid token'`},
		{"RedriveExecution", `{"executionArn":"` + execution + `:one","clientToken":"a b"}`, `ValidationException: 1 validation error detected: Value 'a b' at 'clientToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [!-~]+`},
		{"RedriveExecution", `{"executionArn":"` + execution + `:one"}`, `ExecutionNotRedrivable: Execution is SUCCEEDED and cannot be redriven`},
	}.run(t, h)
	wait("two", aborted)
	script{
		{"DescribeExecution", `{"executionArn":"` + execution + `:two","includedData":"METADATA_ONLY"}`, `{"cause":"of it","error":"Enough","executionArn":"` + execution + `:two","inputDetails":{"included":false},"name":"two","redriveCount":0,"redriveStatus":"NOT_REDRIVABLE","redriveStatusReason":"Executions are not redriven here","startDate":` + stamp + `,"stateMachineArn":"` + machine + `","stateMachineVersionArn":"` + machine + `:1","status":"ABORTED","stopDate":` + stamp + `}`},
	}.run(t, h)
	out, err := s.describeForExecution(executionInput{ExecutionARN: ptr(execution + ":two")})
	if err != nil || out.StateMachineARN != machine || out.Definition != passDefinition {
		t.Errorf("DescribeForExecution = %+v, %v, want the machine and its definition", out, err)
	}
}

// The remembered executions are bounded, and running ones are never dropped.
func TestRemembered(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		n, input, history, kept, bare int
	}{
		"too many":             {maxRemembered + 5000, 0, 0, maxRemembered, 0},
		"large histories":      {3000, 0, 64 << 10, 3000, 3000 - (maxRememberedBytes-3000*perExecution)/(64<<10)},
		"large inputs":         {3000, 256 << 10, 1, maxRememberedBytes / (256<<10 + perExecution), -1},
		"fewer than there may": {1000, 10, 10, 1000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			input, event := make([]byte, test.input), make([]byte, max(test.history-eventBytes, 0))
			r := remembered{byARN: map[string]*started{}, listed: listing{}}
			machine := target{revision: &revision{arn: "m"}}
			for i := range test.n {
				name := fmt.Sprint(i)
				x := &started{ended: i != 1, record: ExecutionRecord{Input: input}, target: machine, sequence: i}
				if test.history > 0 {
					x.history.add(asl.Event{}, event)
				}
				r.byARN[name] = x
				r.listed.add(x)
				r.bytes += x.size()
				if x.ended {
					r.finish(name)
				}
				if len(r.byARN) > maxRemembered || r.bytes > maxRememberedBytes {
					t.Fatalf("%d executions with %d bytes are remembered, which exceeds the bounds", len(r.byARN), r.bytes)
				}
			}
			bytes, bare := 0, 0
			for _, x := range r.byARN {
				bytes += x.size()
				if x.history.dropped {
					bare++
				}
			}
			if listed := len(r.listed["m"][""]); listed != len(r.byARN) {
				t.Errorf("%d executions are listed, of %d", listed, len(r.byARN))
			}
			if bytes != r.bytes || len(r.byARN) != test.kept || test.bare >= 0 && bare != test.bare {
				t.Errorf("%d executions, %d of them without history, with %d bytes, %d counted; want %d, %d", len(r.byARN), bare, bytes, r.bytes, test.kept, test.bare)
			}
			if last := r.byARN[fmt.Sprint(test.n-1)]; r.byARN["1"] == nil || last == nil || test.bare >= 0 && last.history.dropped {
				t.Error("the running one or the last one is gone")
			}
		})
	}
}

func TestConfigurations(t *testing.T) {
	t.Parallel()
	const group = `[{"cloudWatchLogsLogGroup":{"logGroupArn":"arn:aws:logs:us-east-1:1:log-group:/aws/vendedlogs/states/g:*"}}]`
	for name, tt := range map[string]struct{ member, want string }{
		"a group":             {`"loggingConfiguration":{"level":"ALL","destinations":` + group + `}`, ""},
		"nothing":             {`"loggingConfiguration":{}`, ""},
		"off":                 {`"loggingConfiguration":{"level":"OFF","destinations":[]}`, ""},
		"no destination":      {`"loggingConfiguration":{"level":"ERROR"}`, "Invalid Logging Configuration: Must specify exactly one Log Destination."},
		"two":                 {`"loggingConfiguration":{"destinations":[{},{}]}`, "Invalid Logging Configuration: Must specify exactly one Log Destination."},
		"no group":            {`"loggingConfiguration":{"level":"ALL","destinations":[{}]}`, "Invalid Logging Configuration: Log Destination not found."},
		"unknown level":       {`"loggingConfiguration":{"level":"DEBUG"}`, "1 validation error detected: Value 'DEBUG' at 'loggingConfiguration.level' failed to satisfy constraint: Member must satisfy enum value set: [ALL, ERROR, FATAL, OFF]"},
		"key":                 {`"encryptionConfiguration":{"type":"CUSTOMER_MANAGED_KMS_KEY","kmsKeyId":"k","kmsDataKeyReusePeriodSeconds":60}`, ""},
		"no key":              {`"encryptionConfiguration":{"type":"CUSTOMER_MANAGED_KMS_KEY"}`, "Invalid Encryption Configuration: 'kmsKeyId' is required for the type 'CUSTOMER_MANAGED_KMS_KEY'."},
		"no type":             {`"encryptionConfiguration":{}`, "1 validation error detected: Value null at 'encryptionConfiguration.type' failed to satisfy constraint: Member must not be null"},
		"level is a number":   {`"loggingConfiguration":{"level":5}`, "NUMBER_VALUE can not be converted to a String"},
		"data is text":        {`"loggingConfiguration":{"includeExecutionData":"true"}`, "STRING_VALUE can not be converted to a Boolean"},
		"destination is text": {`"loggingConfiguration":{"destinations":["g"]}`, "STRING_VALUE can not be converted to a Structure"},
		"group is a list":     {`"loggingConfiguration":{"destinations":[{"cloudWatchLogsLogGroup":[]}]}`, "START_ARRAY can not be converted to a Structure"},
		"group's ARN is long": {`"loggingConfiguration":{"destinations":[{"cloudWatchLogsLogGroup":{"logGroupArn":"` + strings.Repeat("g", 257) + `"}}]}`, "1 validation error detected: Value '" + strings.Repeat("g", 257) + "' at 'loggingConfiguration.destinations.1.member.cloudWatchLogsLogGroup.logGroupArn' failed to satisfy constraint: Member must have length less than or equal to 256"},
		"tracing is text":     {`"tracingConfiguration":{"enabled":"yes"}`, "STRING_VALUE can not be converted to a Boolean"},
		"type is a number":    {`"encryptionConfiguration":{"type":5}`, "NUMBER_VALUE can not be converted to a String"},
		"period is text":      {`"encryptionConfiguration":{"type":"AWS_OWNED_KEY","kmsDataKeyReusePeriodSeconds":"60"}`, "STRING_VALUE can not be converted to an Integer"},
		"key for an hour":     {`"encryptionConfiguration":{"type":"AWS_OWNED_KEY","kmsDataKeyReusePeriodSeconds":3600}`, "1 validation error detected: Value '3600' at 'encryptionConfiguration.kmsDataKeyReusePeriodSeconds' failed to satisfy constraint: Member must have value less than or equal to 900"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := NewHandler(newService(t, Options{}, passDefinition), HandlerOptions{})
			_, _, got := post(t, h, "CreateStateMachine", `{"name":"c","roleArn":"`+roleARN+`","definition":`+must(t, passDefinition)+`,`+tt.member+`}`)
			message, _ := got["message"].(string)
			if message != tt.want {
				t.Errorf("message = %q, want %q", message, tt.want)
			}
		})
	}
}

// A configuration is the same whatever the order of its members, and whether the defaults
// were sent; members that are not in the model are not kept.
func TestConfigurationsAreAlike(t *testing.T) {
	t.Parallel()
	h := NewHandler(newService(t, Options{}, passDefinition), HandlerOptions{})
	create := `{"name":"c","roleArn":"` + roleARN + `","definition":` + must(t, passDefinition)
	machine := strings.Replace(machineARN, "orders", "c", 1)
	made := `{"creationDate":` + stamp + `,"stateMachineArn":"` + machine + `"}`
	const group = `"destinations":[{"cloudWatchLogsLogGroup":{"logGroupArn":"arn:aws:logs:us-east-1:1:log-group:g:*"}}]`
	script{
		{"CreateStateMachine", create + `,"loggingConfiguration":{` + group + `,"level":"ALL"},"tracingConfiguration":null}`, made},
		{"CreateStateMachine", create + `,"loggingConfiguration":{"includeExecutionData":false,"x":1,"level":"ALL",` + group + `},"tracingConfiguration":{"enabled":false}}`, made},
		{"CreateStateMachine", create + `,"loggingConfiguration":{"level":"ERROR",` + group + `}}`, `StateMachineAlreadyExists: State Machine Already Exists: '` + machine + `'`},
		{"DescribeStateMachine", `{"stateMachineArn":"` + machine + `","includedData":"METADATA_ONLY"}`, `{"creationDate":` + stamp + `,"definition":"{}","encryptionConfiguration":{"type":"AWS_OWNED_KEY"},"loggingConfiguration":{` + group + `,"includeExecutionData":false,"level":"ALL"},"name":"c","roleArn":"` + roleARN + `","stateMachineArn":"` + machine + `","status":"ACTIVE","tracingConfiguration":{"enabled":false},"type":"STANDARD"}`},
	}.run(t, h)
}

// A STANDARD state machine is deleted when its executions have ended, and accepts no new
// ones until then.
func TestDeleting(t *testing.T) {
	t.Parallel()
	s := newFake(t, Options{}, untilStopped)
	if err := s.Persist(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	h := NewHandler(s, HandlerOptions{})
	create := CreateInput{Name: ptr("std"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN), Publish: true}
	if _, err := s.Create(create); err != nil {
		t.Fatal(err)
	}
	machine := s.ARN("std")
	execution := strings.Replace(machine, "stateMachine", "execution", 1) + ":n"
	routes := `"routingConfiguration":[{"stateMachineVersionArn":"` + machine + `:1","weight":100}]`
	deleting := `StateMachineDeleting: State Machine is being deleted: '` + machine
	script{
		{"CreateStateMachineAlias", `{"name":"A",` + routes + `}`, `{"creationDate":` + stamp + `,"stateMachineAliasArn":"` + machine + `:A"}`},
		{"StartExecution", `{"stateMachineArn":"` + machine + `","name":"n"}`, `{"executionArn":"` + execution + `","startDate":` + stamp + `}`},
		{"DeleteStateMachine", `{"stateMachineArn":"` + machine + `"}`, `{}`},
		{"DeleteStateMachine", `{"stateMachineArn":"` + machine + `"}`, `{}`},
		{"StartExecution", `{"stateMachineArn":"` + machine + `"}`, deleting + `'`},
		{"StartExecution", `{"stateMachineArn":"` + machine + `:1"}`, deleting + `:1'`},
		{"CreateStateMachine", `{"name":"std","roleArn":"` + roleARN + `","definition":` + must(t, passDefinition) + `,"publish":true}`, deleting + `'`},
		{"UpdateStateMachine", `{"stateMachineArn":"` + machine + `","roleArn":"` + roleARN + `"}`, deleting + `'`},
		{"PublishStateMachineVersion", `{"stateMachineArn":"` + machine + `"}`, deleting + `'`},
		{"CreateStateMachineAlias", `{"name":"B",` + routes + `}`, deleting + `'`},
		{"UpdateStateMachineAlias", `{"stateMachineAliasArn":"` + machine + `:A",` + routes + `}`, deleting + `'`},
		{"ListStateMachineAliases", `{"stateMachineArn":"` + machine + `"}`, deleting + `'`},
		{"TagResource", `{"resourceArn":"` + machine + `","tags":[{"key":"k","value":"v"}]}`, `{}`},
		{"ListTagsForResource", `{"resourceArn":"` + machine + `"}`, `{"tags":[{"key":"k","value":"v"}]}`},
	}.run(t, h)
	out, err := s.Describe(DescribeInput{StateMachineARN: &machine})
	if err != nil || out.Status != "DELETING" {
		t.Errorf("Describe = %+v, %v, want DELETING", out, err)
	}
	if _, err := s.stopExecution(stopExecutionInput{ExecutionARN: &execution}); err != nil {
		t.Fatal(err)
	}
	waitEnded(t, s, execution)
	for range 1000 { // the deletion comes right behind
		if s.get(arn{base: machine}) == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	made := `{"creationDate":` + stamp + `,"stateMachineArn":"` + machine + `","stateMachineVersionArn":"` + machine + `:1"}`
	script{
		{"DescribeStateMachine", `{"stateMachineArn":"` + machine + `"}`, `StateMachineDoesNotExist: State Machine Does Not Exist: '` + machine + `'`},
		{"CreateStateMachine", `{"name":"std","roleArn":"` + roleARN + `","definition":` + must(t, passDefinition) + `,"publish":true}`, made},
		{"DeleteStateMachine", `{"stateMachineArn":"` + machine + `"}`, `{}`},
		{"DescribeExecution", `{"executionArn":"` + execution + `","includedData":"METADATA_ONLY"}`, `{"executionArn":"` + execution + `","inputDetails":{"included":false},"name":"n","redriveCount":0,"redriveStatus":"NOT_REDRIVABLE","redriveStatusReason":"Executions are not redriven here","startDate":` + stamp + `,"stateMachineArn":"` + machine + `","status":"ABORTED","stopDate":` + stamp + `}`},
	}.run(t, h)
}

// An execution that timed out only has its status: DescribeExecution returns no error, no
// cause and no output.
func TestExecutionThatTimedOut(t *testing.T) {
	t.Parallel()
	s := newFake(t, Options{}, func(context.Context, Execution) Result {
		return Result{Status: bridge.TimedOut, Error: "States.Timeout", Cause: "late"}
	})
	if _, err := s.Create(CreateInput{Name: ptr("slow"), Definition: ptr(passDefinition), RoleARN: ptr(roleARN)}); err != nil {
		t.Fatal(err)
	}
	machine := s.ARN("slow")
	execution := strings.Replace(machine, "stateMachine", "execution", 1) + ":n"
	if _, err := s.Start(StartInput{StateMachineARN: &machine, Name: ptr("n")}); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		out, err := s.describeExecution(executionInput{ExecutionARN: &execution})
		if err != nil {
			t.Fatal(err)
		}
		if out.Status != "RUNNING" {
			break
		}
		time.Sleep(time.Millisecond)
	}
	const reason = "Executions are not redriven here"
	script{
		{"DescribeExecution", `{"executionArn":"` + execution + `"}`, `{"executionArn":"` + execution + `","input":"{}","inputDetails":{"included":true},"name":"n","redriveCount":0,"redriveStatus":"NOT_REDRIVABLE",` +
			`"redriveStatusReason":"` + reason + `","startDate":` + stamp + `,"stateMachineArn":"` + machine + `","status":"TIMED_OUT","stopDate":` + stamp + `}`},
		{"ListExecutions", `{"stateMachineArn":"` + machine + `","statusFilter":"FAILED"}`, `{"executions":[]}`},
		{"ListExecutions", `{"stateMachineArn":"` + machine + `","statusFilter":"TIMED_OUT"}`, `{"executions":[{"executionArn":"` + execution + `","name":"n","redriveCount":0,"startDate":` + stamp +
			`,"stateMachineArn":"` + machine + `","status":"TIMED_OUT","stopDate":` + stamp + `}]}`},
	}.run(t, NewHandler(s, HandlerOptions{}))
}
