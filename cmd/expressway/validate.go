package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/expressway-dev/expressway/pkg/devserver"
)

type validateCommand struct{ project }

func (c *validateCommand) Run(ctx context.Context, p *program) error {
	options, err := c.options(p, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	local, err := devserver.NewLocal(options)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s and %s are valid\n", options.Config, c.StateMachines)
	return local.Close(ctx)
}
