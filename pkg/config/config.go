// Package config reads expressway.yaml into validated routes.
//
// All mistakes in the file are found at start-up and reported at once, each as
// file:line:column: message. A function with an invalid file does not start. Expressions
// are checked here and compiled when they are first used.
//
// Text may contain environment variables, as ${NAME} or ${NAME:-default}. Expressions may
// not: they see only the delivery and $context.
package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/jsonata"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// FileName is the usual name of the configuration file.
const FileName = "expressway.yaml"

// A Config is a parsed and validated configuration file.
type Config struct {
	File   string
	Routes []*Route
	// BasePaths are prefixes that are removed from request paths before routing, such as
	// /hooks from a custom domain's mapping. The longest match is removed.
	BasePaths []string
	// Others is the number of routes that [Options].Only left out because they have
	// another source.
	Others int
}

// A Route is one entry of routes. Exactly one of HTTP, SQS and EventBridge is set.
type Route struct {
	bridge.Route
	HTTP        *HTTP
	SQS         *SQS
	EventBridge *EventBridge
	// Respond builds the answer if the execution succeeds; nil means the default answer.
	Respond *Respond
	// Catch holds the answers to failures; the first that matches is used.
	Catch []Catch

	file   string
	places []keyPlace
}

// A Source is a kind of trigger, named as in the file.
type Source string

// The sources. Each has a function of its own.
const (
	SourceHTTP        Source = sources.HTTP
	SourceSQS         Source = sources.SQS
	SourceEventBridge Source = sources.EventBridge
)

// Source returns the trigger that the route has; it is empty if the route has none.
func (r *Route) Source() Source {
	if triggers := r.triggers(); len(triggers) > 0 {
		return triggers[0]
	}
	return ""
}

// triggers returns the sources that are set. A valid route has exactly one.
func (r *Route) triggers() []Source {
	var list []Source
	if r.HTTP != nil {
		list = append(list, SourceHTTP)
	}
	if r.SQS != nil {
		list = append(list, SourceSQS)
	}
	if r.EventBridge != nil {
		list = append(list, SourceEventBridge)
	}
	return list
}

// EventBridge holds the settings of EventBridge routes. A route without patterns
// matches every event.
type EventBridge struct {
	// Source and DetailType are patterns, in which * matches any text; an event must match
	// one of each list that is not empty.
	Source, DetailType []string
}

// A Catch says what happens after the failures that it names.
type Catch struct {
	// Errors are the names of failures; States.ALL is every name.
	Errors []string
	// Respond makes the answer of an http route whose sender waits for the execution.
	Respond
	// Then is what happens to the delivery on all other routes.
	Then Then
}

// Find returns the path of the configuration: the value of EXPRESSWAY_CONFIG, or else
// expressway.yaml in LAMBDA_TASK_ROOT, or else in the working directory.
func Find(getenv func(string) string) string {
	if getenv == nil {
		getenv = os.Getenv
	}
	if path := getenv("EXPRESSWAY_CONFIG"); path != "" {
		return path
	}
	return filepath.Join(getenv("LAMBDA_TASK_ROOT"), FileName)
}

// Options say how a configuration is read. The zero value has the defaults, with which
// [Load] and [Parse] read.
type Options struct {
	// Getenv reads environment variables; nil is [os.Getenv].
	Getenv func(string) string
	// Only keeps the routes of one source, which are those of one function; the default
	// is to keep all. Other routes are still checked for mistakes, but their variables
	// are not resolved and values that depend on them are not checked: a variable that
	// one function lacks does not stop another.
	Only Source
	// RequireSecrets reports references to environment variables (env:NAME) that are not
	// set. Secrets that a service holds are fetched when they are first needed, and are
	// never checked here. The default is to check none.
	RequireSecrets bool
	// JSONata is for the compilation of every expression, such as Functions of the
	// program. The default is the [dialect] of Step Functions, which always applies.
	//
	// [dialect]: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
	JSONata jsonata.Options
	// Schemes are verification schemes in addition to those of [verify]; routes name them
	// as providers.
	Schemes []*verify.Custom

	unsplit bool // the file is read as a whole, never route by route
}

// Load reads a file. The error is an *[Error] unless the file cannot be read.
func Load(path string) (*Config, error) { return Options{}.Load(path) }

// Parse reads source; messages name it as file.
func Parse(file string, source []byte) (*Config, error) { return Options{}.Parse(file, source) }

// Load is the function of that name, with options.
func (o Options) Load(path string) (*Config, error) {
	source, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w (set EXPRESSWAY_CONFIG to its path)", err)
	}
	return o.parse(path, source)
}

// Parse is the function of that name, with options.
func (o Options) Parse(file string, source []byte) (*Config, error) {
	return o.parse(file, string(source))
}

// readFile returns the text of a file without copying it, because the routes keep parts
// of it.
func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	var b strings.Builder
	if info, err := f.Stat(); err == nil && info.Size() <= maxFile {
		b.Grow(int(info.Size()))
	}
	_, err = io.Copy(&b, f)
	return b.String(), err
}

func (o Options) parse(file, source string) (*Config, error) {
	if len(source) <= maxFile {
		if problems := anchors(file, source); len(problems) > 0 {
			return nil, &Error{problems}
		}
	}
	d, cfg := o.read(file, source)
	if d.unsplit || d.items != nil && len(d.problems) > 0 {
		// The whole file is parsed again, so that the parser reports mistakes in their
		// context.
		o.unsplit = true
		d, cfg = o.read(file, source)
	}
	if err := d.err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// read reads the file route by route, or as a whole.
func (o Options) read(file, source string) (*document, *Config) {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	d := &document{
		file: file, source: source, getenv: o.Getenv, only: o.Only, secrets: o.RequireSecrets,
		jsonata: o.JSONata, schemes: o.Schemes, unsplit: o.unsplit,
	}
	cfg := &Config{File: file}
	if root := d.parse(); root != nil {
		d.readRoot(root, cfg)
	}
	return d, cfg
}

// Wildcard reports whether pattern matches s, where * matches any text.
func Wildcard(pattern, s string) bool {
	head, rest, found := strings.Cut(pattern, "*")
	if !found {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, head)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	last := parts[len(parts)-1]
	for _, part := range parts[:len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, last)
}

// maxTimeout is the longest that an Express Workflow can run.
const maxTimeout = 5 * time.Minute
