package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/stepfn"
)

type invokeCommand struct {
	Function string        `arg:"" enum:"${functions}" help:"The function: one of ${functions}."`
	Event    string        `short:"e" required:"" placeholder:"FILE" help:"The file with the event as Lambda delivers it, or - for standard input."`
	Timeout  time.Duration `default:"29s" help:"The function's timeout (default: ${default})."`
	Endpoint string        `placeholder:"URL" help:"A Step Functions endpoint to use instead of the embedded one."`
	taskFlags
	project
}

// maxEvent is Lambda's limit for an event, with room for its envelope.
const maxEvent = 7 << 20

// Run prints the function's answer on standard output and its log on standard error. A
// function error is printed as Lambda reports it, and the exit code is 1.
func (c *invokeCommand) Run(ctx context.Context, p *program) error {
	payload, err := c.read(p)
	if err != nil {
		return err
	}
	recorder := console.NewRecorder(console.Options{})
	log := slog.New(recorder.Log(slog.NewJSONHandler(p.stderr, nil)))
	options, err := c.taskFlags.with(c.options(p, log))
	if err != nil {
		return err
	}
	options.Recorder = recorder
	if c.Endpoint != "" {
		if options.Starter, err = c.starter(options.Getenv); err != nil {
			return err
		}
	}
	local, err := devserver.NewLocal(options)
	if err != nil {
		return err
	}
	defer func() { _ = local.Close(ctx) }()
	handler, err := local.Handler(c.Function)
	if err != nil {
		return err
	}
	invocation, cancel := devserver.Invocation(ctx, local.Region, local.Account, rand.Text(), c.Timeout)
	defer cancel()
	out, err := handler.Invoke(invocation, payload)
	sayWhy(p, recorder)
	if err != nil {
		var reported messages.InvokeResponse_Error
		if !errors.As(err, &reported) {
			reported = messages.InvokeResponse_Error{Message: err.Error(), Type: "errorString"}
		}
		text, _ := json.Marshal(reported)
		fmt.Fprintln(p.stdout, string(text))
		return errSilent
	}
	fmt.Fprintln(p.stdout, string(out))
	return nil
}

// sayWhy prints what failed, in which state, and the cause. A function's log must not
// contain causes, because they may hold payload; on the user's own machine they may be
// shown.
func sayWhy(p *program, recorder *console.Recorder) {
	for _, d := range recorder.Deliveries(nil, 1) {
		for _, r := range d.Records {
			if r.Error != "" {
				fmt.Fprintf(p.stderr, "%s: %s\n", plain(cmp.Or(r.Route, "refused")), why(console.Delivery{Error: r.Error, Cause: r.Cause, State: r.State}))
			}
		}
	}
}

func (c *invokeCommand) read(p *program) ([]byte, error) {
	in := p.stdin
	if c.Event != "-" {
		f, err := os.Open(c.Event)
		if err != nil {
			return nil, fmt.Errorf("read event: %w", err)
		}
		defer f.Close()
		in = f
	}
	payload, err := io.ReadAll(io.LimitReader(in, maxEvent+1))
	if err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	if len(payload) > maxEvent {
		return nil, fmt.Errorf("read event: it has more than the %d bytes that Lambda accepts", maxEvent)
	}
	return payload, nil
}

// starter calls another endpoint, with the environment's credentials or else with made-up
// ones, which suffice for a local endpoint.
func (c *invokeCommand) starter(getenv func(string) string) (bridge.Starter, error) {
	defaults := map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
	}
	options, err := stepfn.FromEnv(func(name string) string {
		if name == "AWS_ENDPOINT_URL_SFN" {
			return c.Endpoint
		}
		if v := getenv(name); v != "" {
			return v
		}
		return defaults[name]
	})
	if err != nil {
		return nil, err
	}
	return stepfn.New(options), nil
}
