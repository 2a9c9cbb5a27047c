package wiring

import (
	"fmt"

	"github.com/expressway-dev/expressway/pkg/template"
)

// patterns returns the texts that one field of an event pattern matches, with * for any
// text; nil means all.
func patterns(pattern *template.Value, field string) []*template.Value {
	v := pattern.Get(field)
	if v == nil {
		return nil
	}
	var out []*template.Value
	for _, item := range v.List() {
		switch {
		case item.Kind == template.Unknown:
			return nil
		case item.Kind != template.Map:
			out = append(out, item)
		case item.Get("prefix") != nil && item.Get("prefix").Kind != template.Map:
			out = append(out, template.Concat(item.Pos, item.Get("prefix"), template.Text(item.Pos, "*")))
		case item.Get("suffix") != nil && item.Get("suffix").Kind != template.Map:
			out = append(out, template.Concat(item.Pos, template.Text(item.Pos, "*"), item.Get("suffix")))
		case item.Get("wildcard") != nil:
			out = append(out, item.Get("wildcard"))
		default:
			return nil // anything-but and similar: nearly everything
		}
	}
	return out
}

// overlaps reports whether some text matches both the rule and the route.
func overlaps(rule []*template.Value, route []*template.Value) bool {
	if rule == nil || route == nil {
		return true
	}
	for _, a := range rule {
		for _, b := range route {
			s, known := b.String()
			if !known || a.Overlap(s) {
				return true
			}
		}
	}
	return false
}

// routePatterns returns the texts of a key of eventbridge, or nil if the key is missing.
func routePatterns(r *route, key string, f *template.Function) []*template.Value {
	n := r.node.Get("eventbridge", key)
	if n == nil {
		return nil
	}
	if n.Kind == template.String {
		return []*template.Value{expand(n, f)}
	}
	var out []*template.Value
	for _, item := range n.Items {
		out = append(out, expand(item, f))
	}
	return out
}

// reaches reports whether events of a rule may match a route.
func reaches(rule *template.Rule, r *route, m *member) bool {
	source, detailType := patterns(rule.Pattern, "source"), patterns(rule.Pattern, "detail-type")
	if rule.Pattern == nil && rule.Schedule != nil {
		source, detailType = []*template.Value{template.Text(rule.Pos, "aws.events")}, []*template.Value{template.Text(rule.Pos, "Scheduled Event")}
	}
	return overlaps(source, routePatterns(r, "source", m.Function)) && overlaps(detailType, routePatterns(r, "detail-type", m.Function))
}

func (k *checker) checkRules(m *member) {
	for _, rule := range k.rules {
		if k.of(rule.Function) != m || rule.Pattern != nil && rule.Pattern.IsUnknown() {
			continue
		}
		taken := false
		for _, r := range m.routes {
			taken = taken || reaches(rule, r, m)
		}
		if !taken {
			k.add(Error, "rule-without-route", rule.Pos,
				fmt.Sprintf("no route takes what the rule %s sends to %s: each event fails with Expressway.NoRoute", rule.ID, m.ID),
				fmt.Sprintf("Add a route with eventbridge: of that source and detail-type to %s, or remove the rule", k.configuration.File))
		}
	}
	k.checkClaims(m)
}

// checkEventRoutes finds event routes that none of the function's rules feeds. If a
// function has no rules here, its rule may be on a bus of another stack.
func (k *checker) checkEventRoutes() {
	for _, m := range k.members {
		if m.kind != event {
			continue
		}
		var rules []*template.Rule
		for _, rule := range k.rules {
			if k.of(rule.Function) == m {
				rules = append(rules, rule)
			}
		}
		if len(rules) == 0 {
			continue
		}
		for _, r := range m.routes {
			fed := false
			for _, rule := range rules {
				fed = fed || reaches(rule, r, m)
			}
			if !fed {
				k.add(Warning, "event-without-rule", r.at("eventbridge"),
					fmt.Sprintf("no rule of %s lets events of the route %s through", m.ID, r.name),
					fmt.Sprintf("Add a rule with that source and detail-type to Events of %s (%s)", m.ID, m.Pos))
			}
		}
	}
}

// retrySeconds returns how long Lambda retries an asynchronous event: it waits one
// minute, then two.
func retrySeconds(m *member) (int, bool) {
	attempts := m.Get("EventInvokeConfig", "MaximumRetryAttempts")
	n := 2
	if attempts != nil {
		var ok bool
		if n, ok = attempts.Int(); !ok {
			return 0, false
		}
	}
	return []int{0, 60, 180}[min(max(n, 0), 2)], true
}

// checkClaims finds duplicates that are abandoned while the first delivery may still be
// running.
func (k *checker) checkClaims(m *member) {
	seconds, ok := retrySeconds(m)
	if !ok || k.hasDestination(m) {
		return
	}
	for _, r := range m.routes {
		if claim := int(r.claim().Seconds()); r.dedupes() && seconds < claim {
			k.add(Error, "dedupe-claim", r.at("dedupe"),
				fmt.Sprintf("if the function is killed, the event of the route %s stays claimed for %d s, and Lambda's retries end after %d s: the event is then lost, because %s has no on-failure destination", r.name, claim, seconds, m.ID),
				"Add EventInvokeConfig.DestinationConfig.OnFailure, or set dedupe.claim to the state machine's TimeoutSeconds")
		}
	}
}

// hasDestination reports whether a failed event is kept, or might be.
func (k *checker) hasDestination(m *member) bool {
	if m.Get("EventInvokeConfig", "DestinationConfig", "OnFailure") != nil || m.Get("DeadLetterQueue") != nil || m.Get("DeadLetterConfig") != nil {
		return true
	}
	for _, r := range k.template.Of("AWS::Lambda::EventInvokeConfig") {
		if m.Is(r.Get("FunctionName")) && r.Get("DestinationConfig", "OnFailure") != nil {
			return true
		}
	}
	return false
}

// checkPipes finds pipes that are not told which records failed.
func (k *checker) checkPipes(m *member) {
	for _, p := range k.pipes {
		if k.of(p.Function) != m {
			continue
		}
		invocation, known := p.Invocation.String()
		switch {
		case m.kind != queue:
			k.add(Error, "pipe-invocation", p.At("Target"),
				fmt.Sprintf("the pipe %s sends its batches to %s, which does not accept batches: every batch fails", p.ID, m.ID), "Make a function with Handler: queue its target")
		case p.Invocation != nil && known && invocation != "REQUEST_RESPONSE":
			k.add(Error, "pipe-invocation", p.At("TargetParameters", "LambdaFunctionParameters", "InvocationType"),
				fmt.Sprintf("the pipe %s does not wait for the answer of %s, so messages that failed are deleted", p.ID, m.ID), "Write InvocationType: REQUEST_RESPONSE")
		}
	}
}
