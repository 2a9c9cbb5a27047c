package jsonata

import "maps"

// With returns the same expression with other limits, another clock or another random
// source: only the options that affect evaluation apply ([WithClock], [WithRandom] and
// the limits). Options that affect compilation have no effect.
func (e *Expr) With(opts ...Option) *Expr {
	conf := *e.conf
	conf.functions = maps.Clone(conf.functions) // an option might add to them
	for _, opt := range opts {
		if opt != nil {
			opt(&conf)
		}
	}
	conf.stepFunctions, conf.noContext, conf.functions = e.conf.stepFunctions, e.conf.noContext, e.conf.functions
	other := *e
	other.conf = &conf
	return &other
}
