package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/template"
)

// Options are the choices of the user.
type Options struct {
	Dir string
	// From are http, sqs and eventbridge; Providers are the providers of the webhooks.
	From, Providers []string
	// Door is http-api, rest, function-url or alb. IaC is sam, cdk or terraform; if it is
	// empty, it is the tool of the folder.
	Door, IaC string
	// Template is a file in the folder; if it is empty, the folder is searched for a
	// template.
	Template string
	// Machine, Queue and Bus are logical ids in the template; if one is empty, the
	// template's only resource of its kind is used.
	Machine, Queue, Bus string
	// Source and DetailType are those of the rule.
	Source, DetailType string
	// Path precedes the provider's name in the webhooks' paths.
	Path string
	// Accept puts the webhooks into a queue first; Offload puts large inputs into a bucket.
	Accept, Offload bool
	// Layer is the ARN of a layer's version; if it is empty, the stack gets its own.
	Layer string
	// Arch is arm64 or x86_64.
	Arch string
	// LayerFile and LayerZip are the name and the contents of the layer's file; the
	// contents are empty if the program does not contain the layer.
	LayerFile string
	LayerZip  []byte
	// Version is the version of this program.
	Version string
}

// The files and folders that are created.
const (
	configDir  = "expressway"
	ConfigFile = "expressway/expressway.yaml"
)

// The logical ids of the new resources.
const (
	idWebhook  = "ExpresswayWebhook"
	idQueue    = "ExpresswayQueue"
	idEvents   = "ExpresswayEvents"
	idLayer    = "ExpresswayLayer"
	idTable    = "ExpresswayDeliveries"
	idAPI      = "ExpresswayApi"
	idJobs     = "DeliveriesQueue"
	idDead     = "DeliveriesDeadLetters"
	idFailed   = "ExpresswayFailedEvents"
	idMachine  = "DeliveriesMachine"
	idRole     = "DeliveriesMachineRole"
	idLogs     = "DeliveriesLogs"
	machineVar = "STATE_MACHINE_ARN"
)

// A plan holds the routes to be created, and the resources that the stack already has.
type plan struct {
	Options
	template *template.Template // nil for an empty folder
	sam      bool

	// machine is the logical id of the state machine that the routes start; if it is
	// empty, a variable must be set. express means that routes can wait for its
	// executions.
	machine  string
	express  bool
	variable string // the variable for its ARN

	hooks []*hook
	api   string // the logical id of an existing API

	queue      *template.Resource // an existing one
	queueTime  int                // the timeout of the queue function
	fifo       bool
	dead       string // the logical id of the dead-letter queue of an existing queue
	bus        string // the logical id of a bus; empty means the default bus
	names      names
	source     string
	detailType string
}

// names are the names of the queue route and the event route, and of their variables.
type names struct{ queue, queueVar, deadVar, queueEvent, event, eventEvent string }

var initNames = names{"deliveries", "DELIVERIES_QUEUE_ARN", "DEAD_LETTERS_URL", "Deliveries", "events", "Events"}

// withoutRoutes refuses a folder that already has routes, because the template would be
// written for other routes.
func (p *plan) withoutRoutes() error {
	_, err := os.Lstat(filepath.Join(p.Dir, ConfigFile))
	if err == nil {
		return fmt.Errorf("%s already exists, and its routes would not fit the new template: `expressway add` adds a route to it; to start over, move it away first", ConfigFile)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Init plans what a folder lacks.
func Init(o Options) (*Changes, error) {
	if o.IaC == "" {
		o.IaC, o.Template = toolOf(o.Dir, o.Template)
	}
	c := &Changes{Dir: o.Dir}
	if done, err := o.initialized(); done || err != nil {
		c.note("%s already exists and was not changed", ConfigFile)
		return c, err
	}
	p, doc, err := newPlan(o)
	if err != nil {
		return nil, err
	}
	if o.IaC != "sam" {
		return c, p.snippet(c)
	}
	c.file(ConfigFile, p.configuration())
	p.samples(c)
	resources := p.resources()
	if err := p.alarmFiles(c, resources); err != nil {
		return nil, err
	}
	if doc == nil {
		p.newStack(c, resources)
		c.note("`expressway dev` runs it, and `sam build && sam deploy --guided` deploys it")
		for _, h := range p.hooks[:min(1, len(p.hooks))] {
			c.note("`expressway sign %s -d %s | sh` sends a signed sample while it runs", h.name, sampleFile(h.provider))
		}
	} else {
		if doc.root.Get("Resources", idLayer) != nil || doc.root.Get("Resources", idWebhook) != nil || doc.root.Get("Resources", idQueue) != nil || doc.root.Get("Resources", idEvents) != nil {
			return nil, fmt.Errorf("%s already contains Expressway; `expressway add` adds a route", doc.file)
		}
		if err := p.withoutRoutes(); err != nil {
			return nil, err
		}
		if err := p.extend(doc, resources); err != nil {
			return nil, err
		}
		c.edits = append(c.edits, doc)
		c.note("pass the parameters to `sam deploy --parameter-overrides`, or add them to parameter_overrides in samconfig.toml: %s", strings.Join(p.parameterNames(), ", "))
	}
	c.file("env.json", p.envFile())
	if o.Layer == "" {
		if len(o.LayerZip) > 0 {
			c.Files = append(c.Files, File{o.LayerFile, o.LayerZip})
		} else {
			c.note("put the layer next to the template before you deploy it: download %s from the release, or write it with `expressway layer` of a released program", o.LayerFile)
		}
	}
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

func newPlan(o Options) (*plan, *document, error) {
	p := &plan{Options: o, names: initNames, queueTime: 60, source: o.Source, detailType: o.DetailType, sam: true, express: true}
	if p.source == "" {
		p.source = "my.application"
	}
	if p.detailType == "" {
		p.detailType = "*"
	}
	var doc *document
	path := o.Template
	if path == "" {
		path = template.Find(o.Dir)
	}
	if path != "" {
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read template: %w", err)
		}
		if p.template, err = template.New(path, source, template.Options{}); err != nil {
			return nil, nil, err
		}
		if err := understood(p.template); err != nil {
			return nil, nil, err
		}
		p.sam = p.template.SAM()
		if o.IaC == "sam" {
			if synthesized(path) {
				return nil, nil, fmt.Errorf("%s is rewritten by each synth, so nothing was added to it: pass --iac cdk, and use the construct in the app", path)
			}
			if doc, err = newDocument(path, string(source)); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, choose := range []func() error{p.chooseMachine, p.chooseAPI, p.chooseQueue, p.chooseBus, p.chooseHooks, p.chooseAccept} {
		if err := choose(); err != nil {
			return nil, nil, err
		}
	}
	return p, doc, nil
}

func (p *plan) from(source string) bool { return slices.Contains(p.From, source) }

// cdkHash is what CDK appends to the names of constructs in logical ids.
var cdkHash = regexp.MustCompile(`[0-9A-F]{8}$`)

func (p *plan) chooseBus() error {
	if !p.from(sources.EventBridge) || p.template == nil {
		return nil
	}
	buses := p.template.Of("AWS::Events::EventBus")
	for _, b := range buses {
		if b.ID == p.Bus || p.Bus == "" && len(buses) == 1 {
			p.bus = b.ID
		}
	}
	if p.Bus != "" && p.bus == "" {
		return fmt.Errorf("the template has no event bus %s", p.Bus)
	}
	return nil
}

func (p *plan) dedupes() bool {
	return slices.ContainsFunc(p.hooks, func(h *hook) bool { return h.dedupes })
}

// variables returns the variables of the webhook function, without duplicates.
func (p *plan) variables() []variable {
	var out []variable
	for _, h := range p.hooks {
		for _, v := range h.variables {
			if !slices.ContainsFunc(out, func(o variable) bool { return o.name == v.name }) {
				out = append(out, v)
			}
		}
	}
	return out
}

func (p *plan) parameterNames() []string {
	var out []string
	for _, v := range p.variables() {
		out = append(out, v.parameter)
	}
	if p.machine == "" {
		out = append(out, "StateMachineArn")
	}
	return out
}

// configuration returns the text of expressway.yaml.
func (p *plan) configuration() string {
	return "# yaml-language-server: $schema=https://raw.githubusercontent.com/expressway-dev/expressway/main/docs/expressway.schema.json\nversion: 1\nroutes:\n" + p.routes()
}

// routes returns the items of routes.
func (p *plan) routes() string {
	var b strings.Builder
	for _, h := range p.hooks {
		b.WriteString(h.yaml + "\n")
	}
	async := ""
	if !p.express {
		async = "    mode: async\n"
	}
	if p.from(sources.SQS) {
		fmt.Fprintf(&b, "  - name: %s\n    sqs: ${%s}\n    start: ${%s}\n%s    input: '{%% $message.body %%}'\n    concurrency: 5\n", p.names.queue, p.names.queueVar, p.variable, async)
		if p.deadID() != "" {
			b.WriteString("    deadLetterQueue: ${" + p.names.deadVar + "}\n    # catch: [{errors: [NameOfAnError], then: dead-letter}]\n")
		}
		b.WriteString("\n")
	}
	if p.from(sources.EventBridge) {
		fmt.Fprintf(&b, "  - name: %s\n    eventbridge: {source: %q, detail-type: %q}\n    start: ${%s}\n%s    input: '{%% $event.detail %%}'\n", p.names.event, p.source, p.detailType, p.variable, async)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// deadID returns the logical id of the dead-letter queue, or "".
func (p *plan) deadID() string {
	if p.queue != nil {
		return p.dead
	}
	return idDead
}

func (p *plan) queueID() string {
	if p.queue != nil {
		return p.queue.ID
	}
	return idJobs
}
