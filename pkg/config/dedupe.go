package config

import (
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/expressway-dev/expressway/pkg/bridge"
)

// The longest and the usual time that a finished delivery is remembered. The usual
// one covers the retries of most senders; Stripe's go on for three days.
const (
	defaultRemember = 24 * time.Hour
	maxRemember     = 30 * 24 * time.Hour
)

func (d *document) readDedupe(n ast.Node, r *Route, scope []string) *bridge.Dedupe {
	rule := &bridge.Dedupe{For: defaultRemember}
	have := d.fields(n, "dedupe", map[string]func(ast.Node){
		"key": func(n ast.Node) {
			rule.Key = d.template(n, r.Name, "dedupe.key", scope)
			if !rule.Key.Dynamic() {
				d.add(n, "dedupe.key: write an expression in {%% %%}; a fixed text would make all deliveries one")
			}
		},
		"for": func(n ast.Node) {
			if rule.For = d.duration(n, "dedupe.for"); rule.For > maxRemember {
				d.add(n, "dedupe.for is at most %s", "720h")
			}
		},
		"onError": func(n ast.Node) {
			switch v := d.text(n, "dedupe.onError"); v {
			case "refuse":
			case "start":
				rule.StartUnchecked = true
			default:
				d.add(n, "dedupe.onError must be refuse or start, not %q", v)
			}
		},
	})
	if !have["key"] {
		d.add(n, "dedupe has no key")
	}
	return rule
}
