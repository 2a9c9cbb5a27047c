package scaffold

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/template"
)

// The names that [Add] accepts in addition to those of providers.
const (
	addQueue = "queue"
	addRule  = "rule"
)

// Add plans one more route, with its parameter, its permission and a sample, in a folder
// that already has routes.
func Add(o Options, what string) (*Changes, error) {
	o.From, o.Providers = []string{sources.HTTP}, []string{what}
	switch what {
	case addQueue:
		o.From, o.Providers = []string{sources.SQS}, nil
	case addRule:
		o.From, o.Providers = []string{sources.EventBridge}, nil
		if o.Source == "" {
			return nil, errors.New("a rule needs a source: pass --source and, if needed, --detail-type")
		}
	}
	p, doc, err := newPlan(o)
	if err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, errors.New("there is no template here; `expressway init` writes one")
	}
	configuration, err := p.openConfiguration()
	if err != nil {
		return nil, err
	}
	if err := p.unrouted(configuration.root); err != nil {
		return nil, err
	}
	p.nameRoute(configuration.root)
	c := &Changes{Dir: o.Dir, edits: []*document{configuration, doc}}
	if err := p.addRoute(configuration); err != nil {
		return nil, err
	}
	if err := p.addToTemplate(c, doc); err != nil {
		return nil, err
	}
	if err := p.addSecrets(c); err != nil {
		return nil, err
	}
	p.samples(c)
	if err := c.skipExisting(); err != nil {
		return nil, err
	}
	for _, d := range c.edits {
		if err := d.check(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// openConfiguration finds expressway.yaml: in the folder of a function, or next to the
// template.
func (p *plan) openConfiguration() (*document, error) {
	folders := []string{p.Dir, filepath.Join(p.Dir, configDir)}
	for _, f := range p.template.Functions() {
		if folder := f.Folder(); folder != "" && strings.HasPrefix(f.Get("Runtime").Or(""), "provided") {
			folders = append(folders, folder)
		}
	}
	for _, folder := range folders {
		path := filepath.Join(folder, "expressway.yaml")
		source, err := os.ReadFile(path)
		if err == nil {
			return newDocument(path, string(source))
		}
	}
	return nil, errors.New("there is no expressway.yaml here; `expressway init` writes one")
}

// unrouted refuses a path that already has a route.
func (p *plan) unrouted(root *template.Node) error {
	for _, r := range root.Get("routes").Items {
		pattern := r.Get("http")
		if pattern == nil {
			continue
		}
		for _, h := range p.hooks {
			if http := (config.HTTP{Pattern: pattern.Text}); http.Path() == h.path {
				return fmt.Errorf("%s: there is already a route with the path %s: choose another with --path", pattern.Pos, h.path)
			}
		}
	}
	return nil
}

// nameRoute chooses unused names.
func (p *plan) nameRoute(root *template.Node) {
	taken := map[string]bool{}
	for _, r := range root.Get("routes").Items {
		if n := r.Get("name"); n != nil {
			taken[n.Text] = true
		}
	}
	free := func(name string) string {
		name = name[:min(len(name), 36)]
		for i, candidate := 2, name; ; i++ {
			if !taken[candidate] {
				return candidate
			}
			candidate = fmt.Sprintf("%s-%d", name, i)
		}
	}
	if p.queue != nil {
		name := free(kebab(p.queue.ID))
		p.names.queue, p.names.queueEvent = name, pascal(name)
		p.names.queueVar = upperSnake(p.queue.ID) + "_ARN"
		if p.dead != "" {
			p.names.deadVar = upperSnake(p.dead) + "_URL"
		}
	}
	name := free(kebab(strings.Trim(p.source+"-"+p.detailType, "*.- ")))
	p.names.event, p.names.eventEvent = name, pascal(name)
	for _, h := range p.hooks {
		if name := free(h.provider); name != h.provider {
			h.name = name
			h.yaml = strings.Replace(h.yaml, "name: "+h.provider, "name: "+name, 1)
		}
	}
}

// kebab returns a name in the form of route names.
func kebab(s string) string {
	return strings.Trim(strings.ToLower(separators.ReplaceAllString(boundary.ReplaceAllString(s, "${1}-${2}"), "-")), "-")
}

// addRoute adds the route after the existing ones.
func (p *plan) addRoute(d *document) error {
	lines := strings.Split(strings.TrimRight(p.routes(), "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return d.add([]string{"routes"}, "\n"+strings.Join(lines, "\n"))
}

// addToTemplate adds to the route's function what it lacks, or creates the function.
func (p *plan) addToTemplate(c *Changes, d *document) error {
	k := p.kinds()[0]
	i := slices.IndexFunc(p.template.Functions(), func(f *template.Function) bool {
		return f.Get("Handler").Or("") == k.handler && strings.HasPrefix(f.Get("Runtime").Or(""), "provided")
	})
	parameters := p.parameters()
	if i < 0 {
		parameters += p.operationParameters()
	}
	if parameters != "" {
		if err := d.add([]string{"Parameters"}, parameters); err != nil {
			return err
		}
	}
	if i < 0 {
		if conditions := p.conditions(); conditions != "" {
			if err := d.add([]string{"Conditions"}, conditions); err != nil {
				return err
			}
		}
		resources := p.resources()
		if err := p.alarmFiles(c, resources); err != nil {
			return err
		}
		return d.add([]string{"Resources"}, "\n"+resources)
	}
	if !p.sam {
		return errors.New("the template has no SAM transform, and `add` can only add routes to SAM functions: write the route yourself, and run `expressway validate`, which reports what else it needs")
	}
	f := p.template.Functions()[i]
	if names := p.published(k.id); len(names) > 0 && f.Get("AutoPublishAlias") != nil {
		c.note("add %s to VersionDescription of %s, because a change of a parameter's value alone publishes no version", strings.Join(names, " "), f.ID)
	}
	return p.addToFunction(d, f, k)
}

func (p *plan) addToFunction(d *document, f *template.Function, k kind) error {
	properties := []string{"Resources", f.ID, "Properties"}
	at := func(names ...string) []string { return append(slices.Clone(properties), names...) }
	environment, statements, events, shared := &writer{}, &writer{}, &writer{}, &writer{}
	p.environment(environment, "", k.id)
	if block := p.newVariables(environment.b.String(), f); block != "" {
		if err := d.add(at("Environment", "Variables"), block); err != nil {
			return err
		}
	}
	p.statements(statements, "    ", k.id)
	if block := p.newStatements(statements.b.String(), f, k); block != "" {
		if err := d.add(at("Policies"), "- Statement:\n"+block); err != nil {
			return err
		}
	}
	switch k.id {
	case idWebhook:
		for _, h := range p.hooks {
			if len(p.template.Doors()) == 0 || f.Get("Events") != nil {
				p.samHookEvent(events, "", h)
			}
		}
	case idQueue:
		p.samQueueEvent(events, "", p.names.queueEvent, p.queueID())
		if p.queue == nil {
			return errors.New("the template has no queue that nothing reads: add one to it, and name it with --queue")
		}
	case idEvents:
		p.samRuleEvent(events, "")
	}
	if block := events.b.String(); block != "" {
		if err := d.add(at("Events"), block); err != nil {
			return err
		}
	}
	p.shared(shared)
	if k.id == idWebhook && events.b.String() != "" {
		p.door(shared) // the API that the function's events name
	}
	block := shared.b.String()
	if k.id == idEvents { // the function has its destination already
		return nil
	}
	if block != "" {
		return d.add([]string{"Resources"}, block)
	}
	return nil
}

// newVariables returns the lines of variables that the function does not have yet.
func (p *plan) newVariables(block string, f *template.Function) string {
	var out []string
	for line := range strings.SplitSeq(strings.TrimRight(block, "\n"), "\n") {
		name, _, _ := strings.Cut(line, ":")
		if f.Variable(name) == nil {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// newStatements leaves out permissions that the function already has.
func (p *plan) newStatements(block string, f *template.Function, k kind) string {
	permissions := f.Permissions()
	var out []string
	for _, statement := range strings.Split("\n"+strings.TrimRight(block, "\n"), "\n    - Effect: Allow")[1:] {
		if p.granted(statement, permissions) {
			continue
		}
		out = append(out, "    - Effect: Allow"+statement)
	}
	return strings.Join(out, "\n")
}

// granted checks for a statement that this package wrote, by its first action and
// resource.
func (p *plan) granted(statement string, permissions template.Permissions) bool {
	value := func(key string) string {
		_, rest, _ := strings.Cut(statement, key+": ")
		line, _, _ := strings.Cut(rest, "\n")
		return line
	}
	action, _, _ := strings.Cut(strings.Trim(value("Action"), "[]"), ",")
	id := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(value("Resource"), "!Ref "), "!GetAtt "), ".Arn")
	r := p.template.Resource(id)
	if r == nil {
		return false
	}
	arn, _ := r.ARN().String()
	granted, _ := permissions.Grants(action, arn)
	return granted
}

// addSecrets adds the secrets that a laptop needs to env.json.
func (p *plan) addSecrets(c *Changes) error {
	if len(p.variables()) == 0 {
		return nil
	}
	path := filepath.Join(p.Dir, "env.json")
	source, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		c.file("env.json", p.envFile())
		return nil
	}
	if err != nil {
		return err
	}
	id := idWebhook
	for _, f := range p.template.Functions() {
		if f.Get("Handler").Or("") == "webhook" {
			id = f.ID
		}
	}
	var variables []variable
	for _, v := range p.variables() {
		variables = append(variables, v)
		if v.secret && p.operated() {
			variables = append(variables, variable{name: referenceName(v.name), local: "env:" + v.name})
		}
	}
	text, err := addJSON(path, string(source), id, variables)
	if err != nil {
		return err
	}
	c.json = append(c.json, replacement{path, string(source), text})
	return nil
}

// addJSON adds members to the object of a function, which is created if it does not
// exist.
func addJSON(path, source, id string, variables []variable) (string, error) {
	root, err := template.Parse(path, []byte(source))
	if err != nil {
		return "", err
	}
	var members []string
	function := root.Get(id)
	for _, v := range variables {
		if function.Get(v.name) == nil {
			members = append(members, quote(v.name)+": "+quote(v.local))
		}
	}
	if len(members) == 0 {
		return source, nil
	}
	added, target := strings.Join(members, ", "), function
	if function == nil {
		added, target = quote(id)+": {"+added+"}", root
	}
	if len(target.Members) > 0 {
		added += ", "
	}
	lines := strings.SplitAfter(source, "\n")
	line := lines[target.Pos.Line-1]
	at := target.Pos.Column
	if at > len(line) || line[at-1] != '{' {
		return "", fmt.Errorf("%s:%d: nothing can be added here automatically: add %s", path, target.Pos.Line, added)
	}
	lines[target.Pos.Line-1] = line[:at] + added + line[at:]
	text := strings.Join(lines, "")
	after, err := template.Parse(path, []byte(text))
	if err != nil || lost(root, after, "") != "" {
		return "", fmt.Errorf("%s: nothing can be added here automatically: add %s", path, added)
	}
	return text, nil
}
