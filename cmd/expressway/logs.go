package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	logs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/expressway-dev/expressway/internal/deployed"
	"github.com/expressway-dev/expressway/internal/insights"
	"github.com/expressway-dev/expressway/internal/words"
)

type logsCommand struct {
	ID        string   `arg:"" optional:"" help:"An id of any kind, from a sender, a queue, a console or an alarm."`
	Route     string   `placeholder:"NAME" help:"The name of the route."`
	Delivery  string   `placeholder:"ID" help:"The sender's id of the delivery: a provider's id, a message id or an event id."`
	Execution string   `placeholder:"ARN" help:"The ARN or the name of an execution."`
	Request   string   `placeholder:"ID" help:"The id of the request: Lambda's own, or the one in the answer to the sender."`
	Trace     string   `placeholder:"ID" help:"The X-Ray trace, as 1-8hex-24hex."`
	Stack     string   `placeholder:"NAME" help:"The stack whose log groups are read."`
	LogGroup  []string `sep:"," placeholder:"NAME" help:"The log groups to read, by name or ARN, separated by commas. Without this and --stack, only the query is printed."`
	Since     string   `default:"3h" placeholder:"TIME" help:"The start of the search: a time (2026-01-31T12:00:00Z) or how long ago (90m, 24h) (default: ${default})."`
	Until     string   `placeholder:"TIME" help:"The end of the search, in the same form (default: now)."`
	Limit     int      `default:"1000" help:"The maximum number of lines, up to 100000 (default: ${default})."`
	Timeout   string   `default:"2m" placeholder:"DURATION" help:"How long to wait for the answers (default: ${default})."`
	Region    string   `placeholder:"REGION" help:"The region (default: the region of the environment or profile)."`
	Format    string   `enum:"text,json" default:"text" help:"The output format: text, or json with a line for each delivery (default: ${default})."`
}

// pollEvery is the interval at which the state of a query is read.
const pollEvery = 500 * time.Millisecond

// Run prints the query and, if log groups are named, its results as a timeline.
func (c *logsCommand) Run(ctx context.Context, p *program) error {
	search := insights.Search{Any: c.ID, Route: c.Route, Delivery: c.Delivery, Request: c.Request, Trace: c.Trace, Execution: c.Execution}
	if search.Empty() {
		return errors.New("there is nothing to search for: give an id, or one of --route, --delivery, --execution, --request, --trace")
	}
	if err := search.Check(); err != nil {
		return err
	}
	now := time.Now()
	since, err := moment("--since", c.Since, now)
	if err != nil {
		return err
	}
	until, err := moment("--until", c.Until, now)
	if err != nil {
		return err
	}
	timeout, err := time.ParseDuration(c.Timeout)
	switch {
	case err != nil || timeout <= 0:
		return fmt.Errorf("--timeout must be a positive duration, such as 2m, not %s", c.Timeout)
	case !since.Before(until):
		return fmt.Errorf("--since (%s) must be before --until (%s)", since.Format(time.RFC3339), until.Format(time.RFC3339))
	case c.Limit < 1 || c.Limit > insights.MaxLines:
		return fmt.Errorf("--limit must be from 1 to %d", insights.MaxLines)
	}
	query := search.Query(min(c.Limit, 10_000))
	if c.Stack == "" && len(c.LogGroup) == 0 {
		fmt.Fprintln(p.stdout, query)
		fmt.Fprintln(p.stderr, "note: run this query in CloudWatch Logs Insights on the log groups of the functions, the executions and the API, or name them with --stack or --log-group")
		return nil
	}
	fmt.Fprintln(p.stderr, query)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result, err := c.run(ctx, p, search, since, until)
	if writeErr := c.write(p, result.Events); writeErr != nil {
		return writeErr
	}
	again := result.Next.UTC().Format("2006-01-02T15:04:05.000Z")
	switch {
	case err != nil && len(result.Events) > 0:
		return fmt.Errorf("%w\n%s printed so far; continue with --since %s", err, words.Count(len(result.Events), "line"), again)
	case err != nil:
		return err
	case result.More:
		fmt.Fprintf(p.stderr, "note: there are more than %s: continue with --since %s, or raise --limit\n", words.Count(len(result.Events), "line"), again)
	case len(result.Events) == 0:
		return fmt.Errorf("there are no lines between %s and %s: widen the range with --since, or check whether the logs are kept that long", since.UTC().Format(time.RFC3339), until.UTC().Format(time.RFC3339))
	}
	return nil
}

func (c *logsCommand) run(ctx context.Context, p *program, search insights.Search, since, until time.Time) (insights.Result, error) {
	getenv, err := awsIn(ctx, p.getenv, c.Region)
	if err != nil {
		return insights.Result{}, fmt.Errorf("the query was not run: %w", err)
	}
	groups := c.LogGroup
	if c.Stack != "" {
		clients, err := deployed.NewClients(getenv)
		if err != nil {
			return insights.Result{}, err
		}
		stack, err := deployed.Read(ctx, clients, c.Stack)
		if err != nil {
			return insights.Result{}, err
		}
		found := stack.LogGroups()
		if len(found)+len(groups) == 0 {
			return insights.Result{}, fmt.Errorf("the stack %s has no Expressway function and no log group to read: check the name and the region", c.Stack)
		}
		groups = append(groups, found...)
	}
	cfg, err := deployed.Config(getenv, "CLOUDWATCH_LOGS")
	if err != nil {
		return insights.Result{}, err
	}
	runner := insights.Runner{
		Client: logs.NewFromConfig(cfg), Groups: groups, Limit: c.Limit,
		Wait: func(ctx context.Context) error {
			timer := time.NewTimer(pollEvery)
			defer timer.Stop()
			select {
			case <-timer.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
	return runner.Run(ctx, search, since, until)
}

func (c *logsCommand) write(p *program, events []insights.Event) error {
	if c.Format == "text" {
		return insights.WriteTimeline(p.stdout, events)
	}
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	for _, s := range insights.Summaries(events) {
		if err := encoder.Encode(s); err != nil {
			return err
		}
	}
	return nil
}

// moment parses a time or how long ago it was; empty means now.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%s %s is neither a time (2026-01-31T12:00:00Z) nor a duration (24h)", flag, text)
	}
	return t, nil
}

// awsIn is like awsEnvironment, but for a region; an empty one is the environment's own.
func awsIn(ctx context.Context, getenv func(string) string, region string) (func(string) string, error) {
	in := func(name string) string {
		if name == "AWS_REGION" {
			return cmp.Or(region, getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"))
		}
		return getenv(name)
	}
	env, err := awsEnvironment(ctx, in)
	if err != nil {
		return nil, err
	}
	return func(name string) string {
		if name == "AWS_REGION" && region != "" {
			return region
		}
		return env(name)
	}, nil
}
