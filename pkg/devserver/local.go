// Package devserver runs all of Expressway on one machine: the handlers that Lambda would run, in
// front of the local Step Functions, with the Step Functions API.
//
//	http request ─► Function URL event ─► httpfront ─► bridge ─► statesapi ─► asl
//	an event file ─► webhook, queue or event handler ─┘             ▲
//	an SDK, the AWS CLI ─► Step Functions API ──────────────────────┘
//
// The package itself decides nothing about a delivery: an HTTP request becomes the event
// that a Function URL would make from it, and goes through the same adapters.
package devserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/gateway"
	"github.com/expressway-dev/expressway/pkg/statesapi"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// Options configure a [Local].
type Options struct {
	// Config is the path of expressway.yaml; if it is empty, there are no routes.
	Config string
	// StateMachines is a folder of NAME.asl.json files; it may be empty.
	StateMachines string
	// Machines returns state machines from elsewhere, such as a template, and is called
	// each time they are read; it may be nil.
	Machines func() ([]Machine, error)
	// Data is the folder that keeps what the Step Functions API creates; empty keeps it
	// until Close.
	Data string
	// Getenv reads the environment variables of the configuration, and SFN_MOCK_CONFIG
	// and LAMBDA_ENDPOINT for the tasks of state machines.
	Getenv func(string) string
	// Log takes the lines of the functions and of the engine; nil discards them.
	Log *slog.Logger
	// Account and Region are those of the local Step Functions, and of the functions in
	// front of them; empty means the defaults of [statesapi].
	Account, Region string
	// WaitScale multiplies the time that Wait states and retries wait; 0 leaves it
	// unchanged.
	WaitScale float64
	// Connections is the path of a file with what authorizes HTTP tasks, by the ARNs of
	// connections; empty for none.
	Connections string
	// Hosts maps the hosts of APIs and HTTP endpoints that tasks call to addresses here.
	Hosts map[string]string
	// Recorder remembers deliveries and executions; nil remembers none.
	Recorder *console.Recorder
	// Starter replaces the local Step Functions; nil uses them.
	Starter bridge.Starter
}

// A Local holds the three handlers and the local Step Functions behind them.
type Local struct {
	// States are the local state machines.
	States *statesapi.Service
	// WentOn are the ARNs of the executions that continue from where an earlier process left
	// them.
	WentOn []string
	// Account and Region are as in [Options], with the defaults filled in.
	Account, Region string

	recorder *console.Recorder
	starter  bridge.Starter
	dedupe   bridge.DedupeStore
	tasks    *taskRunner
	blanked  *console.Secrets
	memory   *memoryQueue

	reloading sync.Mutex
	current   atomic.Pointer[handlers]
}

// handlers are the handlers of one version of the configuration.
type handlers struct {
	config   string
	routes   []*config.Route
	getenv   func(string) string
	function map[string]lambda.Handler
	// unverified makes the webhook handler of the same routes that checks no signature,
	// for deliveries from the console that cannot be signed here.
	unverified func() (lambda.Handler, error)
}

// NewLocal reads the configuration and the state machines.
func NewLocal(o Options) (*Local, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l := &Local{
		Account: cmp.Or(o.Account, statesapi.DefaultAccount), Region: cmp.Or(o.Region, statesapi.DefaultRegion),
		recorder: o.Recorder, starter: o.Starter, dedupe: replayable{dedupe.NewMemory(dedupe.MemoryOptions{})}, tasks: &taskRunner{waits: &waitTable{}},
		blanked: &console.Secrets{},
	}
	l.memory = newMemoryQueue(l, o.Log)
	options := statesapi.Options{Account: l.Account, Region: l.Region, Tasks: l.tasks, Mocks: l.tasks.mocked, WaitScale: o.WaitScale}
	if o.Recorder != nil {
		options.Observe, options.OnExecution = o.Recorder.Observe, o.Recorder.OnExecution
	}
	l.States = statesapi.New(options)
	if l.starter == nil {
		l.starter = l.States.Starter()
	}
	var err error
	if o.Data != "" {
		err = l.States.Persist(o.Data)
	}
	if err == nil {
		err = l.Reload(o)
	}
	if err != nil {
		return nil, errors.Join(err, l.States.Close(context.Background()))
	}
	l.WentOn = l.States.GoOn()
	return l, nil
}

// Reload reads everything that the options name again: configuration, environment, mocks
// and state machines. It returns what is wrong; the last good version of a broken part
// stays in use, and running executions continue. Data, Account, Region, Recorder and
// Starter stay the same.
func (l *Local) Reload(o Options) error {
	l.reloading.Lock()
	defer l.reloading.Unlock()
	err := l.tasks.load(o, l.Region)
	err = errors.Join(err, loadMachines(l.States, o))
	h, broken := l.newHandlers(o)
	if broken == nil {
		l.current.Store(h)
	}
	return errors.Join(err, broken)
}

func (l *Local) newHandlers(o Options) (*handlers, error) {
	cfg := &config.Config{Routes: []*config.Route{}}
	if o.Config != "" {
		var err error
		if cfg, err = (config.Options{Getenv: o.Getenv, RequireSecrets: true}).Load(o.Config); err != nil {
			return nil, err
		}
	}
	if cfg.Routes == nil {
		cfg.Routes = []*config.Route{} // nil would look for a file
	}
	options := gateway.Options{
		Routes: cfg.Routes, BasePaths: cfg.BasePaths, Getenv: logCauses(o.Getenv), Log: o.Log, Dedupe: l.dedupe, Queues: queues(o), Acceptor: l.acceptor(o),
		Starter: l.starter, Resumer: l.States.Resumer(), WaitTable: waits(o.Getenv, l.tasks.waits), Offloader: offloader(o.Getenv),
	}
	options.Secrets = secretSource(o.Getenv, o.Log, l.blanked)
	if l.recorder != nil {
		options.Observer = l.recorder
	}
	g, err := gateway.New(options)
	if err != nil {
		return nil, err
	}
	front, err := g.Webhook()
	if err != nil {
		return nil, err
	}
	h := &handlers{
		config: o.Config, routes: cfg.Routes, getenv: o.Getenv,
		function: map[string]lambda.Handler{sources.Webhook: front, sources.Queue: g.Queue(), sources.Event: g.Event()},
	}
	h.unverified = func() (lambda.Handler, error) { return l.unverified(options) }
	if l.recorder != nil {
		for name, next := range h.function {
			h.function[name] = l.recorder.Wrap(name, next)
		}
	}
	return h, nil
}

// logCauses lets the log say why a workflow failed, unless the environment says
// otherwise, because a laptop keeps no secrets from its owner.
func logCauses(getenv func(string) string) func(string) string {
	return func(name string) string {
		if v := getenv(name); v != "" || name != gateway.LogCause {
			return v
		}
		return "on"
	}
}

// unverified returns a webhook handler of the routes that checks no signature.
func (l *Local) unverified(o gateway.Options) (lambda.Handler, error) {
	routes := make([]*config.Route, 0, len(o.Routes))
	for _, r := range o.Routes {
		if r.HTTP == nil {
			continue
		}
		open, http := *r, *r.HTTP
		http.Verify = verify.Spec{None: true}
		open.HTTP = &http
		routes = append(routes, &open)
	}
	o.Routes = routes
	g, err := gateway.New(o)
	if err != nil {
		return nil, err
	}
	front, err := g.Webhook()
	if err != nil || l.recorder == nil {
		return front, err
	}
	return l.recorder.Wrap(sources.Webhook, front), nil
}

// Handler returns the handler of a function: webhook, queue or event. It always uses the
// latest configuration.
func (l *Local) Handler(function string) (lambda.Handler, error) {
	if l.current.Load().function[function] == nil {
		return nil, fmt.Errorf("there is no function %q; the functions are %s", function, sources.List(sources.Functions()))
	}
	return &following{l, function}, nil
}

// A following handler invokes the handler of the configuration that is in use at the
// time.
type following struct {
	local    *Local
	function string
}

// Invoke implements [lambda.Handler].
func (f *following) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f.local.current.Load().function[f.function].Invoke(ctx, payload)
}

// Routes returns the routes that are in use. They must not be changed.
func (l *Local) Routes() []*config.Route { return l.current.Load().routes }

// A Missing is a route whose state machine does not exist here.
type Missing struct{ Route, StateMachine string }

// Missing returns the routes whose state machine does not exist until it is created
// through the Step Functions API.
func (l *Local) Missing() []Missing {
	var missing []Missing
	for _, r := range l.Routes() {
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

// Close ends the local Step Functions when their executions have ended, or when ctx ends.
func (l *Local) Close(ctx context.Context) error {
	l.memory.close(ctx)
	return l.States.Close(ctx)
}
