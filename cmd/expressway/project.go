package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// errSilent ends a command whose output says already what went wrong.
var errSilent = errors.New("")

const envVarsFile = "env.json"

func (c *project) options(p *program, log *slog.Logger) (devserver.Options, error) {
	getenv, err := c.environment(p)
	if err != nil {
		return devserver.Options{}, err
	}
	path := c.Config
	if path == "" {
		path = config.Find(getenv)
	}
	o := devserver.Options{Config: path, StateMachines: c.StateMachines, Getenv: getenv, Log: log}
	if _, err := os.Stat(c.StateMachines); errors.Is(err, fs.ErrNotExist) && c.StateMachines == "statemachines" {
		o.StateMachines = "" // the default folder may be missing: machines can be created through the API
	}
	return o, nil
}

// config reads the configuration alone.
func (c *project) config(p *program) (*config.Config, func(string) string, error) {
	getenv, err := c.environment(p)
	if err != nil {
		return nil, nil, err
	}
	path := c.Config
	if path == "" {
		path = config.Find(getenv)
	}
	cfg, err := config.Load(path, getenv)
	return cfg, getenv, err
}

// environment lays the variables of the env-vars file over the process's own, as
// `sam local` does.
func (c *project) environment(p *program) (func(string) string, error) {
	path := c.EnvVars
	if path == "" {
		if _, err := os.Stat(envVarsFile); err != nil {
			return p.getenv, nil
		}
		path = envVarsFile
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read environment variables: %w", err)
	}
	var functions map[string]map[string]string
	if err := json.Unmarshal(text, &functions); err != nil {
		return nil, fmt.Errorf(`%s: not in the form of 'sam local --env-vars', {"FunctionName": {"NAME": "value"}}: %w`, path, err)
	}
	all := map[string]string{}
	for _, variables := range functions {
		maps.Copy(all, variables)
	}
	return func(name string) string {
		if v, ok := all[name]; ok {
			return v
		}
		return p.getenv(name)
	}, nil
}
