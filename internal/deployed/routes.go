package deployed

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/expressway-dev/expressway/pkg/config"
)

// CheckRoutes holds the queue routes of a configuration against what feeds the queue
// functions. Each function reads the file with its own variables, as it does when it starts.
func (s *Stack) CheckRoutes(path string) ([]Finding, error) {
	var out []Finding
	routes, fed := map[string]*config.Route{}, map[string]bool{}
	for _, f := range s.Functions {
		if !f.readsQueues() {
			continue
		}
		variables := f.variables()
		cfg, err := config.Load(path, func(name string) string { return variables[name] }, config.Only(config.SourceSQS))
		var wrong *config.Error
		switch {
		case errors.As(err, &wrong):
			for _, p := range wrong.Problems {
				out = append(out, Finding{Error, "configuration", f.ID, fmt.Sprintf("it does not start with this configuration: %s:%d:%d: %s", p.File, p.Line, p.Column, p.Message), "Deploy what the configuration needs, or name the configuration that is deployed"})
			}
			continue
		case err != nil:
			return nil, err
		}
		for _, r := range cfg.Routes {
			if r.SQS != nil {
				routes[r.Name] = r
			}
		}
		for _, m := range f.Mappings {
			taken := false
			for _, r := range cfg.Routes {
				if r.SQS != nil && r.SQS.Takes(m.Source) {
					taken, fed[r.Name] = true, true
					break // the first route that matches takes a message
				}
			}
			if !taken && strings.Contains(m.Source, ":sqs:") {
				out = append(out, Finding{Error, "mapping-without-route", m.place(f), fmt.Sprintf("the mapping %s feeds the function from %s, and no route takes its messages: they are retried until they expire or are dead-lettered", m.UUID, m.Source), "Add a route with sqs: of that queue, or remove the mapping"})
			}
		}
	}
	for name, r := range routes {
		if !fed[name] {
			out = append(out, Finding{Error, "queue-without-mapping", "route " + name, fmt.Sprintf("no event source mapping of the stack feeds the route %s (sqs: %s)", name, cmp.Or(r.SQS.Queue, "*")), "Add an event source mapping of that queue, with ReportBatchItemFailures"})
		}
	}
	return sorted(out), nil
}

// readsQueues reports whether the function is meant for queues: by what feeds it, or by its
// Handler or name.
func (f *Function) readsQueues() bool {
	return len(f.Mappings) > 0 || aws.ToString(f.Handler) == "queue" || strings.Contains(strings.ToLower(f.ID), "queue")
}
