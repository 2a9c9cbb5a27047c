package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

type validateCommand struct{ project }

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
	local, err := devserver.NewLocal(options)
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
	return local.Close(ctx)
}
