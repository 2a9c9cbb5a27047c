package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expressway-dev/expressway/pkg/asl/tasks"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// taskFlags say where tasks that call the outside find it.
type taskFlags struct {
	Connections string            `placeholder:"FILE" help:"Run HTTP tasks, with the authorization that this JSON file has for the ARNs of their connections."`
	Host        map[string]string `placeholder:"NAME=ADDRESS" help:"Call the API or HTTP endpoint of this host at an address here; as many as needed."`
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
