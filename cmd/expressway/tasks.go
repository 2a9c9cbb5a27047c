package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// taskFlags configure tasks that call services outside of this program.
type taskFlags struct {
	Connections string            `placeholder:"FILE" help:"Run HTTP tasks, with the authorization that this JSON file has for the ARN of their connection."`
	Host        map[string]string `placeholder:"NAME=ADDRESS" help:"Send API calls and HTTP requests for this host to another address. May be repeated."`
}

// with adds the flags to the options of a project.
func (f taskFlags) with(o devserver.Options, err error) (devserver.Options, error) {
	if err != nil {
		return o, err
	}
	for _, name := range slices.Sorted(maps.Keys(f.Host)) {
		if err := tasks.CheckHost(name, f.Host[name]); err != nil {
			return o, fmt.Errorf("--host %s=%s: %w", name, f.Host[name], err)
		}
	}
	o.Connections, o.Hosts = f.Connections, f.Host
	return o, nil
}
