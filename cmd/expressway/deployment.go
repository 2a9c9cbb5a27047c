package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/statesapi"
	"github.com/expressway-dev/expressway/pkg/template"
	"github.com/expressway-dev/expressway/pkg/template/wiring"
)

// templateFlags choose the template that a command uses.
type templateFlags struct {
	Template           string   `placeholder:"FILE" help:"The SAM or CloudFormation template (default: template.yaml, template.yml or template.json, if one exists). Its state machines run as they are deployed, and the configuration sees the variables of its functions."`
	ConfigEnv          string   `placeholder:"NAME" help:"The environment in samconfig.toml that sets parameters and the region (default: default)."`
	ParameterOverrides []string `sep:"none" placeholder:"NAME=VALUE" help:"A value for a parameter of the template, which overrides samconfig.toml. May be repeated, and one flag may hold several."`
}

// A deployment is the template that a command uses, as it applies on this machine.
type deployment struct {
	path      string
	samconfig template.SAMConfig
	options   template.Options

	mu       sync.Mutex
	template *template.Template
	env      map[string]string
	warned   map[string]bool
}

// deployment finds the template; it returns nil if there is none. A file without Resources
// that was found and not named may belong to another tool, or contain a typing error: a note
// reports it.
func (c *project) deployment(p *program) (*deployment, error) {
	if c.found || c.failed != nil {
		return c.deployed, c.failed
	}
	c.deployed, c.failed = c.findDeployment(p)
	c.found = true
	return c.deployed, c.failed
}

func (c *project) findDeployment(p *program) (*deployment, error) {
	path, dir := c.Template, "."
	if path == "" {
		if path = template.Find(dir); path == "" {
			if c.ConfigEnv != "" || len(c.ParameterOverrides) > 0 {
				return nil, errors.New("--config-env and --parameter-overrides need a template, but there is none here: name one with --template")
			}
			return nil, nil
		}
	}
	d := &deployment{path: path, warned: map[string]bool{}}
	var err error
	if d.samconfig, err = template.ReadSAMConfig(filepath.Dir(path), c.ConfigEnv); err != nil {
		return nil, err
	}
	parameters := map[string]string{}
	for name, value := range d.samconfig.Parameters {
		parameters[name] = value
	}
	for _, text := range c.ParameterOverrides {
		if err := template.ParseOverrides(parameters, text); err != nil {
			return nil, fmt.Errorf("--parameter-overrides: %w", err)
		}
	}
	d.options = template.Options{
		Parameters: parameters, StackName: d.samconfig.StackName,
		Region:  cmp.Or(c.Region, d.samconfig.Region, p.getenv("AWS_REGION"), p.getenv("AWS_DEFAULT_REGION")),
		Account: cmp.Or(c.Account, p.getenv("AWS_ACCOUNT_ID")),
	}
	if err := d.load(); err != nil {
		var wrong *template.Error
		if c.Template == "" && errors.As(err, &wrong) && strings.Contains(wrong.Error(), "no template: ") {
			fmt.Fprintf(p.stderr, "note: %s has no Resources, so it is not read as a template\n", path)
			return nil, nil
		}
		return nil, err
	}
	return d, nil
}

// load reads the template, and reads it again when it has changed.
func (d *deployment) load() error {
	t, err := template.Load(d.path, d.options)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.template = t
	functions := map[string]map[string]envValue{}
	for _, f := range routers(t) {
		functions[f.ID] = map[string]envValue{}
		for _, v := range f.Variables {
			if s, known := v.Value.String(); known {
				functions[f.ID][v.Name] = envValue(s)
			}
		}
	}
	d.env = merge(functions, func(string, string) {})
	return nil
}

// getenv returns the value that the template gives to a variable of the functions.
func (d *deployment) getenv(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.env[name]
}

// routers returns the functions that run routes: those with the layer, and those that are
// programs of their own. If there are none, it returns all functions, because the
// configuration may be meant for any of them.
func routers(t *template.Template) []*template.Function {
	all := t.Functions()
	out := slices.DeleteFunc(slices.Clone(all), func(f *template.Function) bool {
		return !strings.HasPrefix(f.Get("Runtime").Or(""), "provided")
	})
	if len(out) == 0 {
		return all
	}
	return out
}

// configPath returns the configuration next to the template, or else the one in the
// folder of a function's code; "" if there is none.
func (d *deployment) configPath() string {
	folders := []string{filepath.Dir(d.path)}
	for _, f := range routers(d.template) {
		if folder := f.Folder(); folder != "" {
			folders = append(folders, folder)
		}
	}
	for _, folder := range folders {
		path := filepath.Join(folder, config.FileName)
		if isFile(path) {
			return path
		}
	}
	return ""
}

// machines returns the template's state machines for the local engine, and reports what
// cannot run here.
func (d *deployment) machines(p *program) func() ([]devserver.Machine, error) {
	first := true
	return func() ([]devserver.Machine, error) {
		if !first {
			if err := d.load(); err != nil {
				return nil, err
			}
		}
		first = false
		var out []devserver.Machine
		for _, m := range d.template.Machines() {
			name, known := m.Name().String()
			switch {
			case m.Err != nil:
				d.warn(p, m.DefinitionPos().String()+": "+m.Err.Error())
				continue
			case !known:
				d.warn(p, fmt.Sprintf("%s: the name of the state machine %s cannot be determined: %s", m.Pos, m.ID, strings.Join(m.Name().Reasons(), ", ")))
				continue
			}
			for _, what := range m.Unknown {
				d.warn(p, fmt.Sprintf("%s: a part of the definition of %s cannot be determined, and is replaced by the text \"unknown\": %s", m.Pos, m.ID, what))
			}
			out = append(out, devserver.Machine{
				Name: name, Kind: cmp.Or(m.Kind, statesapi.Standard), Definition: m.Definition, Source: m.Source,
				Substituted: m.Get("DefinitionSubstitutions") != nil,
				Place: func(pointer string, line, column int) string {
					return m.Place(pointer, line, column).String()
				},
			})
		}
		return out, nil
	}
}

// warn prints a warning only once, however often the template is read.
func (d *deployment) warn(p *program, message string) {
	if !d.warned[message] {
		d.warned[message] = true
		fmt.Fprintln(p.stderr, "warning: "+message)
	}
}

// asDeployed returns the template with the names of a deployment, for checks.
func (d *deployment) asDeployed() (*template.Template, error) {
	o := d.options
	o.Deployed = true
	o.StackName = cmp.Or(o.StackName, "STACK")
	return template.Load(d.path, o)
}

// wiring returns the findings about the template, and about how it fits the
// configuration.
func (d *deployment) wiring(configPath string, machines []string) (findings []wiring.Finding, runs bool, _ error) {
	t, err := d.asDeployed()
	if err != nil {
		return nil, false, err
	}
	var routes *wiring.Configuration
	if configPath != "" {
		source, err := os.ReadFile(configPath)
		if errors.Is(err, fs.ErrNotExist) {
			return wiring.Check(t, nil, machines), false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if routes, err = wiring.NewConfiguration(configPath, source); err != nil {
			routes = nil // pkg/config reports the error
		}
	}
	return wiring.Check(t, routes, machines), routes != nil && wiring.Runs(t, routes), nil
}
