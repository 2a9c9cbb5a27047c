package main

import (
	"context"
	"fmt"
	"time"

	"github.com/expressway-dev/expressway/internal/deployed"
	"github.com/expressway-dev/expressway/internal/words"
)

type doctorCommand struct {
	Stack   string `required:"" placeholder:"NAME" help:"The name or the ARN of the stack."`
	Config  string `placeholder:"FILE" help:"The deployed configuration. Its routes are checked against the mappings, tables and buckets, and its variables against the functions'."`
	Region  string `placeholder:"REGION" help:"The region (default: the region of the environment or profile)."`
	Strict  bool   `help:"Fail on warnings too."`
	Format  string `enum:"text,json" default:"text" help:"The output format: text or json (default: ${default})."`
	Timeout string `default:"2m" placeholder:"DURATION" help:"How long to read at most (default: ${default})."`
}

// Run reads a deployed stack and prints its faults.
func (c *doctorCommand) Run(ctx context.Context, p *program) error {
	timeout, err := time.ParseDuration(c.Timeout)
	if err != nil || timeout <= 0 {
		return fmt.Errorf("--timeout must be a positive duration, such as 2m, not %s", c.Timeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	getenv, err := awsIn(ctx, p.getenv, c.Region)
	if err != nil {
		return err
	}
	clients, err := deployed.NewClients(getenv)
	if err != nil {
		return err
	}
	stack, err := deployed.Read(ctx, clients, c.Stack)
	if err != nil {
		return err
	}
	if len(stack.Functions) == 0 && len(stack.Unread) == 0 {
		return fmt.Errorf("the stack %s has no Expressway function among its %s: an Expressway function has the layer expressway-…, or a variable EXPRESSWAY_… and the runtime provided.al2023", c.Stack, words.Count(stack.Others, "function"))
	}
	findings := stack.Check()
	more, err := stack.CheckStores(ctx, getenv)
	if err != nil {
		return err
	}
	findings = append(findings, more...)
	if c.Config != "" {
		if more, err = stack.CheckRoutes(ctx, getenv, c.Config); err != nil {
			return err
		}
		findings = append(findings, more...)
	}
	failed := false
	for _, f := range findings {
		failed = failed || f.Severity == deployed.Error || c.Strict && f.Severity == deployed.Warning
	}
	if c.Format == "json" {
		out := struct {
			Findings []deployed.Finding `json:"findings"`
		}{append([]deployed.Finding{}, findings...)}
		if err := indented(p.stdout, out); err != nil {
			return err
		}
	} else {
		c.text(p, stack, findings)
	}
	if failed {
		return errSilent
	}
	return nil
}

func (c *doctorCommand) text(p *program, stack *deployed.Stack, findings []deployed.Finding) {
	for _, f := range findings {
		word := ""
		if f.Severity != deployed.Error {
			word = string(f.Severity) + ": "
		}
		cure := ""
		if f.Cure != "" {
			cure = ". " + f.Cure
		}
		fmt.Fprintf(p.stdout, "%s/%s: %s%s%s [%s]\n", c.Stack, f.Resource, word, f.Message, cure, f.Rule)
	}
	mappings := 0
	for _, f := range stack.Functions {
		mappings += len(f.Mappings)
	}
	fmt.Fprintf(p.stderr, "%s: read %s, %s and %s; permissions are not checked\n", c.Stack,
		words.Count(len(stack.Functions), "Expressway function"), words.Count(mappings, "mapping"), words.Count(len(stack.Machines), "state machine"))
}
