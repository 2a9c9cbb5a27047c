package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

type validateCommand struct {
	project
	Strict bool `help:"Fail on warnings too."`
}

// Run reports everything that is wrong at once: a definition that is refused must not
// hide a configuration that is, nor the other way.
func (c *validateCommand) Run(ctx context.Context, p *program) error {
	options, err := c.options(p, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	machines := options.StateMachines
	var refused error
	if machines != "" {
		checker := statesapi.New(statesapi.Options{})
		warnings, err := checker.CheckDir(machines)
		for _, w := range warnings {
			fmt.Fprintln(p.stderr, w)
		}
		refused = errors.Join(err, checker.Close(ctx))
		if refused != nil {
			options.StateMachines = ""
		}
	}
	warned, err := c.validateRoutes(ctx, p, options)
	if err := errors.Join(err, refused); err != nil {
		return err
	}
	if machines == "" {
		machines = "no state machines"
	}
	routes := options.Config
	if routes == "" {
		routes = "no routes"
	}
	fmt.Fprintf(p.stdout, "%s and %s are valid\n", routes, machines)
	if warned && c.Strict {
		return errors.New("there are warnings, and --strict was given")
	}
	return nil
}

// validateRoutes judges the configuration: by itself, as what its handlers are made of,
// and against the state machines that are there.
func (c *validateCommand) validateRoutes(ctx context.Context, p *program, options devserver.Options) (warned bool, _ error) {
	cfg := &config.Config{}
	if options.Config != "" {
		var err error
		if cfg, err = config.Load(options.Config, options.Getenv, config.RequireSecrets()); err != nil {
			return false, err
		}
	}
	local, err := devserver.NewLocal(options)
	if err != nil {
		return false, err
	}
	warnings := cfg.Warnings()
	for _, w := range warnings {
		fmt.Fprintf(p.stderr, "%s:%d:%d: warning: %s\n", w.File, w.Line, w.Column, w.Message)
	}
	var missing error
	if options.StateMachines != "" {
		missing = missingMachines(cfg, local, options.StateMachines)
	}
	return len(warnings) > 0, errors.Join(missing, local.Close(ctx))
}

// missingMachines reports names of state machines that the folder does not have. An ARN
// may be of a state machine anywhere.
func missingMachines(cfg *config.Config, local *devserver.Local, folder string) error {
	var problems []config.Problem
	for _, m := range local.Missing() {
		if strings.HasPrefix(m.StateMachine, "arn:") {
			continue
		}
		for _, r := range cfg.Routes {
			if r.Name == m.Route {
				problems = append(problems, r.Problem("start", fmt.Sprintf(
					"start: %s has no state machine %q (no file %s.asl.json); correct the name, or give the ARN of one that is elsewhere", folder, m.StateMachine, m.StateMachine)))
			}
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &config.Error{Problems: problems}
}
