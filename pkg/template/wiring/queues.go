package wiring

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/expressway-dev/expressway/internal/words"
	"github.com/expressway-dev/expressway/pkg/config"
	"github.com/expressway-dev/expressway/pkg/template"
)

// of returns the member for a function, or nil.
func (k *checker) of(f *template.Function) *member {
	for _, m := range k.members {
		if f != nil && m.ID == f.ID {
			return m
		}
	}
	return nil
}

// queueOf returns the queue with an ARN, or nil.
func (k *checker) queueOf(arn *template.Value) *template.Resource {
	s, _ := arn.String()
	for _, r := range k.template.Of("AWS::SQS::Queue") {
		if a, _ := r.ARN().String(); s != "" && s == a {
			return r
		}
	}
	return nil
}

// takes reports whether a queue route matches the queue of a mapping. An unknown part may
// match.
func takes(route, source *template.Value) (may, certain bool) {
	if route == nil || route.IsUnknown() || source == nil || source.IsUnknown() {
		return true, false
	}
	pattern, known := route.String()
	arn, sourceKnown := source.String()
	if strings.HasPrefix(pattern, "https://") || strings.HasPrefix(pattern, "http://") {
		pattern = queueARNOf(pattern, arn)
	}
	subject := arn
	if !strings.HasPrefix(pattern, "arn:") {
		subject = arn[strings.LastIndexByte(arn, ':')+1:]
	}
	if known && sourceKnown {
		return config.Wildcard(pattern, subject), true
	}
	return template.Text(template.Pos{}, subject).Overlap(strings.ReplaceAll(pattern, holeText, "*")), false
}

// holeText is an unknown part of a text, as in pkg/template.
const holeText = "\uE000"

// queueARNOf returns the ARN for a queue's URL, in the partition of another ARN.
func queueARNOf(url, like string) string {
	_, rest, _ := strings.Cut(url, "://")
	parts := strings.Split(strings.Trim(rest, "/"), "/")
	host := strings.Split(parts[0], ".")
	partition := "aws"
	if p := strings.Split(like, ":"); len(p) > 1 && p[0] == "arn" {
		partition = p[1]
	}
	if len(parts) != 3 || len(host) < 2 {
		return url
	}
	return "arn:" + partition + ":sqs:" + host[1] + ":" + parts[1] + ":" + parts[2]
}

// accepts reports whether any route of the function accepts the mapping's records: a
// queue route, or an http route that sends them to the queue.
func (k *checker) accepts(m *member, source *template.Value) (may, certain bool) {
	for _, r := range m.routes {
		a, c := takes(expand(r.node.Get("sqs"), m.Function), source)
		may, certain = may || a, certain || a && c
	}
	for _, r := range k.configuration.routes {
		if n := r.node.Get("queue"); n != nil {
			for _, w := range k.members {
				if w.kind == webhook {
					a, c := takes(expand(n, w.Function), source)
					may, certain = may || a, certain || a && c
				}
			}
		}
	}
	return may, certain
}

func (k *checker) checkMappings(m *member) {
	maximum, reserved := 0, m.Get("ReservedConcurrentExecutions")
	var limited *template.Mapping
	for _, mapping := range k.mappings {
		if k.of(mapping.Function) != m || mapping.Enabled.Or("true") == "false" {
			continue
		}
		k.checkMapping(m, mapping)
		if n, ok := mapping.Maximum.Int(); ok {
			maximum, limited = maximum+n, mapping
		}
	}
	if n, ok := reserved.Int(); ok && limited != nil && n < maximum {
		k.add(Warning, "reserved-concurrency", m.At("ReservedConcurrentExecutions"),
			fmt.Sprintf("%s has a reserved concurrency of %d, and its mappings poll up to %d at a time: throttled messages come back, and end in the dead-letter queue", m.ID, n, maximum),
			fmt.Sprintf("Reserve at least %d, or set ScalingConfig.MaximumConcurrency of %s to at most %d", maximum, limited.ID, n))
	}
}

func (k *checker) checkMapping(m *member, mapping *template.Mapping) {
	q := k.queueOf(mapping.Source)
	if may, _ := k.accepts(m, mapping.Source); !may && !k.explained(m, q) {
		k.add(Error, "mapping-without-route", mapping.Pos(),
			fmt.Sprintf("the mapping %s feeds %s from %s, and no route takes its messages: they are retried until they expire or are dead-lettered", mapping.ID, m.ID, queueLabel(q, mapping)),
			fmt.Sprintf("Add a route with sqs: of that queue to %s, or remove the mapping", k.configuration.File))
	}
	if types := mapping.ResponseTypes; types.Known() && !slices.ContainsFunc(types.List(), func(v *template.Value) bool { return v.Or("") == "ReportBatchItemFailures" }) {
		k.add(Error, "report-batch-item-failures", mapping.At("FunctionResponseTypes"),
			fmt.Sprintf("the mapping %s does not report batch item failures, so Lambda deletes every message of a batch, including the failed ones", mapping.ID),
			"Add FunctionResponseTypes: [ReportBatchItemFailures]")
	}
	if q != nil {
		k.checkVisibility(m, mapping, q)
		k.checkRedrive(m, mapping, q)
	}
}

func queueLabel(q *template.Resource, mapping *template.Mapping) string {
	if q != nil {
		return q.ID
	}
	return mapping.Source.Show()
}

// explained reports whether a queue already has a finding: a route refers to it by a
// wrong name.
func (k *checker) explained(m *member, q *template.Resource) bool {
	return slices.ContainsFunc(m.routes, func(r *route) bool { return k.meant(r, m) != nil && k.meant(r, m) == q })
}

func (k *checker) checkVisibility(m *member, mapping *template.Mapping, q *template.Resource) {
	timeout, ok1 := m.Timeout()
	window, ok2 := 0, true
	if mapping.Window != nil {
		window, ok2 = mapping.Window.Int()
	}
	visibility, ok3 := 30, true
	v := q.Get("VisibilityTimeout")
	if v != nil {
		visibility, ok3 = v.Int()
	}
	need := 6*timeout + window
	if !ok1 || !ok2 || !ok3 || visibility >= need {
		return
	}
	has := fmt.Sprintf("the VisibilityTimeout of %s is %d s", q.ID, visibility)
	if v == nil {
		has = fmt.Sprintf("%s has no VisibilityTimeout, which is 30 s", q.ID)
	}
	sum := fmt.Sprintf("six times the timeout of %s (%d s)", m.ID, timeout)
	if window > 0 {
		sum += fmt.Sprintf(" and the batching window of %s (%d s)", mapping.ID, window)
	}
	severity := Warning
	consequence := "a batch that Lambda retries becomes visible in the meantime, and runs twice"
	if visibility < timeout {
		severity = Error
		consequence = "Lambda refuses a mapping whose queue has less than the function's timeout"
	}
	k.add(severity, "visibility-timeout", q.At("VisibilityTimeout"), fmt.Sprintf("%s, less than %s, which is %d s: %s", has, sum, need, consequence), fmt.Sprintf("Set VisibilityTimeout: %d", need))
}

func (k *checker) checkRedrive(m *member, mapping *template.Mapping, q *template.Resource) {
	policy := q.Get("RedrivePolicy")
	if policy == nil {
		k.add(Warning, "no-redrive-policy", q.Pos,
			fmt.Sprintf("%s has no RedrivePolicy: a message that never succeeds comes back until it expires, and is then lost", q.ID),
			"Add RedrivePolicy with a dead-letter queue (deadLetterTargetArn) and maxReceiveCount")
		return
	}
	count, ok := policy.Get("maxReceiveCount").Int()
	if !ok {
		return
	}
	visibility := 30
	if v := q.Get("VisibilityTimeout"); v != nil {
		if visibility, ok = v.Int(); !ok {
			return
		}
	}
	for _, r := range append(slices.Clone(m.routes), m.accepted...) {
		key := "sqs"
		if r.accepts() {
			key = "queue"
		}
		if may, certain := takes(expand(r.node.Get(key), m.Function), mapping.Source); !may || !certain || !r.dedupes() {
			continue
		}
		if claim := int(r.claim().Seconds()); visibility*count < claim {
			k.add(Warning, "dedupe-claim", q.At("RedrivePolicy"),
				fmt.Sprintf("a message of %s is received %s within %d s, and the claim of the route %s lasts %d s: if the function is killed, the message is dead-lettered before it may run again", q.ID, words.Count(count, "time"), visibility*count, r.name, claim),
				"Raise maxReceiveCount or VisibilityTimeout, or set dedupe.claim to the state machine's TimeoutSeconds")
		}
	}
}

// meant returns the queue with a generated name to which a route's plain name, which does
// not match it, must refer because there is no other.
func (k *checker) meant(r *route, m *member) *template.Resource {
	v := expand(r.node.Get("sqs"), m.Function)
	pattern, known := v.String()
	if !known || strings.Contains(pattern, "/") || strings.HasPrefix(pattern, "arn:") {
		return nil
	}
	var found, similar []*template.Resource
	for _, mapping := range k.mappings {
		q := k.queueOf(mapping.Source)
		if k.of(mapping.Function) != m || q == nil {
			continue
		}
		may, _ := takes(v, mapping.Source)
		if may {
			return nil
		}
		if !q.Generated() {
			continue
		}
		if taken, _ := k.accepts(m, mapping.Source); taken {
			continue
		}
		found = append(found, q)
		if word := strings.ToLower(strings.Trim(pattern, "*")); word != "" && strings.Contains(strings.ToLower(q.ID), word) {
			similar = append(similar, q)
		}
	}
	switch {
	case len(similar) > 0:
		return similar[0]
	case len(found) == 1:
		return found[0]
	}
	return nil
}

// checkQueueRoutes finds queue routes that nothing feeds, and http routes whose accepted
// deliveries nothing works on.
func (k *checker) checkQueueRoutes() {
	for _, r := range k.configuration.routes {
		if r.accepts() {
			k.checkAccepted(r)
		}
		if r.kind != queue {
			continue
		}
		var first *member
		fed := false
		for _, m := range k.members {
			if m.kind != queue {
				continue
			}
			if first == nil {
				first = m
			}
			fed = fed || k.lacks(m, r.node.Get("sqs")) || k.feeds(m, expand(r.node.Get("sqs"), m.Function))
		}
		if first == nil || fed {
			continue
		}
		if q := k.meant(r, first); q != nil {
			k.add(Error, "generated-name", r.at("sqs"),
				fmt.Sprintf("sqs: %s does not match %s, which CloudFormation names %s", r.text("sqs"), q.ID, q.Name().Show()),
				fmt.Sprintf("Give %s a variable with !GetAtt %s.Arn and write ${VARIABLE}, or give the queue a QueueName", first.ID, q.ID))
			continue
		}
		k.add(Error, "queue-without-mapping", r.at("sqs"),
			fmt.Sprintf("no event source mapping feeds the route %s: no SQS event of %s has the queue %s", r.name, first.ID, k.queueText(r, first)),
			fmt.Sprintf("Add an SQS event with that queue to Events of %s (%s)", first.ID, first.Pos))
	}
}

// feeds reports whether a mapping or a pipe may hand messages of a queue to a function.
func (k *checker) feeds(m *member, source *template.Value) bool {
	for _, mapping := range k.mappings {
		if may, _ := takes(source, mapping.Source); may && (mapping.Function == nil || k.of(mapping.Function) == m) {
			return true
		}
	}
	for _, p := range k.pipes {
		if may, _ := takes(source, p.Get("Source")); may && k.of(p.Function) == m {
			return true
		}
	}
	return false
}

// checkAccepted finds an http route whose accepted deliveries stay in their queue.
func (k *checker) checkAccepted(r *route) {
	for _, w := range k.members {
		n := r.node.Get("queue")
		v := expand(n, w.Function)
		if w.kind != webhook || k.lacks(w, n) || slices.ContainsFunc(k.members, func(m *member) bool {
			return m.kind == queue && k.feeds(m, v)
		}) {
			continue
		}
		severity, end := Note, "unless another stack has that function, none of them runs"
		for _, q := range k.template.Of("AWS::SQS::Queue") {
			if may, certain := takes(v, q.ARN()); may && certain {
				severity, end, v = Error, "none of them runs, and they expire", template.Text(n.Pos, q.ID)
			}
		}
		k.add(severity, "queue-without-mapping", r.at("queue"),
			fmt.Sprintf("the route %s accepts deliveries into %s, and no event source mapping of %s hands them to a queue function: %s", r.name, v.Show(), filepath.Base(k.template.File), end),
			fmt.Sprintf("Add a function with Handler: %s, and an SQS event with that queue to it", queue))
		return
	}
}

// queueText names the queue of a route: by its logical id, if it is in the template.
func (k *checker) queueText(r *route, m *member) string {
	v := expand(r.node.Get("sqs"), m.Function)
	for _, q := range k.template.Of("AWS::SQS::Queue") {
		arn := q.ARN()
		if may, certain := takes(v, arn); may && certain {
			return q.ID
		}
	}
	return v.Show()
}
