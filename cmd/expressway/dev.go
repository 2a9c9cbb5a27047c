package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/jsonata"
)

type devCommand struct {
	HTTP      string   `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where the webhook routes listen (default: ${default})."`
	States    string   `default:"127.0.0.1:8083" placeholder:"ADDRESS" help:"Where the Step Functions API listens (default: ${default})."`
	AllowHost []string `placeholder:"NAME" help:"A host name, beside those of this machine, by which the Step Functions API and the console may be called. Webhook routes take any."`
	Data      string   `placeholder:"DIR" help:"Keep what is created through the Step Functions API in this folder. Without it, it is gone when the program stops."`
	Events    string   `placeholder:"DIR" help:"Send every webhook-*.json, queue-*.json and event-*.json of this folder through its function first, and print what came back."`
	project
}

func (c *devCommand) Run(ctx context.Context, p *program) error {
	options, err := c.options(p, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(p.stderr, nil))
	if c.Events != "" {
		// The samples' log lines would tear their table apart: they run first, quietly.
		if err := c.sendSamples(ctx, p, options); err != nil {
			return err
		}
	}
	options.Log, options.Data = log, c.Data
	local, err := devserver.NewLocal(options)
	if err != nil {
		return err
	}
	server, err := devserver.Listen(local, devserver.ListenOptions{HTTP: c.HTTP, States: c.States, AllowHosts: c.AllowHost, Log: log, Waiting: waiting(p)})
	if err != nil {
		return errors.Join(err, local.Close(ctx))
	}
	if server.Open() {
		fmt.Fprintln(p.stderr, "warning: listening beyond this machine. Whoever can reach it can run every state machine: the Step Functions API checks no credentials.")
	}
	for _, m := range local.Missing() {
		fmt.Fprintf(p.stderr, "warning: the route %s starts %s, and there is no such state machine: put a NAME.asl.json into --statemachines, or create it through the Step Functions API\n", m.Route, m.StateMachine)
	}
	fmt.Fprintf(p.stdout, "webhooks        http://%s\nstep functions  http://%s\nCtrl-C stops\n", server.Webhooks(), server.States())
	if err := server.Serve(ctx); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout, "stopped")
	return nil
}

// waiting says what a stop waits for.
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
		fmt.Fprintf(p.stdout, "\nwaiting up to %s for running executions: %s\nCtrl-C again stops now\n", limit, strings.Join(names, ", "))
	}
}

// sendSamples hands each event file to the function that its name begins with.
func (c *devCommand) sendSamples(ctx context.Context, p *program, options devserver.Options) error {
	files, err := filepath.Glob(filepath.Join(c.Events, "*.json"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("there are no *.json files in %s", c.Events)
	}
	local, err := devserver.NewLocal(options)
	if err != nil {
		return err
	}
	defer func() { _ = local.Close(ctx) }()
	table := tabwriter.NewWriter(p.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "EVENT\tWHAT WENT IN\tTOOK\tWHAT CAME BACK")
	for _, file := range files {
		function, _, _ := strings.Cut(filepath.Base(file), "-")
		handler, err := local.Handler(function)
		if err != nil {
			return fmt.Errorf("%s: %w; the file's name begins with its function", file, err)
		}
		payload, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read event: %w", err)
		}
		invocation, cancel := devserver.Invocation(ctx, local.Region, local.Account, rand.Text(), 29*time.Second)
		start := time.Now()
		out, err := handler.Invoke(invocation, payload)
		took := time.Since(start)
		cancel()
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", filepath.Base(file), describeEvent(payload), took.Round(100*time.Microsecond), describeAnswer(out, err))
		if ctx.Err() != nil {
			break
		}
	}
	fmt.Fprintln(table)
	return table.Flush()
}

// describeEvent says in a few words what an event is.
func describeEvent(payload []byte) string {
	v, err := jsonata.Decode(payload)
	event, ok := v.(*jsonata.Object)
	if err != nil || !ok {
		return "?"
	}
	if records, ok := lookup(event, "Records").([]any); ok {
		return fmt.Sprintf("%d SQS records", len(records))
	}
	if path, ok := lookup(event, "rawPath").(string); ok {
		return fmt.Sprintf("%v %s", lookup(event, "requestContext", "http", "method"), path)
	}
	if detail, ok := lookup(event, "detail-type").(string); ok {
		return fmt.Sprintf("%v: %s", lookup(event, "source"), detail)
	}
	return fmt.Sprintf("%v %v", lookup(event, "httpMethod"), lookup(event, "path"))
}

// describeAnswer says in a line what a function returned.
func describeAnswer(out []byte, err error) string {
	if err != nil {
		var reported messages.InvokeResponse_Error
		if errors.As(err, &reported) {
			return "function error " + reported.Type
		}
		return "function error " + err.Error()
	}
	v, err := jsonata.Decode(out)
	answer, ok := v.(*jsonata.Object)
	if err != nil || !ok {
		return string(out)
	}
	if status := lookup(answer, "statusCode"); status != nil {
		return fmt.Sprintf("%v %v", status, lookup(answer, "body"))
	}
	if failures, ok := lookup(answer, "batchItemFailures").([]any); ok {
		ids := make([]string, len(failures))
		for i, f := range failures {
			o, _ := f.(*jsonata.Object)
			ids[i] = fmt.Sprint(lookup(o, "itemIdentifier"))
		}
		return fmt.Sprintf("%d to retry: %s", len(ids), strings.Join(ids, ", "))
	}
	return string(out)
}

func lookup(o *jsonata.Object, path ...string) any {
	var v any = o
	for _, name := range path {
		o, _ := v.(*jsonata.Object)
		v, _ = o.Get(name)
	}
	return v
}
