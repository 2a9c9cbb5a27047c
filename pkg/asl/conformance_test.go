package asl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

// A conformanceCase is one recording of the service; the folder's README has the fields.
type conformanceCase struct {
	ID            string
	Kind          string
	Tier          string
	QueryLanguage string `json:"query_language"`
	MachineType   string `json:"machine_type"`
	Express       bool   `json:"express_compatible"`
	Timing        bool
	Definition    json.RawMessage
	DefinitionRaw *string `json:"definition_raw"`
	Input         json.RawMessage
	InputOmitted  bool                 `json:"input_omitted"`
	Mocks         map[string]mock      `json:"mocks"`
	TaskResults   map[string][]outcome `json:"task_results"`
	Objects       map[string]string    `json:"s3_objects"`
	Tokens        []string             `json:"placeholder_tokens"`
	Expect        struct {
		Status    string
		Output    json.RawMessage
		OutputRaw *string `json:"output_raw"`
		Error     *string
		Cause     *string
		CauseJSON json.RawMessage `json:"cause_json"`
	}
}

type mock struct {
	Kind         string
	Payload      json.RawMessage
	ErrorType    string
	ErrorMessage string
	Bytes        int
	Seconds      int
}

type outcome struct {
	Output  json.RawMessage
	Failure *struct {
		Error     string
		Cause     *string
		CauseJSON json.RawMessage `json:"cause_json"`
	}
}

// A script answers a case's tasks with the recorded results.
type script struct {
	c    *conformanceCase
	used map[string]int
}

func (s *script) RunTask(ctx context.Context, t asl.Task) (any, error) {
	if t.Resource == "arn:aws:states:::s3:getObject" { // of an ItemReader
		p := t.Parameters.(*jsonata.Object)
		bucket, _ := p.Get("Bucket")
		key, _ := p.Get("Key")
		return map[string]any{"Body": s.c.Objects[fmt.Sprint(bucket, "/", key)]}, nil
	}
	results := s.c.TaskResults[t.State]
	i := s.used[t.State]
	s.used[t.State]++
	if i >= len(results) {
		return s.mock(ctx, t)
	}
	r := results[i]
	if r.Failure == nil {
		v, err := jsonata.Decode(r.Output)
		if text, ok := v.(string); ok {
			return jsonata.Decode([]byte(text)) // the recorder parsed only what begins with {
		}
		return v, err
	}
	e := &asl.Error{Name: r.Failure.Error}
	switch {
	case r.Failure.Cause != nil:
		e.Cause = *r.Failure.Cause
	case r.Failure.CauseJSON != nil:
		e.Cause = string(r.Failure.CauseJSON)
	}
	return nil, e
}

// mock replaces the functions if nothing was recorded for the task: in runs of
// Express Workflows.
func (s *script) mock(ctx context.Context, t asl.Task) (any, error) {
	payload := t.Parameters
	service := strings.HasSuffix(t.Resource, "lambda:invoke")
	if service {
		o, _ := payload.(*jsonata.Object)
		payload, _ = o.Get("Payload")
	}
	for _, m := range s.c.Mocks {
		switch m.Kind {
		case "echo":
		case "return":
			v, err := jsonata.Decode(m.Payload)
			if err != nil {
				return nil, err
			}
			payload = v
		case "raise":
			return nil, &asl.Error{Name: m.ErrorType, Cause: m.cause()}
		case "sleep_then_echo":
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(time.Duration(m.Seconds) * time.Second):
			}
		case "return_large_string":
			payload = strings.Repeat("x", m.Bytes)
		}
	}
	if service {
		return envelope(payload)
	}
	return payload, nil
}

// cause returns the cause that the Python runtime makes from an exception.
func (m *mock) cause() string {
	if len(m.Payload) > 0 {
		return string(m.Payload)
	}
	trace, _ := json.Marshal("  File \"/var/task/handler.py\", line 2, in handler\n    raise " + m.ErrorType + "(\"" + m.ErrorMessage + "\")\n")
	return fmt.Sprintf(`{"errorMessage":%q,"errorType":%q,"requestId":"r","stackTrace":[%s]}`, m.ErrorMessage, m.ErrorType, trace)
}

// envelope is the result of lambda:invoke, with the headers that Lambda answers with.
func envelope(payload any) (any, error) {
	text, err := jsonata.AppendJSON(nil, payload)
	if err != nil {
		return nil, err
	}
	headers := map[string]any{
		"Connection": "keep-alive", "Content-Length": fmt.Sprint(len(text) + separators(payload)), "Content-Type": "application/json", "Date": "d",
		"X-Amz-Executed-Version": "$LATEST", "x-amzn-Remapped-Content-Length": "0", "x-amzn-RequestId": "r", "X-Amzn-Trace-Id": "t",
	}
	all := map[string]any{}
	for name, v := range headers {
		all[name] = []any{v}
	}
	return jsonata.FromGo(map[string]any{
		"ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200,
		"SdkHttpMetadata":     map[string]any{"AllHttpHeaders": all, "HttpHeaders": headers, "HttpStatusCode": 200},
		"SdkResponseMetadata": map[string]any{"RequestId": "r"},
	}), nil
}

// separators counts the spaces that Python's json.dumps writes.
func separators(v any) (n int) {
	switch v := v.(type) {
	case []any:
		n = max(len(v)-1, 0)
		for _, item := range v {
			n += separators(item)
		}
	case *jsonata.Object:
		n = v.Len() + max(v.Len()-1, 0)
		for i := range v.Len() {
			_, item := v.At(i)
			n += separators(item)
		}
	}
	return n
}

// executed reports whether the case is an execution of a machine.
func (c *conformanceCase) executed() bool {
	return slices.Contains([]string{"execution", "sync", "intrinsic"}, c.Kind)
}

// differences are the cases whose recordings this engine does not reproduce, and why. Every
// other one must pass. docs/conformance.md explains them.
var differences = map[string]string{
	"activities/test_activities.py::TestActivities::test_activity_task_on_deleted": "an activity that is gone when the task is scheduled: the script has no activities",
}

// A score counts the cases of an area in one query language.
type score struct{ passed, total int }

// A tally is the table of docs/conformance.md, with a line for each area and a column for
// each language.
type tally map[string]map[string]score

func (t tally) add(area, language string, passed bool) {
	for _, row := range []string{area, "all"} {
		if t[row] == nil {
			t[row] = map[string]score{}
		}
		s := t[row][language]
		s.total++
		if passed {
			s.passed++
		}
		t[row][language] = s
	}
}

func (t tally) String() string {
	languages := []string{"JSONPath", "JSONata", "Mixed"}
	b := &strings.Builder{}
	fmt.Fprintf(b, "| area | %s |\n| --- | ---: | ---: | ---: |\n", strings.Join(languages, " | "))
	for _, area := range slices.Sorted(maps.Keys(t)) {
		if area != "all" {
			t.row(b, area, languages)
		}
	}
	t.row(b, "all", languages)
	return b.String()
}

func (t tally) row(b *strings.Builder, area string, languages []string) {
	fmt.Fprintf(b, "| %s |", area)
	for _, l := range languages {
		if s := t[area][l]; s.total > 0 {
			fmt.Fprintf(b, " %d/%d |", s.passed, s.total)
		} else {
			b.WriteString(" |")
		}
	}
	b.WriteString("\n")
}

// TestConformance replays the service's recorded answers for the machines of the corpus.
func TestConformance(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(shared.Path(t, "conformance", "cases"), "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	express, standard := tally{}, tally{}
	for _, file := range files {
		area := strings.TrimSuffix(filepath.Base(file), ".json")
		for _, c := range readCases(t, filepath.Base(file)) {
			if !c.executed() {
				continue
			}
			problem := ""
			synctest.Test(t, func(*testing.T) { problem = replay(c) })
			into := express
			if !c.Express {
				into = standard
			}
			into.add(area, c.QueryLanguage, problem == "")
			reason := differences[c.ID]
			switch {
			case problem != "" && reason == "":
				t.Errorf("%s: %s", c.ID, problem)
			case problem != "":
				t.Logf("%s: %s: %s", c.ID, reason, problem)
			case reason != "":
				t.Errorf("%s passes now: remove it from the differences", c.ID)
			}
		}
	}
	t.Logf("Features of Express Workflows:\n%s", express)
	t.Logf("Features of Standard Workflows only:\n%s", standard)
}

func readCases(t *testing.T, file string) []*conformanceCase {
	t.Helper()
	var cases []*conformanceCase
	if err := json.Unmarshal(shared.Read(t, "conformance", "cases", file), &cases); err != nil {
		t.Fatalf("read the cases of %s: %v", file, err)
	}
	return cases
}

func replay(c *conformanceCase) string {
	machine, err := asl.Parse(c.Definition)
	if err != nil {
		return "refused: " + err.Error()
	}
	got := runCase(c, machine, nil)
	m := newMatcher(c)
	e := c.Expect
	switch {
	case got.Status != e.Status:
		return fmt.Sprintf("status %s (%s: %s), want %s", got.Status, got.Error, got.Cause, e.Status)
	case e.Error != nil && !m.text(*e.Error, got.Error):
		return fmt.Sprintf("error %q (%s), want %q", got.Error, got.Cause, *e.Error)
	case e.Cause != nil && !m.text(*e.Cause, got.Cause):
		return fmt.Sprintf("cause %q, want %q", got.Cause, *e.Cause)
	case e.CauseJSON != nil && !m.json(e.CauseJSON, []byte(got.Cause)):
		return fmt.Sprintf("cause %s, want %s", got.Cause, e.CauseJSON)
	case e.Output != nil && !m.json(e.Output, got.Output):
		return fmt.Sprintf("output %s, want %s", got.Output, e.Output)
	case e.OutputRaw != nil && !m.text(*e.OutputRaw, string(got.Output)) && !m.json([]byte(*e.OutputRaw), got.Output):
		return fmt.Sprintf("output %s, want %s", got.Output, *e.OutputRaw)
	}
	return ""
}

// recordedNow is a clock that runs like the bubble's, but in the present: recordings wait
// for times that had passed.
func recordedNow() time.Time { return time.Now().AddDate(26, 11, 0) }

// runCase runs a case's machine on the input, role and names of the recording.
func runCase(c *conformanceCase, machine *asl.Machine, observe func(asl.Event)) asl.Result {
	input := c.Input
	if c.InputOmitted || input == nil {
		input = []byte("{}")
	}
	role, arn := "sfn_role_arn", "arn:aws:states:us-east-1:111111111111:express:machine:name:uuid"
	if strings.Contains(string(c.Expect.Output), "snf_role_arn") {
		role = "snf_role_arn" // as some recordings spell it
	}
	if c.MachineType == "STANDARD" {
		arn = "arn:aws:states:us-east-1:111111111111:execution:machine:name"
	}
	return machine.Run(context.Background(), asl.Environment{Now: recordedNow, Observe: observe, Tasks: &script{c, map[string]int{}}}, asl.Execution{
		ARN: arn, Name: "name", RoleARN: role, Sync: c.Kind == "sync",
		StateMachineARN: "arn:aws:states:us-east-1:111111111111:stateMachine:machine", StateMachineName: "machine",
		Input: input, StartTime: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
	})
}

func newMatcher(c *conformanceCase) matcher {
	m := matcher{tokens: slices.Clone(c.Tokens)}
	slices.SortFunc(m.tokens, func(a, b string) int { return len(b) - len(a) })
	return m
}

// A matcher compares with the recorder's placeholders as wildcards.
type matcher struct{ tokens []string }

func (m matcher) text(want, got string) bool {
	if want == got || !slices.ContainsFunc(m.tokens, func(token string) bool { return strings.Contains(want, token) }) {
		return want == got
	}
	pattern := regexp.QuoteMeta(want)
	for _, token := range m.tokens {
		pattern = strings.ReplaceAll(pattern, regexp.QuoteMeta(token), `(?s:.*?)`)
	}
	ok, err := regexp.MatchString(`^(?s:`+pattern+`)$`, got)
	return err == nil && ok
}

func (m matcher) json(want, got []byte) bool {
	var w, g any
	return decodeNumbers(want, &w) == nil && decodeNumbers(got, &g) == nil && m.value(w, g)
}

func decodeNumbers(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(v)
}

func (m matcher) value(want, got any) bool {
	switch w := want.(type) {
	case string:
		if slices.Contains(m.tokens, w) {
			return true
		}
		switch g := got.(type) {
		case string:
			// A cause or an input that is JSON was rewritten for the replay, without its spaces.
			return m.text(w, g) || strings.IndexAny(w, "{[") == 0 && m.json([]byte(w), []byte(g))
		}
		return false
	case json.Number:
		if s, isText := got.(string); isText && decodeNumbers([]byte(s), &got) != nil {
			return false
		}
		g, ok := got.(json.Number)
		a, _ := w.Float64()
		b, _ := g.Float64()
		return ok && a == b
	case []any:
		if s, isText := got.(string); isText && decodeNumbers([]byte(s), &got) != nil {
			return false
		}
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !m.value(w[i], g[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		g, ok := got.(map[string]any)
		if s, isText := got.(string); isText && !ok {
			// The recorder parsed texts that begin with { as objects, and some others too.
			ok = decodeNumbers([]byte(s), &g) == nil
		}
		if !ok || len(g) != len(w) {
			return false
		}
		for k, v := range w {
			gv, ok := g[k]
			if !ok || !m.value(v, gv) {
				return false
			}
		}
		return true
	}
	return want == got
}
