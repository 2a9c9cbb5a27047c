package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
	"github.com/expressway-dev/expressway/pkg/verify"
)

// maxRemember is the longest time that a finished delivery is remembered. leastClaim and
// mostClaim bound how long an attempt with an unknown end may hold a key; a queue keeps a
// message invisible for at most twelve hours.
const (
	maxRemember = 30 * 24 * time.Hour
	leastClaim  = time.Second
	mostClaim   = 11 * time.Hour
)

var dedupeKeys = []string{"claim", "for", "key", "onError"}

// readDedupe returns nil for `dedupe: false`.
func (d *document) readDedupe(n ast.Node, r *Route, scope []string) *bridge.Dedupe {
	rule := &bridge.Dedupe{For: bridge.DefaultRemember, Claim: bridge.MaxWait}
	if b, ok := n.(*ast.BoolNode); ok {
		if !b.Value {
			return nil
		}
		d.presetKey(n, r, rule)
		return rule
	}
	have := d.keys(n, "dedupe", dedupeKeys, func(key string, n ast.Node) {
		switch key {
		case "key":
			if preset, ok := r.preset(); ok && preset.RemembersIDs && d.text(n, "dedupe.key") != "{% "+DeliveryKey(preset.DeliveryID)+" %}" {
				d.add(n, "dedupe.key: remove it, because deliveries of provider %s are identified by the provider's own id, which is signed", preset.Name)
			}
			rule.Key = d.template(n, r.Name, "dedupe.key", scope)
			if !rule.Key.Dynamic() {
				d.add(n, "dedupe.key: write an expression in {%% %%}: with a fixed text, all deliveries would be duplicates")
			}
			rule.WithBody = withBody(n, r)
		case "for":
			if rule.For = d.duration(n, "dedupe.for"); rule.For > maxRemember {
				d.add(n, "dedupe.for must be at most %s", "720h")
			}
		case "claim":
			if rule.Claim = d.duration(n, "dedupe.claim"); rule.Claim != 0 && (rule.Claim < leastClaim || rule.Claim > mostClaim) {
				d.add(n, "dedupe.claim must be from 1s to 11h: use the longest time that an execution may run, such as the state machine's TimeoutSeconds")
			}
		case "onError":
			switch v := d.text(n, "dedupe.onError"); v {
			case "refuse":
			case "start":
				rule.StartUnchecked = true
			default:
				d.add(n, "dedupe.onError must be refuse or start, not %q", v)
			}
		}
	})
	if !have.has("key") {
		d.presetKey(n, r, rule)
	}
	return rule
}

// remembers returns what is wrong with the dedupe of a route whose provider signs too
// little of the body: the ids of its deliveries must be remembered for as long as their
// times are accepted. It returns "" if nothing is wrong.
func (r *Route) remembers() string {
	preset, ok := r.preset()
	if !ok || !preset.RemembersIDs {
		return ""
	}
	tolerance := preset.Tolerance
	if own, err := r.HTTP.Verify.Tolerance.Parse(); err == nil {
		tolerance = own
	}
	why := fmt.Sprintf("provider %s signs only a CRC-32 of the body, so anyone who has one delivery can forge others with the same checksum", preset.Name)
	switch {
	case r.Dedupe == nil:
		return fmt.Sprintf("%s: add dedupe: {for: %s}, so that each id is accepted once", why, strings.TrimSuffix(tolerance.String(), "0m0s"))
	case r.Dedupe.For < tolerance:
		return fmt.Sprintf("%s: dedupe.for must be at least the tolerance of %s", why, strings.TrimSuffix(tolerance.String(), "0m0s"))
	case r.Dedupe.StartUnchecked:
		return why + ": dedupe.onError must not be start"
	}
	return ""
}

func (r *Route) preset() (*verify.Preset, bool) {
	if r.HTTP == nil {
		return nil, false
	}
	return r.HTTP.Verify.Known()
}

// presetKey makes the key of the provider's own delivery id.
func (d *document) presetKey(n ast.Node, r *Route, rule *bridge.Dedupe) {
	if !r.adoptDeliveryKey(rule) && !d.anyone {
		d.add(n, "dedupe has no key, and the provider sends no delivery id: write dedupe.key")
	}
}

// DeliveryKey returns the expression that finds a provider's delivery id in a request, or
// "" if the provider has none.
func DeliveryKey(p verify.Place) string {
	body, form := "", ""
	for name := range strings.SplitSeq(p.Body, ".") {
		body += "." + quoteName(name)
	}
	if p.Form != "" {
		form = "." + quoteName(p.Form)
	}
	switch {
	case p.OtherHeader != "":
		header, other := headerPath(p.Header), headerPath(p.OtherHeader)
		return "$exists(" + header + ") ? " + header + " : " + other
	case p.Header != "":
		return headerPath(p.Header)
	case p.Body != "" && form != "" && form != body:
		return `$request.bodyType = "form" ? $request.body` + form + " : $request.body" + body
	case p.Body != "":
		return "$request.body" + body
	case form != "":
		return "$request.body" + form
	}
	return ""
}

func headerPath(name string) string { return "$request.headers." + quoteName(strings.ToLower(name)) }

func quoteName(name string) string { return `"` + name + `"` }

// withBody reports whether an explicit key relies on an id that is not signed, so that
// the body must be part of the key.
func withBody(key ast.Node, r *Route) bool {
	if r.HTTP == nil || !r.HTTP.DeliveryID.Unsigned {
		return false
	}
	// If the id in the body is not signed, neither is the rest of the body.
	return r.HTTP.DeliveryID.Header == "" || mentions(key, r.HTTP.DeliveryID.Header)
}

// mentions reports whether any text below n names the header.
func mentions(n ast.Node, header string) bool {
	if header == "" {
		return false
	}
	if s, ok := n.(*ast.StringNode); ok {
		return hasWord(s.Value, header)
	}
	found := false
	ast.Walk(visitor(func(n ast.Node) {
		if s, ok := n.(*ast.StringNode); ok {
			found = found || hasWord(s.Value, header)
		}
	}), n)
	return found
}

// hasWord reports whether one of the possible header names in an expression is the given
// one, in upper or lower case.
func hasWord(s, name string) bool {
	for at := 0; at < len(s); {
		if !inHeaderName(s[at]) {
			at++
			continue
		}
		from := at
		for at < len(s) && inHeaderName(s[at]) {
			at++
		}
		if strings.EqualFold(s[from:at], name) {
			return true
		}
	}
	return false
}

func inHeaderName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

type visitor func(ast.Node)

// Visit implements [ast.Visitor].
func (v visitor) Visit(n ast.Node) ast.Visitor {
	v(n)
	return v
}
