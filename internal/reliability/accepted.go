package reliability

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/expressway-dev/expressway/internal/lambdatest"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// acceptedOptions say how many webhooks are accepted first and worked on later.
type acceptedOptions struct {
	// Webhooks is how many are sent: every second one to a route with dedupe.
	Webhooks int
	// Functions is how many webhook functions, and as many queue functions, run side by side.
	Functions int
	Seed      uint64
	// Webhook and Queue are the compiled functions.
	Webhook, Queue string
	// Queues is the endpoint of a server that speaks SQS and DynamoDB.
	Queues string
	// Config is where the configuration is written.
	Config string
	// Idle ends a run in which nothing ends any more.
	Idle time.Duration
}

// acceptedRoutes is the configuration: two routes that accept into one queue.
const acceptedRoutes = `version: 1
routes:
  - name: plain
    http: POST /plain
    verify: none
    start: accepted
    input: '{%% $request.body %%}'
    timeout: 4s
    queue: %[1]s
    deadLetterQueue: %[2]s
    retry: {delay: 1s, rate: 2, max: 4s}
    catch: [{errors: [Invalid], then: dead-letter}]
  - name: keyed
    http: POST /keyed
    verify: none
    start: accepted
    input: '{%% $request.body %%}'
    timeout: 4s
    dedupe: {key: '{%% $request.headers."x-id" %%}', for: 1h, claim: 2s}
    queue: %[1]s
    deadLetterQueue: %[2]s
    retry: {delay: 1s, rate: 2, max: 4s}
    catch: [{errors: [Invalid], then: dead-letter}]
`

// acceptedWorkflow fails inputs that have not been corrected.
const acceptedWorkflow = `{"StartAt": "Kind", "States": {
  "Kind": {"Type": "Choice", "Choices": [{"Variable": "$.kind", "StringEquals": "invalid", "Next": "Invalid"}], "Default": "Done"},
  "Invalid": {"Type": "Fail", "Error": "Invalid"},
  "Done": {"Type": "Pass", "End": true}
}}`

// mendedWorkflow replaces it before the dead letters are put back.
const mendedWorkflow = `{"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": true}}}`

// An acceptedRun is a run under way.
type acceptedRun struct {
	o      acceptedOptions
	dice   dice
	client *sqs.Client
	getenv func(string) string
	urls   map[string]string
	states *statesapi.Service
	books  *acceptedBooks
}

// runAccepted sends webhooks until each is accepted, lets the queue function work on them,
// puts the dead letters back by [redrive.Run], and returns the account.
func runAccepted(ctx context.Context, o acceptedOptions) (*acceptedAccount, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &acceptedRun{
		o: o, dice: dice(o.Seed), urls: map[string]string{}, states: statesapi.New(statesapi.Options{MaxExecutions: 10000}), books: newAcceptedBooks(),
	}
	defer r.states.Close(context.Background())
	if err := r.states.Put("accepted", []byte(acceptedWorkflow)); err != nil {
		return nil, err
	}
	stepFunctions := httptest.NewServer(http.HandlerFunc(r.serveStates))
	defer stepFunctions.Close()
	queues := httptest.NewServer(&acceptedFront{run: r, plain: &queueFront{target: o.Queues, client: &http.Client{}, dice: r.dice, ledger: newLedger(false)}})
	defer queues.Close()
	if err := r.prepare(ctx, queues.URL); err != nil {
		return nil, err
	}
	env := map[string]string{
		"EXPRESSWAY_CONFIG": o.Config, "EXPRESSWAY_DEDUPE_TABLE": tableName, "AWS_ENDPOINT_URL_SFN": stepFunctions.URL,
		"AWS_ENDPOINT_URL_SQS": queues.URL, "AWS_ENDPOINT_URL_DYNAMODB": queues.URL,
	}
	var polling sync.WaitGroup
	var functions []*lambdatest.Function
	for i := range 2 * o.Functions {
		bootstrap, name := o.Webhook, "webhook"
		if i >= o.Functions {
			bootstrap, name = o.Queue, "queue"
		}
		f, err := lambdatest.Start(ctx, lambdatest.Options{Bootstrap: bootstrap, Name: name, Timeout: functionTimeout, Env: env})
		if err != nil {
			return nil, err
		}
		defer f.Stop()
		functions = append(functions, f)
	}
	for _, f := range functions[o.Functions:] {
		polling.Go(func() {
			if err := r.poll(ctx, f); err != nil {
				cancel(err)
			}
		})
	}
	err := r.send(ctx, functions[:o.Functions])
	if err == nil {
		err = r.drain(ctx)
	}
	if err == nil {
		err = r.putBack(ctx)
	}
	if err == nil {
		err = r.drain(ctx)
	}
	if cause := context.Cause(ctx); err == nil && cause != nil {
		err = cause
	}
	cancel(errDone)
	polling.Wait()
	return r.books.account(o.Webhooks), err
}

// prepare makes the queues and the table, and writes the configuration.
func (r *acceptedRun) prepare(ctx context.Context, endpoint string) error {
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_ENDPOINT_URL": endpoint}
	r.getenv = func(name string) string { return env[name] }
	cfg, err := configuration(endpoint, "SQS")
	if err != nil {
		return err
	}
	r.client = sqs.NewFromConfig(cfg)
	for _, name := range []string{"accepted", "accepted-dead"} {
		in := &sqs.CreateQueueInput{QueueName: &name, Attributes: map[string]string{"VisibilityTimeout": fmt.Sprint(int(visibility.Seconds()))}}
		if _, err := r.client.CreateQueue(ctx, in); err != nil {
			return err
		}
		r.urls[name] = endpoint + "/123456789012/" + name // the URL in the answer has the host behind the front
	}
	table := &runner{opts: options{Dedupe: true}}
	text := fmt.Sprintf(acceptedRoutes, r.urls["accepted"], r.urls["accepted-dead"])
	return errors.Join(table.makeTable(ctx, endpoint), os.WriteFile(r.o.Config, []byte(text), 0o600))
}

// serveStates runs the requested executions, and loses some of the answers. The trace of a
// start identifies the message and its delivery.
func (r *acceptedRun) serveStates(w http.ResponseWriter, in *http.Request) {
	body, _ := io.ReadAll(in.Body) // the handler refuses a truncated one
	var start struct{ Input, TraceHeader string }
	var input struct{ ID string }
	_ = json.Unmarshal(body, &start)
	_ = json.Unmarshal([]byte(start.Input), &input)
	answer := httptest.NewRecorder()
	again := in.Clone(context.WithoutCancel(in.Context()))
	again.Body = io.NopCloser(bytes.NewReader(body))
	d := r.books.started(input.ID, start.TraceHeader)
	statesapi.NewHandler(r.states, statesapi.HandlerOptions{}).ServeHTTP(answer, again)
	if strings.Contains(answer.Body.String(), `"SUCCEEDED"`) {
		r.books.succeeded(input.ID, d)
	}
	if in.Context().Err() != nil {
		r.books.mark(d, whyStartLate)
	}
	if d != nil && r.dice.roll("start lost", attempt{d.root, d.nth}) < 0.03 {
		r.books.mark(d, whyStartLost)
		panic(http.ErrAbortHandler)
	}
	write(w, answer)
}

// send sends every webhook until it is acknowledged, as a sender that repeats does.
func (r *acceptedRun) send(ctx context.Context, functions []*lambdatest.Function) error {
	ids := make(chan int)
	failed := make(chan error, len(functions))
	var sending sync.WaitGroup
	for _, f := range functions {
		sending.Go(func() {
			for i := range ids {
				if err := r.sendOne(ctx, f, i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for i := range r.o.Webhooks {
		select {
		case ids <- i:
		case err := <-failed:
			close(ids)
			sending.Wait()
			return err
		case <-ctx.Done():
			close(ids)
			sending.Wait()
			return context.Cause(ctx)
		}
	}
	close(ids)
	sending.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// mostOpen is how many webhooks may wait in the queue: the server that emulates SQS
// searches all of them for each call.
const mostOpen = 60

// room waits until there is room for another webhook.
func (r *acceptedRun) room(ctx context.Context) error {
	for ctx.Err() == nil {
		if r.books.open() < mostOpen {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return context.Cause(ctx)
}

// mostSends is how often a sender repeats.
const mostSends = 30

func (r *acceptedRun) sendOne(ctx context.Context, f *lambdatest.Function, i int) error {
	id, route, kind := fmt.Sprintf("w-%05d", i), "plain", "ok"
	if i%2 == 1 {
		route = "keyed"
	}
	if r.dice.roll("kind", attempt{ID: id}) < 0.05 {
		kind = "invalid"
	}
	body := fmt.Sprintf(`{"id":%q,"kind":%q}`, id, kind)
	event, err := json.Marshal(map[string]any{
		"version": "2.0", "rawPath": "/" + route, "body": body, "headers": map[string]string{"content-type": "application/json", "x-id": id},
		"requestContext": map[string]any{"requestId": id, "http": map[string]any{"method": "POST", "path": "/" + route}},
	})
	if err != nil {
		return err
	}
	if err := r.room(ctx); err != nil {
		return err
	}
	for n := 1; n <= mostSends; n++ {
		a := attempt{id, n}
		invocation, cancel := ctx, func() {}
		if r.dice.roll("kill webhook", a) < 0.04 {
			c, stop := context.WithTimeoutCause(ctx, time.Duration(1+r.dice.roll("when", a)*15)*time.Millisecond, errKill)
			invocation, cancel = c, stop
		}
		root := fmt.Sprintf("1-00000000-%024x", i*1000+n)
		result, err := f.Invoke(invocation, event, lambdatest.InvokeOptions{TraceID: "Root=" + root + ";Parent=ffffffffffffffff;Sampled=0"})
		cancel()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var answer struct{ StatusCode int }
		switch {
		case errors.Is(err, errKill):
			answer.StatusCode = 0
		case err != nil:
			return err
		default:
			if err := json.Unmarshal(result.Payload, &answer); err != nil {
				return err
			}
		}
		if r.books.answered(id, root, answer.StatusCode); answer.StatusCode == http.StatusAccepted {
			return nil
		}
		time.Sleep(time.Duration(n) * 100 * time.Millisecond) // as a sender that repeats does
	}
	return fmt.Errorf("%s was not accepted in %d attempts", id, mostSends)
}

// nearly is how long after a receive a delete may come too late: the server's clock began a
// little before ours.
const nearly = visibility - time.Second
