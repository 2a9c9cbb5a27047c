package asl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A bucketOf runs a Map's calls of S3, with two objects per page. Tasks that invoke a
// function fail for "bad", and return any other payload.
type bucketOf struct {
	mu      sync.Mutex
	objects map[string]string // by bucket/key
}

func (b *bucketOf) RunTask(_ context.Context, t asl.Task) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, _ := jsonata.Force(t.Parameters).(*jsonata.Object)
	text := func(name string) string {
		v, _ := p.Get(name)
		s, _ := jsonata.Force(v).(string)
		return s
	}
	switch t.Resource {
	case "arn:aws:states:::s3:getObject":
		body, ok := b.objects[text("Bucket")+"/"+text("Key")]
		if !ok {
			return nil, &asl.Error{Name: "S3.NoSuchKeyException", Cause: "The specified key does not exist."}
		}
		return map[string]any{"Body": body}, nil
	case "arn:aws:states:::s3:listObjectsV2":
		return b.list(text("Bucket"), text("Prefix"), text("ContinuationToken")), nil
	case "arn:aws:states:::s3:putObject":
		if text("Bucket") != "out" {
			return nil, &asl.Error{Name: "S3.NoSuchBucketException", Cause: "The specified bucket does not exist"}
		}
		b.objects["out/"+text("Key")] = text("Body")
		return map[string]any{}, nil
	}
	if plainJSON(t.Parameters) == `"bad"` || strings.Contains(plainJSON(t.Parameters), `["bad"`) {
		return nil, &asl.Error{Name: "Bad", Cause: "a bad item"}
	}
	return t.Parameters, nil
}

func (b *bucketOf) list(bucket, prefix, after string) any {
	var contents []any
	for _, name := range slices.Sorted(maps.Keys(b.objects)) {
		key, ok := strings.CutPrefix(name, bucket+"/")
		if !ok || !strings.HasPrefix(key, prefix) || key <= after {
			continue
		}
		if len(contents) == 2 {
			last := contents[1].(map[string]any)["Key"]
			return map[string]any{"Contents": contents, "NextContinuationToken": last}
		}
		contents = append(contents, map[string]any{
			"Key": key, "LastModified": "2023-11-15T00:00:00Z", "ETag": `"e"`, "Size": len(b.objects[name]), "StorageClass": "STANDARD",
		})
	}
	if contents == nil {
		return map[string]any{"KeyCount": 0}
	}
	return map[string]any{"Contents": contents}
}

func plainJSON(v any) string {
	text, _ := jsonata.AppendJSON(nil, v)
	return string(text)
}

// mapRun runs a machine with one Map state.
func mapRun(t *testing.T, b *bucketOf, fields, input string) asl.Result {
	t.Helper()
	const task = `"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:123456789012:function:f","End":true}}}`
	m, err := asl.Parse([]byte(`{"StartAt":"M","States":{"M":{"Type":"Map",` + fields + `,` + task + `,"End":true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var mu sync.Mutex
	return m.Run(t.Context(), asl.Environment{
		Tasks: b,
		Now:   func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		UUID: func() string {
			mu.Lock()
			defer mu.Unlock()
			n++
			return fmt.Sprintf("uuid-%d", n)
		},
	}, asl.Execution{Input: []byte(input), StateMachineARN: "arn:aws:states:us-east-1:123456789012:stateMachine:jobs", StateMachineName: "jobs"})
}

// What an ItemReader reads, and what the context object has about the item.
func TestMapReadsItems(t *testing.T) {
	t.Parallel()
	const (
		get  = `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key.$":"$.key"},"ReaderConfig":`
		list = `"ItemReader":{"Resource":"arn:aws:states:::s3:listObjectsV2","Parameters":{"Bucket":"b","Prefix":"in/"}`
		item = `,"MaxConcurrency":1,"ItemSelector":{"i.$":"$$.Map.Item"}`
	)
	tests := map[string]struct{ fields, object, want, cause string }{
		"JSON":               {get + `{"InputType":"JSON"}}`, `[1,{"a":2}]`, `[1,{"a":2}]`, ""},
		"JSON at a pointer":  {get + `{"InputType":"JSON","ItemsPointer":"/a/b"}}`, `{"a":{"b":[3]}}`, `[3]`, ""},
		"JSON lines":         {get + `{"InputType":"JSONL"}}`, "{\"a\":1}\n\n{\"a\":2}\n", `[{"a":1},{"a":2}]`, ""},
		"CSV":                {get + `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}}`, "\ufeffa,b\r\n1,\"2,\n3\"\r\n", `[{"a":"1","b":"2,\n3"}]`, ""},
		"CSV, given headers": {get + `{"InputType":"CSV","CSVHeaderLocation":"GIVEN","CSVHeaders":["x","y"],"CSVDelimiter":"SEMICOLON"}}`, "1;2\n3;4\n", `[{"x":"1","y":"2"},{"x":"3","y":"4"}]`, ""},
		"at most":            {get + `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW","MaxItems":1}}`, "a\n1\n2\n", `[{"a":"1"}]`, ""},
		"nothing":            {get + `{"InputType":"JSON"}}`, ``, `[]`, ""},
		"an item's context": {
			get + `{"InputType":"JSON"}}` + item, `[7]`,
			`[{"i":{"Index":0,"Value":7,"Source":"s3://b/k"}}]`, "",
		},
		"an object's members": {
			get + `{"InputType":"JSON"}}` + item, `{"a":1}`,
			`[{"i":{"Index":0,"Key":"a","Value":1,"Source":"s3://b/k"}}]`, "",
		},
		"a list of objects": {
			list + `}`, "",
			`[{"Etag":"\"e\"","Key":"in/1","LastModified":1700006400,"Size":3,"StorageClass":"STANDARD"},` +
				`{"Etag":"\"e\"","Key":"in/2","LastModified":1700006400,"Size":3,"StorageClass":"STANDARD"},` +
				`{"Etag":"\"e\"","Key":"in/3","LastModified":1700006400,"Size":5,"StorageClass":"STANDARD"}]`, "",
		},
		"a list of objects, at most": {
			list + `,"ReaderConfig":{"MaxItems":1}}`, "",
			`[{"Etag":"\"e\"","Key":"in/1","LastModified":1700006400,"Size":3,"StorageClass":"STANDARD"}]`, "",
		},
		"an object's context": {
			list + `,"ReaderConfig":{"MaxItems":1}},"ItemSelector":{"from.$":"$$.Map.Item.Source"}`, "", `[{"from":"s3://b"}]`, "",
		},
		"what the objects hold": {
			list + `,"ReaderConfig":{"InputType":"JSON","Transformation":"LOAD_AND_FLATTEN","MaxItems":3}},` +
				`"ItemSelector":{"v.$":"$$.Map.Item.Value","from.$":"$$.Map.Item.Source"}`, "",
			`[{"v":1,"from":"s3://b/in/1"},{"v":2,"from":"s3://b/in/2"},{"v":3,"from":"s3://b/in/3"}]`, "",
		},
		"no such object": {
			strings.Replace(get, "$.key", "$.other", 1) + `{"InputType":"JSON"}}`, `[]`, "",
			"Reading the object missing of the bucket b failed: S3.NoSuchKeyException: The specified key does not exist.",
		},
		"not JSON":     {get + `{"InputType":"JSON"}}`, `<html>`, "", "Reading the object k of the bucket b failed: invalid JSON at offset 0"},
		"twice":        {get + `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}}`, "a,a\n1,2\n", "", "CSV headers cannot contain duplicates."},
		"a manifest":   {get + `{"InputType":"MANIFEST"}}`, `x`, "", "the local engine does not read data of the type MANIFEST"},
		"another type": {get + `{"InputType":"PARQUET"}}`, `x`, "", "the local engine does not read data of the type PARQUET"},
		"another call": {`"ItemReader":{"Resource":"arn:aws:states:::s3:headObject","Parameters":{}}`, ``, "", "The local engine reads items by s3:getObject and s3:listObjectsV2"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bucketOf{objects: map[string]string{"b/k": tt.object, "b/in/1": "[1]", "b/in/2": "[2]", "b/in/3": "[3,4]"}}
			got := mapRun(t, b, tt.fields, `{"key":"k","other":"missing"}`)
			if string(got.Output) != tt.want || !strings.Contains(got.Cause, tt.cause) {
				t.Errorf("%s, %s: %s; want %s, %q", got.Output, got.Error, got.Cause, tt.want, tt.cause)
			}
			if tt.cause != "" && got.Error != "States.ItemReaderFailed" {
				t.Errorf("error %s, want States.ItemReaderFailed", got.Error)
			}
		})
	}
}

// A reader in JSONata, and a Catch of its error.
func TestMapReadsItemsInJSONata(t *testing.T) {
	t.Parallel()
	const definition = `{"QueryLanguage":"JSONata","StartAt":"M","States":{
		"M":{"Type":"Map","ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Arguments":{"Bucket":"b","Key":"{%% $states.input.key %%}"},
			"ReaderConfig":{"InputType":"JSON","MaxItems":"{%% 2 %%}"}},
			"ItemSelector":{"v":"{%% $states.context.Map.Item.Value %%}"},"ItemBatcher":{"MaxItemsPerBatch":"{%% 2 %%}","BatchInput":{"n":"{%% $states.input.n %%}"}},
			"ItemProcessor":{"ProcessorConfig":{"Mode":"%s","ExecutionType":"STANDARD"},"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},
			"Catch":[{"ErrorEquals":["States.ItemReaderFailed"],"Next":"Caught"}],"End":true},
		"Caught":{"Type":"Pass","Output":"caught","End":true}}}`
	for _, tt := range []struct{ mode, key, want string }{
		{"DISTRIBUTED", "k", `[{"BatchInput":{"n":5},"Items":[{"v":1},{"v":2}]}]`},
		{"INLINE", "k", `[{"BatchInput":{"n":5},"Items":[{"v":1},{"v":2}]}]`},
		{"DISTRIBUTED", "none", `"caught"`},
	} {
		m, err := asl.Parse(fmt.Appendf(nil, definition, tt.mode))
		if err != nil {
			t.Fatal(err)
		}
		b := &bucketOf{objects: map[string]string{"b/k": `[1,2,3]`}}
		got := m.Run(t.Context(), asl.Environment{Tasks: b}, asl.Execution{Input: fmt.Appendf(nil, `{"key":%q,"n":5}`, tt.key)})
		if string(got.Output) != tt.want {
			t.Errorf("%s, %s: %s, %s: %s; want %s", tt.mode, tt.key, got.Output, got.Error, got.Cause, tt.want)
		}
	}
}

// A Distributed Map iterates over the members of an object; an inline one does not.
func TestMapOverAnObject(t *testing.T) {
	t.Parallel()
	const pass = `"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true}}}`
	const distributed = `"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},` + pass
	for _, tt := range []struct{ definition, want string }{
		{`{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.o",` + distributed, `[{"Key":"a","Value":1},{"Key":"b","Value":[2]}]`},
		{
			`{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.o","ItemSelector":{"k.$":"$$.Map.Item.Key","v.$":"$$.Map.Item.Value"},` + distributed,
			`[{"k":"a","v":1},{"k":"b","v":[2]}]`,
		},
		{`{"QueryLanguage":"JSONata","StartAt":"M","States":{"M":{"Type":"Map","Items":"{% $states.input.o %}",` + distributed, `[{"Key":"a","Value":1},{"Key":"b","Value":[2]}]`},
		{`{"QueryLanguage":"JSONata","StartAt":"M","States":{"M":{"Type":"Map","Items":{"x":"{% $states.input.o.a %}"},` + distributed, `[{"Key":"x","Value":1}]`},
		{`{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$.o","ItemProcessor":{` + pass, ""},
		{`{"QueryLanguage":"JSONata","StartAt":"M","States":{"M":{"Type":"Map","Items":"{% $states.input.o %}","ItemProcessor":{` + pass, ""},
	} {
		m, err := asl.Parse([]byte(tt.definition))
		if err != nil {
			t.Fatal(err)
		}
		got := m.Run(t.Context(), asl.Environment{}, asl.Execution{Input: []byte(`{"o":{"a":1,"b":[2]}}`)})
		if string(got.Output) != tt.want {
			t.Errorf("%s: %s, %s: %s; want %s", tt.definition, got.Output, got.Error, got.Cause, tt.want)
		}
	}
}

// What a ResultWriter writes, and what the state returns.
func TestMapWritesResults(t *testing.T) {
	t.Parallel()
	const writer = `"MaxConcurrency":1,"Label":"Jobs","ToleratedFailureCount":1,"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"out","Prefix.$":"$.prefix"}`
	const machine = "arn:aws:states:us-east-1:123456789012"
	b := &bucketOf{objects: map[string]string{}}
	got := mapRun(t, b, `"ItemsPath":"$.items",`+writer+`}`, `{"prefix":"results","items":[{"a":1},"bad"]}`)
	want := `{"MapRunArn":"` + machine + `:mapRun:jobs/Jobs:uuid-1","ResultWriterDetails":{"Bucket":"out","Key":"results/uuid-1/manifest.json"}}`
	if string(got.Output) != want {
		t.Fatalf("%s, %s: %s; want %s", got.Output, got.Error, got.Cause, want)
	}
	succeeded := `[{"ExecutionArn":"` + machine + `:execution:jobs/Jobs:uuid-2","Input":"{\"a\":1}","InputDetails":{"Included":true},"Name":"uuid-2",` +
		`"Output":"{\"a\":1}","OutputDetails":{"Included":true},"RedriveCount":0,"RedriveStatus":"NOT_REDRIVABLE","RedriveStatusReason":"Execution is SUCCEEDED and cannot be redriven",` +
		`"StartDate":"2026-01-02T03:04:05.000Z","StateMachineArn":"` + machine + `:stateMachine:jobs/Jobs","Status":"SUCCEEDED","StopDate":"2026-01-02T03:04:05.000Z"}]`
	failed := `[{"Cause":"a bad item","Error":"Bad","ExecutionArn":"` + machine + `:execution:jobs/Jobs:uuid-3","Input":"\"bad\"","InputDetails":{"Included":true},"Name":"uuid-3",` +
		`"RedriveCount":0,"RedriveStatus":"REDRIVABLE_BY_MAP_RUN",` +
		`"StartDate":"2026-01-02T03:04:05.000Z","StateMachineArn":"` + machine + `:stateMachine:jobs/Jobs","Status":"FAILED","StopDate":"2026-01-02T03:04:05.000Z"}]`
	manifest := fmt.Sprintf(`{"DestinationBucket":"out","MapRunArn":"%s:mapRun:jobs/Jobs:uuid-1","ResultFiles":{"FAILED":[{"Key":"results/uuid-1/FAILED_0.json","Size":%d}],`+
		`"PENDING":[],"SUCCEEDED":[{"Key":"results/uuid-1/SUCCEEDED_0.json","Size":%d}]}}`, machine, len(failed), len(succeeded))
	wantObjects := map[string]string{
		"out/results/uuid-1/manifest.json": manifest, "out/results/uuid-1/SUCCEEDED_0.json": succeeded, "out/results/uuid-1/FAILED_0.json": failed,
	}
	if diff := cmp.Diff(wantObjects, b.objects); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

// The forms of results, in files and in the state's result.
func TestMapResultForms(t *testing.T) {
	t.Parallel()
	const upload = `"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"out"},`
	for name, tt := range map[string]struct{ writer, file, want string }{
		"compact":            {upload + `"WriterConfig":{"Transformation":"COMPACT","OutputType":"JSON"}`, "SUCCEEDED_0.json", `[[1,2],3]`},
		"flattened":          {upload + `"WriterConfig":{"Transformation":"FLATTEN","OutputType":"JSON"}`, "SUCCEEDED_0.json", `[1,2,3]`},
		"lines":              {upload + `"WriterConfig":{"Transformation":"COMPACT","OutputType":"JSONL"}`, "SUCCEEDED_0.jsonl", "[1,2]\n3\n"},
		"returned, compact":  {`"WriterConfig":{"Transformation":"COMPACT","OutputType":"JSON"}`, "", `[[1,2],3]`},
		"returned, flat":     {`"WriterConfig":{"Transformation":"FLATTEN","OutputType":"JSON"}`, "", `[1,2,3]`},
		"returned, unstated": {`"WriterConfig":{}`, "", `[[1,2],3]`},
	} {
		b := &bucketOf{objects: map[string]string{}}
		got := mapRun(t, b, `"MaxConcurrency":1,"ResultWriter":{`+tt.writer+`}`, `[[1,2],3]`)
		text := string(got.Output)
		if tt.file != "" {
			text = b.objects["out/uuid-1/"+tt.file]
		}
		if text != tt.want {
			t.Errorf("%s: %s (%s: %s), want %s", name, text, got.Error, got.Cause, tt.want)
		}
	}
}

// Together, written results may exceed the limit of a state's result; the state fails if a
// write fails, and lists the iterations that were not started.
func TestMapWritesLargeAndFailed(t *testing.T) {
	t.Parallel()
	const writer = `"MaxConcurrency":1,"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket.$":"$.to"}}`
	large, _ := json.Marshal(map[string]any{"to": "out", "v": strings.Repeat("x", 100_000)})
	items := `,"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","Parameters":{"Bucket":"b","Key":"k"}}`
	b := &bucketOf{objects: map[string]string{"b/k": "[" + strings.Repeat(string(large)+",", 4) + string(large) + "]"}}
	if got := mapRun(t, b, writer+items, `{"to":"out"}`); got.Status != asl.Succeeded {
		t.Errorf("%s: %s; want results of 500 kB written", got.Error, got.Cause)
	}
	if got := mapRun(t, b, writer+items, `{"to":"nowhere"}`); got.Error != "States.ResultWriterFailed" || !strings.Contains(got.Cause, "S3.NoSuchBucketException") {
		t.Errorf("%s: %s; want States.ResultWriterFailed", got.Error, got.Cause)
	}
	b = &bucketOf{objects: map[string]string{"b/k": `["bad",1,2]`}}
	if got := mapRun(t, b, writer+items, `{"to":"out"}`); got.Error != "States.ExceedToleratedFailureThreshold" {
		t.Errorf("%s: %s; want States.ExceedToleratedFailureThreshold", got.Error, got.Cause)
	}
	var pending []struct{ Status, Input string }
	for name, text := range b.objects {
		if strings.HasSuffix(name, "/PENDING_0.json") {
			_ = json.Unmarshal([]byte(text), &pending)
		}
	}
	if len(pending) != 2 || pending[0].Status != "PENDING" || pending[0].Input != "1" {
		t.Errorf("pending = %v, want the two items that were not started", pending)
	}
}

// A failed batch counts as many failures as it has items.
func TestMapBatchFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tolerated int
		want      string
	}{{1, "States.ExceedToleratedFailureThreshold"}, {2, ""}} {
		fields := fmt.Sprintf(`"MaxConcurrency":1,"ItemBatcher":{"MaxItemsPerBatch":2},"ToleratedFailureCount":%d`, tt.tolerated)
		got := mapRun(t, &bucketOf{}, fields, `["bad",1,2,3]`)
		if got.Error != tt.want {
			t.Errorf("%d tolerated: %s, want %q", tt.tolerated, got.Error, tt.want)
		}
	}
}

// Batches contain each item once and in order, and exceed a bound only by a single item
// that is larger.
func TestMapBatchesProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		items := rapid.SliceOfN(rapid.StringMatching(`[a-z]{0,30}`), 1, 40).Draw(rt, "items")
		most, bytes := rapid.IntRange(0, 6).Draw(rt, "most"), rapid.IntRange(0, 120).Draw(rt, "bytes")
		text, _ := json.Marshal(items)
		m, err := asl.Parse(fmt.Appendf(nil, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemBatcher":{"MaxItemsPerBatch":%d,"MaxInputBytesPerBatch":%d},`+
			`"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true}}}`, most, bytes))
		if err != nil {
			rt.Fatal(err)
		}
		got := m.Run(t.Context(), asl.Environment{}, asl.Execution{Input: text})
		var batches []struct{ Items []string }
		if err := json.Unmarshal(got.Output, &batches); err != nil {
			rt.Fatal(err, got.Error, got.Cause)
		}
		var all []string
		for _, batch := range batches {
			all = append(all, batch.Items...)
			size, _ := json.Marshal(map[string]any{"Items": batch.Items})
			if len(batch.Items) == 0 || most > 0 && len(batch.Items) > most || bytes > 0 && len(batch.Items) > 1 && len(size) > bytes {
				rt.Fatalf("batch %v of at most %d items and %d bytes", batch.Items, most, bytes)
			}
		}
		if !slices.Equal(all, items) {
			rt.Fatalf("%v, want %v", all, items)
		}
	})
}
