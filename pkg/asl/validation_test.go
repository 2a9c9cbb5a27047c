package asl_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/shared"
	"github.com/expressway-dev/expressway/pkg/asl"
)

// validationFloor is how many recorded refusals and diagnostics the parser must reproduce.
const validationFloor = 16

// A verdict is the service's answer about a definition.
type verdict struct {
	Query  string `json:"query_language"`
	Expect struct {
		Valid       bool
		Message     string
		Diagnostics []struct{ Severity, Code, Message, Location string }
	}
}

func TestValidation(t *testing.T) {
	t.Parallel()
	var verdicts []verdict
	if err := json.Unmarshal(shared.Read(t, "conformance", "cases", "validation.json"), &verdicts); err != nil {
		t.Fatal(err)
	}
	passed, total := 0, 0
	for i, c := range readCases(t, "validation.json") {
		if c.Kind != "create_validation" {
			continue
		}
		total++
		if problem := compareVerdict(c, verdicts[i]); problem == "" {
			passed++
		} else {
			t.Logf("%s: %s", c.ID, problem)
		}
	}
	fmt.Printf("conformance validation %d/%d\n", passed, total)
	if passed < validationFloor {
		t.Errorf("%d verdicts agree, but %d agreed before", passed, validationFloor)
	}
}

func compareVerdict(c *conformanceCase, want verdict) string {
	text := c.Definition
	if c.DefinitionRaw != nil {
		text = []byte(*c.DefinitionRaw)
	}
	list := asl.Validate(text, c.MachineType == "EXPRESS")
	err := error(&asl.DefinitionError{Diagnostics: list})
	if want.Expect.Valid {
		if len(list) > 0 {
			return err.Error()
		}
		return ""
	}
	if len(list) == 0 {
		return "is accepted"
	}
	m := newMatcher(c)
	m.tokens = append(m.tokens, placeholder.FindAllString(want.Expect.Message, -1)...)
	if want.Expect.Message != "" && !m.text(want.Expect.Message, err.Error()) {
		return fmt.Sprintf("message %s, want %s", err, want.Expect.Message)
	}
	if want.Expect.Diagnostics == nil {
		return ""
	}
	got := make([]struct{ Severity, Code, Message, Location string }, len(list))
	for i, g := range list {
		got[i] = struct{ Severity, Code, Message, Location string }(g)
	}
	return cmp.Diff(want.Expect.Diagnostics, got)
}

// Every definition that the service has run must be accepted, in recordings of every tier.
func TestRecordedDefinitionsAreTaken(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(shared.Path(t, "conformance", "cases"), "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for _, file := range files {
		for _, c := range readCases(t, filepath.Base(file)) {
			if c.Kind != "execution" && c.Kind != "sync" && c.Kind != "intrinsic" {
				continue
			}
			for _, d := range asl.Validate(c.Definition, c.MachineType == "EXPRESS" || c.Express) {
				if d.Severity == asl.SeverityError {
					t.Errorf("%s is accepted by the service, but got %v", c.ID, d)
				}
			}
			taken++
		}
	}
	if taken == 0 {
		t.Error("no definitions were found to validate")
	}
}

// The project's own workflows are valid as Express Workflows, except for the one that waits
// for days.
func TestSamplesAreTaken(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../statemachines/*.asl.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d samples, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parse := asl.ParseExpress
		if filepath.Base(file) == "approval.asl.json" {
			parse = asl.Parse
		}
		if _, err := parse(text); err != nil && !strings.Contains(err.Error(), "JSONata") {
			t.Errorf("the sample %s does not parse: %v", file, err)
		}
	}
}

func TestStrictDefinitions(t *testing.T) {
	t.Parallel()
	pass := func(rest string) string {
		return `{"StartAt":"A","States":{"A":{"Type":"Pass",` + rest + `}}}`
	}
	tests := map[string]struct{ definition, want string }{
		"misspelt field":          {pass(`"Resutl":1,"End":true`), "Field 'Resutl' is not supported at /States/A"},
		"field of a machine":      {`{"StartAt":"A","Timeout":1,"States":{"A":{"Type":"Succeed"}}}`, "Field 'Timeout' is not supported at /"},
		"field of a branch":       {`{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"A","TimeoutSeconds":1,"States":{"A":{"Type":"Succeed"}}}],"End":true}}}`, "Field 'TimeoutSeconds' is not supported at /States/P/Branches[0]"},
		"field of JSONata":        {pass(`"Output":1,"End":true`), "field 'Output' is only supported for the 'JSONata' QueryLanguage at /States/A"},
		"field of another":        {pass(`"Retry":[],"End":true`), "Field 'Retry' is not supported at /States/A"},
		"field of a retrier":      {task(`"Retry":[{"ErrorEquals":["E"],"Backoff":2}],"End":true`), "Field 'Backoff' is not supported at /States/T/Retry[0]"},
		"field of a catcher":      {task(`"Catch":[{"ErrorEquals":["E"],"Next":"C","Result":2}],"End":true`), "Field 'Result' is not supported at /States/T/Catch[0]"},
		"nothing":                 {`{}`, "These fields are required: [States, StartAt] at /'"},
		"no start":                {`{"States":{"A":{"Type":"Succeed"}}}`, "These fields are required: [StartAt] at /'"},
		"unreachable":             {`{"StartAt":"A","States":{"A":{"Type":"Succeed"},"B":{"Type":"Succeed"}}}`, `MISSING_TRANSITION_TARGET: State "B" is not reachable. at /States/B`},
		"end is text":             {pass(`"End":"true"`), "Expected value of type [BOOLEAN] at /States/A/End"},
		"States.ALL with others":  {task(`"Retry":[{"ErrorEquals":["States.ALL","E"]}],"Next":"C"`), "/States/T/Retry[0]/ErrorEquals"},
		"States.ALL not last":     {task(`"Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"},{"ErrorEquals":["E"],"Next":"C"}],"End":true`), "/States/T/Catch[0]/ErrorEquals"},
		"jitter":                  {task(`"Retry":[{"ErrorEquals":["E"],"JitterStrategy":"Full"}],"Next":"C"`), "/States/T/Retry[0]/JitterStrategy"},
		"variable name":           {pass(`"Assign":{"a.b":1},"End":true`), "/States/A/Assign/a.b"},
		"reserved variable":       {pass(`"Assign":{"states.$":"$"},"End":true`), "/States/A/Assign/states.$"},
		"assign is not an object": {pass(`"Assign":1,"End":true`), "/States/A/Assign"},
		"unknown integration":     {`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:aws:states:::sqs:receiveMessage","End":true}}}`, "The resource provided arn:aws:states:::sqs:receiveMessage is not recognized."},
		"token":                   {"\n  not a definition", `INVALID_JSON_DESCRIPTION: Unrecognized token 'not'`},
		"token's place":           {"\n  not a definition", `line: 2, column: 6]`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := asl.Parse([]byte(test.definition))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want %q", err, test.want)
			}
		})
	}
}

// Features of Standard Workflows are refused only for EXPRESS.
func TestExpressDefinitions(t *testing.T) {
	t.Parallel()
	parameters := map[string]string{
		"arn:aws:states:::states:startExecution.sync:2":     `"StateMachineArn":"a"`,
		"arn:aws:states:::sqs:sendMessage.waitForTaskToken": `"QueueUrl":"u","MessageBody":"b"`,
	}
	for resource, want := range map[string]string{
		"arn:aws:states:us-east-1:123456789012:activity:a":    "does not support Activity ARN",
		"arn:aws:states:::states:startExecution.sync:2":       "does not support '.sync'",
		"arn:aws:states:::sqs:sendMessage.waitForTaskToken":   "does not support '.waitForTaskToken'",
		"arn:aws:lambda:us-east-1:123456789012:function:name": "",
		"${FunctionArn}": "",
	} {
		definition := []byte(`{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"` + resource + `","Parameters":{` + parameters[resource] + `},"End":true}}}`)
		if _, err := asl.Parse(definition); err != nil {
			t.Errorf("%s: Parse refuses it: %v", resource, err)
		}
		_, err := asl.ParseExpress(definition)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: ParseExpress = %v, want %q", resource, err, want)
		}
	}
}
