package wiring

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/template"
)

// Check returns the findings about a template, about routes, and about how they fit
// together, in the order of the files. Either may be nil. The template must have the
// names of a deployment: see [template.Options.Deployed]. others are the names of further
// state machines that are known to exist.
func Check(t *template.Template, c *Configuration, others []string) []Finding {
	k := &checker{template: t, configuration: c, others: others}
	if t != nil {
		k.machines = t.Machines()
		k.checkLogging()
		if c != nil {
			k.tie()
		}
		t.Resolve()
		for _, p := range t.Problems() {
			severity := Error
			if p.Note {
				severity = Note
			}
			k.add(severity, "template", p.Pos, p.Message, "")
		}
	}
	return sorted(k.findings)
}

// Runs reports whether a function of the template runs routes.
func Runs(t *template.Template, c *Configuration) bool {
	k := &checker{template: t, configuration: c, mappings: t.Mappings(), rules: t.Rules(), doors: t.Doors()}
	return len(k.findMembers()) > 0
}

// A member is a function of the template that runs routes.
type member struct {
	*template.Function
	kind string
	// layer marks a function whose code is the layer's, so that its needs are known.
	layer       bool
	permissions template.Permissions
	routes      []*route
	accepted    []*route // http routes whose deliveries the queue function works on
}

type checker struct {
	template      *template.Template
	configuration *Configuration
	machines      []*template.Machine
	members       []*member
	mappings      []*template.Mapping
	rules         []*template.Rule
	pipes         []*template.Pipe
	doors         []*template.Door
	others        []string
	findings      []Finding
}

func (k *checker) add(severity Severity, rule string, pos template.Pos, message, cure string) {
	k.findings = append(k.findings, Finding{severity, rule, pos, message, cure})
}

func (k *checker) tie() {
	k.mappings, k.rules, k.pipes, k.doors = k.template.Mappings(), k.template.Rules(), k.template.Pipes(), k.template.Doors()
	k.members = k.findMembers()
	for _, r := range k.configuration.routes {
		if r.kind == "" {
			continue
		}
		var runs []*member
		for _, m := range k.members {
			if m.kind == r.kind {
				m.routes = append(m.routes, r)
				runs = append(runs, m)
			}
		}
		if len(runs) == 0 {
			k.noFunction(r)
		}
		for _, m := range runs {
			k.checkVariables(m, r)
			k.checkStart(m, r)
			k.checkWaits(m, r)
			k.checkRouteTimeout(m, r)
			k.checkBucket(m, r)
		}
	}
	for _, m := range k.members {
		for _, r := range k.configuration.routes {
			if m.kind == queue && r.accepts() {
				m.accepted = append(m.accepted, r)
				k.checkVariables(m, r)
			}
		}
		k.checkPermissions(m)
		switch m.kind {
		case webhook:
			k.checkDoors(m)
		case queue:
			k.checkMappings(m)
		case event:
			k.checkRules(m)
		}
		k.checkPipes(m)
	}
	k.checkQueueRoutes()
	k.checkEventRoutes()
}

func (k *checker) noFunction(r *route) {
	severity := Error
	if len(k.members) == 0 {
		severity = Note // the functions may belong to another stack
	}
	k.add(severity, "source-without-function", r.at(r.source),
		fmt.Sprintf("no function of %s runs the route %s, so no delivery reaches it", filepath.Base(k.template.File), r.name),
		fmt.Sprintf("Add a function of the layer with Handler: %s, whose CodeUri is the folder of %s", r.kind, filepath.Base(k.configuration.File)))
}

// findMembers returns the functions that run routes: those of the layer, by their
// Handler, and programs that are built from the folder of the configuration, by their
// event sources.
func (k *checker) findMembers() []*member {
	var out []*member
	for _, f := range k.template.Functions() {
		m := &member{Function: f}
		handler, runtime := f.Get("Handler").Or(""), f.Get("Runtime").Or("")
		custom := strings.HasPrefix(runtime, "provided")
		switch {
		case custom && slices.Contains(sources.Functions(), handler):
			m.kind, m.layer = handler, true
		case custom && k.built(f), f.Variable("EXPRESSWAY_CONFIG") != nil:
			m.kind = k.fedBy(f)
		}
		if m.kind != "" {
			m.permissions = f.Permissions()
			out = append(out, m)
		}
	}
	return out
}

// built reports whether a program's code is the folder of the configuration, or is built
// from it.
func (k *checker) built(f *template.Function) bool {
	folder := f.Folder()
	return folder != "" && filepath.Clean(folder) == filepath.Dir(k.configuration.File)
}

func (k *checker) fedBy(f *template.Function) string {
	for _, m := range k.mappings {
		if m.Function != nil && m.Function.ID == f.ID {
			return queue
		}
	}
	for _, r := range k.rules {
		if r.Function.ID == f.ID {
			return event
		}
	}
	for _, d := range k.doors {
		if d.Function.ID == f.ID {
			return webhook
		}
	}
	return ""
}

// checkVariables finds variables that the environment lacks.
func (k *checker) checkVariables(m *member, r *route) {
	missing := func(n *template.Node, name string) {
		v := m.Variable(name)
		s, known := v.String()
		if v != nil && !(known && s == "") {
			return
		}
		what := "does not have"
		if v != nil {
			what = "leaves empty"
		}
		k.add(Error, "variable-missing", n.Pos,
			fmt.Sprintf("the route %s reads %s, which the environment of %s %s, so the function does not start", r.name, name, m.ID, what),
			fmt.Sprintf("Add %s to Environment.Variables of %s (%s), or write ${%s:-default}", name, m.ID, m.At("Environment", "Variables"), name))
	}
	r.scalars(m.kind, func(n *template.Node) {
		for _, name := range variables(n.Text) {
			missing(n, name)
		}
	})
	for _, n := range r.secrets() {
		if !r.reads(m.kind, "verify") {
			break
		}
		if name, ok := strings.CutPrefix(n.Text, "env:"); ok && !strings.Contains(name, "$") {
			v := m.Variable(name)
			if s, known := v.String(); v == nil || known && s == "" {
				k.add(Error, "variable-missing", n.Pos,
					fmt.Sprintf("the route %s has its secret in %s, which the environment of %s does not have, so the function does not start", r.name, name, m.ID),
					fmt.Sprintf("Add %s to Environment.Variables of %s (%s)", name, m.ID, m.At("Environment", "Variables")))
			}
		}
	}
}

// checkStart finds state machines that do not exist, or have the wrong type.
func (k *checker) checkStart(m *member, r *route) {
	n := r.node.Get("start")
	if n == nil {
		return
	}
	v := expand(n, m.Function)
	text, known := v.String()
	if !known {
		if !k.lacks(m, n) {
			k.add(Note, "machine-unknown", r.at("start"),
				fmt.Sprintf("the state machine of the route %s is not known (%s), so neither its type nor the permission to start it is checked", r.name, strings.Join(v.Reasons(), ", ")), "")
		}
		return
	}
	machine := k.machine(text)
	switch {
	case machine == nil && !strings.HasPrefix(text, "arn:"):
		k.unknownMachine(r, text)
	case machine != nil && machine.Kind == "STANDARD" && !r.async():
		k.add(Error, "standard-synchronous", r.at("start"),
			fmt.Sprintf("the route %s starts %s synchronously, and it is a STANDARD state machine (%s): StartSyncExecution refuses those", r.name, machine.ID, machine.Pos),
			"Write mode: async on the route, or Type: EXPRESS in the template")
	}
}

// lacks reports whether a variable in the text is missing, which has its own finding.
func (k *checker) lacks(m *member, n *template.Node) bool {
	for _, name := range variables(n.Text) {
		v := m.Variable(name)
		if s, known := v.String(); v == nil || known && s == "" {
			return true
		}
	}
	return false
}

func (k *checker) unknownMachine(r *route, name string) {
	if slices.Contains(k.others, name) {
		return
	}
	var names []string
	for _, machine := range k.machines {
		if machine.ID == name {
			k.add(Error, "generated-name", r.at("start"),
				fmt.Sprintf("start: %s is the logical id of a state machine, which CloudFormation names %s", name, machine.Name().Show()),
				fmt.Sprintf("Give the function a variable with !Ref %s and write ${VARIABLE}, or give the machine a Name", name))
			return
		}
		if machine.Generated() {
			names = append(names, "${VARIABLE} with !Ref "+machine.ID)
		} else {
			names = append(names, machine.Name().Show())
		}
	}
	has := "the template has none"
	if len(names) > 0 {
		has = "it has " + strings.Join(names, ", ")
	}
	k.add(Error, "machine-unknown", r.at("start"), fmt.Sprintf("start: the template has no state machine %q", name), strings.ToUpper(has[:1])+has[1:])
}

// machine returns the machine with an ARN, optionally with a qualifier, or with a name.
func (k *checker) machine(text string) *template.Machine {
	if strings.HasPrefix(text, "arn:") {
		text = unqualified(text)
	}
	for _, m := range k.machines {
		name, _ := m.Name().String()
		arn, _ := m.ARN().String()
		if text == arn || text == name {
			return m
		}
	}
	return nil
}

// unqualified removes a version or an alias from the ARN of a state machine, because
// permissions to start it apply to the machine.
func unqualified(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) == 8 && parts[5] == "stateMachine" {
		return strings.Join(parts[:7], ":")
	}
	return arn
}

// checkLogging finds Express machines whose executions leave no history.
func (k *checker) checkLogging() {
	for _, m := range k.machines {
		if m.Kind != "EXPRESS" {
			continue
		}
		logging := m.Logging()
		level := logging.Get("Level")
		destinations := logging.Get("Destinations")
		if logging != nil && (!level.Known() || destinations != nil && level.Or("OFF") != "OFF") {
			continue
		}
		if logging.IsUnknown() {
			continue
		}
		pos := m.Pos
		if logging != nil {
			pos = m.At(map[string]string{"AWS::Serverless::StateMachine": "Logging"}[m.Type])
			if m.Type != "AWS::Serverless::StateMachine" {
				pos = m.At("LoggingConfiguration")
			}
		}
		property := "Logging"
		if m.Type != "AWS::Serverless::StateMachine" {
			property = "LoggingConfiguration"
		}
		k.add(Warning, "express-logging", pos,
			fmt.Sprintf("the Express state machine %s has no logging: its executions have no history, so nothing shows why one failed", m.ID),
			"Add "+property+" with Level: ERROR and a log group")
	}
}
