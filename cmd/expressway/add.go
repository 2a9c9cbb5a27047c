package main

import (
	"github.com/expressway-dev/expressway/internal/scaffold"
	"github.com/expressway-dev/expressway/internal/version"
)

type addCommand struct {
	What     string `arg:"" help:"A provider, such as stripe; queue; or rule."`
	Dir      string `default:"." placeholder:"DIR" help:"The folder (default: the working directory)."`
	Path     string `placeholder:"PATH" help:"The prefix of the webhook's path, such as /hooks."`
	Machine  string `placeholder:"LOGICAL_ID" help:"The logical id of the state machine that the route starts (default: the template's only Express state machine)."`
	Queue    string `placeholder:"LOGICAL_ID" help:"The logical id of the queue to read from (default: the template's only queue that nothing reads)."`
	Bus      string `placeholder:"LOGICAL_ID" help:"The logical id of the event bus (default: the template's only bus, or else the account's default bus)."`
	Source   string `placeholder:"TEXT" help:"The source of a rule's events; a * at the end matches any text."`
	Detail   string `name:"detail-type" placeholder:"TEXT" help:"The detail-type of a rule's events; a * at the end matches any text."`
	Template string `placeholder:"FILE" help:"The template (default: template.yaml, template.yml or template.json in the folder)."`
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
