package functions_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/expressway-dev/expressway/internal/lambdatest"
	"github.com/expressway-dev/expressway/internal/mototest"
	"github.com/expressway-dev/expressway/internal/shared"
)

// A fieldCase is one of the recorded cases of queues.
type fieldCase struct {
	Name, Fn, Config string
	Event            json.RawMessage
	More             []json.RawMessage
	Env              map[string]string
	// Kill is the number of seconds after which the function is killed in the first
	// invocation, and Wait the number of seconds until the event is delivered again.
	Timeout, Kill, Wait float64
}

// fieldEndpoint is where the cases have servers of AWS.
const fieldEndpoint = "http://127.0.0.1:18591"

// A fieldWant is the expected result of a case.
type fieldWant struct {
	// answers are the responses, or the errors' types after "error ".
	answers []string
	starts  int
	// letters are those in the case's dead-letter queue: deduplication id, sender's
	// deduplication id, error.
	letters []string
	// kept are the message's own attributes of each letter.
	kept map[string]string
}

const (
	settled  = `{"batchItemFailures":[]}`
	reported = `{"batchItemFailures":[{"itemIdentifier":"%s"}]}`
)

// refused is an event for another function, whose sender treats any answer as success.
var refused = fieldWant{answers: []string{"error Expressway.BadRequest"}}

var queueCases = map[string]fieldWant{
	"R1 dead-lettered, then redriven after the fix (same body, new message id)": {
		answers: []string{settled, settled}, starts: 2, letters: []string{"  D", "  D"},
	},
	"R2 expression failure dead-lettered by default, then redriven": {
		answers: []string{settled, settled}, letters: []string{"  Expressway.ExpressionFailed", "  Expressway.ExpressionFailed"},
	},
	"R3 null binaryValue, redriven letter fails again": {
		answers: []string{settled}, starts: 1, letters: []string{"  D"}, kept: map[string]string{"t": "x"},
	},
	"R4 FIFO, dedupe by MessageDeduplicationId, redriven": {
		answers: []string{settled, settled}, starts: 2, letters: []string{"a dd-1 D", "b dd-1 D"},
	},
	"K1 killed after the start was sent; redelivered after timeout+3s while the execution (20s) still runs": {
		answers: []string{"killed", fmt.Sprintf(reported, "k1")}, starts: 1,
	},
	"K2 dedupe other body (DynamoDB)": {
		answers: []string{settled, fmt.Sprintf(reported, "z2"), settled}, starts: 1,
	},
	"B4 webhook gets SQS":          refused,
	"B5 webhook gets kinesis":      refused,
	"B6 webhook gets event":        refused,
	"B9 webhook gets SNS":          refused,
	"B10 webhook gets pipes array": refused,
	"B11 event gets SQS":           refused,
	"E20 archive replay of an event that succeeded": {
		answers: []string{fieldEvent, fieldEvent}, starts: 1,
	},
}

const fieldEvent = `{"route":"ev","executionArn":"arn:aws:states:us-east-1:123456789012:express:m:x:y","status":"SUCCEEDED","output":{}}`

// Recorded events and their results, through the compiled functions, with queues and tables
// behind their own protocols.
func TestFieldQueues(t *testing.T) {
	t.Parallel()
	server := mototest.Start(t)
	run := 0
	for _, file := range []string{"redrive.json", "fifo.json", "attach.json", "replay.json"} {
		var cases []fieldCase
		if err := json.Unmarshal(shared.Read(t, "field", "queue", file), &cases); err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			want, ok := queueCases[c.Name]
			if !ok {
				t.Errorf("no value for the case %q", c.Name)
				continue
			}
			run++
			n := run
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				runField(t, server, c, want, fmt.Sprint("-", n))
			})
		}
	}
	if run != len(queueCases) {
		t.Errorf("found %d of the cases, want %d", run, len(queueCases))
	}
}

// Pipes hands a queue's records over as a bare array: they run, and are reported, and a
// batch in which everything fails makes the function fail, because the report is not read elsewhere.
func TestPipes(t *testing.T) {
	t.Parallel()
	var cases []fieldCase
	if err := json.Unmarshal(shared.Read(t, "field", "queue", "attach.json"), &cases); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(cases, func(c fieldCase) bool { return strings.Contains(c.Name, "pipes array") })
	if i < 0 {
		t.Fatal("no case of a pipe's array")
	}
	states, _ := fieldStates(t)
	env := map[string]string{"AWS_ENDPOINT_URL_SFN": states, "EXPRESSWAY_CONFIG": shared.Path(t, "field", "queue", "q.yaml")}
	fn := start(t, "queue", lambdatest.Options{Env: env})
	batch := func(bodies ...string) []byte {
		var all, list []map[string]any
		if err := json.Unmarshal(cases[i].Event, &all); err != nil {
			t.Fatal(err)
		}
		for n, body := range bodies {
			rec := map[string]any{}
			for k, v := range all[0] {
				rec[k] = v
			}
			rec["messageId"], rec["body"] = fmt.Sprint("m-", n+1), body
			list = append(list, rec)
		}
		text, _ := json.Marshal(list)
		return text
	}
	const fails = `{"__fail":"Broken"}`
	for _, test := range []struct {
		bodies []string
		want   string
	}{
		{[]string{"{}"}, settled},
		{[]string{"{}", fails}, fmt.Sprintf(reported, "m-2")},
		{[]string{fails}, "error Broken"},
		{[]string{fails, fails, `{"__fail":"Other"}`}, "error Broken, Other"},
	} {
		if got := answer(fn.Invoke(t.Context(), batch(test.bodies...), lambdatest.InvokeOptions{})); got != test.want {
			t.Errorf("%v: %s, want %s", test.bodies, got, test.want)
		}
	}
}

func answer(r lambdatest.Result, err error) string {
	if failure := (*lambdatest.Error)(nil); errors.As(err, &failure) {
		return "error " + failure.Type
	}
	if err != nil {
		return err.Error()
	}
	return string(r.Payload)
}

// fieldStates serves workflows that do what their input says: __fail names the error, and
// __delay is how many seconds they take.
func fieldStates(t *testing.T) (url string, starts func() int) {
	t.Helper()
	states := lambdatest.NewStepFunctions(lambdatest.StepFunctionsOptions{
		Respond: func(call lambdatest.StartSyncExecution) (int, any) {
			var input struct {
				Fail  string  `json:"__fail"`
				Delay float64 `json:"__delay"`
			}
			_ = json.Unmarshal([]byte(call.Input), &input)
			select {
			case <-time.After(time.Duration(input.Delay * float64(time.Second))):
			case <-t.Context().Done():
			}
			answer := succeeded("{}")
			answer["executionArn"] = "arn:aws:states:us-east-1:123456789012:express:m:x:y"
			if input.Fail != "" {
				delete(answer, "output")
				answer["status"], answer["error"] = "FAILED", input.Fail
			}
			return http.StatusOK, answer
		},
	})
	t.Cleanup(states.Close)
	return states.URL, states.Calls
}

func runField(t *testing.T, server *mototest.Server, c fieldCase, want fieldWant, suffix string) {
	t.Helper()
	states, starts := fieldStates(t)
	text := string(shared.Read(t, "field", "queue", c.Config))
	text = strings.NewReplacer(fieldEndpoint, server.URL, "/dlq", "/dlq"+suffix).Replace(text)
	file := filepath.Join(t.TempDir(), "expressway.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"AWS_ENDPOINT_URL_SFN": states, "EXPRESSWAY_CONFIG": file}
	for name, value := range c.Env {
		env[name] = strings.ReplaceAll(value, fieldEndpoint, server.URL)
	}
	if table := env["EXPRESSWAY_DEDUPE_TABLE"]; table != "" {
		env["EXPRESSWAY_DEDUPE_TABLE"] = table + suffix
		newTable(t, server, table+suffix)
	}
	queue := newFieldQueue(t, server, text, suffix)
	fn := start(t, c.Fn, lambdatest.Options{Env: env})
	var answers []string
	if c.Kill > 0 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(c.Kill*float64(time.Second)))
		_, err := fn.Invoke(ctx, c.Event, lambdatest.InvokeOptions{Timeout: time.Duration(c.Timeout * float64(time.Second))})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the invocation ended with %v, want it killed", err)
		}
		answers = append(answers, "killed")
		time.Sleep(time.Duration(c.Wait * float64(time.Second)))
	}
	for _, event := range append([]json.RawMessage{c.Event}, c.More...) {
		answers = append(answers, answer(fn.Invoke(t.Context(), event, lambdatest.InvokeOptions{})))
	}
	if diff := cmp.Diff(want.answers, answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if n := starts(); n != want.starts {
		t.Errorf("%d executions, want %d", n, want.starts)
	}
	if queue == nil {
		return
	}
	got := queue.receive(t, len(want.letters))
	var letters []string
	for _, m := range got {
		text := func(name string) string { return aws.ToString(m.MessageAttributes[name].StringValue) }
		letters = append(letters, strings.Join([]string{m.Attributes["MessageDeduplicationId"], text("DeduplicationId"), text("ErrorName")}, " "))
		for name, value := range want.kept {
			if text(name) != value {
				t.Errorf("the letter's %s = %q, want the message's own %q", name, text(name), value)
			}
		}
	}
	slices.Sort(letters)
	if diff := cmp.Diff(want.letters, letters); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

// A fieldQueue is a dead-letter queue.
type fieldQueue struct {
	client *sqs.Client
	url    string
}

// newFieldQueue makes the dead-letter queue that a configuration names, or none.
func newFieldQueue(t *testing.T, server *mototest.Server, config, suffix string) *fieldQueue {
	t.Helper()
	name := "dlq" + suffix
	if !strings.Contains(config, name) {
		return nil
	}
	attributes := map[string]string{}
	if strings.Contains(config, name+".fifo") {
		name += ".fifo"
		attributes["FifoQueue"] = "true"
	}
	client := sqs.NewFromConfig(serverConfig(t, server, "SQS"))
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return &fieldQueue{client, *out.QueueUrl}
}

func (q *fieldQueue) receive(t *testing.T, n int) []sqstypes.Message {
	t.Helper()
	var all []sqstypes.Message
	for {
		out, err := q.client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &q.url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameAll},
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out.Messages...)
		// A group delivers nothing more while one of its messages is in flight.
		for _, m := range out.Messages {
			if _, err := q.client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
		if len(out.Messages) == 0 || len(all) > n {
			return all
		}
	}
}
