// Command expressway runs Expressway on a laptop, with the handlers that Lambda would run
// and a local Step Functions. It also checks, writes and operates deployments.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/expressway-dev/expressway/internal/awserr"
	"github.com/expressway-dev/expressway/internal/sources"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(interrupted)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// interrupted is the exit status after a second Ctrl-C, as in shells.
const interrupted = 128 + int(syscall.SIGINT)

// A program is the command with its environment.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
}

type commands struct {
	Dev      devCommand      `cmd:"" help:"Serve the webhook routes and the Step Functions API on this machine."`
	Invoke   invokeCommand   `cmd:"" help:"Pass one Lambda event to a function and print what Lambda would return."`
	Validate validateCommand `cmd:"" help:"Check the configuration, the state machines and the template, and how they fit together, and print every problem."`
	Explain  explainCommand  `cmd:"" help:"Print a route with every default written out."`
	Redrive  redriveCommand  `cmd:"" help:"Put dead letters back where they came from: messages, and the records of Lambda destinations and of rules."`
	Logs     logsCommand     `cmd:"" help:"Find out from the logs what happened to a delivery: print the query for an id or, with log groups, its results as a timeline."`
	Doctor   doctorCommand   `cmd:"" help:"Check a deployed stack: functions, queues, mappings and state machines. It changes nothing."`
	Forget   forgetCommand   `cmd:"" help:"Free a dedupe key, so that the delivery runs when it is sent again, and show what was stored."`
	Sign     signCommand     `cmd:"" help:"Print a signed curl command that a route accepts."`
	Init     initCommand     `cmd:"" help:"Write routes, a template, samples and settings into a folder, or add what an existing template lacks."`
	Add      addCommand      `cmd:"" help:"Add a route for a provider, a queue or a rule, with its parameter, permission and sample."`
	Layer    layerCommand    `cmd:"" help:"Write the Lambda layer, whose functions need nothing but expressway.yaml."`
	Graph    graphCommand    `cmd:"" help:"Draw a state machine as SVG, Mermaid or DOT."`
	Version  versionCommand  `cmd:"" help:"Print the version, the commit and the Go version."`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version and exit."`
}

// A project holds what every command reads.
type project struct {
	Config        string `placeholder:"FILE" help:"The configuration (default: $EXPRESSWAY_CONFIG, else expressway.yaml)."`
	StateMachines string `name:"statemachines" placeholder:"DIR" default:"statemachines" help:"Folder of NAME.asl.json files, which become Express state machines (default: ${default})."`
	EnvVars       string `placeholder:"FILE" help:"Environment variables as a JSON file in the form of 'sam local --env-vars' (default: env.json, if it exists)."`
	Region        string `placeholder:"REGION" help:"The region of the local state machines and functions (default: $AWS_REGION, else $AWS_DEFAULT_REGION, else us-east-1)."`
	Account       string `placeholder:"ID" help:"The account of the local state machines and functions (default: $AWS_ACCOUNT_ID, else 123456789012)."`
	templateFlags

	// The values that the flags refer to, once they have been resolved.
	deployed *deployment
	failed   error
	found    bool
}

// run is the whole program. It returns the exit code: 0 for success, 1 for failures, and
// 2 for an invalid command line.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	var cmds commands
	exited := -1
	parser, err := kong.New(&cmds,
		kong.Name("expressway"),
		kong.Description("Webhooks, queues and events run Step Functions Express Workflows, here without an AWS account."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(),
		kong.Vars{
			"version": buildVersion(), "functions": strings.Join(sources.Functions(), ","), "sources": strings.Join(sources.Keys(), ","),
		},
	)
	if err != nil {
		fmt.Fprintln(stderr, "expressway:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	switch {
	case exited >= 0: // --help has already printed its text
		return exited
	case err != nil:
		fmt.Fprintln(stderr, "expressway:", err)
		fmt.Fprintln(stderr, "expressway --help lists the commands")
		return 2
	}
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr, getenv: getenv}
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err := parsed.Run(p); err != nil {
		if err != errSilent {
			fmt.Fprintln(stderr, err)
			if cure := awserr.Cure(err); cure != "" {
				fmt.Fprintln(stderr, cure)
			}
		}
		return 1
	}
	return 0
}
