package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/expressway-dev/expressway/internal/redrive"
	"github.com/expressway-dev/expressway/internal/redrive/wire"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/dedupe"
	"github.com/expressway-dev/expressway/pkg/gateway"
)

type redriveCommand struct {
	templateFlags
	Config        string  `placeholder:"FILE" help:"The configuration, which defines the dedupe keys of letters (default: $EXPRESSWAY_CONFIG, or else expressway.yaml, if it exists)."`
	EnvVars       string  `placeholder:"FILE" help:"Environment variables as a JSON file in the form of 'sam local --env-vars' (default: env.json, if it exists)."`
	Region        string  `placeholder:"REGION" help:"The region of names that are not ARNs or URLs (default: the region of the AWS configuration)."`
	From          string  `required:"" placeholder:"QUEUE" help:"The dead-letter queue: its URL, ARN or name."`
	To            string  `placeholder:"QUEUE" help:"Send everything to this queue (default: back to the queue that a letter came from)."`
	EventFunction string  `placeholder:"NAME" help:"Pass events to this function, by name or ARN (default: the function, or the rule's target, that failed)."`
	ToBus         bool    `help:"Put events on their bus again, where they get a new id and reach every matching rule."`
	Bus           string  `placeholder:"NAME" help:"The bus for --to-bus (default: the bus of the rule that failed, or else the default bus)."`
	Error         string  `placeholder:"NAME" help:"Only letters that failed with this error."`
	Route         string  `placeholder:"NAME" help:"Only letters of this route."`
	DryRun        bool    `help:"Only report what would happen to each letter."`
	InDoubt       string  `enum:"skip,send" default:"skip" help:"What to do with a letter that may have been sent already, if neither a FIFO queue nor dedupe would drop the second copy: skip leaves and lists it, send sends it again (default: skip)."`
	Rate          float64 `placeholder:"N" help:"Send at most this many letters per second."`
	Table         string  `placeholder:"NAME" help:"The DynamoDB table of dedupe records (default: $EXPRESSWAY_DEDUPE_TABLE); '-' if the functions have none."`
	Journal       string  `placeholder:"FILE" help:"The journal, with which a killed run continues (default: a file for each queue in $XDG_STATE_HOME/expressway/redrive, or else ~/.local/state/expressway/redrive)."`
}

// redriveWorkers is how many letters are processed at once.
const redriveWorkers = 8

// Run puts dead letters back where they came from.
func (c *redriveCommand) Run(ctx context.Context, p *program) error {
	if err := c.check(); err != nil {
		return err
	}
	files := &project{Config: c.Config, EnvVars: c.EnvVars, Region: c.Region, templateFlags: c.templateFlags}
	environment, err := files.environment(p)
	if err != nil {
		return err
	}
	getenv, err := awsEnvironment(ctx, environment)
	if err != nil {
		return err
	}
	if c.Region != "" {
		under := getenv
		getenv = func(name string) string {
			if name == "AWS_REGION" {
				return c.Region
			}
			return under(name)
		}
	}
	o, w, err := c.options(ctx, p, files, getenv)
	if err != nil {
		return err
	}
	path, err := c.journal(getenv, o.From)
	if err != nil {
		return err
	}
	store, err := redrive.OpenFile(path)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	o.Store, o.Sender = store, w
	shown := newProgress(p)
	o.Progress = shown.show
	report, err := redrive.Run(ctx, *o)
	shown.end()
	if report == nil {
		return err
	}
	if report.Resumed {
		fmt.Fprintf(p.stdout, "continuing the run of %s; letters that arrived later stay\n", report.Began.UTC().Format("2006-01-02T15:04:05Z"))
	}
	err = errors.Join(err, report.Write(p.stdout, c.DryRun))
	switch {
	case err != nil && !c.DryRun:
		return fmt.Errorf("%w\nthe run is not complete: start it again to continue; its journal is %s", err, path)
	case err != nil:
		return err
	case report.Open() && !c.DryRun:
		return errSilent // the report lists the letters that need attention
	}
	return nil
}

func (c *redriveCommand) check() error {
	switch {
	case c.To != "" && (c.EventFunction != "" || c.ToBus), c.EventFunction != "" && c.ToBus:
		return errors.New("--to, --event-function and --to-bus cannot be combined")
	case c.Bus != "" && !c.ToBus:
		return errors.New("--bus requires --to-bus")
	case c.Rate < 0:
		return errors.New("--rate must be more than 0")
	}
	return nil
}

// options finds the queue, and what the configuration says about its letters.
func (c *redriveCommand) options(ctx context.Context, p *program, files *project, getenv func(string) string) (*redrive.Options, *wire.Wire, error) {
	w, err := wire.New(getenv)
	if err != nil {
		return nil, nil, err
	}
	queue, err := w.Open(ctx, c.From)
	if err != nil {
		return nil, nil, err
	}
	o := &redrive.Options{
		From: queue.URL, To: c.To, EventFunction: c.EventFunction, ToBus: c.ToBus, Bus: c.Bus, Error: c.Error, Route: c.Route,
		InDoubt: redrive.InDoubt(c.InDoubt), DryRun: c.DryRun, Rate: c.Rate, Workers: redriveWorkers,
		Queue: queue, Sources: queue.Sources, Began: queue.Time,
	}
	d, err := files.deployment(p)
	if err != nil {
		return nil, nil, err
	}
	path := files.configPath(getenv, d)
	if path == "" {
		fmt.Fprintln(p.stderr, "note: there is no expressway.yaml here, so the dedupe keys are not known: pass --config")
		return o, w, nil
	}
	cfg, err := config.Options{Getenv: getenv}.Load(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read the configuration, which defines the dedupe keys of letters: %w", err)
	}
	o.Keys = redrive.NewRoutes(cfg.Routes, w.Region(), queue.Account)
	o.RouteQueues = routeQueues(cfg.Routes)
	table := cmp.Or(c.Table, getenv(gateway.DedupeTable))
	switch route := deduplicating(cfg.Routes); {
	case route == "" || table == "-":
	case table == "":
		return nil, nil, fmt.Errorf("route %s has dedupe, but the table of its records is not known: pass --table or set %s; pass --table - if the functions keep the records in memory", route, gateway.DedupeTable)
	default:
		if o.Claims, err = dedupe.NewDynamoDB(table, getenv, nil); err != nil {
			return nil, nil, err
		}
	}
	return o, w, nil
}

// routeQueues returns the queues of the routes that name one.
func routeQueues(routes []*config.Route) map[string]string {
	out := map[string]string{}
	for _, r := range routes {
		if work := r.Work(); work != nil {
			r = work
		}
		if r.SQS != nil && !strings.Contains(r.SQS.Queue, "*") {
			out[r.Name] = r.SQS.Queue
		}
	}
	return out
}

// deduplicating returns the name of a route whose letters have dedupe keys, or "" if there is
// none.
func deduplicating(routes []*config.Route) string {
	for _, r := range routes {
		if r.Dedupe != nil && (r.SQS != nil || r.EventBridge != nil || r.Queue != nil) {
			return r.Name
		}
	}
	return ""
}

// journal returns the path of a queue's journal.
func (c *redriveCommand) journal(getenv func(string) string, queue string) (string, error) {
	if c.Journal != "" {
		return c.Journal, nil
	}
	state := getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("there is no folder for the journal: pass --journal FILE (%w)", err)
		}
		state = filepath.Join(home, ".local", "state")
	}
	sum := sha256.Sum256([]byte(queue))
	name := queue[strings.LastIndexByte(queue, '/')+1:] + "-" + hex.EncodeToString(sum[:6]) + ".jsonl"
	return filepath.Join(state, "expressway", "redrive", name), nil
}
