// Package devserver runs Expressway whole on one machine: the handlers that Lambda
// would run, in front of the local Step Functions, with its API beside them.
//
//	http request ─► Function URL event ─► httpfront ─► bridge ─► statesapi ─► asl
//	an event file ─► webhook, queue or event handler ─┘             ▲
//	an SDK, the AWS CLI ─► Step Functions API ──────────────────────┘
//
// Nothing in it decides anything about a delivery: an HTTP request becomes the
// event that a Function URL would make of it, and goes through the same adapters.
package devserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/expressway-dev/expressway/pkg/asl"
	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/eventbridge"
	"github.com/expressway-dev/expressway/pkg/gateway"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// Options say what to run.
type Options struct {
	// Config is the path of expressway.yaml; empty for no routes.
	Config string
	// StateMachines is a folder of NAME.asl.json files; empty for none.
	StateMachines string
	// Machines returns state machines from elsewhere, such as a template, and is called
	// each time they are read; nil for none.
	Machines func() ([]Machine, error)
	// Data is a folder in which what is created through the Step Functions API is kept;
	// empty keeps it until Close.
	Data string
	// Getenv gives the environment variables of the configuration, and
	// SFN_MOCK_CONFIG and LAMBDA_ENDPOINT for the tasks of state machines.
	Getenv func(string) string
	Log    *slog.Logger
	// Account and Region are those of the local Step Functions, and of the functions in
	// front of them; empty stands for those of [statesapi].
	Account, Region string
	// Observe is told of the steps of executions, as in [statesapi.Options].
	Observe func(statesapi.ExecutionRecord) func(asl.Event)
	// OnExecution is told of executions, as in [statesapi.Options].
	OnExecution func(statesapi.ExecutionRecord)
	// Observer is notified of every delivery; nil notifies nobody.
	Observer bridge.Observer
	// Starter replaces the local Step Functions; nil uses them.
	Starter bridge.Starter
}

// A Local holds the three handlers and the local Step Functions behind them.
type Local struct {
	Webhook *httpfront.Front
	Queue   *sqsbatch.Batch
	Event   *eventbridge.Events
	// States are the local state machines.
	States *statesapi.Service
	// Account and Region are as in [Options], with the defaults filled in.
	Account, Region string

	routes []*config.Route
}

// NewLocal reads the configuration and the state machines.
func NewLocal(o Options) (*Local, error) {
	o.Account = cmp.Or(o.Account, statesapi.DefaultAccount)
	o.Region = cmp.Or(o.Region, statesapi.DefaultRegion)
	cfg := &config.Config{Routes: []*config.Route{}}
	if o.Config != "" {
		var err error
		if cfg, err = config.Load(o.Config, o.Getenv, config.RequireSecrets()); err != nil {
			return nil, err
		}
	}
	states, err := newStates(o)
	if err != nil {
		return nil, err
	}
	if err := loadMachines(states, o); err != nil {
		return nil, errors.Join(err, states.Close(context.Background()))
	}
	starter := o.Starter
	if starter == nil {
		starter = states.Starter()
	}
	g, err := gateway.New(gateway.Options{
		Routes: cfg.Routes, Getenv: o.Getenv, Log: o.Log, Starter: starter, Observer: o.Observer,
		Dedupe: dedupe.NewMemory(dedupe.MemoryOptions{}), Queues: queues(o),
	})
	var front *httpfront.Front
	if err == nil {
		front, err = g.Webhook()
	}
	if err != nil {
		return nil, errors.Join(err, states.Close(context.Background()))
	}
	return &Local{
		Webhook: front,
		Queue:   g.Queue(),
		Event:   g.Event(),
		States:  states,
		Account: o.Account,
		Region:  o.Region,
		routes:  cfg.Routes,
	}, nil
}

// Handler returns the handler of a function: webhook, queue or event.
func (l *Local) Handler(function string) (lambda.Handler, error) {
	switch function {
	case "webhook":
		return l.Webhook, nil
	case "queue":
		return l.Queue, nil
	case "event":
		return l.Event, nil
	}
	return nil, fmt.Errorf("there is no function %q; there are webhook, queue and event", function)
}

// A Missing is a route whose state machine is not here.
type Missing struct{ Route, StateMachine string }

// Missing returns the routes that have nothing to start, until it is created through the
// Step Functions API.
func (l *Local) Missing() []Missing {
	var missing []Missing
	for _, r := range l.routes {
		if r.StateMachine == "" {
			continue // the route answers without an execution
		}
		arn := l.States.Resolve(r.StateMachine)
		if _, err := l.States.Describe(statesapi.DescribeInput{StateMachineARN: &arn}); err != nil {
			missing = append(missing, Missing{r.Name, r.StateMachine})
		}
	}
	return missing
}

// Close ends the local Step Functions when their executions have, or ctx does.
func (l *Local) Close(ctx context.Context) error { return l.States.Close(ctx) }

// newStates makes the local Step Functions. Their tasks are run by the Lambda endpoint,
// and by mocks where an execution names a test case.
func newStates(o Options) (*statesapi.Service, error) {
	options := statesapi.Options{
		Mocks: noMocks, Account: o.Account, Region: o.Region, Observe: o.Observe, OnExecution: o.OnExecution,
	}
	if endpoint := o.Getenv("LAMBDA_ENDPOINT"); endpoint != "" {
		options.Tasks = &tasks.Lambda{Endpoint: endpoint, Client: http.DefaultClient}
	}
	if path := o.Getenv("SFN_MOCK_CONFIG"); path != "" {
		mocks, err := loadMocks(path)
		if err != nil {
			return nil, err
		}
		options.Mocks = mocks.Runner
	}
	states := statesapi.New(options)
	if o.Data != "" {
		if err := states.Persist(o.Data); err != nil {
			return nil, errors.Join(err, states.Close(context.Background()))
		}
	}
	return states, nil
}

func noMocks(_, testCase string, _ asl.TaskRunner) (asl.TaskRunner, error) {
	return nil, fmt.Errorf("test case %q: set SFN_MOCK_CONFIG to a mock file that has it", testCase)
}
