package console_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type handler func(ctx context.Context, payload []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) { return h(ctx, payload) }

var _ lambda.Handler = handler(nil)

const request = `{"version":"2.0","rawPath":"/orders","headers":{"x-api-key":"hunter2hunter2"},"requestContext":{"http":{"method":"POST"}},"body":"{}"}`

// states is a local Step Functions that a recorder listens to.
func states(t *testing.T, r *console.Recorder, machines map[string]string) *statesapi.Service {
	t.Helper()
	s := statesapi.New(statesapi.Options{Observe: r.Observe, OnExecution: r.OnExecution})
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	for name, definition := range machines {
		if err := s.Put(name, []byte(definition)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// run starts a state machine through the bridge, as a delivery of its own.
func run(t *testing.T, r *console.Recorder, s *statesapi.Service, machine, input string) console.Delivery {
	t.Helper()
	b := bridge.New(s.Starter(), bridge.Options{Log: slog.New(r.Log(slog.DiscardHandler)), Observer: r})
	_, _ = r.Wrap("webhook", handler(func(ctx context.Context, _ []byte) ([]byte, error) {
		d := &bridge.Delivery{
			Route: &bridge.Route{Name: "r", StateMachine: machine}, ID: "d-1", Kind: "request", ReceivedAt: time.Now(),
			DefaultInput: func() (any, error) { return decode(input), nil }, Document: func() (any, error) { return nil, nil },
		}
		result := b.Run(ctx, d)
		b.Settle(ctx, d, result, bridge.Settlement{Final: true})
		return []byte(`{"statusCode":200}`), nil
	})).Invoke(t.Context(), []byte(request))
	for _, d := range r.Deliveries(nil, 1) {
		return d
	}
	return console.Delivery{}
}

func decode(input string) any {
	v, err := jsonata.Decode([]byte(input))
	if err != nil {
		panic(err)
	}
	return v
}

const walk = `{"StartAt":"List","States":{
  "List":{"Type":"Pass","Result":["a","b"],"ResultPath":"$.list","Next":"Each"},
  "Each":{"Type":"Map","ItemsPath":"$.list","ItemProcessor":{"StartAt":"Inner","States":{"Inner":{"Type":"Pass","End":true}}},"ResultPath":"$.each","Next":"Both"},
  "Both":{"Type":"Parallel","Branches":[
     {"StartAt":"Left","States":{"Left":{"Type":"Pass","End":true}}},
     {"StartAt":"Right","States":{"Right":{"Type":"Fail","Error":"Oops","Cause":"right"}}}],
     "Catch":[{"ErrorEquals":["Oops"],"Next":"End"}],"End":true},
  "End":{"Type":"Fail","Error":"Done","Cause":"for good"}}}`

// A delivery leads to its execution, that to its states, and the failure to the state
// that it came from.
func TestDeliveryToState(t *testing.T) {
	t.Parallel()
	r := console.NewRecorder(console.Options{})
	s := states(t, r, map[string]string{"walk": walk})
	d := run(t, r, s, "walk", `{"x":1}`)
	if d.OK || d.Error != "Done" || d.Cause != "for good" || d.State != "End" || d.Decision != "started" || d.Title != "POST /orders" || d.Status != "200" {
		t.Errorf("delivery = %+v", d)
	}
	steps := map[string]string{}
	for _, step := range d.Records[0].Steps {
		steps[step.Name] = step.Result
	}
	if want := map[string]string{"route": "ok", "signature": "ok", "input": "ok", "start": "failed"}; fmt.Sprint(steps) != fmt.Sprint(want) {
		t.Errorf("steps = %v, want %v", steps, want)
	}
	if len(d.Lines) != 1 || d.Lines[0].Message != "delivery settled" {
		t.Errorf("lines = %v", d.Lines)
	}
	e, ok := r.Execution(d.Records[0].Execution)
	if !ok || e.Status != "FAILED" || e.Delivery != d.ID || string(e.Input()) != `{"x":1}` || e.Definition() != walk {
		t.Errorf("execution = %+v", e)
	}
	var got []string
	for _, v := range e.Visits() {
		inside := ""
		if v.Parent != 0 {
			inside = fmt.Sprintf("<%d", v.Iteration)
		}
		got = append(got, v.State+inside+" "+v.Status)
	}
	want := "List succeeded, Each succeeded, Inner<0 succeeded, Inner<1 succeeded, Both caught, Left<-1 succeeded, Right<-1 failed, End failed"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("visits = %s\nwant     %s", text, want)
	}
}

// A delivery that does not wait for its execution leads to it, too, whichever is recorded
// first; and what is dropped leaves nothing behind.
func TestDeliveryToLaterExecution(t *testing.T) {
	t.Parallel()
	r := console.NewRecorder(console.Options{Deliveries: 2})
	deliver := func(arn string) {
		_, _ = r.Wrap("webhook", handler(func(ctx context.Context, _ []byte) ([]byte, error) {
			in := &bridge.Delivery{Route: &bridge.Route{Name: "r"}, ID: arn, Kind: "request"}
			r.Settled(ctx, in, bridge.Result{Outcome: &bridge.Outcome{ExecutionARN: arn, Status: bridge.Running}}, bridge.Settlement{Final: true})
			return []byte(`{"statusCode":202}`), nil
		})).Invoke(t.Context(), []byte(request))
	}
	begin := func(arn string) console.Execution {
		r.Observe(statesapi.ExecutionRecord{ExecutionARN: arn}, "{}")
		return r.Executions(nil, 1)[0]
	}
	deliver("a")
	first := r.Deliveries(nil, 1)[0]
	e := begin("a")
	if again, _ := r.Delivery(first.ID); again.Records[0].Execution != e.ID || e.Delivery != first.ID {
		t.Errorf("the delivery leads to %d, the execution %d to %d", again.Records[0].Execution, e.ID, e.Delivery)
	}
	for _, arn := range []string{"b", "c", "d"} {
		deliver(arn)
	}
	if e := begin("b"); e.Delivery != 0 {
		t.Errorf("the execution leads to a delivery that was dropped: %d", e.Delivery)
	}
}

// A request that never became a delivery has a reason, from its log line.
func TestRefusal(t *testing.T) {
	t.Parallel()
	r := console.NewRecorder(console.Options{})
	log := slog.New(r.Log(slog.DiscardHandler)).With("version", "1")
	_, _ = r.Wrap("webhook", handler(func(ctx context.Context, _ []byte) ([]byte, error) {
		log.WarnContext(ctx, "request refused", "reason", "mismatch", "delivery", "d-7")
		r.Rejected(ctx, "github", "http", bridge.Unverified)
		return []byte(`{"statusCode":401}`), nil
	})).Invoke(console.WithOrigin(t.Context(), "replay of 3"), []byte(request))
	d := r.Deliveries(nil, 1)[0]
	if d.Decision != "refused" || d.Status != "401" || d.Error != bridge.Unverified || d.Cause != "mismatch" || d.Records[0].ID != "d-7" || d.Origin != "replay of 3" {
		t.Errorf("%+v", d)
	}
	if last := d.Records[0].Steps[1]; last.Name != "signature" || last.Result != "failed" || last.Detail != "mismatch" {
		t.Errorf("steps = %+v", d.Records[0].Steps)
	}
}

// A function that fails is a delivery that failed.
func TestFunctionError(t *testing.T) {
	t.Parallel()
	r := console.NewRecorder(console.Options{})
	_, err := r.Wrap("event", handler(func(context.Context, []byte) ([]byte, error) { return nil, errors.New("no") })).Invoke(t.Context(), []byte(`{"source":"shop","detail-type":"Order"}`))
	if d := r.Deliveries(nil, 1)[0]; err == nil || d.OK || d.Error != "no" || d.Decision != "failed" || d.Title != "shop Order" {
		t.Errorf("%v %+v", err, d)
	}
}

// A watcher is notified of changes; one that does not read is told that it lags.
func TestWatch(t *testing.T) {
	t.Parallel()
	r := console.NewRecorder(console.Options{})
	changes, stop := r.Watch()
	for range 100 {
		r.SetProblems([]string{"a.yaml:1:1: no"})
	}
	seen := map[string]int{}
	for len(changes) > 0 {
		seen[(<-changes).Kind]++
	}
	r.SetProblems(nil)
	if next := <-changes; seen["reload"] != 64 || next.Kind != "lagging" {
		t.Errorf("saw %v and then %v", seen, next)
	}
	stop()
	r.SetProblems([]string{"x"})
	if len(changes) != 0 || len(r.Problems()) != 1 {
		t.Error("a watcher that has stopped is still notified")
	}
}

// Whatever is recorded, counts and bytes stay within their bounds, and are given back.
func TestBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		options := console.Options{Deliveries: rapid.IntRange(1, 5).Draw(rt, "deliveries"), Executions: rapid.IntRange(1, 5).Draw(rt, "executions"), Bytes: 20000}
		r := console.NewRecorder(options)
		s := statesapi.New(statesapi.Options{Observe: r.Observe, OnExecution: r.OnExecution})
		defer func() { _ = s.Close(context.Background()) }()
		if err := s.Put("walk", []byte(walk)); err != nil {
			rt.Fatal(err)
		}
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 9000), 1, 12).Draw(rt, "sizes") {
			run(t, r, s, "walk", `{"x":"`+strings.Repeat("x", n)+`"}`)
			if d, e := len(r.Deliveries(nil, 100)), len(r.Executions(nil, 100)); d > options.Deliveries || e > options.Executions {
				rt.Fatalf("%d deliveries and %d executions of %+v are kept", d, e, options)
			}
			if b := r.Bytes(); b < 0 || b > options.Bytes {
				rt.Fatalf("%d bytes are counted, of %d", b, options.Bytes)
			}
		}
	})
}

// An execution that loops keeps the beginning and the end of its steps.
func TestLongExecution(t *testing.T) {
	t.Parallel()
	r := console.NewRecorder(console.Options{})
	s := states(t, r, map[string]string{"loop": `{"StartAt":"A","States":{
	  "A":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, 1)"},"Next":"B"},
	  "B":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":3000,"Next":"A"}],"Default":"C"},"C":{"Type":"Succeed"}}}`})
	d := run(t, r, s, "loop", `{"n":0}`)
	e, ok := r.Execution(d.Records[0].Execution)
	if !ok {
		t.Fatalf("%+v", d)
	}
	events, left := e.History()
	if len(events) != 4000 || left == 0 || !strings.Contains(string(events[0]), "ExecutionStarted") || !strings.Contains(string(events[3999]), "ExecutionSucceeded") {
		t.Errorf("%d events, %d left out: %s … %s", len(events), left, events[0], events[len(events)-1])
	}
}

// Recording and reading can happen concurrently.
func TestConcurrently(t *testing.T) {
	t.Parallel()
	r := console.NewRecorder(console.Options{Deliveries: 20, Executions: 20, Bytes: 200000})
	s := states(t, r, map[string]string{"walk": walk})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 25 {
				run(t, r, s, "walk", `{"x":1}`)
			}
		})
		group.Go(func() {
			for range 50 {
				for _, e := range r.Executions(nil, 5) {
					if seen, ok := r.Execution(e.ID); ok {
						seen.Visits()
					}
				}
			}
		})
	}
	group.Wait()
}
