// Package gateway assembles Expressway's three Lambda handlers from a configuration: one
// for HTTP requests, one for SQS batches, one for EventBridge events. The functions of
// this repository, the development server and other Go programs all use it, so that a
// route behaves the same wherever it runs.
//
//	expressway.yaml ─► config ─┐
//	secrets, dedupe, metrics ──┼─► bridge ─► httpfront, sqsbatch or eventbridge ─► lambda.Handler
//	Starter (AWS by default) ──┘
//
// A program of your own is a main of a few lines:
//
//	handler, err := gateway.Webhook(gateway.Options{Log: lambdacontext.NewLogger(), Metrics: os.Stdout})
//	if err != nil {
//		fmt.Fprintln(os.Stderr, err)
//		os.Exit(1)
//	}
//	lambda.Start(handler)
//
// A field of [Options] that is nil or empty has the default of the deployed functions.
// The linker drops what a program does not use: one that only calls [Event] does not link
// the client of Amazon SQS.
package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/expressway-dev/expressway/internal/s3put"
	"github.com/expressway-dev/expressway/internal/version"
	"github.com/expressway-dev/expressway/internal/waittable"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/eventbridge"
	"github.com/expressway-dev/expressway/pkg/httpfront"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/metrics"
	"github.com/expressway-dev/expressway/pkg/otlp"
	"github.com/expressway-dev/expressway/pkg/secrets"
	"github.com/expressway-dev/expressway/pkg/secrets/awsstore"
	"github.com/expressway-dev/expressway/pkg/sqsbatch"
	"github.com/expressway-dev/expressway/pkg/stepfn"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// DedupeTable is the environment variable that names the DynamoDB table of dedupe
// records.
const DedupeTable = "EXPRESSWAY_DEDUPE_TABLE"

// LogCause is the environment variable that, if it is "on", adds the first 1,024 bytes of a
// failed workflow's cause, and the state that failed, to the log. A cause may hold payload.
const LogCause = "EXPRESSWAY_LOG_CAUSE"

// functionVersion is the variable in which Lambda names the version that the function's
// alias chose.
const functionVersion = "AWS_LAMBDA_FUNCTION_VERSION"

// Options configure the handlers. The zero value is a function as it is deployed, but
// without log and metrics.
type Options struct {
	// Config is the path of expressway.yaml. When it is empty, [config.Find] looks for
	// the file.
	Config string
	// Routes replace the file. A route that is built in Go has the same defaults as
	// one that is read from YAML: [config.Complete] checks it and fills them in.
	Routes []*config.Route
	// BasePaths are removed from the paths of requests before routing, in addition to
	// those of the file.
	BasePaths []string
	// JSONata adds to what the file's expressions can use, such as Functions.
	JSONata jsonata.Options
	// Schemes are the program's own verification schemes; routes name them as providers.
	Schemes []*verify.Custom
	// Getenv reads environment variables; nil is [os.Getenv].
	Getenv func(string) string
	// Log takes one line for each delivery; nil discards them.
	Log *slog.Logger
	// Metrics takes lines in CloudWatch's embedded metric format, on Lambda [os.Stdout];
	// nil writes none. It is not used if Observer is set. With it, spans go to the
	// collector of OTEL_EXPORTER_OTLP_ENDPOINT, if that is set.
	Metrics io.Writer
	// Observer is notified of every delivery; nil is the writer of Metrics.
	Observer bridge.Observer
	// Starter runs state machines; nil is AWS Step Functions.
	Starter bridge.Starter
	// Dedupe remembers deliveries; nil is the table that [DedupeTable] names, or else
	// the memory of this process.
	Dedupe bridge.DedupeStore
	// Resumer completes the waiting tasks of routes with resume; nil is AWS Step
	// Functions.
	Resumer bridge.Resumer
	// WaitTable finds their tokens; nil is DynamoDB.
	WaitTable bridge.WaitTable
	// Queues sends dead letters and changes visibility; nil is Amazon SQS.
	Queues sqsbatch.Queues
	// Acceptor puts the deliveries of routes with a queue there; nil is Amazon SQS.
	Acceptor bridge.Acceptor
	// Offloader puts inputs that are too large for an execution into buckets; nil is Amazon S3.
	Offloader bridge.Offloader
	// Secrets resolves the references of verify blocks; nil reads environment
	// variables, SSM parameters and Secrets Manager.
	Secrets secrets.Source
	// Fetch gets certificates and key sets; nil is [verify.NewFetch].
	Fetch verify.Fetch
	// Now is the clock; nil is [time.Now].
	Now func() time.Time
}

// Webhook returns the handler of HTTP requests from API Gateway, a Function URL, a load
// balancer or VPC Lattice. It fails if the configuration is invalid, or if a route cannot
// verify what it receives.
func Webhook(o Options) (lambda.Handler, error) {
	g, err := loadOne(o.accepting(), config.SourceHTTP)
	if err != nil {
		return nil, err
	}
	return g.Webhook()
}

// Queue returns the handler of SQS batches. The event source mapping needs
// ReportBatchItemFailures.
func Queue(o Options) (lambda.Handler, error) {
	g, err := loadOne(o, config.SourceSQS)
	if err != nil {
		return nil, err
	}
	return g.Queue(), nil
}

// Event returns the handler of EventBridge events.
func Event(o Options) (lambda.Handler, error) {
	g, err := loadOne(o, config.SourceEventBridge)
	if err != nil {
		return nil, err
	}
	return g.Event(), nil
}

// A Gateway holds what the handlers of one configuration share: routes, bridge and
// dedupe store. It is for programs that run more than one of them.
type Gateway struct {
	options Options
	routes  []*config.Route
	others  int // the number of the configuration's routes that belong to other functions
	bridge  *bridge.Bridge
}

// New reads the configuration for all sources. It fails if the configuration is invalid,
// and calls no service.
func New(o Options) (*Gateway, error) { return load(o.accepting(), "") }

// Routes returns the routes of the configuration. They must not be changed.
func (g *Gateway) Routes() []*config.Route { return g.routes }

// Webhook returns the handler of HTTP requests. It fails if a route cannot verify what it
// receives, for instance because a secret is missing.
func (g *Gateway) Webhook() (*httpfront.Front, error) {
	source := g.options.Secrets
	if source == nil {
		source = secrets.NewSource(secrets.Options{
			Getenv:   g.options.Getenv,
			Fetchers: awsstore.Fetchers(g.options.Getenv),
			Log:      g.options.Log,
			Now:      g.options.Now,
		})
	}
	return httpfront.New(g.routes, g.bridge, source, httpfront.Options{Log: g.options.Log, Fetch: g.options.Fetch, BasePaths: g.options.BasePaths})
}

// Event returns the handler of EventBridge events.
func (g *Gateway) Event() *eventbridge.Events {
	return eventbridge.New(g.routes, g.bridge, eventbridge.Options{Log: g.options.Log})
}

// loadOne is like load, but for a function, for which an empty configuration must be a
// mistake.
func loadOne(o Options, source config.Source) (*Gateway, error) {
	g, err := load(o, source)
	if err == nil && len(g.routes)+g.others == 0 {
		return nil, errors.New("the configuration has no routes: the function would refuse everything")
	}
	return g, err
}

// load makes the bridge for the routes of one source, or for all routes if the source is
// empty.
func load(o Options, source config.Source) (*Gateway, error) {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	} else {
		o.Log = o.Log.With(slog.String("version", version.String()))
		if v := o.Getenv(functionVersion); v != "" {
			o.Log = o.Log.With(slog.String("functionVersion", v))
		}
	}
	if source != "" {
		o.Log.Info("function starts", "commit", version.Commit(), "go", version.Go())
	}
	g := &Gateway{options: o, routes: o.Routes}
	if g.routes != nil {
		if err := config.Complete(g.routes); err != nil {
			return nil, err
		}
	} else {
		cfg, err := config.Options{
			Getenv: o.Getenv, Only: source, RequireSecrets: o.Secrets == nil, JSONata: o.JSONata, Schemes: o.Schemes,
		}.Load(cmp.Or(o.Config, config.Find(o.Getenv)))
		if err != nil {
			return nil, err
		}
		g.routes, g.others = cfg.Routes, cfg.Others
		g.options.BasePaths = append(slices.Clone(o.BasePaths), cfg.BasePaths...)
	}
	starter, err := o.starter()
	if err != nil {
		return nil, err
	}
	if o.Offloader == nil && slices.ContainsFunc(g.routes, func(r *config.Route) bool { return r.Offload != nil }) {
		o.Offloader = s3put.New(o.Getenv)
	}
	parts := bridge.Options{Log: o.Log, Now: o.Now, Acceptor: o.Acceptor, Offloader: o.Offloader}
	if parts.Observer, err = o.observer(); err != nil {
		return nil, err
	}
	if parts.Dedupe, err = o.dedupe(g.routes, source); err != nil {
		return nil, err
	}
	if parts.Resumer, parts.WaitTable, err = o.resumes(g.routes, source); err != nil {
		return nil, err
	}
	switch v := o.Getenv(LogCause); v {
	case "", "off":
	case "on":
		parts.LogCauses = true
	default:
		return nil, fmt.Errorf("%s must be on or off, not %q", LogCause, v)
	}
	g.bridge = bridge.New(starter, parts)
	return g, nil
}

// resumes returns what the handlers' routes with resume need; nil if they need nothing.
func (o Options) resumes(routes []*config.Route, source config.Source) (resumer bridge.Resumer, table bridge.WaitTable, err error) {
	resumes, looksUp := false, false
	for _, r := range routes {
		if r.Resume != nil && (source == "" || r.Source() == source) {
			resumes, looksUp = true, looksUp || r.Resume.Lookup != nil
		}
	}
	if resumes {
		if resumer = o.Resumer; resumer == nil {
			if resumer, err = stepfn.NewResumer(o.Getenv); err != nil {
				return nil, nil, err
			}
		}
	}
	if looksUp {
		if table = o.WaitTable; table == nil {
			if table, err = waittable.New(o.Getenv); err != nil {
				return nil, nil, err
			}
		}
	}
	return resumer, table, nil
}

func (o Options) starter() (bridge.Starter, error) {
	if o.Starter != nil {
		return o.Starter, nil
	}
	options, err := stepfn.FromEnv(o.Getenv)
	if err != nil {
		return nil, err
	}
	options.Log = o.Log
	return stepfn.New(options), nil
}

func (o Options) observer() (bridge.Observer, error) {
	if o.Observer != nil || o.Metrics == nil {
		return o.Observer, nil
	}
	var observer bridge.Observer // a nil *Writer is not a nil Observer
	w, err := metrics.FromEnv(o.Getenv, o.Metrics)
	if err != nil {
		return nil, err
	}
	if w != nil {
		observer = w
	}
	spans, err := otlp.FromEnv(o.Getenv, observer)
	if spans == nil || err != nil {
		return observer, err
	}
	return spans, nil
}

// dedupe returns the store, or nil if none of the handlers' routes needs one. A store in
// memory does not see the deliveries of the function's other environments.
func (o Options) dedupe(routes []*config.Route, source config.Source) (bridge.DedupeStore, error) {
	needed := false
	for _, r := range routes {
		needed = needed || r.Dedupe != nil && r.WorksIn(source)
	}
	if !needed || o.Dedupe != nil {
		return o.Dedupe, nil
	}
	table := o.Getenv(DedupeTable)
	if table == "" {
		o.Log.Warn("dedupe without " + DedupeTable + ": only the environment that handled the first delivery recognizes its duplicates")
		return dedupe.NewMemory(dedupe.MemoryOptions{}), nil
	}
	return dedupe.NewDynamoDB(table, o.Getenv, nil)
}
