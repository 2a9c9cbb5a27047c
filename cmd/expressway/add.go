package main

import (
	"github.com/expressway-dev/expressway/internal/scaffold"
	"github.com/expressway-dev/expressway/internal/version"
)

type addCommand struct {
	What     string `arg:"" help:"A provider, such as stripe; queue; or rule."`
	Dir      string `default:"." placeholder:"DIR" help:"The folder (default: the working directory)."`
	Path     string `placeholder:"PATH" help:"The prefix of the webhook's path, such as /hooks."`
	Machine  string `placeholder:"LOGICAL_ID" help:"The state machine of the template that the route starts (default: its only EXPRESS one)."`
	Queue    string `placeholder:"LOGICAL_ID" help:"The queue of the template to read from (default: the only one that nothing reads)."`
	Bus      string `placeholder:"LOGICAL_ID" help:"The event bus of the template (default: its only one, else the account's)."`
	Source   string `placeholder:"TEXT" help:"The source of a rule's events, with * at its end for any."`
	Detail   string `name:"detail-type" placeholder:"TEXT" help:"Their detail-type, with * at its end for any."`
	Template string `placeholder:"FILE" help:"The template (default: template.yaml, template.yml or template.json of the folder)."`
	DryRun   bool   `help:"Show what would be added, and write nothing."`
}

// Run adds a route with its parameter, its permission and a sample event.
func (c *addCommand) Run(p *program) error {
	changes, err := scaffold.Add(scaffold.Options{
		Dir: c.Dir, Template: c.Template, Machine: c.Machine, Queue: c.Queue, Bus: c.Bus, Source: c.Source, DetailType: c.Detail,
		Path: c.Path, Door: "http-api", IaC: "sam", Arch: "arm64", Version: version.String(), LayerFile: layerFile(version.String(), "arm64"),
	}, c.What)
	if err != nil {
		return err
	}
	return apply(p, changes, !c.DryRun)
}
