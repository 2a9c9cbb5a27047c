package config

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Work returns the route as the queue function runs it on what was accepted: its queue is
// its trigger, and its input is in the envelope. It is nil for a route without a queue.
func (r *Route) Work() *Route {
	if r == nil || r.HTTP == nil || r.HTTP.Work == nil {
		return nil
	}
	work := *r
	work.HTTP, work.SQS, work.Queue = nil, r.HTTP.Work, nil
	work.Filter, work.Input, work.Respond, work.Offload = nil, nil, nil, nil
	return &work
}

// WorksIn reports whether the function of a source starts the route's executions; an empty
// source is all of them.
func (r *Route) WorksIn(source Source) bool {
	if r.HTTP != nil && r.HTTP.Work != nil {
		return source == "" || source == SourceSQS
	}
	return source == "" || r.Source() == source
}

// The keys of a route with queue that concern what the queue function does; the others
// concern the webhook function, but for those that both read.
var (
	workKeys = []string{"start", "mode", "timeout", "includedData", "catch", "concurrency", "deadLetterQueue", "retry"}
	bothKeys = []string{"name", "queue", "dedupe"}
	// acceptedKeys are the sqs keys among them.
	acceptedKeys = []string{"concurrency", "deadLetterQueue", "retry"}
)

// readQueue reads the queue of an http route, and what the queue function does with what
// was accepted. It takes out of late what is read, and what no such route has.
func (d *document) readQueue(r *Route, late *lateKeys) {
	before := len(d.problems)
	address := d.queueAddress(late.queue, "queue")
	switch {
	case r.HTTP == nil:
		d.add(late.queue, "queue belongs to http routes")
		return
	case address == "" && len(d.problems) == before && !d.foreign:
		d.add(late.queue, "queue is empty: without it, the route would wait for its executions")
	case strings.HasSuffix(address, ".fifo"):
		d.add(late.queue, "queue must not be a FIFO queue: deliveries have no message group, and dedupe makes repeats one")
	}
	r.Queue = &bridge.Queue{Address: address}
	r.HTTP.Work = &SQS{Queue: address, Concurrency: DefaultConcurrency, Trace: TraceRecord}
	for key, n := range map[string]ast.Node{
		"respond": late.respond, "resume": late.resume, "answer": late.http["answer"], "accepted": late.http["accepted"], "onDeadline": late.http["onDeadline"],
	} {
		if n != nil {
			d.add(n, "queue and %s: the sender is answered before anything starts, with the provider's acknowledgement or 202", key)
		}
	}
	late.respond = nil
	own := map[string]ast.Node{}
	for _, key := range acceptedKeys {
		if n := late.sqs[key]; n != nil {
			own[key] = n
			delete(late.sqs, key)
		}
	}
	d.elsewhere(true, "deadLetterQueue", func() { d.readSQSKeys(&Route{SQS: r.HTTP.Work}, own) })
}

// checkQueues refuses an sqs route on the queue of an http route: what it holds are
// envelopes of accepted deliveries.
func (d *document) checkQueues(cfg *Config) {
	for _, accepts := range cfg.Routes {
		work := accepts.Work()
		if work == nil || work.SQS.Queue == "" {
			continue
		}
		id, _ := parseQueue(work.SQS.Queue)
		for _, r := range cfg.Routes {
			if r.SQS == nil || strings.Contains(r.SQS.Queue, "*") {
				continue
			}
			if other, _ := parseQueue(r.SQS.Queue); other.same(id) {
				d.problems = append(d.problems, r.Problem("sqs", "sqs: the queue holds what route "+accepts.Name+" has accepted, and nothing else may be in it: use another queue"))
			}
		}
	}
}

// hasKey reports whether a route has a key, before it is read.
func hasKey(values []*ast.MappingValueNode, key string) bool {
	for _, p := range values {
		if name, _ := p.Key.(ast.Node).(*ast.StringNode); name != nil && name.Value == key {
			return true
		}
	}
	return false
}

// elsewhere runs read for a key of the route. If only the other function of a route with a
// queue reads the key, its variables are not set here.
func (d *document) elsewhere(queued bool, key string, read func()) {
	was := d.foreign
	defer func() { d.foreign = was }()
	if queued && !slices.Contains(bothKeys, key) {
		d.foreign = was || d.only == SourceHTTP && slices.Contains(workKeys, key) || d.only == SourceSQS && !slices.Contains(workKeys, key)
	}
	read()
}
