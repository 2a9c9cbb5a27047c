package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"

	"github.com/expressway-dev/expressway/internal/scaffold"
	"github.com/expressway-dev/expressway/pkg/asl/jsontext"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/devserver"
)

// errSilent ends a command whose output already reports what went wrong.
var errSilent = errors.New("")

const envVarsFile = "env.json"

func (c *project) options(p *program, log *slog.Logger) (devserver.Options, error) {
	getenv, err := c.environment(p)
	if err != nil {
		return devserver.Options{}, err
	}
	d, err := c.deployment(p)
	if err != nil {
		return devserver.Options{}, err
	}
	o := devserver.Options{
		Config: c.configPath(getenv, d), StateMachines: c.StateMachines, Getenv: getenv, Log: log,
		Region:  cmp.Or(c.Region, getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION")),
		Account: cmp.Or(c.Account, getenv("AWS_ACCOUNT_ID")),
	}
	if d != nil {
		o.Machines = d.machines(p)
		o.Region = cmp.Or(c.Region, d.samconfig.Region, o.Region)
	}
	if o.Account != "" && !account.MatchString(o.Account) {
		return o, fmt.Errorf("the account must be 12 digits, not %q: correct --account or AWS_ACCOUNT_ID", o.Account)
	}
	if o.Region != "" && !region.MatchString(o.Region) {
		return o, fmt.Errorf("the region must look like us-east-1, not %q: correct --region, AWS_REGION or AWS_DEFAULT_REGION", o.Region)
	}
	if _, err := os.Stat(c.StateMachines); errors.Is(err, fs.ErrNotExist) && c.StateMachines == "statemachines" {
		o.StateMachines = "" // the default folder may be missing, because state machines can also be created through the API
	}
	return o, nil
}

var (
	account = regexp.MustCompile(`^[0-9]{12}$`)
	region  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
)

// configPath returns the configuration's path. It returns "" if no file was named and
// none exists: without routes, the command is still a Step Functions endpoint.
func (c *project) configPath(getenv func(string) string, d *deployment) string {
	if c.Config != "" {
		return c.Config
	}
	path := config.Find(getenv)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && getenv("EXPRESSWAY_CONFIG") == "" {
		if d != nil {
			path = d.configPath()
		} else {
			path = ""
		}
		if path == "" && isFile(scaffold.ConfigFile) {
			return scaffold.ConfigFile
		}
	}
	return path
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// config reads the configuration, and nothing else of the project.
func (c *project) config(p *program) (*config.Config, func(string) string, error) {
	getenv, err := c.environment(p)
	if err != nil {
		return nil, nil, err
	}
	d, err := c.deployment(p)
	if err != nil {
		return nil, nil, err
	}
	path := cmp.Or(c.configPath(getenv, d), config.Find(getenv))
	cfg, err := config.Options{Getenv: getenv}.Load(path)
	return cfg, getenv, err
}

// environment looks up variables as `sam local` does: first in the env-vars file, then in
// the process's environment, then in the template.
func (c *project) environment(p *program) (func(string) string, error) {
	file, err := c.envVars(p)
	if err != nil {
		return nil, err
	}
	d, err := c.deployment(p)
	if err != nil {
		return nil, err
	}
	return func(name string) string {
		if v, ok := file[name]; ok {
			return v
		}
		if v := p.getenv(name); v != "" || d == nil {
			return v
		}
		return d.getenv(name)
	}, nil
}

// envVars reads the env-vars file, if there is one.
func (c *project) envVars(p *program) (map[string]string, error) {
	path := c.EnvVars
	if path == "" {
		if _, err := os.Stat(envVarsFile); err != nil {
			return nil, nil
		}
		path = envVarsFile
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read environment variables: %w", err)
	}
	var functions map[string]map[string]envValue
	if err := json.Unmarshal(text, &functions); err != nil {
		return nil, fmt.Errorf(`%s: not in the form of 'sam local --env-vars', {"FunctionName": {"NAME": "value"}}: %w`, placed(path, text, err), err)
	}
	return merge(functions, func(name, function string) {
		fmt.Fprintf(p.stderr, "warning: %s gives %s more than one value; here, all functions share one process, which uses the value for %s\n", path, name, function)
	}), nil
}

// placed returns the path of a JSON file, with the line and the column of the mistake
// if the error says where it is.
func placed(path string, text []byte, err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var read int64 // including the wrong byte
	switch {
	case errors.As(err, &syntax):
		read = syntax.Offset
	case errors.As(err, &kind):
		read = kind.Offset
	default:
		return path
	}
	line, column := jsontext.Position(text, int(max(read-1, 0)))
	return fmt.Sprintf("%s:%d:%d", path, line, column)
}

// An envValue is a variable's value: text or, because sam accepts them too, a number,
// true, false or null, which means no value.
type envValue string

// UnmarshalJSON implements json.Unmarshaler.
func (v *envValue) UnmarshalJSON(text []byte) error {
	switch {
	case text[0] == '"':
		return json.Unmarshal(text, (*string)(v))
	case text[0] == '{', text[0] == '[':
		return errors.New("a variable must be text, a number, true or false")
	case string(text) != "null":
		*v = envValue(text)
	}
	return nil
}

// merge combines the environments of all functions into one. If they have different
// values for a variable, that of the function whose name sorts last is used, and differ
// is called. sam's Parameters apply to functions that do not set a variable themselves.
func merge(functions map[string]map[string]envValue, differ func(name, function string)) map[string]string {
	const everyFunction = "Parameters"
	all, from := map[string]string{}, map[string]string{}
	warned := map[string]bool{}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(functions)), func(n string) bool { return n == everyFunction })
	for _, function := range slices.Backward(append([]string{everyFunction}, names...)) {
		for _, name := range slices.Sorted(maps.Keys(functions[function])) {
			value := string(functions[function][name])
			if _, seen := from[name]; !seen {
				all[name], from[name] = value, function
			} else if all[name] != value && function != everyFunction && !warned[name] {
				warned[name] = true
				differ(name, from[name])
			}
		}
	}
	return all
}
