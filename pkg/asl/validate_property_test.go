package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Valid definitions with every field of every state, for the tests to break.
var wholes = []string{
	`{"StartAt":"P","Comment":"c","Version":"1.0","TimeoutSeconds":60,"QueryLanguage":"JSONPath","States":{
		"P":{"Type":"Pass","Comment":"c","InputPath":"$.a","Parameters":{"b.$":"States.Format('{}', $.x)","c":[{"d.$":"$$.Execution.Id"}]},"ResultPath":"$.p","OutputPath":null,"Assign":{"v.$":"$.a"},"Next":"T"},
		"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","Payload.$":"$"},"ResultSelector":{"r.$":"$.Payload"},"TimeoutSeconds":9,"HeartbeatSeconds":3,
			"Credentials":{"RoleArn":"arn:aws:iam::1:role/r"},"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":2,"MaxAttempts":2,"BackoffRate":1.5,"MaxDelaySeconds":9,"JitterStrategy":"FULL"},{"ErrorEquals":["States.ALL"]}],
			"Catch":[{"ErrorEquals":["States.ALL"],"Next":"F","ResultPath":"$.error","Assign":{"e.$":"$.Error"}}],"Next":"C"},
		"C":{"Type":"Choice","Choices":[{"And":[{"Variable":"$.a","IsNull":true},{"Not":{"Variable":"$.b","NumericEqualsPath":"$.c"}}],"Next":"W"},{"Variable":"$v","TimestampLessThan":"2026-01-01T00:00:00Z","Next":"M","Assign":{"w":1}}],"Default":"S"},
		"W":{"Type":"Wait","SecondsPath":"$.s","Next":"V"},"V":{"Type":"Wait","Timestamp":"2026-01-01T00:00:00Z","Next":"M"},
		"M":{"Type":"Map","ItemsPath":"$.items","ItemSelector":{"i.$":"$$.Map.Item.Value"},"MaxConcurrency":2,"ToleratedFailureCountPath":"$.t","ToleratedFailurePercentage":5,"Label":"l",
			"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket.$":"$.b"},"ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["h"],"CSVDelimiter":"TAB","MaxItemsPath":"$.m"}},
			"ItemBatcher":{"MaxItemsPerBatch":3,"MaxInputBytesPerBatchPath":"$.n","BatchInput":{"a.$":"$.b"}},"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"},"WriterConfig":{"OutputType":"JSON","Transformation":"NONE"}},
			"ItemProcessor":{"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"I","States":{"I":{"Type":"Succeed","InputPath":"$.x"}}},"Next":"B"},
		"B":{"Type":"Parallel","Branches":[{"StartAt":"B1","States":{"B1":{"Type":"Pass","Result":{"a":1},"End":true}}},{"StartAt":"B2","States":{"B2":{"Type":"Wait","Seconds":1,"End":true}}}],"ResultPath":null,"Next":"S"},
		"F":{"Type":"Fail","ErrorPath":"$.e","Cause":"c"},"S":{"Type":"Succeed"}}}`,
	`{"StartAt":"P","QueryLanguage":"JSONata","States":{
		"P":{"Type":"Pass","QueryLanguage":"JSONata","Output":{"a":["{% $states.input %}",1]},"Assign":{"v":"{% 1 %}"},"Next":"T"},
		"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Arguments":{"FunctionName":"f","Payload":"{% $v %}"},"TimeoutSeconds":"{% 9 %}","HeartbeatSeconds":3,"Output":"{% $states.result %}",
			"Retry":[{"ErrorEquals":["E"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"F","Output":"{% $states.errorOutput %}","Assign":{"e":"{% 1 %}"}}],"Next":"C"},
		"C":{"Type":"Choice","Choices":[{"Condition":"{% $v = 1 %}","Next":"W","Output":1,"Assign":{"w":1}},{"Condition":true,"Next":"M"}],"Default":"S","Output":"{% 1 %}"},
		"W":{"Type":"Wait","Seconds":"{% 1 %}","Next":"V"},"V":{"Type":"Wait","Timestamp":"{% $now() %}","Next":"M"},
		"M":{"Type":"Map","Items":"{% [1] %}","ItemSelector":{"i":"{% $states.context.Map.Item.Value %}"},"MaxConcurrency":"{% 2 %}","ToleratedFailureCount":1,"ToleratedFailurePercentage":"{% 5 %}",
			"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Arguments":{"Bucket":"{% $v %}"},"ReaderConfig":{"InputType":"JSON","MaxItems":"{% 3 %}","ItemsPointer":"/a"}},
			"ItemBatcher":{"MaxItemsPerBatch":"{% 3 %}","MaxInputBytesPerBatch":9,"BatchInput":{"a":"{% 1 %}"}},
			"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Succeed","Output":"{% 1 %}"}}},"Next":"B"},
		"B":{"Type":"Parallel","Arguments":{"a":"{% 1 %}"},"Branches":[{"StartAt":"B1","States":{"B1":{"Type":"Pass","End":true}}}],"Output":"{% $states.result %}","Next":"S"},
		"F":{"Type":"Fail","Error":"{% 'E' %}","Cause":"c"},"S":{"Type":"Succeed"}}}`,
	`{"StartAt":"P","States":{
		"P":{"Type":"Pass","QueryLanguage":"JSONPath","Result":1,"Next":"T"},
		"T":{"Type":"Task","Comment":"c","QueryLanguage":"JSONPath","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","InputPath":"$.a","Parameters":{"b.$":"$.c"},"ResultPath":"$.r","OutputPath":"$.r","TimeoutSecondsPath":"$.t","HeartbeatSecondsPath":"$.h","Assign":{"v.$":"$"},
			"Catch":[{"ErrorEquals":["E"],"Comment":"c","Next":"C"}],"Next":"C"},
		"C":{"Type":"Choice","Comment":"c","QueryLanguage":"JSONPath","InputPath":"$.i","OutputPath":"$.o","Assign":{"a":1},"Choices":[{"Or":[{"Variable":"$.s","StringMatches":"a*"},{"Variable":"$.s","StringEqualsPath":"$.t"}],"Comment":"c","Next":"W"}],"Default":"M"},
		"W":{"Type":"Wait","Comment":"c","QueryLanguage":"JSONPath","InputPath":"$.i","OutputPath":"$.o","TimestampPath":"$.at","Assign":{"a":1},"Next":"N"},
		"M":{"Type":"Map","Comment":"c","QueryLanguage":"JSONPath","InputPath":"$.i","Parameters":{"a.$":"$$.Map.Item.Index"},"MaxConcurrencyPath":"$.m","ToleratedFailureCount":1,"ToleratedFailurePercentagePath":"$.p","ResultSelector":{"a.$":"$"},"ResultPath":"$.r","OutputPath":"$.o","Assign":{"a":1},
			"Iterator":{"StartAt":"I","States":{"I":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"QueueUrl":"q","MessageBody.$":"$"},"End":true}}},
			"Retry":[{"ErrorEquals":["E"],"Comment":"c","MaxAttempts":0}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"F"}],"End":true},
		"N":{"Type":"Parallel","Comment":"c","QueryLanguage":"JSONPath","InputPath":"$.i","Parameters":{"a":1},"ResultSelector":{"a.$":"$[0]"},"OutputPath":"$.o","Assign":{"a":1},"Branches":[{"Comment":"c","StartAt":"J","States":{"J":{"Type":"Succeed","Comment":"c","QueryLanguage":"JSONPath","OutputPath":"$.o"}}}],
			"Retry":[{"ErrorEquals":["E"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"F"}],"End":true},
		"F":{"Type":"Fail","Comment":"c","QueryLanguage":"JSONPath","InputPath":"$.i","OutputPath":"$.o","Error":"E","CausePath":"$.c"}}}`,
	`{"StartAt":"P","QueryLanguage":"JSONata","States":{
		"P":{"Type":"Pass","Comment":"c","Next":"T"},
		"T":{"Type":"Task","Comment":"c","QueryLanguage":"JSONata","Resource":"arn:aws:states:::sns:publish","Arguments":{"Message":"{% $string(1) %}","TopicArn":"t"},"Credentials":{"RoleArn":"{% 'arn:aws:iam::123456789012:role/r' %}"},"Assign":{"v":1},"Catch":[{"ErrorEquals":["E"],"Next":"C"}],"Next":"C"},
		"C":{"Type":"Choice","Comment":"c","QueryLanguage":"JSONata","Assign":{"a":1},"Choices":[{"Condition":"{% true %}","Comment":"c","Next":"W"}],"Default":"M"},
		"W":{"Type":"Wait","Comment":"c","QueryLanguage":"JSONata","Seconds":1,"Output":"{% 1 %}","Assign":{"a":1},"End":true},
		"M":{"Type":"Map","Comment":"c","QueryLanguage":"JSONata","Items":[1,2],"Label":"l","Output":"{% $states.result %}","Assign":{"a":1},
			"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"I","States":{"I":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","End":true}}},
			"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Arguments":{"Bucket":"{% 'b' %}","Prefix":"p"},"WriterConfig":{"OutputType":"JSONL","Transformation":"FLATTEN"}},
			"Retry":[{"ErrorEquals":["E"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"F"}],"Next":"N"},
		"N":{"Type":"Parallel","Comment":"c","QueryLanguage":"JSONata","Assign":{"a":1},"Branches":[{"StartAt":"J","States":{"J":{"Type":"Map","Iterator":{"StartAt":"K","States":{"K":{"Type":"Succeed","Comment":"c","QueryLanguage":"JSONata"}}},"End":true}}}],
			"Retry":[{"ErrorEquals":["E"]}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"F"}],"End":true},
		"F":{"Type":"Fail","Comment":"c","QueryLanguage":"JSONata"}}}`,
}

// The definitions have every field of every type of state in both languages, so that the
// properties hold for all of them.
func TestWholeDefinitionsHaveEveryField(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	var visit func(v any, jsonata bool)
	visit = func(v any, jsonata bool) {
		switch v := v.(type) {
		case map[string]any:
			if language, ok := v["QueryLanguage"]; ok {
				jsonata = language == "JSONata"
			}
			kind, _ := v["Type"].(string)
			for key, member := range v {
				seen[fmt.Sprint(kind, jsonata, key)] = true
				visit(member, jsonata)
			}
		case []any:
			for _, item := range v {
				visit(item, jsonata)
			}
		}
	}
	for _, text := range wholes {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		visit(v, false)
	}
	for kind, fields := range fieldsOf {
		for _, jsonata := range []bool{false, true} {
			own := fields.jsonPath
			if jsonata {
				own = fields.jsonata
			}
			for _, field := range slices.Concat(anyState, fields.both, own) {
				if !seen[fmt.Sprint(kind, jsonata, field)] {
					t.Errorf("no %s state with JSONata %t has the field %s", kind, jsonata, field)
				}
			}
		}
	}
}

// replacements are the values that replace one of a valid definition.
var replacements = []string{
	`null`, `true`, `false`, `""`, `"A"`, `"S"`, `"$"`, `"$.a"`, `"$.a[*]"`, `"$$.Execution"`, `"$v.a"`, `"States.UUID()"`, `"{% 1 %}"`, `"{% ( %}"`, `"{%%}"`, `"{% 1"`, `"{%}"`,
	`"JSONata"`, `"JSONPath"`, `-1`, `0`, `1`, `1.5`, `1e9`, `1.0`, `[]`, `[1]`, `["States.ALL"]`, `[{}]`, `{}`, `{"a.$":"$.b"}`, `{"a":"{% 1 %}"}`,
}

func replacement(t *rapid.T) any {
	return json.RawMessage(rapid.SampledFrom(replacements).Draw(t, "value"))
}

// Definitions that Validate accepts compile, and Parse refuses those that it refuses, for
// the same reasons.
func agree(t interface{ Fatalf(string, ...any) }, text []byte, express bool) *Machine {
	parse := Parse
	if express {
		parse = ParseExpress
	}
	m, err := parse(text)
	want := refusal(Validate(text, express))
	if want == nil {
		if err != nil || m == nil {
			t.Fatalf("%s is valid, and cannot be parsed: %v", text, err)
		}
		return m
	}
	got, ok := errors.AsType[*DefinitionError](err)
	if !ok || got.Error() != want.Error() || m != nil {
		t.Fatalf("%s: Parse says %v, Validate %v", text, err, want)
	}
	return nil
}

func TestParseAgreesWithValidate(t *testing.T) {
	t.Parallel()
	for _, text := range wholes {
		if list := Validate([]byte(text), false); len(list) > 0 {
			t.Fatalf("a whole definition is refused: %v", list)
		}
		agree(t, []byte(text), false)
	}
	rapid.Check(t, func(t *rapid.T) {
		var v any
		if err := json.Unmarshal([]byte(rapid.SampledFrom(wholes).Draw(t, "definition")), &v); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 2).Draw(t, "mutations") {
			v = mutate(t, v)
		}
		if rapid.Bool().Draw(t, "rename") {
			v = rename(v, map[string]string{}, func(string) string {
				return rapid.StringOfN(rapid.RuneFrom([]rune("aZ_0 é語😀-/\"'")), 1, 90, -1).Draw(t, "name")
			})
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, text, rapid.Bool().Draw(t, "express"))
	})
}

// rename gives the states of a definition other names, including in references.
func rename(v any, names map[string]string, draw func(string) string) any {
	name := func(old any) any {
		s, ok := old.(string)
		if !ok {
			return old
		}
		if _, known := names[s]; !known {
			names[s] = draw(s)
		}
		return names[s]
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			switch key {
			case "Next", "StartAt", "Default":
				v[key] = name(v[key])
			case "States":
				states, ok := v[key].(map[string]any)
				if !ok {
					continue
				}
				renamed := map[string]any{}
				for _, old := range slices.Sorted(maps.Keys(states)) {
					renamed[name(old).(string)] = rename(states[old], names, draw)
				}
				v[key] = renamed
			default:
				v[key] = rename(v[key], names, draw)
			}
		}
	case []any:
		for i, item := range v {
			v[i] = rename(item, names, draw)
		}
	}
	return v
}

// mutate replaces, adds or removes one value, anywhere.
func mutate(t *rapid.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			break
		}
		key := rapid.SampledFrom(slices.Sorted(maps.Keys(v))).Draw(t, "key")
		switch rapid.IntRange(0, 9).Draw(t, "change") {
		case 0:
			delete(v, key)
		case 1:
			v[rapid.SampledFrom([]string{"Next", "End", "Output", "Assign", "ResultPath", "Retry", "SecondsPath", "Cause", "Default", "a.$", "Variable", "QueryLanguage", "ItemsPath", "Comment", "Credentials", "MaxItems", "Parameters", "Arguments", "Iterator"}).Draw(t, "new")] = replacement(t)
		case 2:
			v[key] = replacement(t)
		default:
			v[key] = mutate(t, v[key])
		}
		return v
	case []any:
		if len(v) > 0 && rapid.IntRange(0, 3).Draw(t, "change") > 0 {
			i := rapid.IntRange(0, len(v)-1).Draw(t, "element")
			v[i] = mutate(t, v[i])
			return v
		}
	}
	return replacement(t)
}
