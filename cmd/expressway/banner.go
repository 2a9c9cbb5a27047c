package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/statesapi"
)

// printStart prints the addresses, the routes and some commands to try.
func printStart(p *program, local *devserver.Local, server *devserver.Server, events string) {
	fmt.Fprintf(p.stdout, "webhooks        http://%s\n", server.Webhooks())
	const shown = 40
	for i, r := range local.Routes() {
		if i == shown {
			fmt.Fprintf(p.stdout, "  and %d more\n", len(local.Routes())-shown)
			break
		}
		fmt.Fprintf(p.stdout, "  %-32s %s\n", cut(trigger(r), 32), r.Name)
	}
	fmt.Fprintf(p.stdout, "step functions  http://%s\n", server.States())
	for _, line := range wrap(machines(local), columns-2) {
		fmt.Fprintf(p.stdout, "  %s\n", line)
	}
	switch n := len(local.WentOn); {
	case n == 1:
		fmt.Fprintln(p.stdout, "  1 execution continues where it stopped")
	case n > 1:
		fmt.Fprintf(p.stdout, "  %d executions continue where they stopped\n", n)
	}
	fmt.Fprintln(p.stdout, "try")
	for _, line := range attempts(local, server, events) {
		fmt.Fprintf(p.stdout, "  %s\n", line)
	}
	fmt.Fprintln(p.stdout, "Press Ctrl-C to stop")
}

// wrap joins names into lines of at most a number of characters; a longer name is cut.
func wrap(names []string, n int) (lines []string) {
	line := ""
	for i, name := range names {
		if i < len(names)-1 {
			name += ","
		}
		if line != "" && utf8.RuneCountInString(line+" "+name) > n {
			lines = append(lines, line)
			line = ""
		}
		line = cut(strings.TrimSpace(line+" "+name), n)
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// trigger describes which deliveries a route takes.
func trigger(r *config.Route) string {
	switch r.Source() {
	case config.SourceHTTP:
		return r.HTTP.Pattern
	case config.SourceSQS:
		return "messages"
	case config.SourceEventBridge:
		return "events " + strings.Join(r.EventBridge.Source, ", ")
	}
	return ""
}

func machines(local *devserver.Local) []string {
	list, err := local.States.List(statesapi.ListInput{})
	if err != nil {
		return nil
	}
	names := make([]string, len(list.StateMachines))
	for i, m := range list.StateMachines {
		names[i] = m.Name
	}
	return names
}

// attempts returns commands that work without changes.
func attempts(local *devserver.Local, server *devserver.Server, events string) []string {
	self := os.Args[0]
	if wd, err := os.Getwd(); err == nil {
		if near, err := filepath.Rel(wd, self); err == nil && len(near) < len(self) {
			self = near
		}
	}
	url := ""
	if server.Webhooks() != "127.0.0.1:8080" { // which is the command's default
		url = " --url http://" + server.Webhooks()
	}
	var list []string
	if r, file := sendable(local.Routes(), cmp.Or(events, "events")); r != nil {
		list = append(list, devserver.Attempt(self, r, file, url))
	}
	return append(list, "aws stepfunctions list-state-machines --no-sign-request \\",
		fmt.Sprintf("  --region %s --endpoint-url http://%s", local.Region, server.States()))
}

// sendable returns the route of which most can be shown with one command: the first that
// has a body in the folder of samples, or else the first that starts something.
func sendable(routes []*config.Route, events string) (best *config.Route, file string) {
	for _, r := range routes {
		if r.HTTP == nil || r.Resume != nil {
			continue
		}
		if found, _ := filepath.Glob(filepath.Join(events, "bodies", r.Name+"-*")); len(found) > 0 && !strings.Contains(r.HTTP.Pattern, "{") {
			return r, found[0]
		}
		if best == nil {
			best = r
		}
	}
	return best, ""
}
