package asl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/expressway-dev/expressway/pkg/asl"
)

const (
	lambdaARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
	jsonataIs = `"QueryLanguage":"JSONata",`
)

// one returns a machine with a state A that has these fields, and a state B as a target.
func one(fields string) string {
	b := ""
	if strings.Contains(fields, `"B"`) {
		b = `,"B":{"Type":"Succeed"}`
	}
	return `{"StartAt":"A","States":{"A":{` + fields + `}` + b + `}}`
}

func aTask(fields string) string {
	return one(`"Type":"Task","Resource":"` + lambdaARN + `",` + fields)
}

func aRule(rule string) string {
	return one(`"Type":"Choice","Default":"B","Choices":[` + rule + `]`)
}

// Diagnostics are written as the service joins them; warnings begin with WARNING.
func TestValidate(t *testing.T) {
	t.Parallel()
	const (
		schema  = "SCHEMA_VALIDATION_FAILED: "
		missing = "MISSING_TRANSITION_TARGET: "
		invalid = "INVALID_JSONATA_EXPRESSION: "
		sub     = `{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`
		dynamic = "The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call at %s"
	)
	only := func(ours, field, theirs, at string) string {
		return fmt.Sprintf(schema+"The QueryLanguage is set to '%s', but field '%s' is only supported for the '%s' QueryLanguage at %s", ours, field, theirs, at)
	}
	tests := map[string]struct{ definition, want string }{
		// The machine.
		"array":                  {`[]`, schema + "Definition must be a valid JSON object"},
		"member twice":           {`{"StartAt":"A","StartAt":"B"}`, "INVALID_JSON_DESCRIPTION: Duplicate field 'StartAt'\n at [Source: (String)\"{\"StartAt\":\"A\",\"StartAt\":\"B\"}\"; line: 1, column: 25]"},
		"unfinished":             {`{"StartAt":`, "INVALID_JSON_DESCRIPTION: Unexpected end-of-input: expected close marker for Object (start marker at [Source: (String)\"{\"StartAt\":\"; line: 1, column: 1])\n at [Source: (String)\"{\"StartAt\":\"; line: 1, column: 12]"},
		"no states":              {`{"StartAt":"A","States":{}}`, schema + "Value cannot be empty at /States"},
		"states are a list":      {`{"StartAt":"A","States":[]}`, schema + "Expected value of type [OBJECT] at /States"},
		"start is a number":      {`{"StartAt":1,"States":{"A":{"Type":"Succeed"}}}`, schema + "Expected value of type [STRING] at /StartAt"},
		"unknown field":          {`{"StartAt":"A","Timeout":1,"States":{"A":{"Type":"Succeed"}}}`, schema + "Field 'Timeout' is not supported at /"},
		"version":                {`{"StartAt":"A","Version":"2.0","States":{"A":{"Type":"Succeed"}}}`, schema + "Value should be one of the following: [1.0] at /Version"},
		"language":               {`{"StartAt":"A","QueryLanguage":"JMESPath","States":{"A":{"Type":"Succeed"}}}`, schema + "Value should be one of the following: [JSONPath, JSONata] at /QueryLanguage"},
		"timeout":                {`{"StartAt":"A","TimeoutSeconds":"1","States":{"A":{"Type":"Succeed"}}}`, schema + "Expected value of type [INTEGER] at /TimeoutSeconds"},
		"comment":                {`{"StartAt":"A","Comment":1,"States":{"A":{"Type":"Succeed"}}}`, schema + "Expected value of type [STRING] at /Comment"},
		"state is not an object": {`{"StartAt":"A","States":{"A":1}}`, schema + "Expected value of type [OBJECT] at /States/A"},
		"missing start state":    {`{"StartAt":"Z","States":{"A":{"Type":"Succeed"}}}`, missing + "Missing 'Next' target: Z at /StartAt, " + missing + `State "A" is not reachable. at /States/A`},
		"missing next state":     {one(`"Type":"Pass","Next":"Z"`), missing + "Missing 'Next' target: Z at /States/A/Next"},
		"next and end":           {`{"StartAt":"A","States":{"A":{"Type":"Pass","Resutl":1,"Next":"Z"},"B":{"Type":"Pass","Next":"A"}}}`, schema + "Field 'Resutl' is not supported at /States/A, " + missing + "Missing 'Next' target: Z at /States/A/Next"},
		"unreachable":            {`{"StartAt":"A","States":{"A":{"Type":"Succeed"},"B":{"Type":"Succeed"}}}`, missing + `State "B" is not reachable. at /States/B`},
		"endless":                {one(`"Type":"Pass","Next":"A"`), "MISSING_END_STATE: Workflow has no terminal state"},
		"same name in branch":    {one(`"Type":"Parallel","End":true,"Branches":[{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}]`), "DUPLICATE_STATE_NAME: Duplicate State name: A at /States/A/Branches[0]/States/A"},
		// Every state.
		"no type":           {one(`"End":true`), schema + "These fields are required: [Type] at /States/A"},
		"unknown type":      {one(`"Type":"Nap","End":true`), schema + "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map] at /States/A/Type"},
		"long name":         {strings.ReplaceAll(one(`"Type":"Succeed"`), `"A"`, `"`+strings.Repeat("é", 81)+`"`), schema + "State name cannot be longer than 80 characters at /States/" + strings.Repeat("é", 81)},
		"unknown field in":  {one(`"Type":"Pass","Resutl":1,"End":true`), schema + "Field 'Resutl' is not supported at /States/A"},
		"next of a Succeed": {one(`"Type":"Succeed","Next":"B"`), schema + "Field 'Next' is not supported at /States/A"},
		"neither":           {one(`"Type":"Pass"`), schema + "Exactly one of these fields is required: [Next, End] at /States/A"},
		"end is false":      {one(`"Type":"Pass","End":false`), schema + "Exactly one of these fields is required: [Next, End] at /States/A"},
		"both":              {one(`"Type":"Pass","End":true,"Next":"B"`), schema + "There should only be one of the following fields: [Next, End] at /States/A"},
		"end is text":       {one(`"Type":"Pass","End":"true"`), schema + "Expected value of type [BOOLEAN] at /States/A/End"},
		"empty next":        {one(`"Type":"Pass","Next":""`), schema + "Value cannot be empty at /States/A/Next"},
		// Paths and templates.
		"input path":          {one(`"Type":"Pass","InputPath":"a","End":true`), schema + "Value must be a valid JSONPath. at /States/A/InputPath"},
		"input path type":     {one(`"Type":"Pass","InputPath":1,"End":true`), schema + "Expected value of type [STRING] at /States/A/InputPath"},
		"null paths":          {one(`"Type":"Pass","InputPath":null,"OutputPath":null,"ResultPath":null,"End":true`), ""},
		"null items":          {one(`"Type":"Map","ItemsPath":null,"End":true,"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`), schema + "Expected value of type [STRING] at /States/A/ItemsPath"},
		"result path":         {one(`"Type":"Pass","ResultPath":"$.a[*]","End":true`), schema + "Value is not a Reference Path at /States/A/ResultPath"},
		"result path $$":      {one(`"Type":"Pass","ResultPath":"$$.a","End":true`), schema + "Value is not a Reference Path at /States/A/ResultPath"},
		"template":            {one(`"Type":"Pass","Parameters":{"a":{"b.$":"c"}},"End":true`), schema + fmt.Sprintf(dynamic, "b.$", "/States/A/Parameters/a")},
		"template type":       {aTask(`"ResultSelector":{"b.$":1},"End":true`), schema + fmt.Sprintf(dynamic, "b.$", "/States/A/ResultSelector")},
		"intrinsic":           {one(`"Type":"Pass","Parameters":{"b.$":"States.Nope($.a)"},"End":true`), schema + fmt.Sprintf(dynamic, "b.$", "/States/A/Parameters")},
		"intrinsic's path":    {one(`"Type":"Pass","Parameters":[{"b.$":"States.Format('{}', $.[)"}],"End":true`), schema + fmt.Sprintf(dynamic, "b.$", "/States/A/Parameters[0]")},
		"intrinsic's escape":  {one(`"Type":"Pass","Parameters":{"p":{"b.$":"States.StringToJson('{\\\"a\\\":1}')"}},"End":true`), schema + fmt.Sprintf(dynamic, "b.$", "/States/A/Parameters/p")},
		"escape of a letter":  {one(`"Type":"Pass","Assign":{"b.$":"States.Format('\\n{}', $.a)"},"End":true`), schema + fmt.Sprintf(dynamic, "b.$", "/States/A/Assign")},
		"escapes that it has": {one(`"Type":"Pass","Parameters":{"b.$":"States.Format('\\'\\\\\\{\\}{}', $.a)"},"End":true`), ""},
		"static result":       {one(`"Type":"Pass","Result":{"a.$":"$.a"},"End":true`), "WARNING PASS_RESULT_IS_STATIC: The Result of a Pass state is static: paths and intrinsic functions in it are not evaluated. Use Parameters. at /States/A/Result"},
		"no dollar":           {one(`"Type":"Pass","Parameters":{"a":"$.a"},"End":true`), "WARNING NO_DOLLAR: No .$ on a field that appears to be a JSONPath or an intrinsic function at /States/A/Parameters/a"},
		"money is not a path": {one(`"Type":"Pass","Parameters":{"a":"$5","b":"States. Of matter"},"End":true`), ""},
		"variable":            {one(`"Type":"Pass","Assign":{"a.b":1},"End":true`), schema + "Value is not a valid variable name at /States/A/Assign/a.b"},
		"reserved variable":   {one(`"Type":"Pass","Assign":{"states.$":"$"},"End":true`), schema + "Value is not a valid variable name at /States/A/Assign/states.$"},
		"variable's value":    {one(`"Type":"Pass","Assign":{"a.$":"b"},"End":true`), schema + fmt.Sprintf(dynamic, "a.$", "/States/A/Assign")},
		"assign is a number":  {one(`"Type":"Pass","Assign":1,"End":true`), schema + "Expected value of type [OBJECT] at /States/A/Assign"},
		// Task.
		"no resource":                 {one(`"Type":"Task","End":true`), schema + "These fields are required: [Resource] at /States/A"},
		"resource is not an ARN":      {one(`"Type":"Task","Resource":"f","End":true`), schema + "Value is not a valid resource ARN at /States/A/Resource"},
		"resource to come":            {one(`"Type":"Task","Resource":"${FunctionArn}","End":true`), ""},
		"unknown action":              {one(`"Type":"Task","Resource":"arn:aws:states:::sqs:receiveMessage","End":true`), schema + "The resource provided arn:aws:states:::sqs:receiveMessage is not recognized. The value is not a valid resource ARN, or the resource is not available in this region. at /States/A/Resource"},
		"unknown service":             {one(`"Type":"Task","Resource":"arn:aws:states:::sns2:publish","End":true`), schema + "The resource provided arn:aws:states:::sns2:publish is not recognized. The value is not a valid resource ARN, or the resource is not available in this region. at /States/A/Resource"},
		"aws-sdk":                     {one(`"Type":"Task","Resource":"arn:aws:states:::aws-sdk:s3:getObject","End":true`), ""},
		"not a function":              {one(`"Type":"Task","Resource":"arn:aws:s3:::bucket","End":true`), schema + "The resource provided arn:aws:s3:::bucket is not recognized. The value is not a valid resource ARN, or the resource is not available in this region. at /States/A/Resource"},
		"a state machine":             {one(`"Type":"Task","Resource":"arn:aws:states:us-east-1:1:stateMachine:a","End":true`), schema + "The resource provided arn:aws:states:us-east-1:1:stateMachine:a is not recognized. The value is not a valid resource ARN, or the resource is not available in this region. at /States/A/Resource"},
		"unknown pattern":             {one(`"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.wait","End":true`), schema + "The resource provided arn:aws:states:::sqs:sendMessage.wait is not recognized. The value is not a valid resource ARN, or the resource is not available in this region. at /States/A/Resource"},
		"nothing to wait for":         {one(`"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.sync","End":true`), schema + "The resource provided arn:aws:states:::lambda:invoke.sync is not recognized. The value is not a valid resource ARN, or the resource is not available in this region. at /States/A/Resource"},
		"waits for a job":             {one(`"Type":"Task","Resource":"arn:aws:states:::ecs:runTask.sync","Parameters":{"TaskDefinition":"t","LaunchType":"FARGATE"},"End":true`), ""},
		"no task definition":          {one(`"Type":"Task","Resource":"arn:aws:states:::ecs:runTask.sync","Parameters":{"Cluster":"c"},"End":true`), schema + "The field 'TaskDefinition' is required but was missing at /States/A/Parameters"},
		"unknown parameter":           {one(`"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"QueueURL":"q","QueueUrl":"q","MessageBody.$":"$"},"End":true`), schema + "The field 'QueueURL' is not supported by Step Functions at /States/A/Parameters"},
		"unknown argument":            {one(`"Type":"Task",` + jsonataIs + `"Resource":"arn:aws:states:::lambda:invoke","Arguments":{"FunctionName":"f","Payload.$":"$"},"End":true`), schema + "The field 'Payload.$' is not supported by Step Functions at /States/A/Arguments"},
		"arguments are made":          {one(`"Type":"Task",` + jsonataIs + `"Resource":"arn:aws:states:::lambda:invoke","Arguments":"{% $states.input %}","End":true`), ""},
		"credentials":                 {aTask(`"Credentials":"r","End":true`), schema + "Expected value of type [OBJECT] at /States/A/Credentials"},
		"empty credentials":           {aTask(`"Credentials":{},"End":true`), schema + "The field 'RoleArn' is required but was missing at /States/A/Credentials"},
		"credentials without RoleArn": {aTask(`"Credentials":{"Role":"arn:aws:iam::1:role/r"},"End":true`), schema + "The field 'RoleArn' is required but was missing at /States/A/Credentials"},
		"credentials' path":           {aTask(`"Credentials":{"RoleArn.$":"r"},"End":true`), schema + fmt.Sprintf(dynamic, "RoleArn.$", "/States/A/Credentials")},
		"missing parameter":           {one(`"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"Payload":1},"End":true`), schema + "The field 'FunctionName' is required but was missing at /States/A/Parameters"},
		"parameter by a path":         {one(`"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName.$":"$.f"},"End":true`), ""},
		"timeout twice":               {aTask(`"TimeoutSeconds":1,"TimeoutSecondsPath":"$.t","End":true`), schema + "There should only be one of the following fields: [TimeoutSeconds, TimeoutSecondsPath] at /States/A"},
		"timeout zero":                {aTask(`"TimeoutSeconds":0,"End":true`), schema + "Minimum value is 1 at /States/A/TimeoutSeconds"},
		"heartbeat too long":          {aTask(`"TimeoutSeconds":5,"HeartbeatSeconds":5,"End":true`), schema + "The value of 'HeartbeatSeconds' must be smaller than the value of 'TimeoutSeconds' at /States/A/HeartbeatSeconds"},
		"retrier's field":             {aTask(`"Retry":[{"ErrorEquals":["E"],"Backoff":2}],"End":true`), schema + "Field 'Backoff' is not supported at /States/A/Retry[0]"},
		"retrier's errors":            {aTask(`"Retry":[{"MaxAttempts":2}],"End":true`), schema + "These fields are required: [ErrorEquals] at /States/A/Retry[0]"},
		"no errors":                   {aTask(`"Retry":[{"ErrorEquals":[]}],"End":true`), schema + "Value cannot be empty at /States/A/Retry[0]/ErrorEquals"},
		"error is a number":           {aTask(`"Retry":[{"ErrorEquals":[1]}],"End":true`), schema + "Expected value of type [STRING] at /States/A/Retry[0]/ErrorEquals"},
		"retry is an object":          {aTask(`"Retry":{"ErrorEquals":["E"]},"End":true`), schema + "Expected value of type [ARRAY] at /States/A/Retry"},
		"no retriers":                 {aTask(`"Retry":[],"End":true`), ""},
		"backoff":                     {aTask(`"Retry":[{"ErrorEquals":["E"],"BackoffRate":0.5}],"End":true`), schema + "Minimum value is 1 at /States/A/Retry[0]/BackoffRate"},
		"attempts":                    {aTask(`"Retry":[{"ErrorEquals":["E"],"MaxAttempts":1.5}],"End":true`), schema + "Expected value of type [INTEGER] at /States/A/Retry[0]/MaxAttempts"},
		"jitter":                      {aTask(`"Retry":[{"ErrorEquals":["E"],"JitterStrategy":"Full"}],"End":true`), schema + "Value should be one of the following: [FULL, NONE] at /States/A/Retry[0]/JitterStrategy"},
		"States.ALL with others":      {aTask(`"Retry":[{"ErrorEquals":["States.ALL","E"]}],"End":true`), schema + "States.ALL must appear alone, and in the last entry at /States/A/Retry[0]/ErrorEquals"},
		"catcher's fields":            {aTask(`"Catch":[{"Result":1}],"End":true`), schema + "Field 'Result' is not supported at /States/A/Catch[0], " + schema + "These fields are required: [ErrorEquals, Next] at /States/A/Catch[0]"},
		"catcher's target":            {aTask(`"Catch":[{"ErrorEquals":["E"],"Next":"Z"}],"End":true`), missing + "Missing 'Next' target: Z at /States/A/Catch[0]/Next"},
		"catcher's path":              {aTask(`"Catch":[{"ErrorEquals":["E"],"Next":"B","ResultPath":"x"}],"End":true`), schema + "Value is not a Reference Path: Reference path didn't start with '$' at /States/A/Catch[0]/ResultPath"},
		"retry of a Pass":             {one(`"Type":"Pass","Retry":[],"End":true`), schema + "Field 'Retry' is not supported at /States/A"},
		// Choice.
		"no choices":         {one(`"Type":"Choice"`), schema + "These fields are required: [Choices] at /States/A"},
		"empty choices":      {one(`"Type":"Choice","Choices":[]`), schema + "Value cannot be empty at /States/A/Choices"},
		"rule's next":        {aRule(`{"Variable":"$.a","IsNull":true}`), schema + "These fields are required: [Next] at /States/A/Choices[0]"},
		"rule's target":      {aRule(`{"Variable":"$.a","IsNull":true,"Next":"Z"}`), missing + "Missing 'Next' target: Z at /States/A/Choices[0]/Next"},
		"default's target":   {one(`"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"B"}],"Default":"Z"`), missing + "Missing 'Next' target: Z at /States/A/Default"},
		"no variable":        {aRule(`{"IsNull":true,"Next":"B"}`), schema + "These fields are required: [Variable] at /States/A/Choices[0]"},
		"no operator":        {aRule(`{"Variable":"$.a","Next":"B"}`), schema + "Exactly one comparison operator is required at /States/A/Choices[0]"},
		"two operators":      {aRule(`{"Variable":"$.a","IsNull":true,"StringEquals":"a","Next":"B"}`), schema + "Exactly one comparison operator is required at /States/A/Choices[0]"},
		"unknown operator":   {aRule(`{"Variable":"$.a","StringLike":"a","IsNull":true,"Next":"B"}`), schema + "Field 'StringLike' is not supported at /States/A/Choices[0]"},
		"operand text":       {aRule(`{"Variable":"$.a","StringEquals":1,"Next":"B"}`), schema + "Expected value of type [STRING] at /States/A/Choices[0]/StringEquals"},
		"operand number":     {aRule(`{"Variable":"$.a","NumericLessThan":"1","Next":"B"}`), schema + "Expected value of type [NUMBER] at /States/A/Choices[0]/NumericLessThan"},
		"operand time":       {aRule(`{"Variable":"$.a","TimestampEquals":"2026","Next":"B"}`), schema + "String does not match RFC3339 timestamp at /States/A/Choices[0]/TimestampEquals"},
		"operand boolean":    {aRule(`{"Variable":"$.a","IsPresent":"true","Next":"B"}`), schema + "Expected value of type [BOOLEAN] at /States/A/Choices[0]/IsPresent"},
		"operand path":       {aRule(`{"Variable":"$.a","NumericEqualsPath":"b","Next":"B"}`), schema + "Value is not a Reference Path: Reference path didn't start with '$' at /States/A/Choices[0]/NumericEqualsPath"},
		"no path for it":     {aRule(`{"Variable":"$.a","StringEquals":"$.b","Next":"B"}`), "WARNING NO_PATH: The value appears to be a JSONPath, but the name of the field does not end with Path at /States/A/Choices[0]/StringEquals"},
		"next in a rule":     {aRule(`{"Not":{"Variable":"$.a","IsNull":true,"Next":"B"},"Next":"B"}`), schema + "Field 'Next' is not supported at /States/A/Choices[0]/Not"},
		"empty and":          {aRule(`{"And":[],"Next":"B"}`), schema + "Value cannot be empty at /States/A/Choices[0]/And"},
		"rule in or":         {aRule(`{"Or":[{"Variable":"x","IsNull":true}],"Next":"B"}`), schema + "Value is not a Reference Path: Reference path didn't start with '$' at /States/A/Choices[0]/Or[0]/Variable"},
		"condition in a map": {aRule(`{"Condition":"{% true %}","Next":"B"}`), only("JSONPath", "Condition", "JSONata", "/States/A/Choices[0]")},
		// Wait, Fail, Parallel, Map.
		"wait for nothing":     {one(`"Type":"Wait","End":true`), schema + "Exactly one of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath] at /States/A"},
		"wait twice":           {one(`"Type":"Wait","Seconds":1,"SecondsPath":"$.s","End":true`), schema + "There should only be one of the following fields: [Seconds, SecondsPath, Timestamp, TimestampPath] at /States/A"},
		"wait long":            {one(`"Type":"Wait","Seconds":100000000,"End":true`), schema + "Maximum value is 99999999 at /States/A/Seconds"},
		"wait until":           {one(`"Type":"Wait","Timestamp":"tomorrow","End":true`), schema + "String does not match RFC3339 timestamp at /States/A/Timestamp"},
		"wait path":            {one(`"Type":"Wait","SecondsPath":"$.a[?(@.b)]","End":true`), schema + "Value is not a Reference Path at /States/A/SecondsPath"},
		"error is a number, 2": {one(`"Type":"Fail","Error":1`), schema + "Expected value of type [STRING] at /States/A/Error"},
		"error twice":          {one(`"Type":"Fail","Error":"E","ErrorPath":"$.e"`), schema + "There should only be one of the following fields: [Error, ErrorPath] at /States/A"},
		"error path":           {one(`"Type":"Fail","ErrorPath":"e"`), schema + fmt.Sprintf(dynamic, "ErrorPath", "/States/A")},
		"no branches":          {one(`"Type":"Parallel","End":true`), schema + "These fields are required: [Branches] at /States/A"},
		"empty branches":       {one(`"Type":"Parallel","Branches":[],"End":true`), schema + "Value cannot be empty at /States/A/Branches"},
		"branch's field":       {one(`"Type":"Parallel","End":true,"Branches":[{"StartAt":"I","TimeoutSeconds":1,"States":{"I":{"Type":"Succeed"}}}]`), schema + "Field 'TimeoutSeconds' is not supported at /States/A/Branches[0]"},
		"branch's start":       {one(`"Type":"Parallel","End":true,"Branches":[{"States":{"I":{"Type":"Succeed"}}}]`), schema + "These fields are required: [StartAt] at /States/A/Branches[0]"},
		"no processor":         {one(`"Type":"Map","End":true`), schema + "These fields are required: [ItemProcessor] at /States/A"},
		"processor's target":   {one(`"Type":"Map","End":true,"ItemProcessor":{"StartAt":"Z","States":{"I":{"Type":"Succeed"}}}`), missing + "Missing 'Next' target: Z at /States/A/ItemProcessor/StartAt, " + missing + `State "I" is not reachable. at /States/A/ItemProcessor/States/I`},
		"mode":                 {one(`"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"inline"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`), schema + "Value should be one of the following: [INLINE, DISTRIBUTED] at /States/A/ItemProcessor/ProcessorConfig/Mode"},
		"concurrency":          {one(`"Type":"Map","End":true,"MaxConcurrency":-1,"Iterator":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`), schema + "Minimum value is 0 at /States/A/MaxConcurrency"},
		"percentage":           {one(`"Type":"Map","End":true,"ToleratedFailurePercentage":101,"Iterator":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`), schema + "Maximum value is 100 at /States/A/ToleratedFailurePercentage"},
		"two processors":       {one(`"Type":"Map","End":true,"ItemProcessor":` + sub + `,"Iterator":` + sub), schema + "There should only be one of the following fields: [ItemProcessor, Iterator] at /States/A"},
		"two selectors":        {one(`"Type":"Map","End":true,"ItemSelector":{},"Parameters":{},"ItemProcessor":` + sub), schema + "There should only be one of the following fields: [ItemSelector, Parameters] at /States/A"},
		"two concurrencies":    {one(`"Type":"Map","End":true,"MaxConcurrency":1,"MaxConcurrencyPath":"$.a","ItemProcessor":` + sub), schema + "There should only be one of the following fields: [MaxConcurrency, MaxConcurrencyPath] at /States/A"},
		"no execution type":    {one(`"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED"},` + sub[1:]), schema + "These fields are required: [ExecutionType] at /States/A/ItemProcessor/ProcessorConfig"},
		"label":                {one(`"Type":"Map","End":true,"Label":"a-1","ItemProcessor":` + sub), ""},
		"empty label":          {one(`"Type":"Map","End":true,"Label":"","ItemProcessor":` + sub), schema + "Value cannot be empty at /States/A/Label"},
		"long label":           {one(`"Type":"Map","End":true,"Label":"` + strings.Repeat("é", 41) + `","ItemProcessor":` + sub), schema + "Label cannot exceed 40 characters at /States/A/Label"},
		"label with a colon":   {one(`"Type":"Map","End":true,"Label":"a:b","ItemProcessor":` + sub), schema + "Label contains invalid character: ':' at /States/A/Label"},
		"reader's fields":      {one(`"Type":"Map","End":true,"ItemReader":{"Readerconfig":{}},"ItemProcessor":` + sub), schema + "Field 'Readerconfig' is not supported at /States/A/ItemReader, " + schema + "These fields are required: [Resource] at /States/A/ItemReader"},
		"batcher's fields":     {one(`"Type":"Map","End":true,"ItemBatcher":{"MaxItems":1},"ItemProcessor":` + sub), schema + "Field 'MaxItems' is not supported at /States/A/ItemBatcher"},
		"reader's type":        {one(`"Type":"Map","End":true,"ItemReader":{"Resource":"r","ReaderConfig":{"InputType":"XML","MaxItems":1.5,"CSVHeaders":[1]}},"ItemProcessor":` + sub), schema + "Value should be one of the following: [JSON, JSONL, CSV, MANIFEST, PARQUET] at /States/A/ItemReader/ReaderConfig/InputType, " + schema + "Expected value of type [STRING] at /States/A/ItemReader/ReaderConfig/CSVHeaders, " + schema + "Expected value of type [INTEGER] at /States/A/ItemReader/ReaderConfig/MaxItems"},
		"reader's arguments":   {one(`"Type":"Map","End":true,"ItemReader":{"Resource":"r","Arguments":{}},"ItemProcessor":` + sub), only("JSONPath", "Arguments", "JSONata", "/States/A/ItemReader")},
		"reader's expression":  {one(`"Type":"Map","End":true,` + jsonataIs + `"ItemReader":{"Resource":"r","ReaderConfig":{"MaxItems":"{% ( %}"}},"ItemProcessor":` + sub), invalid + "Expected \")\" before end of expression at /States/A/ItemReader/ReaderConfig/MaxItems"},
		"batch too large":      {one(`"Type":"Map","End":true,"ItemBatcher":{"MaxInputBytesPerBatch":262145,"BatchInput":{"a.$":"b"}},"ItemProcessor":` + sub), schema + "Maximum value is 262144 at /States/A/ItemBatcher/MaxInputBytesPerBatch, " + schema + fmt.Sprintf(dynamic, "a.$", "/States/A/ItemBatcher/BatchInput")},
		"writer's type":        {one(`"Type":"Map","End":true,"ResultWriter":{"WriterConfig":{"OutputType":"CSV"}},"ItemProcessor":` + sub), schema + "Value should be one of the following: [JSON, JSONL] at /States/A/ResultWriter/WriterConfig/OutputType"},
		"writer is text":       {one(`"Type":"Map","End":true,"ResultWriter":"s3","ItemProcessor":` + sub), schema + "Expected value of type [OBJECT] at /States/A/ResultWriter"},
		// JSONata.
		"JSONPath in JSONata": {one(`"Type":"Pass",` + jsonataIs + `"InputPath":"$.a","ResultPath":null,"End":true`), only("JSONata", "InputPath", "JSONPath", "/States/A") + ", " + only("JSONata", "ResultPath", "JSONPath", "/States/A")},
		"JSONata in JSONPath": {one(`"Type":"Pass","Output":1,"End":true`), only("JSONPath", "Output", "JSONata", "/States/A")},
		"catch in JSONata":    {aTask(jsonataIs + `"Catch":[{"ErrorEquals":["E"],"Next":"B","ResultPath":"$.e"}],"End":true`), only("JSONata", "ResultPath", "JSONPath", "/States/A/Catch[0]")},
		"rule in JSONata":     {one(`"Type":"Choice",` + jsonataIs + `"Default":"B","Choices":[{"Variable":"$.a","IsNull":true,"Next":"B"}]`), schema + "These fields are required: [Condition] at /States/A/Choices[0], " + only("JSONata", "Variable", "JSONPath", "/States/A/Choices[0]") + ", " + only("JSONata", "IsNull", "JSONPath", "/States/A/Choices[0]")},
		"downgrade":           {`{` + jsonataIs + one(`"Type":"Pass","QueryLanguage":"JSONPath","End":true`)[1:], schema + "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at /States/A"},
		"expression":          {one(`"Type":"Pass",` + jsonataIs + `"Output":{"a":["{% $x( %}"]},"End":true`), invalid + "Expected \")\" before end of expression at /States/A/Output/a[0]"},
		"no end":              {one(`"Type":"Pass",` + jsonataIs + `"Output":"{% 1 %} ","End":true`), invalid + "The expression begins with {% and does not end with %} at /States/A/Output"},
		"only a delimiter":    {one(`"Type":"Pass",` + jsonataIs + `"Output":"{%}","End":true`), invalid + "The expression begins with {% and does not end with %} at /States/A/Output"},
		"credentials by one":  {aTask(jsonataIs + `"Credentials":{"RoleArn":"{% ( %}"},"End":true`), invalid + "Expected \")\" before end of expression at /States/A/Credentials/RoleArn"},
		"condition":           {one(`"Type":"Choice",` + jsonataIs + `"Default":"B","Choices":[{"Condition":"a = b","Next":"B"}]`), schema + "Value must be a Boolean or a JSONata expression at /States/A/Choices[0]/Condition"},
		"seconds":             {one(`"Type":"Wait",` + jsonataIs + `"Seconds":"1","End":true`), schema + "Expected value of type [INTEGER] at /States/A/Seconds"},
		"items":               {one(`"Type":"Map",` + jsonataIs + `"Items":"a","End":true,"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`), schema + "Value must be an array or a JSONata expression at /States/A/Items"},
		"variable in JSONata": {one(`"Type":"Pass",` + jsonataIs + `"Assign":{"a":"{% + %}"},"End":true`), invalid + "The symbol \"+\" cannot be used as a unary operator at /States/A/Assign/a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := joined(asl.Validate([]byte(test.definition), false)); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

// joined writes diagnostics as CreateStateMachine does.
func joined(list []asl.Diagnostic) string {
	texts := make([]string, len(list))
	for i, d := range list {
		if d.Severity == asl.SeverityWarning {
			texts[i] = "WARNING "
		}
		texts[i] += d.Code + ": " + d.Message
		if d.Location != "" && d.Code != "INVALID_JSON_DESCRIPTION" {
			texts[i] += " at " + d.Location
		}
	}
	return strings.Join(texts, ", ")
}

// Features of Standard Workflows are refused only for EXPRESS.
func TestValidateExpress(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ definition, want string }{
		"activity":    {one(`"Type":"Task","Resource":"arn:aws:states:us-east-1:123456789012:activity:a","End":true`), "SCHEMA_VALIDATION_FAILED: Express state machine does not support Activity ARN at /States/A/Resource"},
		"sync":        {one(`"Type":"Task","Resource":"arn:aws:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"a"},"End":true`), "SCHEMA_VALIDATION_FAILED: Express state machine does not support '.sync' service integration at /States/A/Resource"},
		"token":       {one(`"Type":"Task","Resource":"arn:aws:states:::sns:publish.waitForTaskToken","Parameters":{"Message":"a"},"End":true`), "SCHEMA_VALIDATION_FAILED: Express state machine does not support '.waitForTaskToken' service integration  at /States/A/Resource"},
		"distributed": {one(`"Type":"Map","End":true,"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}}`), "SCHEMA_VALIDATION_FAILED: Express state machine does not support Map states with the mode 'DISTRIBUTED' at /States/A/ItemProcessor/ProcessorConfig/Mode"},
		"function":    {aTask(`"End":true`), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := joined(asl.Validate([]byte(test.definition), true)); got != test.want {
				t.Errorf("EXPRESS: %s, want %s", got, test.want)
			}
			if got := joined(asl.Validate([]byte(test.definition), false)); got != "" {
				t.Errorf("STANDARD: %s, want nothing", got)
			}
		})
	}
}

func TestLocate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{\n  \"StartAt\": \"A\",\n  \"States\": {\n    \"A\": {\"Type\": \"Pass\", \"Next\": \"B\"},\n    \"B\": {\"Type\": \"Nap\"}\n  }\n}": "5:11",
		"{\n  \"StartAt\" \"A\"}": "2:14",
		"{}":                      "1:1",
	} {
		list := asl.Validate([]byte(text), false)
		if len(list) != 1 {
			t.Fatalf("diagnostics = %v, want one", list)
		}
		line, column := asl.Locate([]byte(text), list[0])
		if got := fmt.Sprintf("%d:%d", line, column); got != want {
			t.Errorf("%s is at %s, want %s", joined(list), got, want)
		}
	}
}

// Long names in many places cost neither time nor memory: each value's location holds
// the names of all that it is in.
func TestValidateLongNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 300_000)
	many := func(item string) string { return strings.Repeat(item+",", 20_000) }
	for name, definition := range map[string]string{
		"template":   one(`"Type":"Pass","Parameters":{"` + long + `":[` + many(`{"a.$":"b"}`) + `1]},"End":true`),
		"expression": one(`"Type":"Pass",` + jsonataIs + `"Output":{"` + long + `":[` + many(`"{%(%}"`) + `1]},"End":true`),
		"state":      `{"StartAt":"A","States":{"` + long + `":{"Type":"Task","Retry":[` + many(`{"x":1}`) + `{}]}}}`,
		"variables":  one(`"Type":"Pass","Assign":{"` + long + `":[` + many(`{"a.$":"b"}`) + `1]},"End":true`),
		"rule":       aRule(`{"` + long + `":1,"Not":{"` + long + `":1},"Next":"B"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			size := 0
			list := asl.Validate([]byte(definition), true)
			for _, d := range list {
				size += len(d.Location) + len(d.Message)
			}
			if len(list) == 0 || len(list) > 1000 || size > 10<<20 {
				t.Errorf("%d diagnostics with %d bytes, want some, with a bound", len(list), size)
			}
		})
	}
}
