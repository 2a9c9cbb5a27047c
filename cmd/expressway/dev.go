package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

type devCommand struct {
	HTTP      string   `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where the webhook routes and the console listen (default: ${default})."`
	States    string   `default:"127.0.0.1:8083" placeholder:"ADDRESS" help:"Where the Step Functions API listens (default: ${default})."`
	AllowHost []string `placeholder:"NAME" help:"Another host name by which the Step Functions API and the console may be called, in addition to this machine's own. Webhook routes accept any name."`
	Data      string   `placeholder:"DIR" help:"Keep state machines created through the Step Functions API in this folder. Without it, they are lost when the program stops."`
	Events    string   `placeholder:"DIR" help:"First send every webhook-*.json, queue-*.json and event-*.json in this folder to its function, and print the results."`
	Log       string   `default:"short" enum:"short,json" help:"How a delivery is printed: as a short line, or as json, the log lines of the function (default: ${default})."`
	Queue     []string `sep:"none" placeholder:"URL" help:"Poll this queue, at any SQS endpoint, and run the queue function on its messages. May be repeated."`
	WaitScale float64  `default:"1" placeholder:"FACTOR" help:"Multiply the time that Wait states and retries wait by this factor, such as 0.01 (default: ${default})."`
	Open      bool     `help:"Open the console in the browser."`
	taskFlags
	project
}

func (c *devCommand) Run(ctx context.Context, p *program) error {
	term := newTerminal(p)
	recorder := console.NewRecorder(console.Options{Settled: term.settled})
	log := c.logger(p, recorder, term)
	term.quiet(c.Log == "json")
	options, err := c.taskFlags.with(c.options(p, log))
	if err != nil {
		return err
	}
	if !(c.WaitScale >= 0) || math.IsInf(c.WaitScale, 1) { // false for NaN too
		return fmt.Errorf("--wait-scale must be 0 or a positive number, such as 0.01, not %v", c.WaitScale)
	}
	// A factor of 0 means no waits, but a zero in the options means the default.
	options.Data, options.Recorder, options.WaitScale = c.Data, recorder, max(c.WaitScale, 1e-9)
	local, err := devserver.NewLocal(options)
	if err != nil {
		return err
	}
	server, err := devserver.Listen(local, devserver.ListenOptions{
		HTTP: c.HTTP, States: c.States, AllowHosts: c.AllowHost, Log: log, Waiting: waiting(p),
		Console: func(webhooks, states string) http.Handler {
			return console.New(console.ServeOptions{
				Recorder: recorder, Engine: local.Engine(cmp.Or(c.Events, "events"), webhooks), Secrets: local.Blanked(),
				Version: buildVersion(), Webhooks: webhooks, States: states, Log: log,
			})
		},
	})
	if err != nil {
		return errors.Join(err, local.Close(ctx))
	}
	if server.Open() {
		fmt.Fprintln(p.stderr, "warning: the address is reachable from other machines. Anyone who can reach it can run every state machine, because the Step Functions API here does not check credentials.")
	}
	url := "http://" + server.Webhooks() + console.Path
	fmt.Fprintf(p.stdout, "console         %s\n", url)
	if c.Open {
		if err := openBrowser(ctx, url); err != nil {
			fmt.Fprintf(p.stderr, "warning: cannot open a browser: %v\n", err)
		}
	}
	if c.Events != "" {
		if err := sendSamples(ctx, p, local, recorder, term, c.Events); err != nil {
			return errors.Join(err, server.Close(), local.Close(ctx))
		}
	}
	for _, m := range local.Missing() {
		fmt.Fprintf(p.stderr, "warning: the route %s starts %s, but there is no such state machine: put NAME.asl.json into the --statemachines folder, or create it through the Step Functions API\n", m.Route, m.StateMachine)
	}
	printStart(p, local, server, c.Events)
	watching, stop := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() { watched <- c.reload(watching, p, local, recorder, log) }()
	queues := c.queues(local.Accepting(options.Getenv))
	polled := make(chan error, len(queues))
	for _, queue := range queues {
		go func() { polled <- local.Poll(watching, queue, options.Getenv, log) }()
	}
	err = c.serve(ctx, server, polled)
	stop()
	for range queues {
		err = errors.Join(err, <-polled)
	}
	if err := errors.Join(err, <-watched); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, "stopped")
	return nil
}

// queues returns the queues of --queue, and those in which routes put accepted
// deliveries.
func (c *devCommand) queues(accepting []string) []string {
	queues := slices.Clone(c.Queue)
	for _, queue := range accepting {
		if !slices.Contains(queues, queue) {
			queues = append(queues, queue)
		}
	}
	return queues
}

// serve serves until ctx ends, or until a queue cannot be polled at all.
func (c *devCommand) serve(ctx context.Context, server *devserver.Server, polled chan error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	select {
	case err := <-served:
		return err
	case err := <-polled:
		polled <- err // put it back for the code that collects the results of all polls
		cancel()
		return <-served
	}
}

// logger returns the functions' logger: it writes to the recorder, and to the terminal in
// the format of --log.
func (c *devCommand) logger(p *program, recorder *console.Recorder, term *terminal) *slog.Logger {
	if c.Log == "json" {
		return slog.New(recorder.Log(slog.NewJSONHandler(p.stderr, nil)))
	}
	text := slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: shortTime})
	return slog.New(recorder.Log(untold{text, term}))
}

// reload reads all saved files again, and reports mistakes in the terminal and the
// console. The last good version of a broken file stays in use.
func (c *devCommand) reload(ctx context.Context, p *program, local *devserver.Local, recorder *console.Recorder, log *slog.Logger) error {
	quiet := *p
	quiet.stderr = io.Discard // the warning was printed at the start
	read := func() (devserver.Options, error) {
		again := c.project
		again.found, again.deployed, again.failed = false, nil, nil
		return c.taskFlags.with(again.options(&quiet, log))
	}
	said := ""
	return devserver.Watch(ctx, func() []string {
		o, err := read()
		if err != nil {
			return []string{"."}
		}
		return append(o.Folders(), filepath.Dir(c.EnvVars), filepath.Dir(c.Template))
	}, func() {
		o, err := read()
		if err == nil {
			o.Recorder = recorder
			err = local.Reload(o)
		}
		var problems []string
		text := ""
		if err != nil {
			text = err.Error()
			problems = []string{text}
		}
		recorder.SetProblems(problems)
		switch {
		case text != "" && text != said:
			fmt.Fprintf(p.stdout, "not reloaded; the last good version is still running:\n%s\n", plainLines(text))
		case text == "" && said != "":
			fmt.Fprintln(p.stdout, "reloaded, all good again")
		}
		said = text
	})
}

// openBrowser opens a page as the desktop does.
func openBrowser(ctx context.Context, url string) error {
	switch runtime.GOOS {
	case "darwin":
		return exec.CommandContext(ctx, "open", url).Start()
	case "windows":
		return exec.CommandContext(ctx, "rundll32", "url.dll,FileProtocolHandler", url).Start()
	}
	return exec.CommandContext(ctx, "xdg-open", url).Start()
}

func shortTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.String(a.Key, a.Value.Time().Format(time.TimeOnly))
	}
	return a
}

// waiting prints what a shutdown is waiting for.
func waiting(p *program) func([]string, time.Duration) {
	return func(executions []string, limit time.Duration) {
		names := make([]string, 0, len(executions))
		for _, arn := range executions {
			parts := strings.SplitN(arn, ":", 8) // arn:aws:states:REGION:ACCOUNT:KIND:MACHINE:NAME
			names = append(names, strings.Join(parts[min(6, len(parts)-1):], ":"))
		}
		const shown = 5
		if more := len(names) - shown; more > 0 {
			names = append(names[:shown], fmt.Sprintf("and %d more", more))
		}
		fmt.Fprintf(p.stdout, "\nwaiting up to %s for running executions: %s\nPress Ctrl-C again to stop now\n", limit, strings.Join(names, ", "))
	}
}
