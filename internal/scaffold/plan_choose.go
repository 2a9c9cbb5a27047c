package scaffold

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expressway-dev/expressway/internal/sources"
	"github.com/expressway-dev/expressway/pkg/template"
)

func (p *plan) chooseMachine() error {
	defer func() {
		if p.IaC == "cdk" && p.machine != "" {
			p.variable = upperSnake(cdkHash.ReplaceAllString(p.machine, "")) + "_ARN"
		}
	}()
	if p.template == nil {
		p.machine, p.variable = idMachine, upperSnake(idMachine)+"_ARN"
		return nil
	}
	var express []*template.Machine
	for _, m := range p.template.Machines() {
		if m.ID == p.Machine {
			p.machine, p.express, p.variable = m.ID, m.Kind == "EXPRESS", upperSnake(m.ID)+"_ARN"
			return nil
		}
		if m.Kind == "EXPRESS" {
			express = append(express, m)
		}
	}
	switch {
	case p.Machine != "":
		return fmt.Errorf("the template has no state machine %s", p.Machine)
	case len(express) == 1:
		p.machine, p.variable = express[0].ID, upperSnake(express[0].ID)+"_ARN"
	default:
		p.variable = machineVar
	}
	return nil
}

func (p *plan) chooseAPI() error {
	if p.template == nil || p.Door != "http-api" {
		return nil
	}
	kind := "AWS::Serverless::HttpApi"
	if !p.sam {
		kind = "AWS::ApiGatewayV2::Api"
	}
	if apis := p.template.Of(kind); len(apis) == 1 {
		p.api = apis[0].ID
	}
	return nil
}

// chooseQueue finds the only queue that nothing reads and that is not a dead-letter
// queue.
func (p *plan) chooseQueue() error {
	if !p.from(sources.SQS) || p.template == nil {
		return nil
	}
	var free []*template.Resource
	busy := p.usedQueues()
	for _, q := range p.template.Of("AWS::SQS::Queue") {
		if q.ID == p.Queue {
			free = []*template.Resource{q}
			break
		}
		if arn, _ := q.ARN().String(); !busy[arn] && !busy[q.ID] {
			free = append(free, q)
		}
	}
	switch {
	case p.Queue != "" && (len(free) != 1 || free[0].ID != p.Queue):
		return fmt.Errorf("the template has no queue %s", p.Queue)
	case len(free) == 0:
		return nil
	case len(free) > 1:
		names := make([]string, len(free))
		for i, q := range free {
			names[i] = q.ID
		}
		return fmt.Errorf("the template has several queues that nothing reads (%s): name one with --queue", strings.Join(names, ", "))
	}
	p.queue = free[0]
	p.fifo = p.queue.Get("FifoQueue").Or("") == "true"
	visibility := 30
	if v := p.queue.Get("VisibilityTimeout"); v != nil {
		visibility, _ = v.Int()
	}
	// The queue is not changed, so its VisibilityTimeout limits the function's timeout.
	p.queueTime = max(1, min(60, visibility/6))
	target, _ := p.queue.Get("RedrivePolicy", "deadLetterTargetArn").String()
	for _, q := range p.template.Of("AWS::SQS::Queue") {
		if arn, _ := q.ARN().String(); arn == target && arn != "" {
			p.dead = q.ID
		}
	}
	return nil
}

// usedQueues returns the ARNs of queues that a mapping reads or that receive dead
// letters.
func (p *plan) usedQueues() map[string]bool {
	busy := map[string]bool{}
	mark := func(v *template.Value) {
		if s, ok := v.String(); ok {
			busy[s] = true
		}
	}
	for _, m := range p.template.Mappings() {
		mark(m.Source)
	}
	for _, q := range p.template.Of("AWS::SQS::Queue") {
		mark(q.Get("RedrivePolicy", "deadLetterTargetArn"))
	}
	for _, r := range p.template.Of("AWS::Pipes::Pipe") {
		mark(r.Get("Source"))
	}
	// The resources to which another one refers as a dead-letter queue, under any
	// condition.
	for _, id := range deadLetterIDs(p.template.Root) {
		busy[id] = true
	}
	return busy
}

// deadLetterIDs returns the logical ids below keys whose names contain "dead letter".
func deadLetterIDs(root *template.Node) (ids []string) {
	var walk func(n *template.Node, dead bool, depth int)
	walk = func(n *template.Node, dead bool, depth int) {
		if depth > 100 {
			return
		}
		for _, item := range n.Items {
			walk(item, dead, depth+1)
		}
		for _, m := range n.Members {
			name := strings.ToLower(m.Name)
			within := dead || strings.Contains(name, "deadletter") || name == "onfailure"
			if within && m.Name == "Ref" {
				ids = append(ids, m.Value.Text)
			}
			if within && m.Name == "Fn::GetAtt" && len(m.Value.Items) > 0 {
				ids = append(ids, m.Value.Items[0].Text)
			}
			walk(m.Value, within, depth+1)
		}
	}
	walk(root, false, 0)
	return ids
}

func (p *plan) chooseHooks() error {
	if !p.from(sources.HTTP) {
		return nil
	}
	for _, provider := range p.Providers {
		h, err := newHook(provider, strings.TrimSuffix(p.Path, "/")+"/"+provider, "${"+p.variable+"}")
		if err != nil {
			return err
		}
		if !p.express {
			h.yaml += "    mode: async\n"
		}
		p.hooks = append(p.hooks, h)
	}
	if len(p.hooks) == 0 {
		p.hooks = []*hook{p.tokenHook()}
	}
	if p.Door == "rest" && !p.sam {
		return errors.New("--door rest needs SAM's transform in the template: add it, or choose --door http-api or function-url")
	}
	return nil
}

// tokenHook returns a webhook without a provider, to which anyone who has the token may
// send.
func (p *plan) tokenHook() *hook {
	h := &hook{provider: "webhook", name: "webhook", path: strings.TrimSuffix(p.Path, "/") + "/webhook"}
	h.variables = []variable{{"WEBHOOK_TOKEN", "WebhookToken", "The token that senders put into the header X-Api-Key.", "development-only-token", true, ""}}
	h.yaml = "  - name: webhook\n    http: POST " + h.path + "\n    verify: {token: {header: X-Api-Key}, secrets: [\"" + secretRef("WEBHOOK_TOKEN") + "\"]}\n    start: ${" + p.variable + "}\n    input: '{% $request.body %}'\n"
	if !p.express {
		h.yaml += "    mode: async\n"
	}
	return h
}
