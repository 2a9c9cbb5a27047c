package main

import (
	"fmt"

	"github.com/expressway-dev/expressway/internal/scaffold"
	"github.com/expressway-dev/expressway/internal/version"
)

type initCommand struct {
	Dir      string   `arg:"" optional:"" default:"." help:"The folder (default: the working directory)."`
	From     []string `enum:"${sources}" default:"http" help:"What starts workflows: ${sources}, or several of them (default: ${default})."`
	Provider []string `placeholder:"NAME" help:"The providers of the webhooks, such as stripe,github (default: one webhook with a token)."`
	Door     string   `enum:"http-api,rest,function-url,alb" default:"http-api" help:"What receives the requests: http-api, rest, function-url or alb (default: ${default})."`
	IaC      string   `name:"iac" enum:",sam,cdk,terraform" default:"" placeholder:"TOOL" help:"sam (or plain CloudFormation, if the template is that), cdk or terraform (default: the tool of the folder, or else sam)."`
	Machine  string   `placeholder:"LOGICAL_ID" help:"The logical id of the state machine that the routes start (default: the template's only Express state machine, or else a variable that must be set)."`
	Queue    string   `placeholder:"LOGICAL_ID" help:"The logical id of the queue to read from (default: the template's only queue that nothing reads)."`
	Bus      string   `placeholder:"LOGICAL_ID" help:"The logical id of the event bus (default: the template's only bus, or else the account's default bus)."`
	Source   string   `placeholder:"TEXT" help:"The source of the events; a * at the end matches any text."`
	Detail   string   `name:"detail-type" placeholder:"TEXT" help:"The detail-type of the events; a * at the end matches any text."`
	Path     string   `placeholder:"PATH" help:"The prefix of the webhooks' paths, such as /hooks."`
	Template string   `placeholder:"FILE" help:"The template (default: template.yaml, template.yml or template.json in the folder)."`
	Accept   bool     `name:"queue-webhooks" help:"Put webhooks into a queue and run them from there, so that the sender is answered at once."`
	Offload  bool     `help:"Put webhook inputs that are too large for an execution into a bucket."`
	Layer    string   `placeholder:"ARN" help:"An existing version of the layer (default: the stack creates one)."`
	Arch     string   `enum:"arm64,x86_64" default:"arm64" help:"The architecture of the functions: arm64 or x86_64 (default: ${default})."`
	Write    bool     `help:"Write the changes. Without this flag, the changes to a folder that has a template are only shown."`
}

// Run writes what a folder lacks; if it has a template, it only shows that at first.
func (c *initCommand) Run(p *program) error {
	o := scaffold.Options{
		Dir: c.Dir, From: c.From, Providers: c.Provider, Door: c.Door, IaC: c.IaC, Template: c.Template, Machine: c.Machine, Queue: c.Queue,
		Bus: c.Bus, Source: c.Source, DetailType: c.Detail, Path: c.Path, Accept: c.Accept, Offload: c.Offload, Layer: c.Layer, Arch: c.Arch, Version: version.String(),
		LayerFile: layerFile(version.String(), c.Arch), LayerZip: layers()[c.Arch],
	}
	changes, err := scaffold.Init(o)
	if err != nil {
		return err
	}
	return apply(p, changes, c.Write || !changes.Edits())
}

// apply shows the changes, and makes them if write is set.
func apply(p *program, changes *scaffold.Changes, write bool) error {
	switch {
	case changes.Empty():
		fmt.Fprintln(p.stderr, "there is nothing to add")
	case !write:
		fmt.Fprint(p.stdout, changes.Diff())
		fmt.Fprintln(p.stderr, "nothing was written")
	default:
		if err := changes.Write(); err != nil {
			return err
		}
		for _, name := range changes.Names() {
			fmt.Fprintln(p.stdout, name)
		}
	}
	for _, note := range changes.Notes {
		fmt.Fprintln(p.stderr, "note: "+note)
	}
	return nil
}
