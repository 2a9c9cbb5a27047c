package config

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Work returns the route that the queue function runs for accepted deliveries: its
// trigger is the queue, and its input comes from the envelope. It returns nil for a route
// without a queue.
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
// source means any function.
func (r *Route) WorksIn(source Source) bool {
	if r.HTTP != nil && r.HTTP.Work != nil {
		return source == "" || source == SourceSQS
	}
	return source == "" || r.Source() == source
}

// The keys of a route with queue that concern the queue function. The others concern the
// webhook function, except for those that both functions read.
var (
	workKeys = []string{"start", "mode", "timeout", "includedData", "catch", "concurrency", "deadLetterQueue", "retry"}
	bothKeys = []string{"name", "queue", "dedupe"}
	// acceptedKeys are those of the workKeys that sqs routes have too.
	acceptedKeys = []string{"concurrency", "deadLetterQueue", "retry"}
)

// readQueue reads the queue of an http route and the keys that concern the queue
// function. It removes from late the keys that it reads, and those that it refuses.
func (d *document) readQueue(r *Route, late *lateKeys) {
	before := len(d.problems)
	address := d.queueAddress(late.queue, "queue")
	switch {
	case r.HTTP == nil:
		d.add(late.queue, "queue is only valid on http routes")
		return
	case address == "" && len(d.problems) == before && !d.foreign:
		d.add(late.queue, "queue is empty: give the URL or the ARN of a queue, because without one the route would wait for its executions")
	case strings.HasSuffix(address, ".fifo"):
		d.add(late.queue, "queue must be a standard queue: deliveries have no message group, and dedupe already drops repeats")
	}
	r.Queue = &bridge.Queue{Address: address}
	r.HTTP.Work = &SQS{Queue: address, Concurrency: DefaultConcurrency, Trace: TraceRecord}
	for key, n := range map[string]ast.Node{
		"respond": late.respond, "resume": late.resume, "answer": late.http["answer"], "accepted": late.http["accepted"], "onDeadline": late.http["onDeadline"],
	} {
		if n != nil {
			d.add(n, "queue and %s cannot be combined: the sender is answered with the provider's acknowledgement or 202, before an execution starts", key)
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

// checkQueues refuses an sqs route on the queue of an http route, because that queue
// holds envelopes of accepted deliveries.
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
				d.problems = append(d.problems, finding{Problem: r.Problem("sqs", "sqs: this queue holds the deliveries that route "+accepts.Name+" accepts, and must hold nothing else: use another queue")})
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
// queue reads the key, its variables need not be set here.
func (d *document) elsewhere(queued bool, key string, read func()) {
	was := d.foreign
	defer func() { d.foreign = was }()
	if queued && !slices.Contains(bothKeys, key) {
		d.foreign = was || d.only == SourceHTTP && slices.Contains(workKeys, key) || d.only == SourceSQS && !slices.Contains(workKeys, key)
	}
	read()
}
