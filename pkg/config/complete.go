package config

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// Complete checks routes that were built in Go, and fills in the defaults of a route's
// provider: the delivery id, acknowledgement, deadline and dedupe key. Routes read from a
// file are already complete. The error joins all mistakes, each with its route's name.
func Complete(routes []*Route) error {
	var problems []error
	names := map[string]bool{}
	known := patterns{mux: http.NewServeMux()}
	for i, r := range routes {
		if r == nil {
			problems = append(problems, fmt.Errorf("route %d is nil", i))
			continue
		}
		for _, problem := range r.complete(&known) {
			problems = append(problems, fmt.Errorf("route %s: %s", r.Name, problem))
		}
		if names[r.Name] {
			problems = append(problems, fmt.Errorf("a second route is named %q", r.Name))
		}
		names[r.Name] = true
	}
	return errors.Join(problems...)
}

func (r *Route) complete(known *patterns) (problems []string) {
	if !isRouteName(r.Name) {
		problems = append(problems, "Name must be 1 to 40 of a-z, 0-9 and -")
	}
	if n := len(r.triggers()); n != 1 {
		problems = append(problems, fmt.Sprintf("exactly one of HTTP, SQS and EventBridge must be set, not %d", n))
	}
	if !r.Answer && r.Resume == nil && !isMachineARN(r.StateMachine) && !isMachineName(r.StateMachine) {
		problems = append(problems, fmt.Sprintf("StateMachine must be the ARN or the name of a state machine, not %q", r.StateMachine))
	}
	if r.HTTP != nil {
		problems = append(problems, r.completeHTTP(known)...)
	}
	if r.SQS != nil {
		if _, ok := parseQueue(r.SQS.Queue); !ok {
			problems = append(problems, fmt.Sprintf("SQS.Queue must be the name of a queue, its ARN or its URL, not %q", r.SQS.Queue))
		}
	}
	if r.Dedupe != nil {
		problems = append(problems, r.completeDedupe()...)
	}
	if problem := r.remembers(); problem != "" {
		problems = append(problems, "Dedupe: "+problem)
	}
	return problems
}

func (r *Route) completeHTTP(known *patterns) (problems []string) {
	if problem := known.add(r); problem != "" {
		problems = append(problems, "HTTP.Pattern: "+problem)
	} else if problem := r.HTTP.neverMatches(); problem != "" {
		problems = append(problems, "HTTP.Pattern: "+problem)
	}
	r.HTTP.Params = patternParams(r.HTTP.Pattern)
	if work := r.HTTP.Work; work != nil {
		if id, ok := parseQueue(work.Queue); !ok || work.Queue == id.name || strings.ContainsAny(work.Queue, "*") || strings.HasSuffix(id.name, ".fifo") {
			problems = append(problems, fmt.Sprintf("HTTP.Work.Queue must be the URL or the ARN of a standard queue, not %q", work.Queue))
		}
		r.Queue = &bridge.Queue{Address: work.Queue}
	}
	for _, p := range r.HTTP.Verify.Validate() {
		problems = append(problems, p.Error())
	}
	r.adoptPreset()
	return problems
}

// adoptPreset fills in the provider's values that the route does not set.
func (r *Route) adoptPreset() {
	preset, ok := r.HTTP.Verify.Known()
	if !ok {
		return
	}
	r.HTTP.DeliveryID, r.HTTP.Ack = preset.DeliveryID, preset.Ack
	switch {
	case r.Queue != nil:
		r.Queue.Within = preset.Deadline // the sender waits for no more than that
	case r.Timeout == 0:
		r.Timeout = preset.Deadline
	}
}

func (r *Route) completeDedupe() (problems []string) {
	rule := r.Dedupe
	if rule.For == 0 {
		rule.For = bridge.DefaultRemember
	}
	if rule.Claim == 0 {
		rule.Claim = bridge.MaxWait
	}
	if rule.Key == nil && !r.adoptDeliveryKey(rule) {
		problems = append(problems, "Dedupe.Key is nil, and the route's provider sends no delivery id: set a key")
	}
	return problems
}

// adoptDeliveryKey makes the key from the provider's own delivery id. It returns false if
// the provider has none.
func (r *Route) adoptDeliveryKey(rule *bridge.Dedupe) bool {
	if r.HTTP == nil {
		return false
	}
	text := DeliveryKey(r.HTTP.DeliveryID)
	if text == "" {
		return false
	}
	if !isOwn(text) {
		return false
	}
	rule.Key = ownExpression(r, text, "dedupe.key")
	rule.WithBody = r.HTTP.DeliveryID.Unsigned
	return true
}
