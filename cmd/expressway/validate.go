package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/devserver"
	"github.com/expressway-dev/expressway/pkg/statesapi"
	"github.com/expressway-dev/expressway/pkg/template"
	"github.com/expressway-dev/expressway/pkg/template/wiring"
)

type validateCommand struct {
	project
	Strict bool   `help:"Fail on warnings too."`
	Format string `enum:"text,json,sarif,github" default:"text" help:"The output format: text, json, sarif (for code scanning), or github (annotations in a workflow) (default: ${default})."`
}

// A validation collects all problems, so that a mistake in a definition does not hide one
// in the configuration, or the reverse.
type validation struct {
	options    devserver.Options
	deployment *deployment
	findings   []wiring.Finding
	// other is an error without a position in a file.
	other error
}

// Run prints the findings, or what is valid. It fails on errors, and with --strict on
// warnings.
func (c *validateCommand) Run(ctx context.Context, p *program) error {
	v := &validation{}
	var err error
	v.deployment, err = c.deployment(p)
	var unreadable *template.Error
	if errors.As(err, &unreadable) {
		for _, problem := range unreadable.Problems {
			v.add(wiring.Error, "template", problem.Pos, problem.Message)
		}
		c.deployed, c.failed = nil, nil // the rest is checked without the template
	} else if err != nil {
		return err
	}
	if v.options, err = c.options(p, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	v.checkMachines(ctx)
	runs := v.checkTemplate()
	v.checkRoutes(ctx, runs)
	wiring.Sort(v.findings)
	return c.report(p, v)
}

func (v *validation) add(severity wiring.Severity, rule string, pos template.Pos, message string) {
	v.findings = append(v.findings, wiring.Finding{Severity: severity, Rule: rule, Pos: pos, Message: message})
}

// fail adds an error, with its positions if it has any.
func (v *validation) fail(err error) {
	var wrong *config.Error
	switch {
	case err == nil:
	case errors.As(err, &wrong):
		for _, problem := range wrong.Problems {
			v.add(wiring.Error, "configuration", template.Pos{File: problem.File, Line: problem.Line, Column: problem.Column}, problem.Message)
		}
	default:
		v.other = errors.Join(v.other, err)
	}
}

// checkMachines checks the definitions in the folder and in the template.
func (v *validation) checkMachines(ctx context.Context) {
	checker := statesapi.New(statesapi.Options{})
	defer func() { v.fail(checker.Close(ctx)) }()
	var except []string
	if v.deployment != nil {
		for _, m := range v.deployment.template.Machines() {
			v.checkMachine(checker, m)
			if m.Get("DefinitionSubstitutions") != nil {
				except = append(except, m.Source)
			}
		}
	}
	if v.options.StateMachines == "" {
		return
	}
	warnings, err := checker.CheckDir(v.options.StateMachines, except...)
	v.files(errors.Join(warnings...))
	v.files(err)
}

// files adds the mistakes in definitions that are in files.
func (v *validation) files(err error) {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, err := range list {
		var file *statesapi.FileError
		if !errors.As(err, &file) {
			v.fail(err)
			continue
		}
		for _, d := range file.Located() {
			v.definition(template.Pos{File: file.Path, Line: d.Line, Column: d.Column}, d)
		}
	}
}

func (v *validation) definition(pos template.Pos, d statesapi.Located) {
	severity := wiring.Error
	if d.Warning {
		severity = wiring.Warning
	}
	v.add(severity, "definition", pos, d.Message)
}

// checkMachine checks a definition in the template; unknown parts of it are not reported
// as mistakes.
func (v *validation) checkMachine(checker *statesapi.Service, m *template.Machine) {
	var wrong *template.Error
	switch {
	case errors.As(m.Err, &wrong):
		for _, problem := range wrong.Problems {
			v.add(wiring.Error, "definition", problem.Pos, problem.Message)
		}
		return
	case m.Err != nil:
		severity := wiring.Error
		if m.Remote {
			severity = wiring.Note
		}
		v.add(severity, "definition", m.DefinitionPos(), m.Err.Error())
		return
	}
	for _, what := range m.Unknown {
		v.add(wiring.Note, "definition", m.DefinitionPos(), fmt.Sprintf("a part of the definition of %s cannot be determined: %s", m.ID, what))
	}
	if len(m.Unknown) > 0 {
		return
	}
	kind := m.Kind
	if kind == "" {
		kind = statesapi.Standard
	}
	for _, d := range checker.Check(m.Definition, kind) {
		v.definition(m.Place(d.Location, d.Line, d.Column), d)
	}
}

// checkTemplate checks the template, and how it fits the routes. It reports whether
// functions in the template run the routes; if so, the template sets the routes'
// environment.
func (v *validation) checkTemplate() (runs bool) {
	if v.deployment == nil {
		return false
	}
	findings, runs, err := v.deployment.wiring(v.options.Config, machineNames(v.options.StateMachines))
	v.findings = append(v.findings, findings...)
	v.fail(err)
	return runs
}

// machineNames returns the names of a folder's state machines.
func machineNames(dir string) []string {
	var names []string
	if dir == "" {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.asl.json"))
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".asl.json"))
	}
	return names
}

// checkRoutes checks the configuration, and whether its handlers can be created.
func (v *validation) checkRoutes(ctx context.Context, runs bool) {
	cfg := &config.Config{}
	if v.options.Config != "" {
		var err error
		if cfg, err = (config.Options{Getenv: v.options.Getenv, RequireSecrets: !runs}).Load(v.options.Config); err != nil {
			v.fail(v.ofTemplate(err, runs))
			return
		}
	}
	for _, w := range cfg.Warnings() {
		v.add(wiring.Warning, "configuration", template.Pos{File: w.File, Line: w.Line, Column: w.Column}, w.Message)
	}
	if runs || v.has(wiring.Error) {
		// Only the template has the functions' variables, and mistakes that were already
		// reported are not reported again.
		return
	}
	local, err := devserver.NewLocal(v.options)
	if err != nil {
		v.fail(err)
		return
	}
	if v.options.StateMachines != "" && v.deployment == nil {
		v.fail(missingMachines(cfg, local, v.options.StateMachines))
		v.fail(slowMachines(cfg, local, v.options.StateMachines))
	}
	v.fail(local.Close(ctx))
}

// ofTemplate leaves out errors about variables that are not set here, because the
// environment of each function was already checked against the template. Other errors at
// the same position are consequences.
func (v *validation) ofTemplate(err error, runs bool) error {
	var wrong *config.Error
	if !runs || !errors.As(err, &wrong) {
		return err
	}
	type place struct{ line, column int }
	unset := map[place]bool{}
	for _, p := range wrong.Problems {
		if strings.HasPrefix(p.Message, "environment variable ") {
			unset[place{p.Line, p.Column}] = true
		}
	}
	rest := &config.Error{}
	for _, p := range wrong.Problems {
		if !unset[place{p.Line, p.Column}] {
			rest.Problems = append(rest.Problems, p)
		}
	}
	if len(rest.Problems) == 0 {
		return nil
	}
	return rest
}

func (v *validation) has(severity wiring.Severity) bool { return v.count(severity) > 0 }

func (v *validation) count(severity wiring.Severity) int {
	n := 0
	for _, f := range v.findings {
		if f.Severity == severity {
			n++
		}
	}
	return n
}

// missingMachines reports names of state machines that the folder does not have. An ARN
// may refer to a state machine elsewhere.
func missingMachines(cfg *config.Config, local *devserver.Local, folder string) error {
	var problems []config.Problem
	for _, m := range local.Missing() {
		if strings.HasPrefix(m.StateMachine, "arn:") {
			continue
		}
		for _, r := range cfg.Routes {
			if r.Name == m.Route {
				problems = append(problems, r.Problem("start", fmt.Sprintf(
					"start: %s has no state machine %q (no file %s.asl.json): correct the name, or write the ARN of a state machine elsewhere", folder, m.StateMachine, m.StateMachine)))
			}
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &config.Error{Problems: problems}
}

// slowMachines reports routes that start a STANDARD state machine in the folder and wait
// for its end.
func slowMachines(cfg *config.Config, local *devserver.Local, folder string) error {
	var problems []config.Problem
	for _, r := range cfg.Routes {
		if r.StateMachine == "" || r.Async || strings.HasPrefix(r.StateMachine, "arn:") {
			continue
		}
		arn := local.States.Resolve(r.StateMachine)
		if m, err := local.States.Describe(statesapi.DescribeInput{StateMachineARN: &arn}); err == nil && m.Type == statesapi.Standard {
			problems = append(problems, r.Problem("start", fmt.Sprintf(
				"start: %s.asl.json in %s waits for a token, a job or an activity, so it is a STANDARD state machine, which StartSyncExecution refuses: write mode: async", r.StateMachine, folder)))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &config.Error{Problems: problems}
}

// formatGitHub selects GitHub's workflow commands.
const formatGitHub = "github"

// report prints the findings, and returns an error if they fail the command.
func (c *validateCommand) report(p *program, v *validation) error {
	if v.empty() {
		return errors.New("there is nothing to validate here: neither expressway.yaml, nor a template, nor *.asl.json files in the folder statemachines; run `expressway init`, or name them with --config, --template or --statemachines")
	}
	cwd, _ := os.Getwd()
	var err error
	switch c.Format {
	case "json":
		err = writeJSON(p.stdout, v.findings)
	case "sarif":
		err = writeSARIF(p.stdout, v.findings, cwd)
	case formatGitHub:
		err = writeGitHub(p.stdout, v.findings, cwd)
	default:
		for _, f := range v.findings {
			fmt.Fprintln(p.stderr, textLine(f))
		}
	}
	switch {
	case err != nil:
		return err
	case v.other != nil:
		return v.other
	case v.has(wiring.Error):
		return errSilent
	}
	if c.Format == "text" {
		fmt.Fprintln(p.stdout, v.valid())
	}
	if c.Strict && v.has(wiring.Warning) {
		if c.Format == "text" {
			return errors.New("there are warnings, which --strict treats as errors")
		}
		return errSilent
	}
	return nil
}

// empty reports whether there is nothing that could be checked.
func (v *validation) empty() bool {
	return v.other == nil && len(v.findings) == 0 && v.options.Config == "" && v.deployment == nil && len(machineNames(v.options.StateMachines)) == 0
}

// valid describes what was checked.
func (v *validation) valid() string {
	routes, machines := "no routes", "no state machines"
	if v.options.Config != "" {
		routes = v.options.Config
	}
	if v.options.StateMachines != "" {
		machines = v.options.StateMachines
	}
	if v.deployment != nil {
		switch n := len(v.deployment.template.Machines()); {
		case v.options.StateMachines != "" || n == 0:
		case n == 1:
			machines = "1 state machine"
		default:
			machines = fmt.Sprintf("%d state machines", n)
		}
		return fmt.Sprintf("%s, %s and %s are valid", routes, machines, v.deployment.path)
	}
	return fmt.Sprintf("%s and %s are valid", routes, machines)
}
