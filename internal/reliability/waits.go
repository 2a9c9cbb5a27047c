package reliability

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/expressway-dev/expressway/internal/lambdatest"
	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// waitRoutes is the configuration of runWaits. Output and cause name the event, so that
// the engine knows which one resumed.
const waitRoutes = `version: 1
routes:
  - name: wait
    http: POST /wait
    verify: {hmac: {header: X-Signature}, secrets: ["env:SECRET"]}
    timeout: 8s
    resume:
      token: '{% $request.body.token %}'
      fail: '{% $request.body.outcome = "failed" %}'
      error: PaymentFailed
      cause: '{% $request.body.id %}'
      output: {id: '{% $request.body.id %}'}
`

const waitSecret = "a secret of the test"

// waitWorkflow waits until a webhook resumes it.
const waitWorkflow = `{"QueryLanguage":"JSONata","StartAt":"Wait","States":{"Wait":{"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken",
  "Arguments":{"QueueUrl":"q","MessageBody":{"id":"{% $states.input.id %}","token":"{% $states.context.Task.Token %}"}},"End":true}}}`

// Faults of the calls that resume, in addition to those of starts.
const (
	faultResetBefore = "connection reset before the call was accepted"
	faultTaken       = "answer lost after the call was accepted"
)

// planSend returns the fault of a call about a wait.
func (d dice) planSend(a attempt) string {
	x := d.roll("send", a)
	for _, p := range []struct {
		fault string
		share float64
	}{{faultThrottle, 0.06}, {faultEarly500, 0.04}, {faultResetBefore, 0.04}, {faultTaken, 0.05}} {
		if x < p.share {
			return p.fault
		}
		x -= p.share
	}
	return ""
}

// Shares of the webhooks that are unusual, and of the invocations in which the function is
// killed.
const (
	shareFailed     = 0.15 // the event says that it failed
	shareTwice      = 0.05 // sent twice at once
	shareOpposed    = 0.05 // at once with one that says the opposite
	shareKilledWait = 0.04
	maxSends        = 20
	waitsAtOnce     = 400
)

// waitOptions say what to run.
type waitOptions struct {
	// Waits is how many executions wait, and Functions how many execution environments
	// take the webhooks.
	Waits, Functions int
	Seed             uint64
	// Bootstrap is the compiled webhook function, and Config a file with waitRoutes.
	Bootstrap, Config string
}

// A waitRun is a run under way.
type waitRun struct {
	opts   waitOptions
	dice   dice
	books  *waitBooks
	states *statesapi.Service
	began  chan string // ids whose request was sent
	// functions are the execution environments. What is sent at once goes to several.
	functions []*lambdatest.Function
	calls     sync.Map // by wait: *counter
}

// RunTask reports the token to the test, as its sender would.
func (r *waitRun) RunTask(_ context.Context, t asl.Task) (any, error) {
	body, _ := jsonata.Force(t.Parameters).(*jsonata.Object)
	text, err := jsonata.AppendJSON(nil, body)
	if err != nil {
		return nil, err
	}
	var in struct{ MessageBody struct{ ID, Token string } }
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	r.books.token(in.MessageBody.ID, in.MessageBody.Token)
	r.began <- in.MessageBody.ID
	return jsonata.NewObject(0), nil
}

// runWaits starts executions that wait, resumes each by webhooks under faults, and returns
// the account.
func runWaits(ctx context.Context, o waitOptions) (*account, error) {
	r := &waitRun{opts: o, dice: dice(o.Seed), books: newWaitBooks(), began: make(chan string, o.Waits)}
	r.states = statesapi.New(statesapi.Options{Tasks: r, OnExecution: r.books.observe, MaxExecutions: o.Waits + 1})
	defer r.states.Close(context.Background())
	if err := r.states.PutKind("wait", statesapi.Standard, []byte(waitWorkflow)); err != nil {
		return nil, err
	}
	front := httptest.NewServer(r.front(statesapi.NewHandler(r.states, statesapi.HandlerOptions{})))
	defer front.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan string)
	var senders sync.WaitGroup
	for range o.Functions {
		function, err := lambdatest.Start(ctx, lambdatest.Options{
			Bootstrap: o.Bootstrap, Name: "webhook", Timeout: functionTimeout,
			Env: map[string]string{"EXPRESSWAY_CONFIG": o.Config, "SECRET": waitSecret, "AWS_ENDPOINT_URL_SFN": front.URL},
		})
		if err != nil {
			return nil, err
		}
		defer function.Stop()
		r.functions = append(r.functions, function)
	}
	for first := range r.functions {
		senders.Go(func() {
			for id := range work {
				if err := r.resume(ctx, first, id); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := r.feed(ctx, work)
	close(work)
	senders.Wait()
	if err == nil {
		err = context.Cause(ctx)
	}
	return r.books.account(), errors.Join(err, r.books.await(ctx))
}

// feed starts executions, some ahead of the webhooks, and sends the waiting ones to work.
func (r *waitRun) feed(ctx context.Context, work chan<- string) error {
	arn := r.states.ARN("wait")
	started := 0
	for handed := 0; handed < r.opts.Waits; handed++ {
		for ; started < min(r.opts.Waits, handed+waitsAtOnce); started++ {
			id := fmt.Sprintf("w-%05d", started)
			r.books.begin(id)
			if _, err := r.states.Start(statesapi.StartInput{StateMachineARN: &arn, Name: &id, Input: []byte(`{"id":"` + id + `"}`)}); err != nil {
				return err
			}
		}
		select {
		case id := <-r.began:
			select {
			case work <- id:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// An event is one webhook about a wait.
type waitEvent struct{ ID, Wait, Outcome string }

// resume sends the webhooks about a wait, some of them concurrently.
func (r *waitRun) resume(ctx context.Context, first int, id string) error {
	a := attempt{ID: id}
	outcome, opposite := "paid", "failed"
	if r.dice.roll("outcome", a) < shareFailed {
		outcome, opposite = opposite, outcome
	}
	events := []waitEvent{{"e1-" + id, id, outcome}}
	if r.dice.roll("twice", a) < shareTwice {
		events = append(events, events[0])
	}
	if r.dice.roll("opposed", a) < shareOpposed {
		events = append(events, waitEvent{"e2-" + id, id, opposite})
	}
	var all sync.WaitGroup
	failed := make([]error, len(events))
	for i, e := range events {
		function := r.functions[(first+i)%len(r.functions)]
		all.Go(func() { failed[i] = r.send(ctx, function, e, i) })
	}
	all.Wait()
	return errors.Join(failed...)
}

// send repeats a webhook as senders do, until the answer is final.
func (r *waitRun) send(ctx context.Context, function *lambdatest.Function, e waitEvent, copyOf int) error {
	body, _ := json.Marshal(map[string]string{"id": e.ID, "outcome": e.Outcome, "token": r.books.tokenOf(e.Wait)}) // texts
	mac := hmac.New(sha256.New, []byte(waitSecret))
	mac.Write(body)
	payload, _ := json.Marshal(map[string]any{
		"version": "2.0", "rawPath": "/wait", "rawQueryString": "", "body": string(body),
		"headers":        map[string]string{"content-type": "application/json", "x-signature": hex.EncodeToString(mac.Sum(nil))},
		"requestContext": map[string]any{"domainName": "x", "stage": "$default", "requestId": e.ID, "http": map[string]string{"method": "POST", "path": "/wait"}},
	})
	for n := range maxSends {
		attempt := attempt{e.ID, n*10 + copyOf}
		invocation, stop := ctx, func() {}
		if r.dice.roll("kill wait", attempt) < shareKilledWait {
			after := time.Duration(r.dice.roll("after", attempt) * 8 * float64(time.Millisecond))
			var cancel context.CancelCauseFunc
			invocation, cancel = context.WithCancelCause(ctx)
			timer := time.AfterFunc(after, func() { cancel(errKill) })
			stop = func() { timer.Stop(); cancel(nil) }
		}
		result, err := function.Invoke(invocation, payload, lambdatest.InvokeOptions{})
		stop()
		if err != nil {
			// The process was killed by this invocation, or by another one in the meantime.
			var fault *lambdatest.Error
			if !errors.Is(err, errKill) && !errors.As(err, &fault) {
				return err
			}
			r.books.mark(e.Wait, faultKilled)
			r.books.answer(e, 0)
			continue
		}
		var answer struct{ StatusCode int }
		if err := json.Unmarshal(result.Payload, &answer); err != nil {
			return err
		}
		r.books.answer(e, answer.StatusCode)
		if answer.StatusCode < http.StatusInternalServerError {
			return nil
		}
	}
	return nil
}

// front is a proxy in front of Step Functions that injects faults into the calls that resume.
func (r *waitRun) front(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		body, _ := io.ReadAll(in.Body)
		var call struct{ TaskToken string }
		_ = json.Unmarshal(body, &call)
		id := r.books.waitOf(call.TaskToken)
		n, _ := r.calls.LoadOrStore(id, new(counter))
		fault := r.dice.planSend(attempt{id, n.(*counter).next()})
		if fault != "" {
			r.books.mark(id, fault)
		}
		switch fault {
		case faultThrottle:
			refuse(w, http.StatusBadRequest, "ThrottlingException")
			return
		case faultEarly500:
			refuse(w, http.StatusInternalServerError, "InternalFailure")
			return
		case faultResetBefore:
			reset(w)
			return
		}
		in = in.Clone(context.WithoutCancel(in.Context())) // it is processed even if the caller hangs up
		in.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, in)
		if fault == faultTaken {
			reset(w)
			return
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// A counter counts from 1.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}

// observe records the end of an execution as the engine reports it.
func (b *waitBooks) observe(r statesapi.ExecutionRecord) {
	if r.Status == bridge.Running {
		return
	}
	var out struct{ ID string }
	_ = json.Unmarshal(r.Output, &out)
	outcome := "paid"
	if r.Status != bridge.Succeeded {
		out.ID, outcome = r.Cause, "failed"
	}
	b.end(r.Name, out.ID, outcome)
}
