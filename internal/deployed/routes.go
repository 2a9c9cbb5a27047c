package deployed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/config"
)

// CheckRoutes compares the routes of a configuration with the stack: each queue route and
// each queue of accepted webhooks must have a mapping, each mapping a route, and the tables
// and buckets that routes name must fit their use. Each function reads the file with its
// own variables, as it does when it starts.
func (s *Stack) CheckRoutes(ctx context.Context, getenv func(string) string, path string) ([]Finding, error) {
	stores, err := newStores(getenv)
	if err != nil {
		return nil, err
	}
	var out []Finding
	routes, fed := map[string]*config.SQS{}, map[string]bool{}
	buckets := map[string]string{}
	for _, f := range s.Functions {
		source := f.source()
		if source == "" {
			continue
		}
		variables := f.variables()
		cfg, err := config.Options{Getenv: func(name string) string { return variables[name] }, Only: source}.Load(path)
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
		if source != config.SourceSQS {
			for _, r := range cfg.Routes {
				if r.Resume != nil && r.Resume.Lookup != nil {
					l := r.Resume.Lookup
					stores.checkTable(ctx, "route "+r.Name, "lookup-table", l.Table, "what workflows wait for", l.KeyAttribute, "", collect(&out))
				}
				if r.Offload != nil && buckets[r.Offload.Bucket] == "" {
					buckets[r.Offload.Bucket] = r.Name
				}
				if r.Queue != nil && r.HTTP.Work != nil {
					routes[r.Name] = r.HTTP.Work
				}
			}
			continue
		}
		for _, r := range cfg.Routes {
			if q := reads(r); q != nil {
				routes[r.Name] = q
			}
		}
		for _, m := range f.Mappings {
			taken := false
			for _, r := range cfg.Routes {
				if q := reads(r); q != nil && q.Takes(m.Source) {
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
			out = append(out, Finding{Error, "queue-without-mapping", "route " + name, fmt.Sprintf("no event source mapping of the stack feeds the route %s (%s)", name, cmp.Or(r.Queue, "*")), "Add an event source mapping of that queue, with ReportBatchItemFailures"})
		}
	}
	for _, bucket := range slices.Sorted(maps.Keys(buckets)) {
		stores.checkBucket(ctx, "route "+buckets[bucket], bucket, collect(&out))
	}
	return sorted(out), ctx.Err()
}

// source returns the source that the function is meant for, according to what feeds it, or
// to its Handler or name; empty if neither shows it.
func (f *Function) source() config.Source {
	if len(f.Mappings) > 0 {
		return config.SourceSQS
	}
	for _, s := range sources.All() {
		if aws.ToString(f.Handler) == s.Function || strings.Contains(strings.ToLower(f.ID), s.Function) {
			return config.Source(s.Key)
		}
	}
	return ""
}

// reads returns the queue that the queue function reads for a route: its trigger, or the
// queue that accepts its webhooks.
func reads(r *config.Route) *config.SQS {
	if work := r.Work(); work != nil {
		return work.SQS
	}
	return r.SQS
}
