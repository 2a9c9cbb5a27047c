package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/pkg/console"
	"github.com/expressway-dev/expressway/pkg/console/graph"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

type graphCommand struct {
	Name   string `arg:"" help:"The name of the state machine."`
	Output string `short:"o" default:"svg" enum:"svg,mermaid,dot" help:"The output format: svg, mermaid or dot (default: ${default})."`
	project
}

// Run prints a state machine's graph. It ignores the routes, so that a broken
// configuration does not hide a state machine.
func (c *graphCommand) Run(ctx context.Context, p *program) error {
	options, err := c.options(p, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	options.Config = ""
	local, err := devserver.NewLocal(options)
	if err != nil {
		return err
	}
	defer func() { _ = local.Close(ctx) }()
	engine := local.Engine("", "")
	machine, ok := engine.Machine(c.Name)
	if !ok {
		names := slices.Collect(func(yield func(string) bool) {
			for _, m := range engine.Machines() {
				if !yield(m.Name) {
					return
				}
			}
		})
		return fmt.Errorf("there is no state machine %q: the state machines are %s", c.Name, strings.Join(names, ", "))
	}
	return draw(p.stdout, machine, c.Output)
}

func draw(w io.Writer, machine console.Machine, format string) error {
	g, err := graph.Parse([]byte(machine.Definition))
	if err != nil {
		return fmt.Errorf("%s: %w", machine.Name, err)
	}
	text := ""
	switch format {
	case "mermaid":
		text = g.Mermaid()
	case "dot":
		text = g.DOT()
	default:
		text = g.SVG(graph.Overlay{}, true) + "\n"
	}
	_, err = io.WriteString(w, text)
	return err
}
